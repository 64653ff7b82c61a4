#!/usr/bin/env bash
# Puts all C++ files into the form of .clang-format; with --check only says which are not.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

arguments=(-i)
if [[ ${1-} == --check ]]; then
  arguments=(--dry-run -Werror)
fi
say "format"
git -c safe.directory='*' ls-files -z --cached --others --exclude-standard -- '*.cc' '*.h' |
  xargs -0 --no-run-if-empty clang-format-19 "${arguments[@]}"
