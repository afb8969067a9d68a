#!/usr/bin/env bash
# Everything that only a machine with an NVIDIA GPU can show: builds with CUDA, runs all tests (those that are skipped
# elsewhere too), the golden tests on the GPU, compute-sanitizer over our kernels, and measures.
#
# Usage: scripts/gpu-checks.sh [options]
#   --out DIR      folder for the tables and logs (default: gpu-checks)
#   --data DIR     CIFAR-10 as lrid-train list datasets describes it; without it the sample in data/ is measured on,
#                  and the four rules are not trained to the end
#   --cache DIR    as for scripts/setup.sh
#
# What to write into benchmarks/README.md, "On GPUs", ends up in DIR: device.txt, tests.txt, sanitizer.txt, costs-*.toml,
# step_gpu-*.md, accuracy.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

out=gpu-checks
data=''
cache=$(default_cache)
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$(value_of "$@"); shift 2 ;;
    --data) data=$(value_of "$@"); shift 2 ;;
    --cache) cache=$(value_of "$@"); shift 2 ;;
    --help) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
has_gpu || bad_usage "no NVIDIA GPU here (nvidia-smi -L): expected a machine with one"
mkdir -p "$out"
out=$(cd "$out" && pwd)
use_cache "$cache"

say "building"
scripts/build.sh --cache "$cache"
{ git rev-parse HEAD; nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader; build/bin/lrid-train --version; } |
  tee "$out/device.txt"

say "tests"
ctest --test-dir build --output-on-failure -j "$(default_jobs)" -LE soak | tee "$out/tests.txt"
LRID_TEST_DEVICE=cuda ctest --test-dir build --output-on-failure -R '^Golden(/|Cochleagram|NtXent)' | tee "$out/golden-on-gpu.txt"

say "compute-sanitizer"
for tool in memcheck racecheck; do
  for test in test_device test_tasks; do
    compute-sanitizer --tool "$tool" --error-exitcode 1 "build/tests/$test" --gtest_filter='*Device*'
  done
done 2>&1 | tee "$out/sanitizer.txt"

say "steps against PyTorch"
if [ -n "$data" ]; then of_data=(--data-dir "$data"); else of_data=(--data-dir data --set data.folder=cifar10-sample); fi
for precision in float32 tf32; do
  build/bin/lrid-train benchmark configs/train/benchmark-knets.toml --set "compute.precision=$precision" \
    "${of_data[@]}" --out "$out/costs-$precision.toml"
  "$cache"/libtorch-"$TORCH_VERSION"/bin/python benchmarks/step_gpu.py "$out/costs-$precision.toml" |
    tee "$out/step_gpu-$precision.md"
done

[ -n "$data" ] || exit 0
say "KNet4 under four rules, 100 epochs"
time build/bin/lrid-train sweep configs/train/benchmark-knets.toml --set 'sweep.architecture=["KNet4"]' \
  --data-dir "$data" --out-dir "$out/runs" --costs "$out/costs-float32.toml"
for run in "$out"/runs/*.h5; do
  echo "$(basename "$run" .h5) $(h5dump -d /metrics/validation_accuracy -s 20 -c 1 "$run" | grep '(20)')"
done | tee "$out/accuracy.txt"
