#!/usr/bin/env bash
# Packs what scripts/gpu-run.sh needs on a machine with an NVIDIA GPU that has PyTorch but neither network nor Debian
# packages: lrid's programs, its tests that use a device and its benchmarks, stripped, with the libraries they need
# except LibTorch, glibc and libstdc++; and CIFAR-10's images. Golden files and configurations are in the clone, which
# goes there as well.
#
# usage: scripts/gpu-bundle.sh [options]
#   --out DIR            folder of bundle.tar.xz and images.tar.xz, default .carry
#   --data-dir DIR       holds cifar10/train/<class>/ and cifar10/test/<class>/; without it no images are packed
#   --images N           only the first N of each class of train/ and of test/, default all
#   --architectures LIST compute capabilities to build kernels for, default 90 (H100, H200); as CMake takes them
#   --no-build           pack what build-cuda/ holds; programs that are not there are left out, and named
#   --limit MIB          what clone and bundle may take together, default 64
#   --cache DIR          as for scripts/setup.sh
#
# Needs nvcc 13 and Debian's packages as scripts/build.sh does, no GPU. Images packed before are kept if they were asked
# for in the same way. Exit code: 0 done, 1 larger than the limit, 2 bad usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

PROGRAMS=(bin/lrid-train bin/bench_stats bin/bench_point
          tests/test_device tests/test_tasks tests/test_train tests/rules_tests tests/nn_tests)
# What the other machine has, and LibTorch's of its own.
NOT_CARRIED='^(ld-linux.*|linux-vdso.*|lib(c|m|dl|rt|pthread|util|resolv|stdc\+\+|gcc_s|gomp|torch.*|c10.*|cuda|cudart|cupti)\.so.*)$'

out=.carry
data=
images=all
architectures=90
build=yes
limit=64
cache=$(default_cache)
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$(value_of "$@"); shift 2 ;;
    --data-dir) data=$(value_of "$@"); shift 2 ;;
    --images) images=$(value_of "$@"); require_count "$1" "$images"; shift 2 ;;
    --architectures) architectures=$(value_of "$@"); shift 2 ;;
    --no-build) build=; shift ;;
    --limit) limit=$(value_of "$@"); require_count "$1" "$limit"; shift 2 ;;
    --cache) cache=$(value_of "$@"); shift 2 ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
[ -z "$data" ] || [ -d "$data/cifar10/train" ] ||
  bad_usage "--data-dir $data: holds no folder cifar10/train, expected CIFAR-10 as folders of images"
mkdir -p "$out"
out=$(cd "$out" && pwd)
use_cache "$cache"

if [ -n "$build" ]; then
  say "building for compute capability $architectures"
  # Tests are listed when they run: here they may lack CUDA's libraries.
  cmake --preset cuda -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "-DLRID_CUDA_ARCHITECTURES=$architectures" \
    -DLRID_LIBTORCH="$(echo "$(libtorch_environment "$LRID_CACHE")"/lib/python3*/site-packages/torch)" \
    -DCMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE=PRE_TEST --log-level=WARNING
  cmake --build --preset cuda -j "$(default_jobs)" --target "${PROGRAMS[@]##*/}"
fi

say "collecting"
staged=$(mktemp -d)
trap 'rm -rf "$staged"' EXIT
mkdir "$staged/bin" "$staged/tests" "$staged/lib"
for program in "${PROGRAMS[@]}"; do
  if [ -x "build-cuda/$program" ]; then
    strip -o "$staged/$program" "build-cuda/$program"
  elif [ -n "$build" ]; then
    bad_usage "build-cuda/$program: not there, expected it to be built"
  else
    echo "left out: build-cuda/$program is not there"
  fi
done
[ -x "$staged/bin/lrid-train" ] || bad_usage "build-cuda/bin/lrid-train: not there, expected a build (without --no-build)"
# Name and place of each library that the loader finds in the system's folders.
while read -r name place; do
  if [[ $name =~ $NOT_CARRIED ]] || [ -e "$staged/lib/$name" ]; then continue; fi
  cp -L "$place" "$staged/lib/$name"
  chmod u+w "$staged/lib/$name"
  strip --strip-unneeded "$staged/lib/$name"
done < <(ldd "$staged"/bin/* "$staged"/tests/* | awk '$2 == "=>" && $3 ~ "^(/usr)?/lib" {print $1, $3}' | sort -u)
{
  echo "commit $(git rev-parse HEAD 2>/dev/null || echo unknown)$(git diff --quiet HEAD 2>/dev/null || echo ' and changes')"
  echo "torch $TORCH_VERSION"
  echo "architectures $architectures"
} > "$staged/bundle.txt"

# pack FILE FOLDER THREADS WHAT...: the same content gives the same file.
pack() {
  local file=$1 folder=$2; shift 2
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$folder" -cf - "$@" | xz -9e -T1 > "$file.part"
  mv "$file.part" "$file"
}
pack "$out/bundle.tar.xz" "$staged" bin tests lib bundle.txt

if [ -n "$data" ]; then
  made="$images of each class of $(cd "$data" && pwd)"
  if [ "$(cat "$out/images.txt" 2>/dev/null)" != "$made" ] || [ ! -e "$out/images.tar.xz" ]; then
    say "packing images: $made"
    if [ "$images" = all ]; then
      pack "$out/images.tar.xz" "$data" cifar10
    else
      list=$staged/images.txt
      for class in "$data"/cifar10/train/*/ "$data"/cifar10/test/*/; do
        (cd "$data" && printf '%s\n' "${class#"$data"/}"*) | sort | awk -v most="$images" 'NR <= most'
      done > "$list"
      pack "$out/images.tar.xz" "$data" --files-from "$list"
    fi
    echo "$made" > "$out/images.txt"
  fi
fi

say "sizes"
# What travels: tracked files, files that git does not ignore, and the bundle.
clone=$(git ls-files -z --cached --others --exclude-standard | xargs -0 -r stat -c %s 2>/dev/null | awk '{s += $1} END {print s + 0}')
carried=$(find "$out" -type f -printf '%s\n' | awk '{s += $1} END {print s + 0}')
printf '%12d bytes  programs, unpacked (%d libraries)\n' "$(du -sb "$staged" | cut -f 1)" "$(find "$staged/lib" -type f | wc -l)"
for file in "$out"/*.tar.xz; do printf '%12d bytes  %s\n' "$(stat -c %s "$file")" "$(basename "$file")"; done
printf '%12d bytes  the clone\n%12d bytes  all that travels; at most %d\n' \
  "$clone" $((clone + carried)) $((limit * 1048576))
[ $((clone + carried)) -le $((limit * 1048576)) ] || {
  echo "$(basename "$0"): larger than $limit MiB, expected fewer images (--images)" >&2
  exit 1
}
