#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the fuzz targets one after the other and prints a row for each; fails if
# one of them found something.
#
#   tests/fuzz/run.sh [NAME...]      all by default
#   cmake --build build/fuzz --target fuzz
#
# KLATCH_FUZZ_SECONDS   how long each runs (10)
# KLATCH_FUZZ_RUNS      or how many inputs each is given, however long it takes
# KLATCH_FUZZ_MAX_LEN   bytes of an input (4096); an input of the hub or of a
#                       session is a story, and takes as long as it is
# KLATCH_FUZZ_BUILD     the build tree (build/fuzz)
#
# exec/s is per second of processor time: how busy the machine is elsewhere does
# not matter. It does for the limit of 10 s an input, which is of the clock.
#
# A target begins with corpus/NAME and with what earlier runs kept, which is in
# the build tree under found/NAME, so a long run can be broken off and taken up
# again; `in all` counts the executions of all runs in that tree. An input that
# makes a target fail stays beside it as NAME-crash-….
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
build=${KLATCH_FUZZ_BUILD:-build/fuzz}/tests/fuzz
corpora=tests/fuzz/corpus

if [ "$#" -eq 0 ]; then
  for program in "$build"/fuzz_*; do
    set -- "$@" "${program##*/fuzz_}"
  done
fi
if [ -n "${KLATCH_FUZZ_RUNS:-}" ]; then
  bound=-runs=$KLATCH_FUZZ_RUNS
else
  bound=-max_total_time=${KLATCH_FUZZ_SECONDS:-10}
fi

# stat NAME LOG: a number from what libFuzzer says at its end.
stat() { sed -nE "s/^stat::$1: +//p" "$2" | tail -n 1; }

# rate COUNT USER SYSTEM, both in seconds with three decimals.
rate() {
  local ms=$((10#${2/./} + 10#${3/./}))
  echo $((ms > 0 ? $1 * 1000 / ms : 0))
}

# The inputs kept from this run and before.
kept() { find "$1" -type f | wc -l; }

printf '%-9s %11s %9s %13s %9s %6s\n' \
  target executions exec/s "in all" features new
bad=0
for name in "$@"; do
  found=$build/found/$name
  log=$build/$name.log
  ledger=$build/$name.executions
  mkdir -p "$found"
  before=$(kept "$found")
  verdict=
  TIMEFORMAT='%3U %3S'
  { time "$build/fuzz_$name" "$bound" -timeout=10 \
    "-max_len=${KLATCH_FUZZ_MAX_LEN:-4096}" \
    -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$build/$name-" \
    "$found" "$corpora/$name" >"$log" 2>&1; } 2>"$build/cpu" || {
    verdict="  FOUND SOMETHING: see $log"
    bad=$((bad + 1))
  }
  read -r user system <"$build/cpu"
  done_now=$(stat number_of_executed_units "$log")
  done_now=${done_now:-0}
  in_all=$((done_now + $(cat "$ledger" 2>/dev/null || echo 0)))
  echo "$in_all" >"$ledger"
  printf '%-9s %11s %9s %13s %9s %6s%s\n' "$name" "$done_now" \
    "$(rate "$done_now" "$user" "$system")" "$in_all" \
    "$(grep -aoE ' ft: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f3)" \
    "$(($(kept "$found") - before))" "$verdict"
done
[ "$bad" -eq 0 ] || echo "$bad of $# targets found something"
[ "$bad" -eq 0 ]
