// What a line of mountinfo is (proc(5), "mountinfo"; fs/proc_namespace.c):
//
//   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//   id parent dev root mountpoint options optional… - type source superblock-options
//
// Space, tab, newline, backslash and (in newer kernels) '#' are written as \ooo in paths and
// sources. An empty source leaves two spaces in a row. Optional fields that we do not know are
// skipped, as the manual asks; a mount option that we do not know is an error, for it would be lost
// silently.
#include "runtime/capture/mountinfo_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <tao/pegtl.hpp>

#include "runtime/base/mount_options.h"
#include "runtime/base/path.h"
#include "runtime/kernel/linux_abi.h"

namespace mntcr {
namespace {

namespace pegtl = tao::pegtl;

// Rules are written as PEGTL writes its own.
// NOLINTBEGIN(readability-identifier-naming)
namespace grammar {
using pegtl::one;
using pegtl::plus;
using pegtl::seq;
using pegtl::star;

struct space : one<' '> {};
struct number : plus<pegtl::digit> {};
struct word : plus<pegtl::not_one<' ', '\n'>> {};

struct id : number {};
struct parent_id : number {};
struct dev_major : number {};
struct dev_minor : number {};
struct root : word {};
struct mountpoint : seq<pegtl::at<one<'/'>>, word> {};
struct options : word {};
struct peer_group : number {};
struct master : number {};
struct unbindable : seq<TAO_PEGTL_STRING("unbindable"), pegtl::at<space>> {};
struct fs_type : word {};
struct source : star<pegtl::not_one<' ', '\n'>> {};
struct fs_options : star<pegtl::not_one<'\n'>> {};

struct dash : seq<one<'-'>, space> {};
struct shared_field : seq<TAO_PEGTL_STRING("shared:"), pegtl::must<peer_group>> {};
struct master_field : seq<TAO_PEGTL_STRING("master:"), pegtl::must<master>> {};
struct unknown_field : seq<pegtl::not_at<dash>, word> {};
struct optional_field
    : seq<pegtl::sor<shared_field, master_field, unbindable, unknown_field>, pegtl::must<space>> {};

struct device : seq<dev_major, one<':'>, dev_minor> {};
struct end : pegtl::sor<one<'\n'>, pegtl::eof> {};
struct line : pegtl::if_must<id, space, parent_id, space, device, space, root, space, mountpoint,
                             space, options, space, star<optional_field>, dash, fs_type, space,
                             source, space, fs_options, end> {};
struct file : pegtl::until<pegtl::eof, pegtl::must<line>> {};
}  // namespace grammar
// NOLINTEND(readability-identifier-naming)

/// "expected …" for the rules that must match.
template <class Rule>
inline constexpr const char* expected = "another character";
template <>
inline constexpr const char* expected<grammar::line> = "the mount's id";
template <>
inline constexpr const char* expected<grammar::parent_id> = "the parent's id";
template <>
inline constexpr const char* expected<grammar::device> = "the device as MAJOR:MINOR";
template <>
inline constexpr const char* expected<grammar::root> = "the mount's root";
template <>
inline constexpr const char* expected<grammar::mountpoint> = "an absolute mountpoint";
template <>
inline constexpr const char* expected<grammar::options> = "the mount's options";
template <>
inline constexpr const char* expected<grammar::peer_group> = "a peer group's number";
template <>
inline constexpr const char* expected<grammar::master> = "a peer group's number";
template <>
inline constexpr const char* expected<grammar::dash> = "optional fields or \"- \"";
template <>
inline constexpr const char* expected<grammar::fs_type> = "the filesystem's type";
template <>
inline constexpr const char* expected<grammar::space> = "a space";

template <class Rule>
struct Control : pegtl::normal<Rule> {
  template <class Input, class... States>
  static void raise(const Input& in, States&&... /*states*/) {
    throw pegtl::parse_error(std::string("expected ") + expected<Rule>, in);
  }
};

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// `text` with every \ooo replaced by its byte; a backslash before anything else stands for itself.
std::string unescaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    result += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.size() >= 4 && is_octal(text[1]) && is_octal(text[2]) && is_octal(text[3])) {
      result += static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      text.remove_prefix(4);
    } else if (!text.empty()) {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

/// Calls `use` for each word of a list separated by commas.
template <class Use>
void for_each_word(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    use(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

template <class Input, class Number>
void read_number(const Input& in, Number& to) {
  const auto [end, error] = std::from_chars(in.begin(), in.end(), to);
  if (error != std::errc() || end != in.end()) throw pegtl::parse_error("number too large", in);
}

/// The mount's own options. Without a word for access times they are strict.
template <class Input>
std::uint64_t read_attrs(const Input& in) {
  std::uint64_t attrs = 0;
  std::uint64_t atime = mount_attr::strictatime;
  for_each_word(in.string_view(), [&](std::string_view word) {
    const MountOption* option = find_mount_option(word);
    if (word == "idmapped") {
      attrs |= abi::mount_attr_idmap;
    } else if (option == nullptr) {
      throw pegtl::parse_error(fmt::format("unknown mount option {}", path::printable(word)), in);
    } else if (option->demand.mask == mount_attr::atime_mask) {
      if (atime != mount_attr::noatime) atime = option->demand.value;
    } else {
      attrs = (attrs & ~option->demand.mask) | option->demand.value;
    }
  });
  return attrs | atime;
}

template <class Rule>
struct Action {};

template <>
struct Action<grammar::id> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    read_number(in, rows.emplace_back().mount.id);
  }
};
template <>
struct Action<grammar::parent_id> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    read_number(in, rows.back().parent_id);
  }
};
template <>
struct Action<grammar::dev_major> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    read_number(in, rows.back().mount.dev_major);
  }
};
template <>
struct Action<grammar::dev_minor> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    read_number(in, rows.back().mount.dev_minor);
  }
};
template <>
struct Action<grammar::root> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    rows.back().mount.root = unescaped(in.string_view());
  }
};
template <>
struct Action<grammar::mountpoint> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    rows.back().mount.mountpoint = unescaped(in.string_view());
  }
};
template <>
struct Action<grammar::options> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    LiveMount& mount = rows.back().mount;
    mount.attrs = read_attrs(in);
    if ((mount.attrs & abi::mount_attr_idmap) != 0) mount.idmap = IdMap{};
  }
};
template <>
struct Action<grammar::peer_group> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    read_number(in, rows.back().mount.peer_group);
  }
};
template <>
struct Action<grammar::master> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    read_number(in, rows.back().mount.master);
  }
};
template <>
struct Action<grammar::unbindable> {
  static void apply0(std::vector<MountRow>& rows) { rows.back().mount.unbindable = true; }
};
template <>
struct Action<grammar::fs_type> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    rows.back().mount.fs_type = unescaped(in.string_view());
  }
};
template <>
struct Action<grammar::source> {
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    rows.back().mount.source = unescaped(in.string_view());
  }
};
template <>
struct Action<grammar::fs_options> {
  /// The superblock's flags come first, ro or rw before the others; the parameters after them are
  /// split before they are unescaped, because a comma within a value is written as an escape.
  template <class Input>
  static void apply(const Input& in, std::vector<MountRow>& rows) {
    LiveMount& mount = rows.back().mount;
    bool first = true;
    bool flags = true;
    for_each_word(in.string_view(), [&](std::string_view word) {
      const FilesystemFlag* flag = flags ? find_filesystem_flag(word) : nullptr;
      if (first && (word == "ro" || word == "rw")) {
        mount.sb_rdonly = word == "ro";
      } else if (flag != nullptr) {
        mount.sb_flags |= flag->demand.value;
      } else {
        flags = false;
        mount.fs_options.push_back(unescaped(word));
      }
      first = false;
    });
  }
};

}  // namespace

Result<std::vector<MountRow>> parse_mountinfo_rows(std::string_view text) {
  std::vector<MountRow> rows;
  rows.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  pegtl::memory_input<pegtl::tracking_mode::lazy> in(text.data(), text.data() + text.size(),
                                                     "mountinfo");
  try {
    pegtl::parse<grammar::file, Action, Control>(in, rows);
  } catch (const pegtl::parse_error& error) {
    const pegtl::position& where = error.positions().front();
    return fail(fmt::format("mountinfo line {}, column {}: {}: {}", where.line, where.column,
                            error.message(), path::printable(in.line_at(where))));
  }
  return rows;
}

}  // namespace mntcr
