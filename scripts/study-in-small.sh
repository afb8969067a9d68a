#!/usr/bin/env bash
# Trains the study in small, chunk by chunk, and collects each chunk's networks into a dataset with a card beside it:
# configs/study-in-small/ says what is in a chunk, docs/findings.md what it is for. Run again, it goes on where it was;
# several processes, also on other machines that share the folder, may work on one chunk.
#
# usage: scripts/study-in-small.sh [options]
#   --chunk X        only this chunk, A to E; may be repeated; default all
#   --out-dir DIR    default study-in-small: X/ has the networks, X.h5 the dataset, a page beside it its card
#   --data-dir DIR   holds cifar10/ (CIFAR-10's binary files, or train/<class>/ and test/<class>/) and, for chunk D, wsn/
#                    (words.csv, noises.csv: scripts/make-wsn-sample.sh); default data
#   --jobs N         networks trained side by side, default all cores
#   --shard I/N      only every N-th network, starting with the I-th; collects nothing
#   --set KEY=VALUE  of lrid-train, for pilots; may be repeated
#   --bin DIR        lrid's programs (LRID_BIN), default build/bin
#   --dry-run        print what would be trained, and the commands; needs neither programs nor data
#
# Networks that fail or diverge are left out of the dataset and counted on its card, rule by rule: leaving them out is
# a selection. Exit code: 0 done, 1 some networks have failed, 2 bad usage, 130 interrupted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

chunks=()
out=study-in-small
data=data
jobs=$(nproc)
shard=
settings=()
bin=${LRID_BIN:-build/bin}
dry_run=
while [ $# -gt 0 ]; do
  case $1 in
    --chunk) chunks+=("$(value_of "$@")"); shift 2 ;;
    --out-dir) out=$(value_of "$@"); shift 2 ;;
    --data-dir) data=$(value_of "$@"); shift 2 ;;
    --jobs) jobs=$(value_of "$@"); require_count "$1" "$jobs"; shift 2 ;;
    --shard) shard=$(value_of "$@"); shift 2 ;;
    --set) settings+=(--set "$(value_of "$@")"); shift 2 ;;
    --bin) bin=$(value_of "$@"); shift 2 ;;
    --dry-run) dry_run=yes; shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
[ ${#chunks[@]} -gt 0 ] || chunks=(A B C D E)

# Of each sweep: networks, samples a network, task.
declare -A networks=([A]=192 [B]=192 [C]=96 [D]=144 [E]=120 [E-frozen]=24)
declare -A samples=([A]=25000 [B]=10000 [C]=25000 [D]=12500 [E]=25000 [E-frozen]=25000)
declare -A task=([A]="CIFAR-10" [B]="SimCLR at 32 px" [C]="CIFAR-10 at 32 px" [D]="Word-Speaker-Noise at 64 × 64"
                 [E]="CIFAR-10, rules beyond the four" [E-frozen]="CIFAR-10, nothing learns")
declare -A folder=([A]=cifar10 [B]=cifar10 [C]=cifar10 [D]=wsn [E]=cifar10 [E-frozen]=cifar10)
sweeps=()
for chunk in "${chunks[@]}"; do
  case $chunk in
    A|B|C|D) sweeps+=("$chunk") ;;
    E) sweeps+=(E E-frozen) ;;
    *) bad_usage "--chunk $chunk: expected A, B, C, D or E" ;;
  esac
done

# run COMMAND...: what the dry run prints and the other runs.
run() {
  if [ -n "$dry_run" ]; then printf '  '; printf '%q ' "$@"; echo; else "$@"; fi
}

if [ -z "$dry_run" ]; then
  for program in lrid-train lrid-observe; do
    [ -x "$bin/$program" ] || bad_usage "$bin/$program: no such program, expected scripts/build.sh to have built it"
  done
  for sweep in "${sweeps[@]}"; do
    [ -d "$data/${folder[$sweep]}" ] ||
      bad_usage "--data-dir $data: holds no folder ${folder[$sweep]}, which chunk ${sweep%%-*} is trained on"
  done
  mkdir -p "$out" 2>/dev/null || true
  [ -w "$out" ] || bad_usage "--out-dir $out: expected a folder that can be written"
fi

# card SWEEP: what is in a dataset, from the sweep's status.
card() {
  "$bin/lrid-train" status "configs/study-in-small/$1.toml" --out-dir "$out/$1" --json "${settings[@]}" |
    SWEEP=$1 TASK=${task[$1]} SAMPLES=${samples[$1]} SETTINGS="${settings[*]}" DATASET="$out/$1.h5" \
    COMMIT=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown) \
    VERSION=$("$bin/lrid-train" --version | head -n 1) python3 -c '
import collections, json, os
status, env = json.load(__import__("sys").stdin), os.environ
count = collections.Counter()
for run in status["runs"]:
    architecture, _, rule = run["name"].split("_")[:3]
    count[rule, run["state"]] += 1
sweep = env["SWEEP"]
sounds = sweep == "D"
print(f"""# Study in small: {sweep}

{env["TASK"]}; at most {int(env["SAMPLES"]):,} samples a network. `{sweep}.h5` is an `lrid-dataset` of {os.path.getsize(env["DATASET"]):,} bytes: one
sample per layer of each complete network, and one more for each imperfect measurement of it (docs/formats.md).

| | |
|---|---|
| recipe | `configs/study-in-small/{sweep}.toml`{" with " + env["SETTINGS"] if env["SETTINGS"] else ""} |
| made by | `scripts/study-in-small.sh --chunk {sweep[0]}`, commit {env["COMMIT"]}, {env["VERSION"]} |
| processor hours | {status["used"]["processor_hours"]:.2f} |
| trained on | {"spoken digits and noises, as their collections are licensed" if sounds else "CIFAR-10 (Krizhevsky 2009): no explicit licence, used freely for research"}; none of it is in the dataset |

Networks by rule; those that failed or diverged are not in the dataset:

| rule | complete | failed |
|---|---|---|""")
for rule in sorted({rule for rule, _ in count}):
    done, failed = count[rule, "done"], count[rule, "failed"]
    print(f"| {rule} | {done} | {failed} |")
reasons = [(run["name"], run.get("reason", "")) for run in status["runs"] if run["state"] == "failed"]
if reasons:
    print("\nFailed:\n")
    for name, reason in reasons: print(f"- {name}: {reason}")
' > "$out/$1.md.tmp"
  mv "$out/$1.md.tmp" "$out/$1.md"
}

total=0
failed=0
for sweep in "${sweeps[@]}"; do
  say "$sweep: ${task[$sweep]}; ${networks[$sweep]} networks × ${samples[$sweep]} samples"
  total=$((total + networks[$sweep]))
  status=0
  run "$bin/lrid-train" sweep "configs/study-in-small/$sweep.toml" --out-dir "$out/$sweep" --data-dir "$data" \
    --jobs "$jobs" ${shard:+--shard "$shard"} "${settings[@]}" || status=$?
  # 1: some networks have failed, which lrid-train has listed; the others are good.
  [ $status -le 1 ] || exit $status
  [ $status -eq 0 ] || failed=1
  [ -z "$shard" ] || continue
  run "$bin/lrid-observe" collect "$out/$sweep" --out "$out/$sweep.h5" --admissible --mantissa 14
  [ -n "$dry_run" ] || card "$sweep"
done
[ -z "$dry_run" ] || printf '\n%d networks in all\n' "$total"
exit $failed
