#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# klatchd and klatchctl with another C library: linked statically with musl-gcc,
# their libraries built from Debian's source packages. On Debian 12, as root:
#
#   packaging/musl.sh deps               the libraries, into build/musl-deps
#   packaging/musl.sh build              also klatchd and klatchctl, into
#                                        build/musl
#   packaging/musl.sh test [ctest's arguments]
#                                        also runs the end-to-end tests of the
#                                        gcc preset against them
#
# The libraries are kept until one of them has another version on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*"; }
die() {
  printf 'musl.sh: %s\n' "$*" >&2
  exit 1
}

root=$PWD
deps=$root/build/musl-deps
libtool=$root/packaging/musl/libtool.sh
libraries=(libsodium libunistring jansson libinih)
work=

# The source package's version that gcc's builds have: both shall be the same.
version_of() {
  local binary=$1-dev
  [ "$1" != jansson ] || binary=libjansson-dev
  [ "$1" != libinih ] || binary=libinih-dev
  # shellcheck disable=SC2016
  dpkg-query -W -f '${source:Version}' "$binary"
}

wanted() {
  local library
  for library in "${libraries[@]}"; do
    printf '%s %s\n' "$library" "$(version_of "$library")"
  done
  # shellcheck disable=SC2016
  dpkg-query -W -f 'musl ${Version}\n' musl-dev
  cksum packaging/musl.sh packaging/musl/*
}

# -- sources -------------------------------------------------------------------

# apt with the machine's own archives, asked for sources, in a state of its own:
# what the machine has under /etc and /var is left as it is. apt checks the
# archive's signature, and by it each file's hash.
private_apt() {
  apt-get -o Dir::Etc::SourceList="$work/sources.list" \
    -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::Retries=2 "$@"
}

setup_apt() {
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  apt-get -qq update
  apt-get indextargets --format \
    "deb-src [signed-by=$keys] \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
    'Created-By: Packages' 'Origin: Debian' |
    awk '!seen[$0]++' >"$work/sources.list"
  [ -s "$work/sources.list" ] || die "apt knows no archive of Debian's"
  private_apt -qq update
}

# Unpacked, with Debian's patches, as $work/LIBRARY.
fetch() {
  local library=$1 version
  version=$(version_of "$library")
  mkdir "$work/$library.d"
  (cd "$work/$library.d" &&
    private_apt -qq --only-source source "$library=$version") \
    >"$work/$library.log" 2>&1 || return 1
  mv "$work/$library.d"/*/ "$work/$library"
}

# -- libraries -----------------------------------------------------------------

# dash, because configure is a script of tens of thousands of lines.
configure() {
  CONFIG_SHELL=/bin/dash dash ./configure -q --prefix="$deps" \
    --disable-shared --disable-dependency-tracking CC=musl-gcc CFLAGS='-O2 -g' \
    "$@"
}

build_libsodium() {
  autoreconf -fi
  configure
  make -s -j2 -C src LIBTOOL="$libtool" install
  make -s install-pkgconfigDATA
}

build_libunistring() {
  # Debian's patches are younger than what automake made of the originals; what
  # they change of its input does not matter here.
  find . -name aclocal.m4 -exec touch {} +
  touch configure
  find . '(' -name Makefile.in -o -name config.h.in ')' -exec touch {} +
  # Namespacing would compile each file twice, to find the names to rename.
  configure --disable-namespacing
  make -s -j2 -C lib LIBTOOL="$libtool" install
}

build_jansson() {
  cmake -G Ninja -B build -DCMAKE_C_COMPILER=musl-gcc \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$deps" \
    -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF
  cmake --build build --target install
}

# Its build system is meson; one file needs none.
build_libinih() {
  musl-gcc -O2 -g -c ini.c
  ar rcs "$deps/lib/libinih.a" ini.o
  cp ini.h "$deps/include/"
}

# Where an archive has not got libinih's source: Debian's own static library,
# which was compiled for glibc but wants only what musl has too, and a table.
borrow_libinih() {
  local library
  library=$(dpkg -L libinih-dev | grep '/libinih\.a$')
  say "libinih: its source cannot be had here, so $library is taken"
  musl-gcc -O2 -g -c -o "$work/ctype_table.o" packaging/musl/ctype_table.c
  cp "$library" "$deps/lib/"
  ar rs "$deps/lib/libinih.a" "$work/ctype_table.o"
  cp /usr/include/ini.h "$deps/include/"
}

describe_libinih() {
  cat >"$deps/lib/pkgconfig/inih.pc" <<END
Name: inih
Description: simple .INI file parser
Version: $(version_of libinih)
Libs: -L$deps/lib -linih
Cflags: -I$deps/include
END
}

# linux/sockios.h and its like are the kernel's, not a C library's.
add_kernel_headers() {
  local multiarch
  multiarch=$(gcc -print-multiarch)
  ln -s /usr/include/linux /usr/include/asm-generic "$deps/include/"
  ln -s "/usr/include/$multiarch/asm" "$deps/include/"
}

build_library() {
  (cd "$work/$1" && "build_$1") >>"$work/$1.log" 2>&1
}

make_deps() {
  local library pids=()

  packaging/dev.sh deps musl
  if [ -f "$deps/made-of" ] && [ "$(wanted)" = "$(cat "$deps/made-of")" ]; then
    say "the libraries are there"
    return
  fi
  say "fetching the sources of ${libraries[*]}"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  setup_apt
  rm -rf "$deps"
  mkdir -p "$deps/include" "$deps/lib/pkgconfig"
  for library in "${libraries[@]}"; do
    fetch "$library" || [ "$library" = libinih ] || {
      cat "$work/$library.log" >&2
      die "no source of $library $(version_of "$library")"
    }
  done

  say "building them"
  for library in libsodium libunistring jansson; do
    build_library "$library" &
    pids+=("$!")
  done
  for library in libsodium libunistring jansson; do
    wait "${pids[0]}" || {
      tail -n 40 "$work/$library.log" >&2
      die "the build of $library failed"
    }
    pids=("${pids[@]:1}")
  done
  if [ -d "$work/libinih" ]; then
    build_library libinih
  else
    borrow_libinih
  fi
  describe_libinih
  add_kernel_headers
  wanted >"$deps/made-of"
}

# -- klatch --------------------------------------------------------------------

make_klatch() {
  make_deps
  say "building klatchd and klatchctl, static"
  cmake --preset musl >/dev/null
  cmake --build build/musl
}

# In a terminal, because only there libedit would be needed.
check_console() {
  local said
  said=$(script -qec 'build/musl/src/ctl/klatchctl console' /dev/null \
    </dev/null) && die "klatchctl console exits with 0"
  case "$said" in
    *'this build has no console'*) ;;
    *) die "klatchctl console says: $said" ;;
  esac
}

check_static() {
  local program
  for program in build/musl/src/main/klatchd build/musl/src/ctl/klatchctl; do
    if readelf -d "$program" | grep NEEDED >/dev/null; then
      die "$program is not static"
    fi
    nm "$program" | grep ' __init_libc$' >/dev/null ||
      die "$program is not musl's"
  done
}

run_tests() {
  check_static
  check_console
  say "building the end-to-end tests, which are glibc's"
  cmake --preset gcc >/dev/null
  cmake --build build/gcc --target e2e
  say "testing: musl"
  ctest --test-dir build/musl --output-on-failure --no-tests=error \
    -j "$(($(nproc) * 2))" "$@"
}

command=${1:-}
[ "$#" -eq 0 ] || shift
case "$command" in
  deps) make_deps ;;
  build) make_klatch ;;
  test)
    make_klatch
    run_tests "$@"
    ;;
  *)
    sed -n '4,15s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
