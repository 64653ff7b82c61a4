// See digest.h. Every value is written with its kind and its length, so that two different trees
// never give one text.
#include "compiler/spec/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "runtime/plan/format.h"

namespace mntcr::spec {
namespace {

using syntax::Entry;
using syntax::Node;

constexpr std::array<std::string_view, 3> uncounted = {"extends", "params", "checkpoint"};

void write(std::string& text, const Node& node);

void write_entries(std::string& text, std::vector<const Entry*> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->key < b->key; });
  text += fmt::format("t{}:", entries.size());
  for (const Entry* entry : entries) {
    text += fmt::format("k{}:", entry->key.size()) + entry->key;
    write(text, entry->value);
  }
}

void write(std::string& text, const Node& node) {
  std::vector<const Entry*> entries;
  switch (node.kind) {
    case Node::Kind::string:
      text += fmt::format("s{}:", node.text.size()) + node.text;
      return;
    case Node::Kind::integer:
      text += fmt::format("i{}:", node.integer);
      return;
    case Node::Kind::boolean:
      text += node.boolean ? "b1:" : "b0:";
      return;
    case Node::Kind::array:
      text += fmt::format("a{}:", node.items.size());
      for (const Node& item : node.items) write(text, item);
      return;
    case Node::Kind::table:
      for (const Entry& entry : node.entries) entries.push_back(&entry);
      write_entries(text, std::move(entries));
      return;
    case Node::Kind::floating:
    case Node::Kind::date:
      text += "x:";  // no key holds one outside [checkpoint]
      return;
  }
}

void write_document(std::string& text, const Node& document) {
  std::vector<const Entry*> entries;
  for (const Entry& entry : document.entries) {
    if (std::find(uncounted.begin(), uncounted.end(), entry.key) == uncounted.end())
      entries.push_back(&entry);
  }
  write_entries(text, std::move(entries));
}

std::string digest(const SpecFiles& files, const std::vector<FileId>& chosen) {
  std::string text;
  for (const FileId id : chosen) {
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const SpecFile& candidate) { return candidate.file == id; });
    if (file != files.end()) write_document(text, file->tree);
  }
  std::string hex;
  for (const unsigned char byte : plan_format::digest_of(std::as_bytes(std::span(text))))
    hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace

std::string digest_of_bases(const SpecFiles& files, const SpecFile& file) {
  return digest(files, file.bases);
}

std::optional<std::string> base_digest(const SourceMap& sources) {
  Diagnostics unheard;
  const auto files = reread_spec_files(sources, unheard);
  if (!files) return std::nullopt;
  std::vector<FileId> all = files->back().bases;
  all.push_back(files->back().file);
  return digest(*files, all);
}

std::int64_t base_sequence(const SourceMap& sources) {
  Diagnostics unheard;
  const auto files = reread_spec_files(sources, unheard);
  const Entry* checkpoint = files ? files->back().tree.find("checkpoint") : nullptr;
  const Entry* sequence = checkpoint == nullptr ? nullptr : checkpoint->value.find("sequence");
  const bool known = sequence != nullptr && sequence->value.kind == Node::Kind::integer;
  return known ? std::max<std::int64_t>(sequence->value.integer, 0) : 0;
}

}  // namespace mntcr::spec
