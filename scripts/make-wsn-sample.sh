#!/usr/bin/env bash
# Makes the manifests of the task "wsn" (words.csv, noises.csv) from spoken digits and Debian's sonic-pi-samples.
#
# usage: scripts/make-wsn-sample.sh --digits FOLDER_OR_TAR [options]
#   --digits PATH    the Free Spoken Digit Dataset: a folder with {digit}_{speaker}_{i}.wav, or a .tar.zst of it
#   --noises FOLDER  sounds named {class}_*.flac or .wav, default /usr/share/sonic-pi/samples (as the Debian package
#                    sonic-pi-samples puts them: 165 recordings, CC0)
#   --out DIR        default data/wsn
#   --few            copies of a few of them, as data/wsn-sample has: one clip of each digit and speaker, one sound of
#                    each class of noises (2 s, mono, 20 kHz; needs sox)
#
# The digits are the words. Where --digits is an archive it is unpacked into DIR/digits.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

digits=
noises=/usr/share/sonic-pi/samples
out=data/wsn
few=
while [ $# -gt 0 ]; do
  case $1 in
    --digits) digits=$(value_of "$@"); shift 2 ;;
    --noises) noises=$(value_of "$@"); shift 2 ;;
    --out) out=$(value_of "$@"); shift 2 ;;
    --few) few=yes; shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
[ -n "$digits" ] || bad_usage "--digits is missing, expected a folder or archive of spoken digits"
[ -e "$digits" ] || bad_usage "--digits $digits: does not exist"
[ -d "$noises" ] || bad_usage "--noises $noises: no such folder (apt-get install sonic-pi-samples)"

mkdir -p "$out"
if [ -f "$digits" ]; then
  unpacked=$out/digits
  if [ -n "$few" ]; then
    unpacked=$(mktemp -d)
    trap 'rm -rf "$unpacked"' EXIT
  fi
  mkdir -p "$unpacked"
  tar --zstd -xf "$digits" -C "$unpacked"
  digits=$unpacked
fi
if [ -n "$few" ]; then
  mkdir -p "$out/words" "$out/noises"
  find "$digits" -name '*_*_0.wav' -exec cp -t "$out/words" {} +
  for class in $(cd "$noises" && find . -name '*_*.flac' -printf '%f\n' | cut -d_ -f1 | LC_ALL=C sort -u); do
    sound=$(find "$noises" -name "${class}_*.flac" | LC_ALL=C sort | head -n 1)
    sox -V1 -G "$sound" -D -b 16 -r 20000 -c 1 "$out/noises/$(basename "$sound")" trim 0 2
  done
  digits=$out/words
  noises=$out/noises
fi

# Quoted as CSV wants it; copies are named as the manifest sees them, so that the folder can be moved.
quoted() {
  local path=$1
  [ -n "$few" ] && path=$(realpath --relative-to="$out" "$path") || path=$(realpath "$path")
  printf '"%s"' "${path//\"/\"\"}"
}
{
  echo path,word,speaker
  find "$digits" -name '*_*_*.wav' | LC_ALL=C sort | while IFS= read -r file; do
    IFS=_ read -r digit speaker _ <<<"$(basename "$file")"
    echo "$(quoted "$file"),$digit,$speaker"
  done
} > "$out/words.csv"
{
  echo path,class
  find "$noises" \( -name '*_*.flac' -o -name '*_*.wav' \) | LC_ALL=C sort | while IFS= read -r file; do
    name=$(basename "$file")
    echo "$(quoted "$file"),${name%%_*}"
  done
} > "$out/noises.csv"
[ "$(wc -l < "$out/words.csv")" -gt 1 ] || bad_usage "--digits $digits: holds no {digit}_{speaker}_{i}.wav"
[ "$(wc -l < "$out/noises.csv")" -gt 1 ] || bad_usage "--noises $noises: holds no sounds named {class}_*"
echo "$(($(wc -l < "$out/words.csv") - 1)) words and $(($(wc -l < "$out/noises.csv") - 1)) noises in $out"
