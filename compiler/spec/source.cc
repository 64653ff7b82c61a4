// See source.h.
#include "compiler/spec/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mntcr::spec {
namespace {

using syntax::PathForm;
using syntax::SourceParts;

constexpr std::string_view forms = R"(write "parent:/path", "self:/path" or "fs:NAME")";

void no_scheme(Context& context, const Text& text) {
  const auto& names = context.filesystem_names;
  Diagnostic& diagnostic = context.diagnostics.add(
      Code::E0208, text.span,
      text.value.empty() ? "the source is empty"
                         : fmt::format("the source `{}` does not say where it is", text.value));
  if (text.value.starts_with('/')) {
    diagnostic.help(fmt::format(
        "write \"parent:{0}\" for the parent's {0}, or \"self:{0}\" for the container's own",
        text.value));
  } else if (std::find(names.begin(), names.end(), text.value) != names.end()) {
    diagnostic.help(fmt::format("write \"fs:{}\"", text.value));
  } else {
    diagnostic.help(std::string(forms));
  }
}

std::optional<SourceRef::Scheme> find_scheme(Context& context, const Text& text,
                                             const SourceParts& parts) {
  if (parts.scheme == "parent") return SourceRef::Scheme::parent;
  if (parts.scheme == "self") return SourceRef::Scheme::self;
  if (parts.scheme == "fs") return SourceRef::Scheme::fs;
  const Span span = text.at(0, parts.scheme.size());
  if (is_reserved_scheme(parts.scheme)) {
    context.diagnostics
        .add(Code::E0202, span,
             fmt::format("`{}:` is not in this version of the language", parts.scheme))
        .help("write \"parent:/path\" for the place where the parent mounts it");
    return std::nullopt;
  }
  suggest(context.diagnostics.add(Code::E0208, span,
                                  fmt::format("unknown kind of source `{}:`", parts.scheme)),
          parts.scheme, {"parent", "self", "fs"}, forms);
  return std::nullopt;
}

bool check_filesystem(Context& context, const Text& text, const SourceParts& parts) {
  const auto& names = context.filesystem_names;
  if (std::find(names.begin(), names.end(), parts.name) != names.end()) return true;
  const Span span = text.at(parts.name_begin, parts.name_begin + parts.name.size());
  suggest(context.diagnostics.add(Code::E0209, span,
                                  parts.name.empty()
                                      ? "`fs:` without a name"
                                      : fmt::format("there is no filesystem `{}`", parts.name)),
          parts.name, names,
          fmt::format("declare it: [filesystem.{}]", parts.name.empty() ? "NAME" : parts.name));
  return false;
}

}  // namespace

bool check_path(Context& context, const Text& text, std::string_view key, std::size_t begin,
                PathForm form) {
  const std::string_view path = std::string_view(text.value).substr(begin);
  auto fault = syntax::find_path_fault(path, form);
  if (!fault) return true;
  Diagnostic& diagnostic =
      context.diagnostics.add(Code::E0207, text.at(begin + fault->begin, begin + fault->end),
                              fmt::format("`{}` is no normal path: {}", key, fault->message));
  if (form == PathForm::absolute && !path.starts_with('/')) {
    diagnostic.help(fmt::format("write \"{}/{}\"", text.value.substr(0, begin), path));
  } else if (!fault->help.empty()) {
    diagnostic.help(fault->help);
  }
  return false;
}

std::optional<SourceRef> decode_source(Context& context, const Text& text) {
  const auto parts = syntax::split_source(text.value);
  if (!parts) {
    no_scheme(context, text);
    return std::nullopt;
  }
  const auto scheme = find_scheme(context, text, *parts);
  if (!scheme) return std::nullopt;
  const bool fs = *scheme == SourceRef::Scheme::fs;
  if (fs && !check_filesystem(context, text, *parts)) return std::nullopt;
  if (fs && parts->has_path && parts->path.empty()) {
    context.diagnostics
        .add(Code::E0207, text.at(parts->path_begin - 1, parts->path_begin),
             "`source` is no normal path: it ends with /")
        .help("take the / away for all of the filesystem");
    return std::nullopt;
  }
  const PathForm form = fs ? PathForm::relative : PathForm::absolute;
  const std::size_t begin = parts->has_path ? parts->path_begin : text.value.size();
  if (!check_path(context, text, "source", begin, form)) return std::nullopt;
  return SourceRef{*scheme, std::string(parts->name), std::string(parts->path), text.span};
}

}  // namespace mntcr::spec
