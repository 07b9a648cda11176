#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh MODEL.pml BUGS - checks a spin model, and that it can fail.
#
# The model as it is must have no error, no statement that is never reached and
# no cycle; with each -DBUG=1 .. BUGS it must have an error, and one that is
# more than an assertion: some process waits for ever.
set -eu

model=$(realpath "$1")
bugs=$2

for tool in spin "${CC:=cc}"; do
    if ! command -v "$tool" >/dev/null; then
        echo "run.sh: '$tool' is missing; on Debian: apt-get install spin gcc" >&2
        exit 1
    fi
done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
cd "$dir"

fail() {
    echo "FAILED: $1" >&2
    grep -v '^Depth=' out >&2
    exit 1
}

# build BUG [CFLAG...]: makes ./pan. spin writes its files where it is run.
build() {
    bug=$1
    shift
    spin -DBUG="$bug" -a "$model" >out 2>&1 || fail "spin, bug $bug"
    "$CC" -O2 -w -DMEMLIM=1024 -o pan "$@" pan.c >out 2>&1 || fail "compiling, bug $bug"
}

# pan [OPTION...]: runs it into `out`; complete or not at all.
run_pan() {
    ./pan -m200000 "$@" >out 2>&1 || fail "pan $*"
    if grep -q 'max search depth\|memory bound\|out of memory' out; then
        fail "pan $* could not look everywhere"
    fi
}

has_no_errors() {
    grep -q 'errors: 0$' out
}

build 0 -DSAFETY
run_pan
has_no_errors || fail "the model has an error"
if grep -q '([1-9][0-9]* of [0-9]* states)' out; then
    fail "the model has statements that never run"
fi
sed -n 's/^ *\([0-9]*\) states, stored.*/holds in all \1 states/p' out

build 0 -DNP
run_pan -l
has_no_errors || fail "the model can turn for ever without progress"
echo "holds: no cycle without progress"

bug=1
while [ "$bug" -le "$bugs" ]; do
    build "$bug" -DSAFETY
    run_pan
    if has_no_errors; then
        fail "bug $bug is not caught"
    fi
    first=$(sed -n 's/^pan:1: //p' out)
    run_pan -A
    grep -q '^pan:1: invalid end state' out ||
        fail "bug $bug makes nobody wait for ever"
    echo "bug $bug caught: $first; and a wait without an end"
    bug=$((bug + 1))
done
