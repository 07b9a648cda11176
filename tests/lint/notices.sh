#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `/me` makes "* NICK text", which is how the server's own notices look. So no
# word that begins one of its sentences may be a nickname: each must be in
# reserved_keys of src/chat/hub_user.c.
#
#   notices.sh [DIRECTORY]    the project by default
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

reserved=$(sed -n '/reserved_keys\[\] = {/,/};/p' src/chat/hub_user.c |
  grep -oE '"[^"]+"' | tr -d '"')
# What is written as a sentence: a capital, small letters, and a space.
said=$(sed 's|/\*.*\*/||' src/proto/line/*.c |
  grep -oE '"[A-Z][a-z]* ' | grep -oE '[A-Za-z]+' | tr '[:upper:]' '[:lower:]' |
  sort -u)
[ "$(wc -w <<<"$said")" -ge 10 ] || {
  echo "notices.sh: found no notices; did they move?" >&2
  exit 1
}

missing=$(comm -23 <(printf '%s\n' "$said") <(sort -u <<<"$reserved"))
if [ -n "$missing" ]; then
  printf 'notices begin with what may be a nickname: %s\n' "${missing//$'\n'/ }"
  exit 1
fi
echo "notices: $(wc -w <<<"$said") first words, all reserved"
