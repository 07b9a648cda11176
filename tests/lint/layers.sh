#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Lower layers never include upper ones. Each row: a layer and what it may use.
#   tests/lint/layers.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

rules='
base:  base
loop:  base loop
net:   base loop net
chat:  base loop chat
proto: base loop net chat proto
ops:   base loop net chat proto ops
main:  base loop net chat proto ops main
ctl:   base ops ctl
'

bad=0
files=0
while IFS=: read -r layer allowed; do
  [ -n "$layer" ] || continue
  while IFS= read -r file; do
    files=$((files + 1))
    while IFS= read -r used; do
      case " $allowed " in
        *" $used "*) ;;
        *)
          echo "$file: layer $layer must not include \"$used/…\""
          bad=$((bad + 1))
          ;;
      esac
    done < <(sed -n 's|^[[:space:]]*#[[:space:]]*include "\([a-z]*\)/.*|\1|p' \
      "$file" | sort -u)
  done < <(find "src/$layer" "include/$layer" -name '*.[ch]' 2>/dev/null)
done <<<"$rules"

# The hub is a state machine: no threads, no sockets, no clock but in its shell.
for file in src/chat/*.c; do
  [ "$file" = src/chat/hub_thread.c ] && continue
  if grep -nE '#include "(loop|base/(clock|log|inbox))|<(sys/socket|pthread|time)\.h>' \
    "$file"; then
    echo "$file: the hub knows no threads, sockets or clocks"
    bad=$((bad + 1))
  fi
done

# A private header serves its own layer (and that layer's unit tests).
while IFS=: read -r file _ line; do
  owner=$(sed -n 's|.*"\([a-z]*\)/.*|\1|p' <<<"$line")
  case "$file" in
    "src/$owner/"* | "tests/unit/$owner/"* | "tests/$owner/"* | "tests/race/"* | "tests/fuzz/"* | "bench/micro/"*) ;;
    *)
      echo "$file: $owner's private header is not for others"
      bad=$((bad + 1))
      ;;
  esac
done < <(grep -rnE '#include "[a-z]+/.*_priv\.h"' src include tests bench)

[ "$files" -gt 0 ] || { echo "no sources found"; exit 1; }
echo "$files files looked at, $bad includes against the layers"
[ "$bad" -eq 0 ]
