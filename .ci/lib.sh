# Sourced by every script of the house: strict mode, the repository's path, and how to say things.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A step of the script: a short line that stands out.
say() { printf '== %s\n' "$*"; }

# Ends the script with a message.
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
