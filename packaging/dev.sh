#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# From a fresh clone on a bare Debian 12, as root:
#
#   packaging/dev.sh run [klatchd's arguments]   install what is missing, build,
#                                                start klatchd, say how to join
#   packaging/dev.sh test                        install, build, run every test
#
# and for those who work on klatch:
#
#   packaging/dev.sh deps [musl]         install what is missing, nothing else;
#                                        what packaging/musl.sh needs besides
#   packaging/dev.sh check PRESET [ctest's arguments]
#                                        build one preset of CMakePresets.json
#                                        with warnings as errors, run its tests
#   packaging/dev.sh mutants [PATCH...]  put each known fault back and see that
#                                        the tests find it
#
# All of it may be run again at any time; what is there already is kept.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*"; }
die() {
  printf 'dev.sh: %s\n' "$*" >&2
  exit 1
}

# What building and running needs, and what the tests need besides.
run_packages=(cmake ninja-build gcc libc6-dev pkg-config libjemalloc-dev
  libsodium-dev libunistring-dev libinih-dev libjansson-dev libedit-dev)
test_packages=(clang clang-format libclang-rt-14-dev llvm check libsubunit-dev
  spin git patch valgrind iproute2 nftables)
musl_packages=(musl-tools dpkg-dev autoconf automake libtool)

missing() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
      grep -q 'install ok installed' || echo "$package"
  done
}

install_packages() {
  local wanted
  mapfile -t wanted < <(missing "$@")
  if [ "${#wanted[@]}" -eq 0 ]; then
    say "all packages are installed"
    return
  fi
  command -v apt-get >/dev/null ||
    die "this is no Debian: please install ${wanted[*]} by hand"
  [ "$(id -u)" -eq 0 ] ||
    die "run this as root once, or: sudo apt-get install ${wanted[*]}"
  say "installing ${wanted[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update || die "apt-get update failed; is there a network?"
  apt-get -qq install --no-install-recommends -y "${wanted[@]}" >/dev/null ||
    die "apt-get install failed; its message is above"
}

build() {
  say "building: $1 (into build/$1)"
  cmake --preset "$1" >/dev/null || die "cmake --preset $1 failed"
  cmake --build "build/$1" || die "the build of $1 failed"
}

check() {
  local preset=$1
  shift
  build "$preset"
  say "testing: $preset"
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error \
    -j "$(($(nproc) * 2))" "$@"
}

command=${1:-}
[ "$#" -eq 0 ] || shift
case "$command" in
  run)
    install_packages "${run_packages[@]}"
    build release
    say "starting klatchd; Ctrl-C stops it"
    exec build/release/src/main/klatchd "$@"
    ;;
  test)
    install_packages "${run_packages[@]}" "${test_packages[@]}"
    check gcc "$@"
    ;;
  deps)
    [ "${1:-}" = musl ] || musl_packages=()
    install_packages "${run_packages[@]}" "${test_packages[@]}" \
      "${musl_packages[@]}"
    ;;
  check)
    [ "$#" -gt 0 ] || die "check which preset? see cmake --list-presets"
    install_packages "${run_packages[@]}" "${test_packages[@]}"
    check "$@"
    ;;
  mutants)
    install_packages "${run_packages[@]}" "${test_packages[@]}"
    build gcc
    exec tests/mutants/run.sh "$@"
    ;;
  *)
    sed -n '4,20s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
