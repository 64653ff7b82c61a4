#!/usr/bin/env bash
# Proves the two commands of the README on a Debian 12 with nothing installed: debootstraps one, clones
# the repository into it, and runs examples/quickstart.sh and tests/run.sh there, each twice and from
# another directory. Takes a while and needs root and the network, so it is no part of ctest.
#
#   tests/house/bare-debian.sh               what is committed
#   tests/house/bare-debian.sh --as-is       the working tree
#
# Packages come from where this machine's apt gets them. The tree is entered by pivot_root: in a plain
# chroot the kernel refuses user namespaces.
source "$(dirname "${BASH_SOURCE[0]}")/../../.ci/lib.sh"

release=bookworm

make_tree() {
  local tree=$1 mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
    awk -v release="$release" '$2 == release { print $1; exit }')
  [[ $mirror ]] || die "this machine's apt knows no source for $release"
  say "debootstrap of $release"
  debootstrap --variant=minbase "$release" "$tree" "$mirror" >"$tree.log" ||
    { tail "$tree.log"; die "debootstrap failed"; }
  say "the tree has $(chroot "$tree" dpkg-query -W | wc -l) packages, and no $(missing_tools "$tree")"

  # apt as on this machine: its sources, keys and transport, the names that they resolve.
  cp -a /etc/apt/sources.list* /etc/apt/trusted.gpg.d /etc/apt/keyrings "$tree/etc/apt/" 2>/dev/null || true
  cp -a /usr/share/keyrings/. "$tree/usr/share/keyrings/"
  apt-config dump Acquire >"$tree/etc/apt/apt.conf.d/00host"
  cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
}

missing_tools() {
  local tool
  for tool in g++ cmake ninja git python3 sudo; do
    chroot "$1" sh -c "command -v $tool" >/dev/null || printf '%s ' "$tool"
  done
}

put_repository() {
  local to=$1/home/mntcr
  if [[ ${2-} == --as-is ]]; then
    mkdir -p "$to"
    git -c safe.directory='*' -C "$root" ls-files -z --cached --others --exclude-standard |
      tar -C "$root" --null --files-from=- --create --file=- | tar -C "$to" --extract --file=-
  else
    git -c safe.directory='*' clone --quiet --no-hardlinks "$root" "$to"
  fi
}

# In a mount and pid namespace of its own: makes the tree its root and runs the script's second half.
enter() {
  local tree=$1
  mount --bind "$tree" "$tree"
  mount --rbind /dev "$tree/dev"
  mount --rbind /sys "$tree/sys"
  mount -t proc proc "$tree/proc"
  mount -t tmpfs tmp "$tree/tmp"
  cd "$tree"
  pivot_root . mnt
  umount -l /mnt
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
    /home/mntcr/tests/house/bare-debian.sh --inside
}

# attempt NAME COMMAND...: runs it, tells how it went and how long it took.
failures=0
attempt() {
  local name=$1 start=$SECONDS verdict=PASS
  shift
  if ! "$@" >/tmp/output 2>&1 </dev/null; then
    verdict=FAIL
    failures=$((failures + 1))
    tail -n 60 /tmp/output
  fi
  printf '%s  %4d s  %s  (%s)\n' "$verdict" $((SECONDS - start)) "$name" "$(tail -n 1 /tmp/output)"
}

run_all() {
  cd /var
  attempt "quickstart" /home/mntcr/examples/quickstart.sh
  attempt "quickstart again" /home/mntcr/examples/quickstart.sh
  attempt "all tests" /home/mntcr/tests/run.sh
  attempt "all tests again" /home/mntcr/tests/run.sh
  cd /home
  attempt "quickstart from elsewhere" mntcr/examples/quickstart.sh
  ((failures == 0)) || die "$failures failed"
  say "all passed"
}

case ${1-} in
  --enter) enter "$2" ;;
  --inside) run_all ;;
  *)
    ((EUID == 0)) || die "this takes root"
    "$root/.ci/install-packages.sh" bare
    work=$(mktemp -d /var/tmp/mntcr-bare.XXXXXX)
    trap 'rm -rf --one-file-system "$work"' EXIT
    make_tree "$work/tree"
    put_repository "$work/tree" "${1-}"
    unshare --mount --pid --fork --kill-child --propagation private "${BASH_SOURCE[0]}" --enter "$work/tree"
    ;;
esac
