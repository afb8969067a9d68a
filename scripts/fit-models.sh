#!/usr/bin/env bash
# Fits the models that lrid ships, configs/models/*.toml, to datasets of the study in small, and writes a card beside
# each: what it knows, how it did on kinds of network that it was fitted without, and what it must not be used for.
#
# usage: scripts/fit-models.sh [options] DATASET.h5...
#   --out-dir DIR    default data/models
#   --bin DIR        lrid's programs (LRID_BIN), default build/bin
#
# Equal datasets give equal models. Exit code: 0 done, 1 failed, 2 bad usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

out=data/models
bin=${LRID_BIN:-build/bin}
datasets=()
while [ $# -gt 0 ]; do
  case $1 in
    --out-dir) out=$(value_of "$@"); shift 2 ;;
    --bin) bin=$(value_of "$@"); shift 2 ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    -*) bad_option "$1" ;;
    *) datasets+=("$1"); shift ;;
  esac
done
[ ${#datasets[@]} -gt 0 ] || bad_usage "no dataset: expected those of the study in small, as data/study-in-small/A.h5"
for program in lrid-observe lrid-classify; do
  [ -x "$bin/$program" ] || bad_usage "$bin/$program: no such program, expected scripts/build.sh to have built it"
done
mkdir -p "$out"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$bin/lrid-observe" collect "${datasets[@]}" --out "$scratch/dataset.h5"
for recipe in configs/models/*.toml; do
  name=$(basename "$recipe" .toml)
  say "$name"
  "$bin/lrid-classify" fit --config "$recipe" --data "$scratch/dataset.h5" --out "$out/$name.h5" > "$scratch/fit.txt"
  {
    echo "# Model: $name"
    echo
    sed -n 's/^# The shipped model for/For/p' "$recipe"
    echo
    echo '```'
    fold -s -w 116 "$scratch/fit.txt" | sed 's/ *$//'
    echo '```'
    echo
    cat <<TEXT
Figures "without" a kind are of a classifier fitted to the other kinds: what to expect of networks like none of the
training networks. "Untypical" networks of known rules would be refused.

| | |
|---|---|
| size | $(stat -c %s "$out/$name.h5" 2>/dev/null || stat -f %z "$out/$name.h5") bytes |
| fitted to | $(basename -a "${datasets[@]}" | paste -s -d ' '), of which cards beside them say how they were made |
| by | \`scripts/fit-models.sh\`, recipe \`$recipe\`, $("$bin/lrid-classify" --version | head -n 1) |

**Not for** networks trained for much shorter or longer than these: of another program's networks, trained on a third of
the images, sets hold the rule as they should but hold most rules (benchmarks/README.md, "Verdicts on networks never
seen"). **Not for** a claim about a brain without reference networks like it: all training networks are convolutional, small,
and trained by one of these rules for half an epoch. A verdict says which of these rules the trajectory is most like,
not that one of them was at work. Not for networks that were not recorded from their first steps on.
TEXT
  } > "$out/$name.md"
done
