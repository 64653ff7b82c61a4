// The slips that TOML's own message explains badly: what was probably meant, and how TOML says it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mntcr::syntax {

/// What toml++ said, taken apart: "Error while parsing CONTEXT: REASON".
struct Complaint {
  std::string context;
  std::string reason;
  std::size_t offset = 0;
};

/// A better place, further place and way out for a complaint; the empty ones keep what there is.
struct Slip {
  std::string message;
  std::string help;
  std::optional<std::size_t> begin;  ///< the fault is really [begin, end)
  std::size_t end = 0;
  std::optional<std::size_t> first;  ///< [first, first_end) is what it conflicts with
  std::size_t first_end = 0;
};

/// Recognises the slip behind `complaint` about `text`.
Slip find_slip(std::string_view text, const Complaint& complaint);

}  // namespace mntcr::syntax
