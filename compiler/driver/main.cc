#include "compiler/driver/commands.h"

int main(int argc, char** argv) { return mntcr::driver::run(argc, argv); }
