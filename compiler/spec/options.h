// The words of `options`: flags of a mount, flags and parameters of a filesystem.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/spec/keys.h"
#include "runtime/base/mount_options.h"

namespace mntcr::spec {

/// What an `options` array may hold, by where it stands.
enum class OptionPlace : std::uint8_t {
  bind,        ///< a mount of something that is there: flags only
  new_mount,   ///< a mount with `type`: flags of both, and parameters
  filesystem,  ///< a [filesystem.NAME]: its flags, and parameters
};

struct Options {
  AttrDemand attrs;
  std::vector<std::string> params;
  AttrDemand filesystem_flags;
};

/// Reads `options` of `table`. `type` is the filesystem's type, empty where it is not known; then
/// no parameter is complained about.
Options decode_options(Context& context, TableReader& table, OptionPlace place,
                       std::string_view type);

}  // namespace mntcr::spec
