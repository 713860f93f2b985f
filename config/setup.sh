#!/usr/bin/env bash
# From a bare Debian 12 to a running crm-reportd, unattended (as root, or with sudo).
#
#   config/setup.sh              packages and build: what follows is in build/crm-reportd
#   config/setup.sh demo [ARG …] the same, then crm-reportd demo: its own Redis, its own broker, a living feed
#   config/setup.sh STEP …       only these steps:
#       packages   what building and the demo need, from Debian
#       runtime    what the built daemon needs, and no more
#       build      into $BUILD (default build/ in the tree); yyjson is fetched into it where the system has none
#       install    into $PREFIX (default /usr/local), unit and settings where there is systemd
set -euo pipefail

tree=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$tree/build}
prefix=${PREFIX:-/usr/local}
runtime=(librdkafka1 libhiredis0.14 libjansson4 libcurl4 libmicrohttpd12 libglib2.0-0 tzdata ca-certificates)
building=(build-essential cmake ninja-build pkg-config librdkafka-dev libhiredis-dev libjansson-dev libcurl4-openssl-dev libmicrohttpd-dev libjs-chart.js libglib2.0-dev)
servers=(redis-server redis-tools kcat)

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Debian starts a server as soon as it is installed, where nothing forbids it; the demo starts its own.
install_quietly() ( # PACKAGE …
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap 'as_root rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod +x $policy
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
)

need() { # PACKAGE …
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing ${missing[*]}"
  install_quietly "${missing[@]}"
}

step_packages() { need "${runtime[@]}" "${building[@]}" "${servers[@]}"; }
step_runtime() { need "${runtime[@]}"; }

step_build() {
  local log=$build/configure.log
  mkdir -p "$build"
  cmake -B "$build" -G Ninja -S "$tree" -DCMAKE_BUILD_TYPE=Release >"$log" 2>&1 || { cat "$log" >&2; return 1; }
  ninja -C "$build" crm-reportd
}

step_install() {
  local put=(as_root)
  [ -n "${DESTDIR:-}" ] && put=(env "DESTDIR=$DESTDIR")
  "${put[@]}" cmake --install "$build" --prefix "$prefix"
  [ -z "${DESTDIR:-}" ] && [ -d /etc/systemd/system ] || return 0
  as_root install -d /etc/crm-reportd
  [ -e /etc/crm-reportd/crm-reportd.json ] || as_root install -m 644 "$tree/config/crm-reportd.json" /etc/crm-reportd/
  as_root install -m 644 "$tree/config/crm-reportd.service" /etc/systemd/system/
}

case ${1:-} in
  -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
  demo) step_packages; step_build; shift; exec "$build/crm-reportd" demo "$@" ;;
  '') set -- packages build ;;
esac
for step; do
  declare -F "step_$step" >/dev/null || { echo "setup.sh: no step $step; there are: packages runtime build install" >&2; exit 2; }
  "step_$step"
done
