#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes the figures of docs/performance.md: each of klatchd's beside the same
# of `limit`, in turn, within a minute; the ratio is what counts.
#
#   bench/run.sh [ROUNDS]      3 rounds; needs `packaging/dev.sh check gcc` or
#                              `cmake --build build/gcc` first
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build/gcc}
rounds=${1:-3}
bench=$build/bench/klatch-bench
dir=$(mktemp -d)
daemon= limit=

finish() {
  [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
  [ -z "$limit" ] || kill "$limit" 2>/dev/null || true
  wait
  rm -rf "$dir"
}
trap finish EXIT

start() {
  rm -f "$dir/out" "$dir/limit" # or the last one's would be read
  printf '%s\n' '[admin]' "socket = $dir/control.sock" '[log]' 'level = notice' \
    '[listen "main"]' 'address = 127.0.0.1:0' >"$dir/klatch.conf"
  "$build/src/main/klatchd" -c "$dir/klatch.conf" >"$dir/out" 2>"$dir/log" &
  daemon=$!
  "$build/bench/limit" >"$dir/limit" &
  limit=$!
  until grep -qs 'Join with' "$dir/out" && [ -s "$dir/limit" ]; do
    kill -0 "$daemon" || { cat "$dir/log"; exit 1; }
    read -rt 0.05 <> <(:) || true
  done
  port=$(sed -n 's/.*nc 127.0.0.1 //p' "$dir/out")
  limit_port=$(cat "$dir/limit")
}

stop() {
  kill "$daemon" "$limit"
  wait "$daemon" "$limit" 2>/dev/null || true
  daemon= limit=
}

field() { sed "s/.*$1=\([0-9.]*\).*/\1/"; }

# Both servers fresh for each pair, so that neither has the other's clients.
compare() { # what, field, klatch-bench's arguments
  local what=$1 name=$2 k l
  shift 2
  for _ in $(seq "$rounds"); do
    start
    l=$("$bench" "$@" --raw --port "$limit_port" | field "$name")
    k=$("$bench" "$@" --port "$port" | field "$name")
    stop
    awk -v w="$what" -v k="$k" -v l="$l" \
      'BEGIN { printf "%-44s klatchd %10.0f  limit %10.0f  ratio %.2f\n", w, k, l, k / l }'
  done
}

for n in 100 1000 10000; do
  for batch in 1 16; do
    m=$((n == 10000 ? 64 : 200000 / n / 16 * 16))
    compare "fan-out to $n, $batch at once, a second" deliveries_per_second \
      fanout --clients "$n" --batch "$batch" --messages "$m"
  done
done
compare "latency p50 of 200 in a room, us" p50_us \
  latency --clients 200 --messages 1000 --rate 200 --publishers 1
compare "latency p99 of 200 in a room, us" p99_us \
  latency --clients 200 --messages 1000 --rate 200 --publishers 1
compare "first answer to a new client, a second" connects_per_second \
  connect --clients 5000 --abreast 16
start
"$bench" idle --clients 10000 --port "$port" --pid "$daemon"
stop
