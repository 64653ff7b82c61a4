#!/usr/bin/env bash
# includes.sh must find what it looks for: each fault is put into a small tree of its own.
source "$(dirname "${BASH_SOURCE[0]}")/../../.ci/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# found NAME FILE TEXT: a tree with TEXT in FILE is refused.
found() {
  rm -rf "${work:?}"/*
  mkdir -p "$work"/{runtime/base,compiler/spec,tests} "$work/$(dirname "$2")"
  printf '%b' "$3" >"$work/$2"
  if "$root/tests/house/includes.sh" "$work" >"$work/output"; then
    die "$1: not found"
  fi
  printf 'found: %s\n' "$(cat "$work/output")"
}

found "runtime knows the compiler" runtime/base/x.cc '#include "compiler/spec/spec.h"\n'
found "a room knows its user" runtime/kernel/x.cc '#include "runtime/apply/apply.h"\n'
found "a heavy header leaks" compiler/spec/x.cc '#include <toml++/toml.h>\n'
found "a heavy header in a header" runtime/base/x.h '// About.\n#include <nlohmann/json.hpp>\n'
found "a system call outside its room" runtime/apply/x.cc 'long f() { return ::syscall(1); }\n'
found "a header without a word" runtime/base/x.h '#pragma once\n'
found "a room that nobody listed" runtime/cellar/x.cc 'int x;\n'
found "a long file" runtime/base/x.cc "$(printf 'int x;\\n%.0s' {1..501})"
say "includes.sh finds what it looks for"
