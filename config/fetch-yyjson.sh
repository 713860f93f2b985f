#!/bin/sh
# Puts yyjson (the JSON reader of the hot path) into DIR/usr without touching the system: Debian 12 does not have it, the
# next release does, and it needs nothing but libc. Uses apt's own tools and the Debian mirror and keys this machine has.
#
#   fetch-yyjson.sh DIR
set -eu

[ $# -eq 1 ] || { echo "usage: fetch-yyjson.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[ ! -e "$dir/usr/include/yyjson.h" ] || exit 0
release=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() { echo "fetch-yyjson.sh: $*; or install libyyjson-dev by hand" >&2; exit 1; }

# The machine's Debian mirror: where it gets its own release from. Other repositories (vendors', security) have other suites.
here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=$(apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(SITE)' 'Identifier: Packages' |
  awk -v here="$here" '($1 == here || $1 ~ /^(old)*stable$/) && $2 == "main" { print $3; exit }')
[ -n "$mirror" ] || fail "no source of Debian ${here:-} main in /etc/apt"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/none"
: >"$work/no-preferences"
[ ! -r "$keyring" ] || signed="[signed-by=$keyring] "
echo "deb ${signed:-}$mirror $release main" >"$work/sources.list"
apt_private() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/none" \
    -o Dir::Etc::preferences="$work/no-preferences" -o Dir::Etc::preferencesparts="$work/none" \
    -o Dir::State::lists="$work/lists" -o Dir::Cache::archives="$work/archives" -o Dir::Cache::pkgcache= \
    -o Dir::Cache::srcpkgcache= -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" "$@"
}
apt_private update || fail "$mirror does not give the list of packages of $release"
(cd "$work" && apt_private download libyyjson-dev libyyjson0) || fail "$mirror does not give libyyjson-dev of $release"
for package in "$work"/libyyjson0_*.deb "$work"/libyyjson-dev_*.deb; do dpkg-deb -x "$package" "$dir"; done
