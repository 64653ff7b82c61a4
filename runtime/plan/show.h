// A plan as people and machines read it.
#pragma once

#include <string>

#include "runtime/plan/plan.h"

namespace mntcr {

/// The ordered steps, a line each, with the line of the spec that each came from.
std::string show_text(const Plan& plan);

/// The mounts of each namespace as a tree, a line each: where, what, how, with whom it shares. What
/// lies on another mount's root, and what no entry of the spec declares, is marked. Below stand the
/// peer groups.
std::string show_tree(const Plan& plan);

/// The same as a graph in the language of Graphviz.
std::string show_dot(const Plan& plan);

/// Mounts, superblocks and steps as one JSON object (specs/plan.md).
std::string show_json(const Plan& plan);

/// What a superblock is, in the words of the language: "parent:/srv/web", "tmpfs", "fs:scratch".
std::string superblock_words(const DesiredSuperblock& superblock);

/// What a mount shows: its superblock's words and, where it is only a part, which.
std::string source_words(const Plan& plan, const DesiredMount& mount);

/// The spec's line that `span` lies on: "web.toml:12"; empty when unknown.
std::string place_words(const Plan& plan, Span span);

}  // namespace mntcr
