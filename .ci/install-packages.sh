#!/usr/bin/env bash
# Installs what is missing of the packages that a kind of work needs; asks the network only then.
#
#   .ci/install-packages.sh build         compile mntcr and run its tests
#   .ci/install-packages.sh build lint    also clang, clang-tidy, clang-format and the sanitizers
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages() {
  case $1 in
    build)
      # The compiler and its tools, then the libraries, then what tests and examples call.
      echo g++ cmake ninja-build pkg-config
      echo libtomlplusplus-dev libmd-dev tao-pegtl-dev libfmt-dev catch2
      echo libflatbuffers-dev flatbuffers-compiler libcli11-dev nlohmann-json3-dev
      echo mount util-linux
      ;;
    lint) echo clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev git ca-certificates ;;
    bare) echo debootstrap git ca-certificates ;;
    old-kernel) echo qemu-system-x86 cpio ;;
    *) die "no such set of packages: $1" ;;
  esac
}

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing=()
for set in "$@"; do
  for package in $(packages "$set"); do
    is_installed "$package" || missing+=("$package")
  done
done
((${#missing[@]})) || exit 0

if ((EUID != 0)); then
  die "these packages are missing; install them as root: apt-get install ${missing[*]}"
fi
say "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
