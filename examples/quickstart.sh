#!/usr/bin/env bash
# mntcr in two minutes, on a Debian 12: builds it, makes a container from examples/02-web.toml, changes
# its mounts behind mntcr's back, finds out, puts it right, and has one share with the host. From any
# directory, and again; as root.
#
# All mounts are made in a mount namespace of this script's own, with a /run of its own, so that the
# machine is afterwards as before.
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/lib.sh"

# A paragraph of the story.
narrate() {
  echo
  say "$@"
}

# Prints a command as a person would type it, and runs it.
run() {
  printf '\n$ %s\n' "$*"
  "$@"
}

# Runs a command that must fail with the given exit code.
run_expecting() {
  local expected=$1 code=0
  shift
  run "$@" || code=$?
  printf '(exit code %s)\n' "$code"
  [[ $code == "$expected" ]] || die "expected exit code $expected"
}

build() {
  "$root/.ci/install-packages.sh" build
  say "building (build/release)"
  (cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release --target mntcr)
}

walk_through() {
  mount -t tmpfs run /run
  cd "$work"
  mkdir site
  echo '<h1>It works</h1>' >site/index.html
  cp "$root/examples/02-web.toml" web.toml
  local enter=(nsenter --mount=/run/mntcr/web/main)

  narrate "1. A spec says what the container's mounts must be. It is checked, ordered and proven:"
  run mntcr compile web.toml --set site="$work/site" -o web.plan
  run mntcr show --tree web.plan

  narrate "2. The plan makes the mounts, all or none, in a new mount namespace that it keeps as web:"
  run mntcr apply web.plan --pin web
  run "${enter[@]}" cat /srv/www/index.html
  run_expecting 1 "${enter[@]}" touch /srv/www/defaced
  run mntcr diff web web.plan

  narrate "3. Somebody changes the mounts of the running container:"
  run "${enter[@]}" mount -o remount,bind,rw /srv/www
  run "${enter[@]}" umount /proc
  run "${enter[@]}" mount -t tmpfs -o size=1m hidden /mnt

  narrate "4. diff says what, and as a spec that extends the one it was compared with:"
  run_expecting 1 mntcr diff web web.plan
  run_expecting 1 mntcr diff web web.toml --set site="$work/site" -f toml

  narrate "5. The plan puts it right:"
  run mntcr delete web
  run mntcr apply web.plan --pin web
  run mntcr diff web web.plan
  run mntcr delete web

  narrate "6. Mounts may share. What the host mounts below media from now on appears in this container, too:"
  mkdir media
  run mount -t tmpfs media media
  run mount --make-shared media
  cat >guest.toml <<EOF
spec = 1
name = "guest"

[root]
source = "parent:/"

[[mount]]
target = "/mnt"
source = "parent:$work/media"
propagation = "slave:parent"       # comes in, and nothing goes out
EOF
  run cat guest.toml
  run mntcr apply guest.toml
  run mkdir media/disk
  run mount -t tmpfs disk media/disk
  echo 'hello, guest' >media/disk/greeting
  run nsenter --mount=/run/mntcr/guest/main cat /mnt/disk/greeting
  run_expecting 1 mntcr diff guest guest.toml
  run mntcr delete guest
}

if [[ ${1-} == --inside ]]; then
  work=$2
  walk_through
  exit
fi

((EUID == 0)) || die "making mounts takes root: run this script as root"
build
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$root/build/release:$PATH unshare --mount --propagation private "${BASH_SOURCE[0]}" --inside "$work"
echo
say "done; the machine is as before. Next: README.md, and examples/01-hello.toml onward"
