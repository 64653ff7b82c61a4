// Running the built program as a user does.
#pragma once

#include <string>

namespace mntcr::sandbox {

/// What a command line gave.
struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

/// Runs `line` by the shell in directory `directory`, with $MNTCR set to the built program.
Ran shell(const std::string& directory, const std::string& line);

}  // namespace mntcr::sandbox
