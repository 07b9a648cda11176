#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Puts each fault back, one at a time, and fails if the tests do not notice.
#
#   tests/mutants/run.sh [PATCH...]     all of this directory by default
#
# KLATCH_MUTANTS_LOGS=DIR keeps what each build and test said.
#
# A patch begins with
#
#   # killed by: REGEX    the ctests to run; one of them must fail
#   # in: REGEX           ... in a case of such a name, so that a fault is not
#                         taken for found when something else went wrong
#   # What the fault is, for people.
#
# The tree as it stands is built once, and the tests that are named must pass
# there. Then each mutant gets a mount namespace in which a scratch layer
# (overlayfs on a tmpfs) lies over the tree, at the same path: what is built is
# found as it was left, times and all, so ninja compiles what the patch touched
# and links what the tests need, and nothing of it reaches the tree. Two at a
# time on two cores. Needs root, or user namespaces for everybody.
#
# A patch that no longer applies, or does not build, is a failure: the fault it
# stood for is not looked for any more.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=build/gcc
hurry=0.1 # of the time a case may take: a mutant may hang

say() { printf '%s\n' "$*"; }
die() {
  printf 'mutants: %s\n' "$*" >&2
  exit 1
}

# head_of PATCH KEY: what stands behind `# KEY: ` in the patch's head.
head_of() { sed -n "1,/^diff /s/^# $2: *//p" "$1"; }

# The files that ctest would run for REGEX, and the programs those run, as
# ninja's targets: paths under the build directory.
targets_of() {
  ctest --test-dir "$build" -N -V -R "$1" |
    grep -oE "(Test command: |=)$root/$build/[^ \";]+" |
    sed "s|.*$root/$build/||" | sort -u
}

# ---- one mutant, inside its namespace ----------------------------------------

# verdict WORD [TEXT]: one line for people, one file for the summary.
verdict() {
  local took=$(((${EPOCHREALTIME/./} - began) / 100000))
  printf '%-9s %4d.%d s  %s%s\n' "$1" $((took / 10)) $((took % 10)) "$name" \
    "${2:+: $2}"
  echo "$1" >"$scratch/$name.verdict"
  exit 0
}

# The cases that failed, from what Check prints about them.
failed_cases() {
  LC_ALL=C sed -nE 's/^([0-9]+: )?[^ ]*:[0-9]+:[FE]:[^:]*:([^:]+):.*/\2/p' "$1" | sort -u
}

one() {
  local patch=$1 tests expected log targets cases
  scratch=$2
  name=$(basename "$patch" .patch)
  began=${EPOCHREALTIME/./}
  log=$scratch/$name.log
  tests=$(head_of "$patch" 'killed by')
  expected=$(head_of "$patch" in)

  mkdir "$scratch/$name"
  mount -t tmpfs mutant "$scratch/$name"
  mkdir "$scratch/$name/upper" "$scratch/$name/work" "$scratch/$name/tmp"
  mount -t overlay mutant -o \
    "lowerdir=$root,upperdir=$scratch/$name/upper,workdir=$scratch/$name/work" \
    "$root"
  export TMPDIR=$scratch/$name/tmp
  cd "$root"

  patch --quiet --force -p1 <"$patch" >"$log" 2>&1 ||
    verdict STALE "no longer applies"
  mapfile -t targets < <(targets_of "$tests")
  ninja -C "$build" -j 2 "${targets[@]}" >>"$log" 2>&1 ||
    verdict BROKEN "does not build"
  if CK_TIMEOUT_MULTIPLIER=$hurry ctest --test-dir "$build" -R "$tests" \
    --output-on-failure >>"$log" 2>&1; then
    verdict SURVIVED "$tests pass"
  fi
  grep -aq 'tests failed out of' "$log" || verdict BROKEN "ctest did not run"
  cases=$(failed_cases "$log" | grep -E -- "^($expected)\$") ||
    verdict ASTRAY "failed, but not in $expected"
  verdict killed "$(head -n 1 <<<"$cases")"
}

# ---- all of them -------------------------------------------------------------

check_heads() {
  local patch
  for patch in "$@"; do
    [ -n "$(head_of "$patch" 'killed by')" ] || die "$patch names no test"
    [ -n "$(head_of "$patch" in)" ] || die "$patch names no case"
    [ -n "$(targets_of "$(head_of "$patch" 'killed by')")" ] ||
      die "$patch names a test that is not there"
  done
}

# A test that fails anyway finds nothing.
check_tests_pass() {
  local patch all=
  for patch in "$@"; do
    all="$all|$(head_of "$patch" 'killed by')"
  done
  ctest --test-dir "$build" -R "${all#|}" -j "$(nproc)" --output-on-failure \
    >"$scratch/before.log" 2>&1 || {
    tail -n 40 "$scratch/before.log"
    die "these tests fail without any mutant"
  }
}

summarise() {
  local word failed=0 count
  for word in SURVIVED ASTRAY STALE BROKEN; do
    count=$({ grep -lx "$word" "$scratch"/*.verdict || true; } | wc -l)
    [ "$count" -eq 0 ] || say "$count $word"
    failed=$((failed + count))
  done
  count=$({ grep -lx killed "$scratch"/*.verdict || true; } | wc -l)
  say "$count of $1 mutants killed in $SECONDS s"
  for log in $(grep -Lx killed "$scratch"/*.verdict || true); do
    log=${log%.verdict}.log
    say "--- $(basename "$log" .log)"
    tail -n 25 "$log"
  done
  [ -z "${KLATCH_MUTANTS_LOGS:-}" ] || cp "$scratch"/*.log "$KLATCH_MUTANTS_LOGS"
  [ "$failed" -eq 0 ] && [ "$count" -eq "$1" ]
}

if [ "${1:-}" = --one ]; then
  one "$2" "$3"
fi

cd "$root"
[ "$#" -gt 0 ] || set -- tests/mutants/*.patch
mapfile -t patches < <(realpath "$@")
set -- "${patches[@]}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

enter=(unshare --mount)
[ "$(id -u)" -eq 0 ] || enter+=(--map-root-user)
"${enter[@]}" true || die "no mount namespace to be had: run this as root"

[ -f "$build/build.ninja" ] || cmake --preset gcc >/dev/null
cmake --build "$build" >"$scratch/build.log" || {
  tail -n 40 "$scratch/build.log"
  die "the tree does not build"
}
check_heads "$@"
check_tests_pass "$@"
say "the tests named pass without mutants (after $SECONDS s)"
printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -I '{}' \
  "${enter[@]}" "$0" --one '{}' "$scratch"
summarise "$#"
