#!/usr/bin/env bash
# Runs the kernel tests on Debian 12's own kernel, whatever this machine runs: boots it under qemu, by emulation
# alone, with the tests and what they call in an initramfs. That kernel is a 6.1: it has no statmount, no
# listmount and no ids of mounts or namespaces that last. Builds build/release first.
#
#   tests/old-kernel.sh                 all of kernel_tests but the large ones and those that read the sources
#   tests/old-kernel.sh ARGUMENT...     with arguments of kernel_tests: the name of a test, -s …
#
# Of the kernel's package only the image is taken, and kept in a cache; nothing is installed into /boot. Needs
# the network once for each version of it, and root only to install what is missing. MNTCR_KERNEL=FILE boots
# another image, MNTCR_BUILD=DIR takes another build directory as it is.
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/lib.sh"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/mntcr/kernel
seconds=600
PATH+=:/usr/sbin:/sbin

# What the tests call by name, and what init calls.
programs=(cat cmp cp grep ln ls mkdir mount nsenter rm rmdir sh sleep true umount switch_root)

begin_mark="@@@ kernel tests begin @@@"
end_mark="@@@ kernel tests end, exit code"

# The package that linux-image-amd64 stands for, as far as this machine's apt knows.
kernel_package() {
  apt-cache depends linux-image-amd64 2>/dev/null | awk '$1 == "Depends:" { print $2 }' || true
}

# Sets `kernel` to the image: the caller's, that of the cache, or one that is fetched into the cache.
find_kernel() {
  local package
  kernel=${MNTCR_KERNEL:-$cache/$(kernel_package)}
  [[ -f $kernel ]] && return
  [[ ${MNTCR_KERNEL-} ]] && die "there is no $kernel"
  say "fetching Debian's kernel"
  if ((EUID == 0)); then apt-get -qq update; fi
  package=$(kernel_package)
  [[ $package ]] || die "this machine's apt knows no linux-image-amd64"
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package")
  dpkg-deb --fsys-tarfile "$work/${package}_"*.deb | tar -xO --wildcards './boot/vmlinuz-*' >"$work/vmlinuz"
  mkdir -p "$cache"
  rm -f "$cache"/*
  kernel=$cache/$package
  mv "$work/vmlinuz" "$kernel"
}

# Copies a file to the same place in the tree; a link's target under the link's name.
put() { install -D "$(realpath "$1")" "$tree$1"; }

# A program, and the libraries and the linker that it is started with.
put_program() {
  put "$1"
  ldd "$1" | grep -o '/[^ ]*' | while read -r library; do put "$library"; done
}

make_tree() {
  local name
  mkdir -p "$tree"/{dev,etc,mnt,proc,run,sys,tmp,usr/bin,usr/sbin,usr/lib,usr/lib64}
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$tree/$name"; done
  echo old-kernel >"$tree/etc/hostname"
  for name in "${programs[@]}"; do put_program "$(type -P "$name")"; done
  for name in "$tests" "$build/mntcr"; do
    put_program "$name"
    strip "$tree$name"
  done
  make_init "$@" >"$tree/init"
  chmod +x "$tree/init"
}

# The guest's first process. Nothing can pivot away from the initial rootfs, so the tests get a tmpfs as their
# root, mounted over it as the root of every machine is, and shared as systemd makes it.
make_init() {
  cat <<END
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ TERM=dumb
# Emulation is slow: of random states and of captures under load a few, and what counts in thousands not at all.
export MNTCR_ROUNDTRIP_SEEDS=20 MNTCR_CHAIN_SEEDS=2 MNTCR_CAPTURES=20
if [ "\$1" != on-tmpfs ]; then
  mkdir /real
  mount -t tmpfs -o mode=755 real /real
  cp -ax /. /real
  exec switch_root /real /init on-tmpfs
fi
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ln -s /proc/self/fd/0 /dev/stdin
mount --make-rshared /

echo "$begin_mark"
cat /proc/version
${tests@Q} --use-colour no ${*@Q}
code=\$?
echo
echo "$end_mark \$code"
sleep 1
echo o >/proc/sysrq-trigger
sleep 60
END
}

# Shows what the guest prints between the marks; everything goes into the file `console`.
boot() {
  timeout --foreground "$seconds" qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 1024 \
    -nodefaults -no-user-config -no-reboot -display none -serial stdio -pidfile "$work/pid" \
    -kernel "$kernel" -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1" </dev/null 2>&1 |
    sed -u 's/\r$//' | tee "$console" | sed -un "/^$begin_mark/,/^$end_mark/{//!p}"
}

# Also when this script is ended while the guest runs.
clean_up() {
  if [[ -s $work/pid ]]; then kill "$(<"$work/pid")" || true; fi
  rm -rf "$work"
}

"$root/.ci/install-packages.sh" build old-kernel
build=$(realpath -ms "${MNTCR_BUILD:-$root/build/release}")
if [[ ! ${MNTCR_BUILD-} ]]; then
  say "building (build/release)"
  (cd "$root" && cmake --preset release >/dev/null)
  cmake --build "$build" --target kernel_tests mntcr
fi

work=$(mktemp -d /var/tmp/mntcr-old-kernel.XXXXXX)
trap clean_up EXIT
tree=$work/tree
tests=$build/tests/kernel/kernel_tests
console=$work/console

find_kernel
make_tree "${@:-~[large]~[sources]}"
(cd "$tree" && find . | cpio --create --quiet --format=newc --owner=0:0 >"$work/initramfs")
say "booting ${kernel##*/}"
boot || true
code=$(sed -n "s/^$end_mark \([0-9]*\)$/\1/p" "$console")
if [[ ! $code ]]; then
  tail -n 60 "$console"
  die "the tests did not end within $seconds s, or the kernel did not boot"
fi
say "exit code $code after $SECONDS s"
exit "$code"
