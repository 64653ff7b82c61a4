#!/usr/bin/env bash
# The manual page knows every command and every option that the program's own help shows.
#
#   tests/house/man.sh MNTCR
source "$(dirname "${BASH_SOURCE[0]}")/../../.ci/lib.sh"

mntcr=$(realpath "$1")
page=$root/specs/man/mntcr.1
faults=0

# has WHAT PATTERN
has() {
  grep -qE -- "$2" "$page" && return
  printf 'specs/man/mntcr.1 lacks %s\n' "$1"
  faults=$((faults + 1))
}

# The options in a help text on standard input: the long form, or the short one where there is no other.
options() {
  sed -nE -e 's/^ +(-[A-Za-z], ?)?--([a-z-]+).*/-\2/p' -e 's/^ +-([A-Za-z]) .*/\1/p'
}

commands=$("$mntcr" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[[ $commands ]] || die "the help shows no commands"
for command in $commands; do
  has "$command" "^\\.It Cm $command\$"
  for option in $("$mntcr" "$command" --help | options) $("$mntcr" --help | options); do
    has "$command $option" "Fl $option( |\$)"
  done
done
((faults == 0)) || exit 1
say "the manual page knows $(wc -w <<<"$commands") commands and their options"
