#!/usr/bin/env bash
# clang-tidy over everything that build/asan compiles of runtime/ and compiler/; the tests' Catch2 costs
# more time than its findings are worth. A file is skipped when its preprocessed text,
# .clang-tidy and clang-tidy itself are those of an earlier run that found nothing: the cache holds an
# empty file for each such combination.
#
#   .ci/tidy.sh           all files
#   .ci/tidy.sh FILE...   these
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build=$root/build/asan
cache=${MNTCR_TIDY_CACHE:-$root/build/tidy}
jobs=$(nproc)

# The compile command of a file, as a shell line: its object is no target of the dump.
command_of() {
  awk -v file="$1" '
    /^ *"command": / { command = $0 }
    /^ *"file": / && index($0, "\"" file "\"") { print command; exit }
  ' "$build/compile_commands.json" |
    sed -e 's/^ *"command": "//' -e 's/",$//' -e 's/\\\(["\\]\)/\1/g' -e 's/ -o [^ ]* -c / -E /'
}

# What the verdict on a file depends on.
fingerprint() {
  {
    (cd "$build" && eval "$(command_of "$1")")
    cat "$root/.clang-tidy"
    clang-tidy-19 --version
  } | sha256sum | cut -d' ' -f1
}

lint_one() {
  local print
  print=$(fingerprint "$1")
  [[ -e $cache/$print ]] && return
  printf '   %s\n' "${1#"$root"/}"
  clang-tidy-19 -p "$build" --quiet "$1" 2>/dev/null || return 1
  touch "$cache/$print"
}

if [[ ${1-} == --one ]]; then
  lint_one "$2"
  exit
fi

say "lint"
[[ -e $build/compile_commands.json ]] || die "build/asan is missing: cmake --preset asan && cmake --build --preset asan"
mkdir -p "$cache"
find "$cache" -type f -mtime +30 -delete
if (($#)); then
  realpath -z -- "$@"
else
  sed -n 's/^ *"file": "\(.*\)".*/\1/p' "$build/compile_commands.json" |
    grep -E "^$root/(runtime|compiler)/" | sort -u | tr '\n' '\0'
fi | xargs -0 -n 1 -P "$jobs" "${BASH_SOURCE[0]}" --one
