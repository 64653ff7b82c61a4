#include "compiler/driver/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace mntcr::driver {
namespace {

Failure failure(int number) { return fail(std::generic_category().message(number), number); }

/// A file descriptor of a plain file.
class File {
 public:
  explicit File(int number) : number_(number) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ > STDERR_FILENO) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

Result<std::string> read_all(int file) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno);
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Result<void> write_all(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failure(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

bool is_special(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

Result<void> write_in_place(const std::string& path, std::span<const std::byte> bytes) {
  const File file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) return failure(errno);
  return write_all(file.get(), bytes);
}

/// mkstemp makes files for their owner alone; a result has the mode that any new file has.
mode_t new_file_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  if (path == "-") return read_all(STDIN_FILENO);
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failure(errno);
  return read_all(file.get());
}

Result<void> write_file(const std::string& path, std::span<const std::byte> bytes) {
  if (path == "-") return write_all(STDOUT_FILENO, bytes);
  if (is_special(path)) return write_in_place(path, bytes);
  std::string beside = path + ".XXXXXX";
  const File file(::mkostemp(beside.data(), O_CLOEXEC));
  if (file.get() < 0) return failure(errno);
  Result<void> done = write_all(file.get(), bytes);
  if (done && ::fchmod(file.get(), new_file_mode()) != 0) done = failure(errno);
  if (done && ::rename(beside.c_str(), path.c_str()) != 0) done = failure(errno);
  if (!done) ::unlink(beside.c_str());
  return done;
}

Result<void> write_file(const std::string& path, const std::string& text) {
  return write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace mntcr::driver
