#!/usr/bin/env bash
# Everything needed to run all tests on a Debian 12: installs what is missing, builds, tests. From any
# directory, and again.
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/lib.sh"
cd "$root"

.ci/install-packages.sh build
say "building (build/release)"
cmake --preset release >/dev/null
cmake --build --preset release
say "testing"
ctest --preset release --parallel 2
