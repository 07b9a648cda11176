#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the house style asks and a script can see: an SPDX line in each source,
# no file over 600 lines, no function over 70, nothing left open, no trace of
# one machine.
#   tests/lint/house.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

bad=0
complain() {
  echo "$*"
  bad=$((bad + 1))
}

while IFS= read -r file; do
  head -n 4 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' ||
    complain "$file: no SPDX line in its head"
  lines=$(wc -l <"$file")
  [ "$lines" -le 600 ] || complain "$file: $lines lines; split at 600"
done < <(find src include tests bench packaging .ci -type f \
  \( -name '*.[ch]' -o -name '*.sh' -o -name '*.pml' \))

long=$(find src -name '*.c' -print0 | xargs -0 awk '
  FNR == 1 { inside = 0 }
  /^\{/ { inside = 1; start = FNR; name = prev }
  /^\}/ { if (inside && FNR - start > 70)
            printf "%s: %s is %d lines\n", FILENAME, name, FNR - start
          inside = 0 }
  /^[a-zA-Z_]/ { prev = $0 }')
[ -z "$long" ] || complain "$long"

if grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' src include bench; then
  complain "left open: finish it, or name an issue"
fi

echo "$bad complaints"
[ "$bad" -eq 0 ]
