// See vocabulary.h. Tables only: a word that comes into the language moves from here to its reader.
#include "compiler/spec/vocabulary.h"

#include <algorithm>
#include <array>

namespace mntcr::spec {
namespace {

using Word = std::string_view;

struct ReservedKey {
  Room room;
  Word key;
};

constexpr auto reserved_keys = std::to_array<ReservedKey>({
    {Room::top, "mask"},
    {Room::top, "readonly"},
    {Room::top, "device"},
    {Room::mount, "targets"},
    {Room::mount, "optional"},
    {Room::mount, "recursive"},
    {Room::mount, "device"},
    {Room::mount, "file"},
    {Room::policy, "sources"},
    {Room::policy, "ignore"},
    {Room::filesystem, "device"},
    {Room::filesystem, "file"},
});

constexpr auto top_keys = std::to_array<Word>(
    {"spec", "name", "params", "root", "mount", "filesystem", "extends", "mask", "readonly",
     "policy", "group", "userns", "device", "namespace", "change", "remove", "checkpoint"});

constexpr auto reserved_types = std::to_array<Word>({"cgroup"});

struct OptionKey {
  Word word;
  Word key;
};

/// Words of mount(8), fstab and the OCI runtime specification that are a key here. A word with "="
/// at its end stands for all its values.
constexpr auto option_keys = std::to_array<OptionKey>({
    {"bind", "source"},
    {"rbind", "recursive"},
    {"private", "propagation"},
    {"rprivate", "propagation"},
    {"shared", "propagation"},
    {"rshared", "propagation"},
    {"slave", "propagation"},
    {"rslave", "propagation"},
    {"unbindable", "propagation"},
    {"runbindable", "propagation"},
    {"idmap", "idmap"},
    {"ridmap", "idmap"},
    {"X-mount.idmap=", "idmap"},
    {"X-mount.mkdir", "create"},
    {"x-mount.mkdir", "create"},
    {"X-mount.mkdir=", "create"},
    {"x-mount.mkdir=", "create"},
    {"create=", "create"},
    {"nofail", "optional"},
    {"optional", "optional"},
    {"lowerdir=", "lower"},
    {"upperdir=", "upper"},
    {"workdir=", "work"},
});

template <std::size_t N>
constexpr bool has(const std::array<Word, N>& words, Word word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

bool is_reserved(Room room, std::string_view key) {
  // [root] has the keys of [[mount]], and a mount with `type` those of [filesystem].
  if (room == Room::root) room = Room::mount;
  return std::any_of(reserved_keys.begin(), reserved_keys.end(), [&](const ReservedKey& reserved) {
    return reserved.room == room && reserved.key == key;
  });
}

std::span<const std::string_view> top_level_keys() { return top_keys; }

bool is_reserved_type(std::string_view type) { return has(reserved_types, type); }

bool is_reserved_scheme(std::string_view scheme) { return scheme == "device"; }

bool is_reserved_form(std::string_view value) { return value == "recursive"; }

std::string_view key_for_option(std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view stem = equals == Word::npos ? word : word.substr(0, equals + 1);
  const auto found = std::find_if(option_keys.begin(), option_keys.end(),
                                  [&](const OptionKey& option) { return option.word == stem; });
  return found == option_keys.end() ? Word{} : found->key;
}

bool is_reserved_option_key(std::string_view key) { return is_reserved(Room::mount, key); }

}  // namespace mntcr::spec
