// Which bytes are UTF-8: paths need not be, JSON and terminals must get nothing else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mntcr::utf8 {

/// Bytes in the well-formed UTF-8 sequence at the start of `bytes` (RFC 3629: no overlong forms, no
/// surrogates); 0 when there is none.
std::size_t sequence_length(std::string_view bytes);

bool is_valid(std::string_view bytes);

/// `bytes` with everything that is not UTF-8 replaced by U+FFFD.
std::string replace_invalid(std::string_view bytes);

}  // namespace mntcr::utf8
