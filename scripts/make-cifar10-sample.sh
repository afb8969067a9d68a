#!/usr/bin/env bash
# Makes data/cifar10-sample from a folder or .tar.zst of all CIFAR-10 images (train/<class>/*.jpg, test/<class>/*.jpg).
#
# Which images: in each class those with the smallest SHA-256 of their bytes. The choice is deterministic,
# balanced, and has nothing to do with the order of the data set.
#
# usage: scripts/make-cifar10-sample.sh SOURCE [--out DIR] [--train N] [--test N]
#   SOURCE     folder or .tar.zst
#   --out DIR  where to, default data/cifar10-sample (its README.md is left alone)
#   --train N  images a class for training, default 250
#   --test N   images a class for validation and the probe set, default 50
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

source=
out=data/cifar10-sample
declare -A wanted=([train]=250 [test]=50)
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$(value_of "$@"); shift 2 ;;
    --train) wanted[train]=$(value_of "$@"); require_count "$1" "${wanted[train]}"; shift 2 ;;
    --test) wanted[test]=$(value_of "$@"); require_count "$1" "${wanted[test]}"; shift 2 ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    -*) bad_option "$1" ;;
    *) source=$1; shift ;;
  esac
done
[ -n "$source" ] || bad_usage "SOURCE is missing: expected a folder or .tar.zst of CIFAR-10 as JPEG images"
[ -e "$source" ] || bad_usage "$source: no such file or folder"

if [ -f "$source" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  tar --zstd -xf "$source" -C "$folder"
  source=$folder
fi

export LC_ALL=C
for part in train test; do
  n=${wanted[$part]}
  rm -rf "${out:?}/$part"
  for class_folder in "$source/$part"/*/; do
    class=$(basename "$class_folder")
    mkdir -p "$out/$part/$class"
    mapfile -t chosen < <(cd "$class_folder" && sha256sum -- *.jpg | sort | awk -v n="$n" 'NR <= n {print $2}')
    [ "${#chosen[@]}" -eq "$n" ] ||
      bad_usage "$class_folder: holds ${#chosen[@]} images, expected at least $n"
    for name in "${chosen[@]}"; do cp "$class_folder/$name" "$out/$part/$class/$name"; done
  done
done
find "$out/train" "$out/test" -type d -exec chmod 755 {} +
find "$out/train" "$out/test" -type f -exec chmod 644 {} +
echo "$out: $(find "$out/train" -name '*.jpg' | wc -l) training and $(find "$out/test" -name '*.jpg' | wc -l) test images, $(du -sh --apparent-size "$out" | cut -f1)"
