#!/usr/bin/env bash
# Runs, on a machine with an NVIDIA GPU and PyTorch, what scripts/gpu-bundle.sh has packed elsewhere. Needs no network
# and no packages: bash, python3 with PyTorch (its libraries serve as LibTorch), numpy and h5py; compute-sanitizer for
# memcheck and racecheck.
#
# usage: scripts/gpu-run.sh STAGE... [options]
#   STAGE          correctness, speed or results; several run one after the other
#   --device D     cuda or cpu, default cuda. cpu rehearses: all commands, with tiny work
#   --minutes N    time of a stage, default 9. Each check has a limit of its own, which shrinks with it; those that
#                  come last are left out when time is up
#   --only A,B     only these checks; --list names them
#   --epochs N     of the stage results, default 100
#   --bundle DIR   folder of bundle.tar.xz and images.tar.xz, default .carry
#   --work DIR     folder to unpack and work in, default lrid-gpu in TMPDIR or /tmp; what is there is used again
#   --out DIR      folder of logs and tables, default gpu-logs: STAGE.log, STAGE-table.txt, STAGE-costs.txt
#   --list         print the checks of the stages, with their limits in 9 minutes
#
# The last thing printed is a table, a line for each check; the same is in STAGE-table.txt. No check ends the others.
# Exit code: 0 all passed or were skipped, 1 some failed or ran out of time, 2 bad usage.

# Checks are called by name.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
# shellcheck source=scripts/common.sh
source scripts/common.sh

# Of each stage the checks, the most telling first, and their limits in seconds where a stage has 9 minutes.
CORRECTNESS="machine:45 train:60 statistics:45 images:60 graphs:120 golden-rules:90 golden-nn:100 golden-tasks:45
memcheck:90 memcheck-images:120 racecheck:120 racecheck-images:120"
SPEED="knet4:180 statistics:75 resnet18:180 point:90 tf32:90 cohort32:75 stacked:75 compile:150"
RESULTS="four-rules:420 costs192:180"
LEAST=40  # seconds that any check may take

stages=()
device=cuda
minutes=9
only=
epochs=100
bundle=.carry
work=${TMPDIR:-/tmp}/lrid-gpu
out=gpu-logs
list=
while [ $# -gt 0 ]; do
  case $1 in
    correctness|speed|results) stages+=("$1"); shift ;;
    --device) device=$(value_of "$@"); shift 2 ;;
    --minutes) minutes=$(value_of "$@"); require_count "$1" "$minutes"; shift 2 ;;
    --only) only=,$(value_of "$@"),; shift 2 ;;
    --epochs) epochs=$(value_of "$@"); require_count "$1" "$epochs"; shift 2 ;;
    --bundle) bundle=$(value_of "$@"); shift 2 ;;
    --work) work=$(value_of "$@"); shift 2 ;;
    --out) out=$(value_of "$@"); shift 2 ;;
    --list) list=yes; shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
[ ${#stages[@]} -gt 0 ] || bad_usage "no stage: expected correctness, speed or results"
case $device in cuda|cpu) ;; *) bad_usage "--device $device: expected cuda or cpu" ;; esac

checks_of() {  # checks_of STAGE: words NAME:SECONDS
  case $1 in
    correctness) echo "$CORRECTNESS" ;;
    speed) echo "$SPEED" ;;
    results) echo "$RESULTS" ;;
  esac
}
if [ -n "$list" ]; then
  for stage in "${stages[@]}"; do
    for check in $(checks_of "$stage"); do printf '%-12s %-18s %4d s\n' "$stage" "${check%:*}" "${check#*:}"; done
  done
  exit 0
fi
mkdir -p "$work" "$out"
work=$(cd "$work" && pwd)
out=$(cd "$out" && pwd)

# --- What checks are made of. A check is a function check_STAGE_NAME, run by itself under a time limit: it ends with 0
# (passed), 77 (skipped) or anything else (failed); a line "FIGURE: ..." of its output goes into the table. ---

figure() { echo "FIGURE: $*"; }
skipped() { figure "$*"; return 77; }

# unpack NAME: NAME.tar.xz into the working folder, once.
unpack() {
  local stamp
  stamp=$(stat -c '%s %Y' "$bundle/$1.tar.xz" 2>/dev/null) || { echo "no $bundle/$1.tar.xz"; return 1; }
  [ "$(cat "$work/$1.unpacked" 2>/dev/null)" != "$stamp" ] || return 0
  rm -f "$work/$1.unpacked"
  if command -v xz >/dev/null; then
    tar -xJf "$bundle/$1.tar.xz" -C "$work"
  else
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$bundle/$1.tar.xz" "$work"
  fi && echo "$stamp" > "$work/$1.unpacked"
}

# ours PROGRAM ...: one from the bundle, or a command that is given such a one.
ours() {
  LD_LIBRARY_PATH=$torch_libraries:$work/lib LRID_SOURCE_DIR=$PWD LRID_BINARY_DIR=$work OMP_WAIT_POLICY=passive "$@"
}

# tests PROGRAM FILTER [COMMAND...]: GoogleTest's, below a command such as compute-sanitizer. Passed if all of those that
# ran have passed and, on a GPU, none was skipped. Lines "NOTE: ..." of theirs become part of the figure.
tests() {
  local program=$work/tests/$1 filter=$2 status passed missed
  shift 2
  [ -x "$program" ] || { skipped "${program##*/} is not in the bundle"; return; }
  ours "$@" "$program" "--gtest_filter=$filter" --gtest_brief=0 2>&1 | tee "$scratch/tests"
  status=${PIPESTATUS[0]}
  passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$scratch/tests")
  missed=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$scratch/tests")
  figure "${passed:-0} passed${missed:+, $missed skipped}$(sed -n 's/^\[  FAILED  \] \([0-9]* test\).*/, \1 failed/p' "$scratch/tests")$(
    sed -n 's/^========= \(ERROR SUMMARY\|RACECHECK SUMMARY\): /; /p' "$scratch/tests" | tail -n 1)$(
    sed -n 's/^NOTE: /; /p' "$scratch/tests" | tr -d '\n')"
  [ "$status" -eq 0 ] || return "$status"
  if [ "$device" = cpu ]; then
    [ "${passed:-0}" -gt 0 ] || return 77
  else
    [ "${passed:-0}" -gt 0 ] && [ -z "$missed" ]
  fi
}

# sanitized TOOL PROGRAM FILTER
sanitized() {
  [ "$device" = cuda ] || { skipped "needs a GPU"; return; }
  local sanitizer
  sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
  [ -x "$sanitizer" ] || { skipped "no compute-sanitizer here"; return; }
  tests "$2" "$3" "$sanitizer" --tool "$1" --error-exitcode 1
}

SAMPLE=(--data-dir data --set data.folder=cifar10-sample)

# --- Correctness ---

check_correctness_machine() {
  local missing file
  if [ "$device" = cuda ]; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || return 1
  fi
  nproc
  python3 --version
  cat "$work/bundle.txt"
  echo "PyTorch's libraries: $torch_libraries, PyTorch $torch_version"
  for file in "$work/bin/lrid-train" "$work/tests/test_tasks" "$work/bin/bench_stats"; do
    missing=$(ours ldd "$file" | grep 'not found') && { echo "$file:"; echo "$missing"; }
  done
  ours "$work/bin/lrid-train" --version || return 1
  figure "$(if [ "$device" = cuda ]; then nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | head -n 1; else uname -m; fi), PyTorch $torch_version"
  [[ $torch_version == "$(sed -n 's/^torch //p' "$work/bundle.txt")"* ]] || echo "built for another PyTorch: its libraries may not fit"
}

# Ten steps of KNet4 on the device, and on the processor.
check_correctness_train() {
  local on
  for on in "$device" cpu; do
    ours "$work/bin/lrid-train" run --config configs/train/base.toml "${SAMPLE[@]}" --device "$on" --out "$scratch/train-$on.h5" \
      --set epochs="$([ "$device" = cpu ] && echo 0.2 || echo 0.5)" --set points=3 --set probe.size=16 --set validation.samples=32 || return 1
  done
  LOSSES=$scratch DEVICE=$device python3 - <<'PY'
import os
import h5py
import numpy as np
read = lambda on: {key: h5py.File(f"{os.environ['LOSSES']}/train-{on}.h5")[key][()] for key in ("metrics/train_loss", "observables")}
there, here = read(os.environ["DEVICE"]), read("cpu")
a, b = there["metrics/train_loss"], here["metrics/train_loss"]
x, y = there["observables"], here["observables"]
both = np.isfinite(y)
apart = np.abs(x[0] - y[0])[both[0]] / (1e-6 + np.abs(y[0])[both[0]])
print(f"FIGURE: loss {a[-1]:.5f}, on the processor {b[-1]:.5f}; statistics before training apart by at most {apart.max():.1e}")
assert np.isfinite(a[1:]).all() and (np.isfinite(x) == both).all()
assert abs(a[-1] - b[-1]) < 0.02 * abs(b[-1]), "losses differ by more than 2 %"
PY
}

check_correctness_statistics() { tests test_device '*'; }
check_correctness_images() { tests test_tasks '*Device*'; }
check_correctness_graphs() { tests test_train '*Cuda*:*Gpu*:*GPU*'; }
check_correctness_golden-rules() { LRID_TEST_DEVICE=$device tests rules_tests 'Golden*'; }
check_correctness_golden-nn() { LRID_TEST_DEVICE=$device tests nn_tests 'Golden*'; }
check_correctness_golden-tasks() { LRID_TEST_DEVICE=$device tests test_tasks 'Golden*'; }
check_correctness_memcheck() { sanitized memcheck test_device '*'; }
check_correctness_memcheck-images() { sanitized memcheck test_tasks '*OnAGpu*:*AGpu*'; }
check_correctness_racecheck() { sanitized racecheck test_device '*'; }
check_correctness_racecheck-images() { sanitized racecheck test_tasks '*OnAGpu*:*AGpu*'; }

# --- Speed ---

# costs NAME CONFIG [OPTIONS...]: measures kinds of networks into NAME.toml.
costs() {
  local name=$1 config=$2
  shift 2
  rm -f "$work/costs-$name.toml"  # kinds that it has would not be measured again
  ours "$work/bin/lrid-train" benchmark "$config" "${SAMPLE[@]}" --device "$device" --out "$work/costs-$name.toml" "$@" || return
  { echo "# $name"; cat "$work/costs-$name.toml"; } >> "$out/$stage-costs.txt"
  awk -F ' = ' '
    $1 == "learning_rule" {gsub(/"/, "", $2); rule = $2}
    $1 == "step_seconds" {alone = 1000 * $2}
    $1 == "cohort" {size = $2}
    $1 == "cohort_step_seconds" {
      printf "%s%s %.3f ms", comma, rule, alone
      if (size > 1) printf ", in %d %.3f", size, 1000 * $2
      comma = "; "
    }' "$work/costs-$name.toml" > "$scratch/costs"
  figure "$(cat "$scratch/costs")"
}

# against_pytorch NAME [OPTIONS...]: the table's steps beside PyTorch's; of the first row the figure.
against_pytorch() {
  local name=$1
  shift
  python3 benchmarks/step_gpu.py "$work/costs-$name.toml" --device "$device" --rounds "$rounds" "$@" | tee "$scratch/steps" || return
  # | network | batch | numbers | rule | lrid ms | cohort | its ms | ... ms | x ... | cohort x ... |
  figure "$(sed 's/$/; /' "$scratch/costs" 2>/dev/null)$(awk -F ' *[|] *' '
    $2 == "network" {for (i = 3; i < NF; ++i) name[i] = $i; next}
    $2 ~ /Net/ && !done {
      done = 1
      printf "%s is", $5
      for (i = 9; i < NF; ++i)
        if (name[i] ~ /x / && $i != "-" && ($7 > 1 || name[i] !~ /cohort/)) {
          printf "%s %s %s", comma, name[i], $i
          comma = ","
        }
    }' "$scratch/steps")"
}

if [ "$device" = cuda ]; then
  KNETS=(--set 'sweep.architecture=["KNet4"]')
  RESNET=()
  few=16 many=32 rounds=5
else
  KNETS=(--set 'sweep.architecture=["KNet4"]' --set batch_size=8 --set probe.size=8 --set validation.samples=8)
  RESNET=(--set batch_size=2 --set data.training_samples=20 --set probe.size=2 --set validation.samples=2
          --set compute.precision=float32 --set 'sweep.learning_rule=["sgdm"]')
  few=2 many=3 rounds=1
fi

check_speed_knet4() {
  costs knet4 configs/train/benchmark-knets.toml "${KNETS[@]}" --cohort "$few" || return
  against_pytorch knet4 --without compile
}
check_speed_statistics() {
  [ -x "$work/bin/bench_stats" ] || { skipped "bench_stats is not in the bundle"; return; }
  local filter=^device
  [ "$device" = cuda ] || filter=^kernel
  ours "$work/bin/bench_stats" "--benchmark_filter=$filter" --benchmark_min_time=0.1 2>&1 | tee "$scratch/stats"
  figure "$(sed -n 's/^device_\(layer.\)*\([a-z_]*\).* [0-9]* \([0-9.]* ns\/element.*\)/\2 \3;/p; s/^\(kernel\)[^ ]* .*\(ns.*\)/\1 \2/p' "$scratch/stats" | tr '\n' ' ')"
  ! grep -q ERROR "$scratch/stats"
}
check_speed_resnet18() {
  costs resnet18 configs/train/benchmark-resnet18.toml "${RESNET[@]}" --cohort 1 || return
  against_pytorch resnet18 --without compile
}
check_speed_point() {
  [ -x "$work/bin/bench_point" ] || { skipped "bench_point is not in the bundle"; return; }
  local stimuli=512
  [ "$device" = cuda ] || stimuli=1
  ours "$work/bin/bench_point" ResNet-34 "$stimuli" "$(nproc)" "$rounds" "$device" | tee "$scratch/point" || return
  figure "$(sed 's/.*rounds: //' "$scratch/point")"
}
check_speed_tf32() {
  [ "$device" = cuda ] || { skipped "needs a GPU"; return; }
  costs tf32 configs/train/benchmark-knets.toml "${KNETS[@]}" --set 'sweep.learning_rule=["sgdm"]' --set compute.precision=tf32 --cohort "$few" || return
  against_pytorch tf32 --without compile
}
check_speed_cohort32() {
  costs cohort32 configs/train/benchmark-knets.toml "${KNETS[@]}" --set 'sweep.learning_rule=["sgdm"]' --cohort "$many" || return
  against_pytorch cohort32 --without compile,graph
}
check_speed_stacked() {
  ours "$work/bin/lrid-train" run --keys | grep -q 'compute\.stack' || { skipped "no compute.stack in this build"; return; }
  costs stacked configs/train/benchmark-knets.toml "${KNETS[@]}" --set compute.stack=true --cohort "$many" || return
  against_pytorch stacked --without compile,graph
}
check_speed_compile() {
  [ "$device" = cuda ] || { skipped "needs a GPU"; return; }
  [ -e "$work/costs-knet4.toml" ] || { skipped "the check knet4 has not run"; return; }
  against_pytorch knet4 --without eager,graph
}

# --- Results ---

RUNS=$work/runs
check_results_four-rules() {
  local settings=(--set 'sweep.architecture=["KNet4"]' --set "epochs=$epochs") data start=$SECONDS status
  if [ -e "$bundle/images.tar.xz" ]; then
    unpack images || return
    echo "images unpacked after $((SECONDS - start)) s"
    data=(--data-dir "$work" --set data.folder=cifar10)
  else
    data=("${SAMPLE[@]}")
  fi
  [ "$device" = cuda ] || settings+=(--set batch_size=8 --set probe.size=8 --set validation.samples=8 --set points=2
                                     --set data.training_samples=40)
  rm -rf "$RUNS"
  # Before it is out of time, it ends by itself: states are written.
  timeout --foreground $((allowed > 20 ? allowed - 10 : allowed)) env LD_LIBRARY_PATH="$torch_libraries:$work/lib" \
    "$work/bin/lrid-train" sweep configs/train/benchmark-knets.toml "${settings[@]}" "${data[@]}" --device "$device" --out-dir "$RUNS"
  status=$?
  cat "$RUNS"/*.log
  RUNS=$RUNS python3 - <<'PY' || return
import glob, os, re
import h5py
import numpy as np
parts, images, seconds = [], 0, 0.0
for name in sorted(glob.glob(os.environ["RUNS"] + "/*.h5")):
    with h5py.File(name) as file:
        text = {key: x.decode() if isinstance(x, bytes) else x for key in ("learning_rule", "status") for x in [file.attrs[key]]}
        accuracy, epoch, step = (file[key][()] for key in ("metrics/validation_accuracy", "epoch", "step"))
        batch = int(file.attrs["batch_size"])
    known = np.flatnonzero(np.isfinite(accuracy))
    print(name, text["status"], "accuracy by epoch:", " ".join(f"{epoch[t]:g}:{accuracy[t]:.4f}" for t in known))
    if known.size:
        images += int(step[known[-1]]) * batch
        parts.append(f"{text['learning_rule']} {accuracy[known[-1]]:.4f} after {epoch[known[-1]]:g} epochs")
    # A cohort's networks share its time.
    used = re.findall(r"([0-9.]+) (?:GPU|processor)-seconds", open(name[:-3] + ".log").read())
    seconds += float(used[-1]) if used else 0
rate = images / seconds if seconds > 0 else float("nan")
print(f"FIGURE: {', '.join(parts)}; {rate:.0f} images/s; 192 networks x 100 epochs at that rate {192 * 100 * 50000 / rate / 3600:.1f} h")
PY
  return "$status"
}
# The study's 192 networks on CIFAR-10 at the cost that each of their kinds has here in cohorts of the fastest size.
check_results_costs192() {
  local options=(--set data.folder=cifar10) few_kinds=(--set 'sweep.batch_size=[128]')
  [ "$device" = cuda ] || few_kinds=(--set 'sweep.batch_size=[4]' --set 'sweep.architecture=["KNet4"]' --set 'sweep.learning_rule=["sgdm"]')
  [ -d "$work/cifar10" ] || { skipped "no images of CIFAR-10 are unpacked"; return; }
  rm -f "$work/costs192.toml"
  ours "$work/bin/lrid-train" benchmark configs/study/cifar10.toml "${options[@]}" "${few_kinds[@]}" --data-dir "$work" --device "$device" \
    --out "$work/costs192.toml" --cohort "$few" || return
  { echo "# costs192"; cat "$work/costs192.toml"; } >> "$out/$stage-costs.txt"
  ours "$work/bin/lrid-train" sweep configs/study/cifar10.toml "${options[@]}" --data-dir "$work" --device "$device" --dry-run \
    --costs "$work/costs192.toml" --out-dir "$scratch/none" | tee "$scratch/plan" || return
  figure "$(grep -E '^[0-9]+ networks; to do' "$scratch/plan" | sed 's/.*layers, //')"
}

# --- Running them ---

say "unpacking into $work"
unpack bundle || bad_usage "--bundle $bundle: holds no bundle.tar.xz that can be unpacked, expected scripts/gpu-bundle.sh to have made it"
read -r torch_libraries torch_version < <(python3 - <<'PY'
import importlib.metadata, importlib.util
spec = importlib.util.find_spec("torch")
if spec is not None:
    print(spec.submodule_search_locations[0] + "/lib", importlib.metadata.version("torch"))
PY
)
[ -d "${torch_libraries:-}" ] || bad_usage "python3 has no torch: expected PyTorch $TORCH_VERSION, whose libraries serve as LibTorch"
export LRID_TEST_DEVICE=cpu  # only the golden tests name another

# row CHECK OUTCOME SECONDS FIGURE
row() { printf '| %-18s | %-7s | %5s | %s |\n' "$@"; }

failed=0
# Runs the checks of a stage; a log and a table of it.
run_stage() {
  local stage=$1 check name own allowed started took status outcome value end=$((SECONDS + minutes * 60))
  local log=$out/$stage.log table=$out/$stage-table.txt
  : > "$log"
  rm -f "$out/$stage-costs.txt"
  {
    echo "$stage on $device, $minutes minutes; $(sed -n 's/^commit //p' "$work/bundle.txt"); $(date -u +%FT%TZ)"
    echo
    row check outcome s figure
    echo '|---|---|---|---|'
  } > "$table"
  for check in $(checks_of "$stage"); do
    name=${check%:*} own=${check#*:}
    if [ -n "$only" ] && [[ $only != *",$name,"* ]]; then continue; fi
    allowed=$((own * minutes / 9))
    [ $allowed -ge $LEAST ] || allowed=$LEAST
    [ $allowed -le $((end - SECONDS)) ] || allowed=$((end - SECONDS))
    if [ $allowed -lt 5 ]; then
      row "$name" SKIP 0 "no time left" | tee -a "$table"
      continue
    fi
    scratch=$(mktemp -d "$work/scratch-XXXXXX")
    export stage scratch allowed
    started=$SECONDS
    printf '\n== %s, at most %d s\n' "$name" "$allowed" >> "$log"
    timeout -k 5 "$allowed" bash -uo pipefail -c "$definitions; check_${stage}_$name" > "$scratch/output" 2>&1 < /dev/null
    status=$?
    took=$((SECONDS - started))
    # The middle of a long output says least.
    if [ "$(stat -c %s "$scratch/output")" -gt 1500000 ]; then
      { head -c 500000 "$scratch/output"; printf '\n... cut ...\n'; tail -c 900000 "$scratch/output"; } >> "$log"
    else
      cat "$scratch/output" >> "$log"
    fi
    case "$status" in
      0) outcome=PASS ;;
      77) outcome=SKIP ;;
      124|137) outcome=TIMEOUT failed=1 ;;
      *) outcome=FAIL failed=1 ;;
    esac
    value=$(sed -n 's/^FIGURE: //p' "$scratch/output" | tail -n 1 | tr '|' '/')
    if [ "$name" != graphs ] && grep -q 'steps are not recorded' "$scratch/output"; then value+='; STEPS NOT RECORDED'; fi
    row "$name" "$outcome" "$took" "$value" | tee -a "$table"
    if [ "$outcome" = FAIL ]; then tail -n 15 "$scratch/output" | cut -c 1-300 | sed 's/^/    /'; fi
    rm -rf "$scratch"
  done
}

torch_libraries=$(cd "$torch_libraries" && pwd)
export device epochs bundle work out torch_libraries torch_version few many rounds RUNS
# Arrays are not exported: what checks need of them is defined anew.
definitions=$(declare -p SAMPLE KNETS RESNET)
while read -r _ _ name; do export -f "${name?}"; done < <(declare -F | grep -E ' (check_|figure|skipped|unpack|ours|tests|sanitized|costs|against_pytorch)')

for stage in "${stages[@]}"; do
  say "$stage: at most $minutes minutes, on $device"
  run_stage "$stage"
done
say "all in all"
for stage in "${stages[@]}"; do cat "$out/$stage-table.txt"; echo; done
exit $failed
