#!/usr/bin/env bash
# Trains every (architecture, task, learning rule) triple of configs/smoke/ for a few steps on small real data, and
# prints a table: seconds, whether all is finite, whether all observables are there.
#
# usage: scripts/smoke.sh [options]
#   --few            12 networks in which every architecture, task and learning rule appears (what CI runs)
#   --task NAME      only this task's; may be repeated
#   --sounds DIR     folder with words.csv and noises.csv, default data/wsn-sample
#   --out DIR        trajectories go to DIR, default a folder that is removed; what is there already is kept
#   --build DIR      default build
#   --python PYTHON  with h5py (LRID_PYTHON), default that of the cache folder
#   --jobs N         networks side by side, default all cores
#
# Exit code: 0 all complete, 1 something is not, 2 bad usage, 77 no Python with h5py.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

few= sounds=data/wsn-sample out= build=build python="${LRID_PYTHON:-$(default_cache)/python/bin/python}" jobs=$(nproc) tasks=()
while [ $# -gt 0 ]; do
  case $1 in
    --few) few=1; shift ;;
    --task) tasks+=("$(value_of "$@")"); shift 2 ;;
    --sounds) sounds=$(realpath "$(value_of "$@")"); shift 2 ;;
    --out) out=$(value_of "$@"); shift 2 ;;
    --build) build=$(value_of "$@"); shift 2 ;;
    --python) python=$(value_of "$@"); shift 2 ;;
    --jobs) jobs=$(value_of "$@"); require_count --jobs "$jobs"; shift 2 ;;
    --help | -h) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
if ! "$python" -c 'import h5py' 2>/dev/null; then
  echo "SKIPPED: $python: no Python with h5py"
  exit 77
fi
[ ${#tasks[@]} -gt 0 ] || tasks=(cifar10 imagenet simclr wsn)
if [ -z "$out" ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi

# In each sweep the learning rule varies fastest, over 12: every 13th network has the next of both.
declare -A few_of=([cifar10]=0/13 [imagenet]=4/13 [simclr]=34/72 [wsn]=35/72)
failed=0
for task in "${tasks[@]}"; do
  [ -f "configs/smoke/$task.toml" ] || bad_usage "--task $task: expected cifar10, imagenet, simclr or wsn"
  data=data
  [ "$task" != wsn ] || data=$sounds
  "$build/bin/lrid-train" sweep --quiet "configs/smoke/$task.toml" --out-dir "$out/$task" --data-dir "$data" \
    --jobs "$jobs" --cohort 4 ${few:+--shard "${few_of[$task]}"} || failed=1
done
"$python" scripts/smoke_table.py "$out"/*/ || failed=1
exit $failed
