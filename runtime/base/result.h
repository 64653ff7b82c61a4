// The machine's kind of error: one value or one failure, with context added on the way up.
//
// The user's kind of error (many, sorted, pointing into the spec) is Diagnostics; no exception
// crosses a file.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace mntcr {

/// One failure of the machine. `message` is a sentence without a trailing dot; `number` is the
/// errno behind it, 0 where none is; `kernel_text` is what the kernel itself said through an fs
/// context, empty where it said nothing.
struct Error {
  std::string message;
  int number = 0;
  std::string kernel_text;
};

template <class T>
using Result = std::expected<T, Error>;

using Failure = std::unexpected<Error>;

/// A failure without an errno.
inline Failure fail(std::string message) { return Failure(Error{std::move(message), 0, {}}); }

/// A failure with the errno behind it.
inline Failure fail(std::string message, int number) {
  return Failure(Error{std::move(message), number, {}});
}

/// Passes `error` on with what was being done put before its message: "reading /x: ENOENT".
inline Failure in_context(std::string doing, Error error) {
  error.message = std::move(doing) + ": " + error.message;
  return Failure(std::move(error));
}

}  // namespace mntcr
