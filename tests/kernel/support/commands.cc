#include "tests/kernel/support/commands.h"

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/kernel/support/sandbox.h"

namespace mntcr::sandbox {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

Ran shell(const std::string& directory, const std::string& line) {
  const std::string results = fresh_dir();
  // LeakSanitizer reads /proc when a process ends, and a process in a container may have none.
  const std::string whole = "cd '" + directory + "' && MNTCR='" MNTCR_BINARY "' NO_COLOR=1 " +
                            "ASAN_OPTIONS=detect_leaks=0 sh -c '" + line + "' >'" + results +
                            "/out' 2>'" + results + "/err' </dev/null";
  const int status = std::system(whole.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, file_text(results + "/out"),
          file_text(results + "/err")};
}

}  // namespace mntcr::sandbox
