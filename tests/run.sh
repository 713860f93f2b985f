#!/usr/bin/env bash
# Installs what the tests need and runs them all, unattended, on Debian 12 (as root, or with sudo).
#
#   tests/run.sh                 everything: builds, unit tests, sanitizers, fuzzing, stories, property test, real servers
#   tests/run.sh --quick         for developers: one build, unit tests, stories, a few histories, the format; no servers
#   tests/run.sh STAGE …         only these stages: setup build unit format sim notices guard clang sanitize threads cases property fuzz integration faults page
#                                and, not among all: fault_notices (after setup and build)
#
# Environment: TEST_BUILD (where builds and the Python environment go, default build-tests in the tree),
# SIM_HISTORIES (simulated, default 10000), FUZZ_SECONDS (per target, default 10), SEEDS (of the property test, default 300),
# INTEGRATION_JOBS (side by side, each with a broker of its own: most of a test is waiting; default 3), PYTEST (further arguments for pytest).
set -uo pipefail

tree=$(cd "$(dirname "$0")/.." && pwd)
out=${TEST_BUILD:-$tree/build-tests}
venv=$out/venv
packages=(build-essential cmake ninja-build pkg-config librdkafka-dev libhiredis-dev libjansson-dev libcurl4-openssl-dev libmicrohttpd-dev libjs-chart.js libglib2.0-dev libcmocka-dev
  clang clang-format libclang-rt-14-dev redis-server kcat curl tmux openjdk-17-jre-headless maven prometheus python3-venv tzdata git ca-certificates)
all=(setup build unit format sim notices guard clang sanitize threads cases property fuzz integration faults page)
quick=(setup build unit format cases property)

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_missing() { # PACKAGE …
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

stage_setup() {
  install_missing "${packages[@]}" || return 1
  [ -x "$venv/bin/pytest" ] && cmp -s "$tree/tests/requirements.txt" "$venv/requirements.txt" && return 0
  python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check -r "$tree/tests/requirements.txt" &&
    cp "$tree/tests/requirements.txt" "$venv/"
}

compile() { # NAME [cmake option …]: a build folder of that name; $targets: not all of it
  local name=$1
  shift
  cmake -B "$out/$name" -G Ninja -S "$tree" -DYYJSON_DIR="$out/yyjson" "$@" >"$out/$name.log" 2>&1 || { cat "$out/$name.log"; return 1; }
  # shellcheck disable=SC2086
  ninja -C "$out/$name" ${targets:-}
}

programs() { find "$tree/$1" -name '*.c' -printf '%f\n' | sed 's/\.c$//' | sort; } # FOLDER: those made of its files

unit() { ctest --test-dir "$out/$1" --output-on-failure -j2 "${@:2}"; }

stories() { # BUILD [--quick]: our cases, and the shared conformance cases where they are
  local shared=$tree/../shared/cases failed=0
  python3 "$tree/tests/cases/run.py" --bin "$out/$1/crm-reportd" "${@:2}" || failed=1
  if [ -f "$shared/run.py" ]; then
    python3 "$shared/run.py" --bin "$out/$1/crm-reportd" "${@:2}" "$shared" || failed=1
  fi
  return $failed
}

mutations() { python3 "$tree/tests/property/mutations.py" --bin "$out/$1/crm-reportd"; }

stage_build() { compile release -DCMAKE_BUILD_TYPE=Release; }
stage_unit() { unit release; }
stage_cases() {
  local failed=0
  stories release || failed=1
  python3 "$tree/tests/catalogues/run.py" --bin "$out/release/crm-reportd" || failed=1
  return $failed
}
stage_property() {
  local failed=0
  mutations release || failed=1
  python3 "$tree/tests/cases/run.py" --bin "$tree/tests/model/model.py" --quick || failed=1
  python3 "$tree/tests/property/alone.py" --bin "$out/release/crm-reportd" || failed=1
  python3 "$tree/tests/property/property.py" --bin "$out/release/crm-reportd" --seeds "${SEEDS:-300}" || failed=1
  return $failed
}
stage_clang() { CC=clang compile clang -DCMAKE_BUILD_TYPE=Debug; }

stage_format() {
  (cd "$tree" && git ls-files -z 'common/*.[ch]' 'daemon/*.[ch]' 'tests/*.[ch]' | xargs -0 clang-format --dry-run -Werror)
}

stage_sim() { # histories that once went wrong, then those from the first on
  local seed
  while read -r seed; do "$out/release/sim" --histories 1 --seed "$seed" || return 1; done <"$tree/tests/sim/seeds"
  "$out/release/sim" --histories "${SIM_HISTORIES:-10000}" --jobs "$(nproc)"
}

# Without what makes the daemon exact the simulation must fail.
stage_notices() { python3 "$tree/tests/sim/mutations.py" --build "$out"; }

# What an event costs, as ratios to those that are kept; and would it be noticed if it cost more?
stage_guard() {
  install_missing valgrind || return 1
  local guard=("$venv/bin/python" "$tree/tests/bench/guard.py" --bin "$out/release/crm-reportd")
  "${guard[@]}" && "${guard[@]}" --itself
}

stage_sanitize() {
  compile sanitize -DSANITIZE=ON -DCMAKE_BUILD_TYPE=Debug || return 1
  local failed=0
  unit sanitize || failed=1
  stories sanitize --quick || failed=1
  mutations sanitize || failed=1
  return $failed
}

# librdkafka starts its threads in a way that the thread sanitizer of gcc 12 does not see: only where none of them runs.
stage_threads() {
  local tests='^test_(worker|publish|published|log|webhook|http_server)'
  targets=$(programs tests/unit | grep -E "$tests") compile threads -DTHREAD_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug || return 1
  unit threads -R "$tests"
}

stage_fuzz() {
  targets=$(programs tests/fuzz) CC=clang compile fuzz -DFUZZ=ON -DSANITIZE=ON -DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link || return 1
  local target failed=0
  for target in "$out"/fuzz/fuzz_*; do
    [ -x "$target" ] || continue
    [ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n || failed=1
    fuzz "$target" &
  done
  while [ -n "$(jobs -p)" ]; do wait -n || failed=1; done
  return $failed
}

fuzz() { # TARGET: prints when it is done
  local name=${1##*/} seed said
  local seeds=("$out/corpus/$name")
  mkdir -p "${seeds[0]}"
  for seed in "$tree/tests/fuzz/${name#fuzz_}_corpus" "$tree/tests/fuzz/corpus/$name"; do
    [ ! -d "$seed" ] || seeds+=("$seed")
  done
  said=$(cd "$out/corpus" && "$1" -max_len=8192 -max_total_time="${FUZZ_SECONDS:-10}" -verbosity=0 -print_final_stats=1 "${seeds[@]}" 2>&1)
  local ended=$?
  printf '%s, %s s\n%s\n' "$name" "${FUZZ_SECONDS:-10}" "$said"
  return $ended
}

stage_integration() {
  targets=crm-reportd compile crash -DCRASH_POINTS=ON -DCMAKE_BUILD_TYPE=Release || return 1
  targets=crm-reportd compile sanitize -DSANITIZE=ON -DCMAKE_BUILD_TYPE=Debug || return 1
  local failed=0 alone=$tree/tests/integration/test_http_hostile.py # looks at who answers in time
  integration "$tree/tests/integration" --ignore "$alone" -n "${INTEGRATION_JOBS:-3}" --dist worksteal || failed=1
  integration "$alone" || failed=1
  return $failed
}

integration() { # TESTS …
  # shellcheck disable=SC2086
  "$venv/bin/python" -m pytest -p no:cacheprovider --bin "$out/release/crm-reportd" -ra --durations=5 "$@" ${PYTEST:-}
  local ended=$?
  [ $ended = 5 ] && [ -n "${PYTEST:-}" ] && return 0 # it asked for none of these
  return $ended
}

# The dashboard in a browser; its screenshots are kept in the build folder.
stage_page() {
  install_missing chromium fonts-inter || return 1
  cmp -s "$tree/tests/page/requirements.txt" "$venv/page.txt" ||
    { "$venv/bin/pip" install -q --disable-pip-version-check -r "$tree/tests/page/requirements.txt" && cp "$tree/tests/page/requirements.txt" "$venv/page.txt"; } || return 1
  # shellcheck disable=SC2086
  "$venv/bin/python" -m pytest -p no:cacheprovider "$tree/tests/page" --bin "$out/release/crm-reportd" --pictures "$out/page" -ra --durations=5 ${PYTEST:-}
}

# Faults at random against real servers: FAULT_RUNS, FAULT_SEED, FAULT_EVENTS, FAULT_NUMBER (per run), FAULT_JOBS (side by side, 0: one process).
stage_faults() {
  # shellcheck disable=SC2086
  FAULT_SEED=${FAULT_SEED:-$RANDOM} "$venv/bin/python" -m pytest -p no:cacheprovider "$tree/tests/fault" --bin "$out/release/crm-reportd" -ra \
    -n "${FAULT_JOBS:-4}" --dist worksteal ${PYTEST:-}
}

# Without what makes the daemon exact the faults must end with a difference. Some seven minutes.
stage_fault_notices() { "$venv/bin/python" "$tree/tests/fault/mutations.py" --build "$out"; }

stages=("${all[@]}")
case ${1:-} in
  --quick) stages=("${quick[@]}") SEEDS=${SEEDS:-20} ;;
  -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
  ?*) stages=("$@") ;;
esac
mkdir -p "$out"
cd "$tree" || exit 2
summary=() passed=0 failed=0
for stage in "${stages[@]}"; do
  declare -F "stage_$stage" >/dev/null || { echo "no stage $stage; there are: ${all[*]}" >&2; exit 2; }
  printf '\n=== %s\n' "$stage"
  began=$(date +%s.%N)
  if "stage_$stage"; then result=ok passed=$((passed + 1)); else result=FAILED failed=$((failed + 1)); fi
  summary+=("$(printf '%-12s %-7s %7.1f s' "$stage" $result "$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')")")
  if [ $result = FAILED ] && { [ "$stage" = setup ] || [ "$stage" = build ]; }; then break; fi
done
printf '\n=== stages\n'
printf '%s\n' "${summary[@]}"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
