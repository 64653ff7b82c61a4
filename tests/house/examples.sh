#!/usr/bin/env bash
# Every example is a spec without a fault, and the line in its first comment runs.
#
#   tests/house/examples.sh MNTCR
source "$(dirname "${BASH_SOURCE[0]}")/../../.ci/lib.sh"
cd "$root"

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
ln -s "$(realpath "$1")" "$bin/mntcr"
export PATH=$bin:$PATH

may_mount() { unshare --mount --propagation private true 2>/dev/null; }

for example in examples/*.toml; do
  line=$(sed -n '1s/^# //p' "$example")
  [[ $line == "mntcr apply $example "* ]] || die "$example: its first comment is no line to run it by"
  read -r -a words <<<"${line%% -- *}"
  mntcr check "${words[@]:2}" || die "$example: faults"
  if may_mount; then
    bash -c "$line" >/dev/null || die "$example: its line fails: $line"
    say "$example runs"
  else
    say "$example compiles; to run it takes root"
  fi
done

# The README's own example is a spec too.
sed -n '/^```toml$/,/^```$/p' README.md | sed '1d;$d' >"$bin/web.toml"
mntcr check "$bin/web.toml" --set site=/srv/www || die "the example in README.md has faults"
say "the example in README.md compiles"

# So is the message that it shows, for a slip in that spec.
sed -i 's/"nodev", "noexec"/"nodevs", "noexec"/' "$bin/web.toml"
(cd "$bin" && mntcr check web.toml --set site=/srv/www 2>"$bin/said") && die "the slip of README.md is not noticed"
while IFS= read -r line; do
  grep -qxF -- "    $line" README.md || [[ ! $line ]] || die "README.md shows another message than: $line"
done <"$bin/said"
say "the message in README.md is the one that is printed"
