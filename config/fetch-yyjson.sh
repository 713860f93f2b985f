#!/bin/sh
# Puts yyjson (the JSON reader of the hot path) into DIR/usr without touching the system: Debian 12 does not have it, the
# next release does, and it needs nothing but libc. Uses apt's own tools and the mirror and keys this machine has.
#
#   fetch-yyjson.sh DIR
set -eu

[ $# -eq 1 ] || { echo "usage: fetch-yyjson.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[ ! -e "$dir/usr/include/yyjson.h" ] || exit 0
release=trixie

# the machine's own mirror: of deb lines or deb822 files
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p'
  sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null; } | grep -v security | head -n 1)
[ -n "$mirror" ] || { echo "fetch-yyjson.sh: no Debian mirror in /etc/apt; install libyyjson-dev by hand" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/etc"
echo "deb $mirror $release main" >"$work/etc/sources.list"
apt_private() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/etc/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferences=- \
    -o Dir::Etc::preferencesparts=- -o Dir::State::lists="$work/lists" -o Dir::Cache::archives="$work/archives" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root "$@"
}
apt_private update
(cd "$work" && apt_private download libyyjson-dev libyyjson0)
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$dir"; done
