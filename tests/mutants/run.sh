#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Puts each fault back, one at a time, and fails if the tests still pass.
#
#   tests/mutants/run.sh [PATCH...]     all of this directory by default
#
# A patch's first line names the ctest that must fail: `# killed by: REGEX`.
# Works on a copy of the committed tree in a temporary directory.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
[ "$#" -gt 0 ] || set -- "$root"/tests/mutants/*.patch

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -c safe.directory="$root" -C "$root" archive HEAD | tar -x -C "$work"
cd "$work"
cmake --preset gcc -DKLATCH_BENCH=OFF -DKLATCH_WERROR=OFF >/dev/null
cmake --build build/gcc >/dev/null

survived=0
for patch in "$@"; do
  name=$(basename "$patch" .patch)
  test=$(sed -n '1s/^# killed by: *//p' "$patch")
  [ -n "$test" ] || { echo "$name: names no test"; exit 1; }
  patch --quiet -p1 <"$patch"
  if ! cmake --build build/gcc >"$work/log" 2>&1; then
    echo "$name: does not build"
    cat "$work/log"
    exit 1
  fi
  if ctest --test-dir build/gcc -R "$test" --no-tests=error --timeout 60 \
    >"$work/log" 2>&1; then
    echo "SURVIVED $name ($test)"
    survived=$((survived + 1))
  else
    grep -q 'tests failed out of' "$work/log" || { cat "$work/log"; exit 1; }
    echo "killed   $name ($test)"
  fi
  patch --quiet -R -p1 <"$patch"
done
echo "$(($# - survived)) of $# faults found"
[ "$survived" -eq 0 ]
