#!/usr/bin/env bash
# Installs what is missing, builds everything, checks the format and runs all tests.
#
# usage: scripts/test.sh [options] [-- CTEST_OPTIONS...]
#   --preset NAME    of CMakePresets.json, default release; asan, tsan: under sanitizers
#   --jobs N         jobs of compiler and tests, default all cores as far as memory allows
#   --cache DIR      see scripts/setup.sh
#   --without-torch  leave out what needs LibTorch
#   --without-packages  install no Debian packages
#   --no-format      no format check
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
build=()
format=yes
labels=(-LE soak)
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=$(value_of "$@"); shift 2 ;;
    --jobs) jobs=$(value_of "$@"); require_count "$1" "$jobs"; shift 2 ;;
    --cache|--prefix) cache=$(value_of "$@"); shift 2 ;;
    --without-torch|--without-packages) build+=("$1"); shift ;;
    --no-format) format=; shift ;;
    --soak) labels=(); build+=("$1"); shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    --) shift; break ;;
    *) bad_option "$1" ;;
  esac
done

started=$SECONDS
scripts/build.sh --preset "$preset" --jobs "$jobs" --cache "$cache" "${build[@]}"
use_cache "$cache"
folder=$(build_folder "$preset")
built=$SECONDS

format_status=0
if [ -n "$format" ]; then
  say "checking the format"
  scripts/check-format.sh --build "$folder" --jobs "$jobs" || format_status=$?
fi
checked=$SECONDS

say "testing (install and build took $(duration $((built - started))), format check $(duration $((checked - built))))"
[ "$format_status" -eq 0 ] || echo "the format check failed, see above; the tests run nonetheless"
test_status=0
ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$jobs" "${labels[@]}" "$@" || test_status=$?
[ "$test_status" -eq 0 ] || exit "$test_status"
exit "$format_status"
