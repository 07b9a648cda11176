#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# In libtool's place for ../musl.sh: it only knows static libraries, and so does
# in a millisecond what takes libtool a tenth of a second for each of 700 files.
#
#   NAME.lo  is the object itself
#   NAME.la  lists the objects of a library, which lies beside it as NAME.a
set -eu

mode=
while [ "$#" -gt 0 ]; do
  case $1 in
    --mode=*) mode=${1#--mode=} ;;
    --*) ;;
    *) break ;;
  esac
  shift
done

link() {
  out=
  objects=
  while [ "$#" -gt 0 ]; do
    case $1 in
      -o)
        out=$2
        shift
        ;;
      *.lo) objects="$objects $PWD/$1" ;;
      *.la) objects="$objects $(cat "$1")" ;;
    esac
    shift
  done
  echo "$objects" >"$out"
  rm -f "${out%.la}.a"
  # Appended, as names may be the same in two directories. No path has blanks.
  # shellcheck disable=SC2086
  ar qcs "${out%.la}.a" $objects
}

# install [-c] [-m MODE] NAME.la... DIRECTORY
install_archives() {
  for last; do :; done
  for word; do
    case $word in
      *.la) install -m 644 "${word%.la}.a" "$last" ;;
    esac
  done
}

case $mode in
  compile) exec "$@" ;;
  link) link "$@" ;;
  install) install_archives "$@" ;;
  finish) ;;
  *)
    echo "libtool.sh: mode $mode" >&2
    exit 1
    ;;
esac
