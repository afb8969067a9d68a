#!/usr/bin/env bash
# Submits a whole study: train one or more sweeps, collect their trajectories into one dataset, run experiments, make the
# report; each waits for those before it. Prints every command, and what it was given as job number.
#
# usage: scripts/slurm/study.sh [options] SWEEP.toml... OUT_DIR EXPERIMENT.toml...
#   --tasks N            tasks of each sweep's training array, default 16
#   --train "OPTIONS"    options of sbatch for training, e.g. "--partition=gpu --gres=gpu:1 --time=24:00:00"
#   --classify "OPTIONS" options of sbatch for the rest, e.g. "--partition=cpu --cpus-per-task=16"
#   --keep-going         go on where networks have failed (a task of the array then ends with exit code 1)
#   --dry-run            print the commands, submit nothing
#
# OUT_DIR is the first argument that does not end in .toml; it gets runs/ (of all sweeps), dataset.h5, results/ and
# report.html. The study of the paper:
#
#   scripts/slurm/study.sh configs/study/*.toml study configs/experiments/*.toml
#
# What train.sbatch takes from the environment (LRID_BIN, LRID_IMAGE,
# LRID_DATA_DIR, LRID_JOBS, …) counts here, too. Run it from the folder that relative paths are meant from; submitting
# it again goes on with what is not done.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../common.sh"

tasks=16
train=
classify=
after=afterok
dry_run=
while [ $# -gt 0 ]; do
  case $1 in
    --tasks) tasks=$(value_of "$@"); require_count "$1" "$tasks"; shift 2 ;;
    --train) train=$(value_of "$@"); shift 2 ;;
    --classify) classify=$(value_of "$@"); shift 2 ;;
    --keep-going) after=afterany; shift ;;
    --dry-run) dry_run=yes; shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    -*) bad_option "$1" ;;
    *) break ;;
  esac
done
sweeps=()
while [[ ${1:-} == *.toml ]]; do sweeps+=("$1"); shift; done
[ ${#sweeps[@]} -gt 0 ] && [ $# -ge 2 ] || bad_usage "expected SWEEP.toml... OUT_DIR EXPERIMENT.toml..., see --help"
out=$1
shift
for file in "${sweeps[@]}" "$@"; do [ -f "$file" ] || bad_usage "$file: no such file"; done
inside=
[ -z "${LRID_IMAGE:-}" ] || inside="apptainer exec $(printf '%q' "$LRID_IMAGE") "
bin=${LRID_BIN:-${LRID_IMAGE:+/usr/local/bin}}
bin=${bin:-build/bin}
results=()
for experiment in "$@"; do results+=("$out/results/$(basename "$experiment" .toml).json"); done

# submit ARGUMENTS OF sbatch...: its job number into $job
submit() {
  echo "sbatch $*"
  job=0
  [ -n "$dry_run" ] && return
  job=$(sbatch --parsable "$@")
  job=${job%%;*}  # without the cluster's name
  echo "  job $job"
}
quoted() { printf '%q ' "$@"; }

[ -n "$dry_run" ] || mkdir -p "$out"
# shellcheck disable=SC2086  # options are words
{
  trained=
  for sweep in "${sweeps[@]}"; do
    submit --array=0-$((tasks - 1)) $train "$here/train.sbatch" "$sweep" "$out/runs"
    trained+=:$job
  done
  submit --job-name=lrid-collect --dependency="$after$trained" $classify \
    --wrap "$inside$(quoted "$bin/lrid-observe" collect "$out/runs" --out "$out/dataset.h5")"
  submit --dependency=afterok:"$job" --array=0-$(($# - 1)) $classify \
    "$here/classify.sbatch" "$out/dataset.h5" "$out/results" "$@"
  submit --job-name=lrid-report --dependency=afterok:"$job" $classify \
    --wrap "$inside$(quoted "$bin/lrid-classify" report "${results[@]}" --out "$out/report.html")"
}
echo "see: squeue --me"
for sweep in "${sweeps[@]}"; do echo "     $inside$bin/lrid-train status $sweep --out-dir $out/runs"; done
