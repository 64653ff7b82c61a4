#include "compiler/driver/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <system_error>

namespace mntcr::driver {

BuildingProcess::BuildingProcess() : umask_(::umask(022)) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  soft_limit_ = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

BuildingProcess::~BuildingProcess() {
  ::umask(static_cast<mode_t>(umask_));
  rlimit limit{};
  if (soft_limit_ == 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = soft_limit_;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Error become(const std::vector<std::string>& argv) {
  // A file that the caller left open would be a way out of the container (CVE-2024-21626).
  if (::close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0) {
    return {"close_range: " + std::generic_category().message(errno), 0, {}};
  }
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  return {std::generic_category().message(errno), errno, {}};
}

}  // namespace mntcr::driver
