#!/usr/bin/env bash
# Checks that the doors of the house are one-way, that heavy headers stay in their files, that only the
# kernel's own room makes system calls, and that files stay short and say what they are for.
#
#   tests/house/includes.sh [FOLDER]     the repository, or another tree of the same form
source "$(dirname "${BASH_SOURCE[0]}")/../../.ci/lib.sh"
cd "${1:-$root}"

# A room, and the rooms that it may include besides itself. What is missing here is a decision to be
# made in the open, not a line to be added in passing.
doors='
runtime/base      specs
runtime/kernel    specs runtime/base
runtime/plan      specs runtime/base
runtime/capture   runtime/base runtime/kernel
runtime/diff      runtime/base runtime/plan runtime/capture
runtime/apply     runtime/base runtime/kernel runtime/plan runtime/capture runtime/diff
compiler/syntax   runtime/base
compiler/spec     runtime/base runtime/plan compiler/syntax
compiler/layout   runtime/base runtime/plan compiler/spec
compiler/planner  specs runtime/base runtime/plan compiler/layout
compiler/proof    runtime/base runtime/kernel runtime/plan runtime/capture runtime/apply
compiler/driver   runtime/base runtime/kernel runtime/plan runtime/capture runtime/diff runtime/apply compiler/syntax compiler/spec compiler/layout compiler/planner compiler/proof
'

# A pattern of headers or words, and the pattern of the only files that may have them: each heavy
# header costs seconds in every file that sees it, and system calls have one seam.
only='
<toml[+][+]/                          ^compiler/syntax/parse[.]cc$
<tao/                                 ^(compiler/syntax/scalars|runtime/capture/mountinfo_grammar)[.]cc$
<CLI/                                 ^compiler/driver/options[.]cc$
<nlohmann/                            ^(runtime/base/render_json|runtime/plan/show_json|runtime/diff/write_json)[.]cc$
<flatbuffers/|"specs/plan_generated   ^(compiler/planner/emit|runtime/plan/reader)[.]cc$
<catch2/                              ^tests/
<sys/(mount|syscall)[.]h>|<linux/     ^(runtime/kernel/linux_kernel|tests/)
(^|[^a-z_])syscall[(]                 ^(runtime/kernel/linux_kernel|tests/)
'

mapfile -d '' files < <(find runtime compiler tests -type f \( -name '*.h' -o -name '*.cc' \) -print0 | sort -z)
((${#files[@]})) || die "no sources in $PWD"

awk -v doors="$doors" -v only="$only" -v most_lines=500 '
  function fault(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; faults++ }

  # The room of a path is its first two folders; specs is one room.
  function room_of(path, parts, count) {
    count = split(path, parts, "/")
    if (parts[1] == "specs" || parts[1] == "tests") return parts[1]
    if (count > 2 && (parts[1] == "runtime" || parts[1] == "compiler")) return parts[1] "/" parts[2]
    return ""
  }

  BEGIN {
    count = split(doors, lines, "\n")
    for (i = 1; i <= count; i++) {
      fields = split(lines[i], field, " ")
      for (j = 1; j <= fields; j++) open[field[1], field[j]] = 1
      if (fields) known[field[1]] = 1
    }
    count = split(only, lines, "\n")
    for (i = 1; i <= count; i++) {
      if (split(lines[i], field, " ") == 2) { rules++; word[rules] = field[1]; place[rules] = field[2] }
    }
  }

  FNR == 1 {
    here = room_of(FILENAME)
    if (here != "tests" && !(here in known)) fault("no doors are listed for this room")
    if (FILENAME ~ /[.]h$/ && $0 !~ /^\/\//) fault("a header begins with a comment on what it is for")
  }

  FNR == most_lines + 1 { fault("more than " most_lines " lines") }

  /^#include "/ {
    split($0, quoted, "\"")
    there = room_of(quoted[2])
    if (there != "" && here != "tests" && !((here, there) in open))
      fault(here " has no door to " there " (" quoted[2] ")")
  }

  !/^ *\/\// {
    for (i = 1; i <= rules; i++)
      if ($0 ~ word[i] && FILENAME !~ place[i]) fault("only " place[i] " may have " word[i])
  }

  END { exit faults > 0 }
' "${files[@]}"
say "${#files[@]} files keep to the rules of the house"
