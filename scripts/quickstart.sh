#!/usr/bin/env bash
# From nothing to a report, on real images: installs what is missing, builds, trains 96 small networks with four
# learning rules on the CIFAR-10 sample in data/, measures them all along, and identifies the rule from the
# measurements. Run again, it goes on where it was.
#
# usage: scripts/quickstart.sh [options]
#   --out DIR    where results go, default quickstart
#   --jobs N     networks trained side by side, default all cores
#   --cache DIR  see scripts/setup.sh
#   --without-packages  install no Debian packages
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

out=quickstart
jobs=$(nproc)
cache=$(default_cache)
build=()
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$(value_of "$@"); shift 2 ;;
    --jobs) jobs=$(value_of "$@"); require_count "$1" "$jobs"; shift 2 ;;
    --cache|--prefix) cache=$(value_of "$@"); shift 2 ;;
    --without-packages) build+=("$1"); shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
mkdir -p "$out" 2>/dev/null || true
[ -w "$out" ] || bad_usage "--out $out: expected a folder that can be written"

# stage NAME COMMAND...: runs it and says how long it took.
stage() {
  local name=$1 before=$SECONDS status=0
  shift
  say "$name: $*"
  "$@" || status=$?
  echo "$name took $(duration $((SECONDS - before)))"
  return $status
}

# newer OUTPUT INPUT...: OUTPUT exists and none of the inputs (files, or all in a folder) was written after it.
newer() {
  local output=$1
  shift
  [ -e "$output" ] && [ -z "$(find "$@" -newer "$output" -type f ! -name '*.log' -print -quit)" ]
}

stage "install and build" scripts/build.sh --cache "$cache" "${build[@]}" \
  --target lrid-train --target lrid-observe --target lrid-classify
bin=build/bin

# The sweep itself knows which networks are complete. Exit code 1 means that some have failed, which it has listed;
# the rest is good for identification.
trained=0
stage "training" $bin/lrid-train sweep configs/train/quickstart.toml --out-dir "$out/runs" --jobs "$jobs" \
  --data-dir data || trained=$?
[ $trained -le 1 ] || exit $trained

dataset=$out/dataset.h5
if ! newer "$dataset" "$out/runs" $bin/lrid-observe; then
  stage "collecting" $bin/lrid-observe collect "$out/runs" --out "$dataset"
fi

# identify CONFIG RESULTS
identify() {
  if ! newer "$2" "$dataset" "$1" $bin/lrid-classify; then
    stage "identifying ($(basename "$1" .toml))" \
      $bin/lrid-classify run --config "$1" --data "$dataset" --out "$2"
  fi
}
identify configs/classify/quickstart.toml "$out/results.json"
identify configs/classify/held-out-architecture-quickstart.toml "$out/results-held-out.json"

report=$out/report.html
results=("$out/results.json" "$out/results-held-out.json")
if ! newer "$report" "${results[@]}" $bin/lrid-classify; then
  stage "reporting" $bin/lrid-classify report "${results[@]}" --out "$report"
fi

say "accuracy of naming the learning rule [95 % interval over networks]"
python3 - "${results[@]}" <<'PYTHON'
import json, sys

rows = []
for path in sys.argv[1:]:
    with open(path) as file:
        results = json.load(file)
    for row in results["rows"]:
        condition = ", ".join(f"{key} {value}" for key, value in sorted(row["condition"].items()))
        accuracy = row["accuracy"]
        figure = "none" if accuracy["mean"] is None else f"{accuracy['mean']:.3f}"
        if accuracy.get("interval"):
            figure += " [{:.3f}, {:.3f}]".format(*accuracy["interval"])
        rows.append((results["experiment"], row["classifier"], condition, figure, f"chance {1 / len(row['labels']):.2f}"))
widths = [max(len(cell) for cell in column) for column in zip(*rows)]
for row in rows:
    print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
PYTHON
# One of them, judged by a model that comes with lrid and has never seen it.
network=$($bin/lrid-train status configs/train/quickstart.toml --out-dir "$out/runs" --json | python3 -c '
import json, sys
print([run["name"] for run in json.load(sys.stdin)["runs"] if run["state"] == "done"][-1])')
say "what the shipped model says of $network"
$bin/lrid-classify predict "$out/runs/$network.h5"

[ $trained -eq 0 ] || echo "note: some networks failed to train (listed above) and are left out"
echo
echo "all of it took $(duration $SECONDS)"
echo "report: $(cd "$out" && pwd)/report.html"
