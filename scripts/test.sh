#!/usr/bin/env bash
# Installs what is missing, builds everything, checks format and documentation, runs all tests. Prints at the end how
# long each stage took. A stage that fails does not keep the later ones from running.
#
# usage: scripts/test.sh [options] [-- CTEST_OPTIONS...]
#   --all            then also compile each public header alone; build what needs no LibTorch with clang, test it under
#                    AddressSanitizer and UBSan, run each fuzzer for a minute; test it under ThreadSanitizer
#   --preset NAME    of CMakePresets.json, default release; asan, tsan: under sanitizers
#   --jobs N         jobs of compiler and tests, default all cores as far as memory allows
#   --cache DIR      see scripts/setup.sh
#   --without-torch  leave out what needs LibTorch
#   --without-packages  install no Debian packages
#   --no-format      no format check
#   --tidy-minutes N clang-tidy checks files that it has not yet found clean for N minutes, default 10, those changed
#                    last first
#   --no-tidy        check the layout only, without clang-tidy
#   --soak           also the long tests (half an hour): kills, many jobs, a Slurm cluster of one node
#
# e.g. scripts/test.sh -- -L golden       only the golden tests (LRID_GOLDEN_DIR names their folder)
# Exit code: 0 if all of it is well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

preset=release
jobs=$(default_jobs)
cache=$(default_cache)
setup=()
build=()
all=
format=yes
tidy=(--minutes 10)
labels=(-LE soak)
while [ $# -gt 0 ]; do
  case $1 in
    --all) all=yes; shift ;;
    --preset) preset=$(value_of "$@"); shift 2 ;;
    --jobs) jobs=$(value_of "$@"); require_count "$1" "$jobs"; shift 2 ;;
    --cache|--prefix) cache=$(value_of "$@"); shift 2 ;;
    --without-torch) build+=("$1"); shift ;;
    --without-packages) setup+=("$1"); shift ;;
    --no-format) format=; shift ;;
    --tidy-minutes) tidy=(--minutes "$(value_of "$@")"); shift 2 ;;
    --no-tidy) tidy=(--no-tidy); shift ;;
    --soak) labels=(); setup+=("$1"); shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    --) shift; break ;;
    *) bad_option "$1" ;;
  esac
done

stages=()
status=0
# stage NAME COMMAND...: runs it, remembers how long it took and whether it failed.
stage() {
  local name=$1 before=$SECONDS code=0
  shift
  say "$name"
  "$@" || code=$?
  stages+=("$(printf '%-32s %12s%s' "$name" "$(duration $((SECONDS - before)))" "$([ $code -eq 0 ] || echo '   FAILED')")")
  [ $code -eq 0 ] || status=1
  return $code
}
print_stages() {
  say "stages"
  printf '%s\n' "${stages[@]}"
  printf '%-32s %12s\n' "all" "$(duration $SECONDS)"
}
trap print_stages EXIT

build_preset() {  # build_preset PRESET OPTIONS OF build.sh...
  local preset=$1
  shift
  scripts/build.sh --preset "$preset" --jobs "$jobs" --cache "$cache" "${setup[@]}" "$@"
}
run_tests() {  # run_tests FOLDER CTEST_OPTIONS...
  local folder=$1
  shift
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$jobs" "$@"
}

# What the presets with sanitizers need.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tests/fuzz/leaks.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp:print_suppressions=0

stage "install and build" build_preset "$preset" "${build[@]}" || exit 1
use_cache "$cache"
setup=(--without-packages)  # they are there by now
folder=$(build_folder "$preset")
[ -z "$format" ] || stage "format" scripts/check-format.sh --build "$folder" --jobs "$jobs" "${tidy[@]}" || true
[ "$preset" != release ] || stage "documentation" scripts/check-docs --build "$folder" || true
stage "tests" run_tests "$folder" "${labels[@]}" "$@" || true
[ -n "$all" ] || exit $status

stage "headers alone" cmake --build "$folder" -j "$jobs" --target header_tests || true

# --- The libraries without LibTorch: with another compiler, under sanitizers ---

# fuzz HARNESS OPTIONS...: for a minute; what it finds it keeps in build-clang/found, its output is shown if it fails.
fuzz() {
  local harness=$1 found=$PWD/build-clang/found/$1
  shift
  mkdir -p "$found"
  (cd "$found" && mkdir -p corpus &&
    ../../bin/"fuzz_$harness" -seed=1 -max_total_time=60 -timeout=60 -rss_limit_mb=3000 -malloc_limit_mb=2500 "$@" corpus \
      ../../../tests/fuzz/corpus) > "$found/log" 2>&1 || { tail -n 40 "$found/log"; echo "fuzz_$harness: see $found"; return 1; }
  echo "fuzz_$harness: $(grep -a '^Done' "$found/log" || tail -n 1 "$found/log")"
}
fuzz_all() {  # side by side, two cores or not
  local code=0 process processes=()
  fuzz structure -len_control=0 -max_len=300 & processes+=($!)
  fuzz patches -len_control=0 -max_len=25 & processes+=($!)
  fuzz bytes -max_len=30000 & processes+=($!)
  for process in "${processes[@]}"; do wait "$process" || code=1; done
  return $code
}
if stage "clang, ASan, UBSan: build" build_preset clang; then
  stage "clang, ASan, UBSan: tests" run_tests build-clang "${labels[@]}" || true
  stage "a minute of each fuzzer" fuzz_all || true
fi
if stage "TSan: build" build_preset tsan --without-torch; then
  stage "TSan: tests" run_tests build-tsan "${labels[@]}" || true
fi
exit $status
