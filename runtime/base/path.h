// Paths as sequences of components. They are bytes, not text, and are compared by component, never
// by string prefix ("/scratch" does not hold "/scratch2").
//
// An absolute path is written "/a/b" and the root "/". A relative one is "a/b" and "" is the place
// itself: the form in which a mount addresses its mountpoint below its parent's root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mntcr::path {

/// The components of an absolute or relative path; none for "/" and "".
std::vector<std::string_view> components(std::string_view path);

/// Whether `path` is `above` or lies below it. Both absolute.
bool is_at_or_below(std::string_view path, std::string_view above);

/// `path` relative to `above`, which must hold it: "" when they are equal.
std::string relative_to(std::string_view path, std::string_view above);

/// `base` (absolute or relative) followed by the relative path `below`.
std::string join(std::string_view base, std::string_view below);

/// The folder that holds `path`: "/" for "/a" and for "/", "" for "a".
std::string_view parent(std::string_view path);

/// The lowest folder above `a` that holds `b`, too, or is it. Both absolute or both relative.
std::string common_parent(std::string_view a, std::string_view b);

/// Whether `path` is absolute and normal: it starts with "/", has no empty, "." or ".." component,
/// no NUL and no "/" at its end (save "/" itself).
bool is_normal_absolute(std::string_view path);

/// Whether `path` is relative and normal; "" is.
bool is_normal_relative(std::string_view path);

/// For people: control characters and bytes that are not UTF-8 shown as \n, \t, \xFF.
std::string printable(std::string_view path);

}  // namespace mntcr::path
