#!/usr/bin/env bash
# Sets up (scripts/setup.sh), configures and builds. Programs end up in build/bin (other presets: build-<preset>/bin).
#
# usage: scripts/build.sh [options]
#   --preset NAME    of CMakePresets.json, default release
#   --target NAME    build only this (may be given several times), default everything
#   --jobs N         compiler processes side by side, default all cores as far as memory allows
#   --cache DIR      see scripts/setup.sh; the compiler cache is in there, too
#   --without-torch  leave out what needs LibTorch (lrid-train)
#   --without-packages  install no Debian packages
#   --soak           install what the long tests need, too
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

preset=release
targets=()
jobs=$(default_jobs)
cache=$(default_cache)
torch=yes
setup=()
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=$(value_of "$@"); shift 2 ;;
    --target) targets+=("$(value_of "$@")"); shift 2 ;;
    --jobs) jobs=$(value_of "$@"); require_count "$1" "$jobs"; shift 2 ;;
    --cache|--prefix) cache=$(value_of "$@"); shift 2 ;;
    --without-torch) torch=; shift ;;
    --without-packages|--soak) setup+=("$1"); shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
case $preset in classify-only|clang) torch= ;; esac
[ -n "$torch" ] || setup+=(--without-torch)
scripts/setup.sh --cache "$cache" "${setup[@]}"
use_cache "$cache"

configure=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
if [ -n "$torch" ]; then
  # Named rather than left to be found, so that a build folder follows when the cache folder changes.
  configure+=(-DLRID_WITH_TORCH=ON
              -DLRID_LIBTORCH="$(echo "$(libtorch_environment "$LRID_CACHE")"/lib/python3*/site-packages/torch)")
  if [ "$preset" != cpu-only ] && has_gpu; then configure+=(-DLRID_WITH_CUDA=ON); fi
else
  configure+=(-DLRID_WITH_TORCH=OFF)
fi
say "configuring: cmake --preset $preset ${configure[*]}"
cmake --preset "$preset" "${configure[@]}" --log-level=WARNING
say "building with $jobs jobs"
cmake --build --preset "$preset" -j "$jobs" ${targets[@]:+--target "${targets[@]}"}
