// [[namespace]]: mount namespaces beside the first one. A root of its own, or a copy of what
// another namespace has by then: a clone is made when its file is merged, so what later files do to
// the original leaves it as it is, and [[change]] and [[remove]] of later files find its mounts.
#pragma once

#include <string>

#include "compiler/spec/change.h"
#include "compiler/spec/edits.h"
#include "compiler/spec/files.h"
#include "compiler/spec/keys.h"
#include "compiler/spec/spec.h"

namespace mntcr::spec {

/// The namespace that the table of a mount says, main where it says none.
std::string namespace_said(const syntax::Node& mount, const Params& params);

/// What a [[namespace]] entry is called; empty when that is not said well.
std::string namespace_name(const syntax::Node& entry, const Params& params);

/// Complains when no namespace of this name is declared in what `file` extends.
bool check_namespace(Context& context, const MergedMounts& merged, const SpecFile& file,
                     const Text& name);

/// Adds the roots and the copies that the [[namespace]] entries of `file` bring about, when its own
/// mounts are there.
void add_namespaces(Context& context, const SpecFile& file, MergedMounts& merged);

/// What a [[change]] does to how a mount and copies of it belong together.
void note_change(const Change& change, MergedMount& mount, std::uint32_t& next_id);

/// Complains when a change of the mount `id` is about a filesystem that the original makes.
void check_change_of_copy(Context& context, const MergedMounts& merged, std::uint32_t id,
                          const Change& change);

/// What is known about all mounts in the end, in their order.
std::vector<MountFacts> gather_facts(const std::vector<MergedMount>& mounts);

/// Reads the [[namespace]] entries of all files; the first namespace is main.
std::vector<NamespaceDecl> decode_namespaces(Context& context, TableReader& top);

/// Gives the mount `number` its facts; complains when its namespace is none.
void set_namespace(Context& context, const syntax::Node& node, const MountFacts& facts,
                   const std::vector<NamespaceDecl>& namespaces, MountDecl& mount);

}  // namespace mntcr::spec
