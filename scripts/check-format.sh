#!/usr/bin/env bash
# Checks layout (clang-format) and bugs and naming (clang-tidy) of lrid's C++ files.
#
# usage: scripts/check-format.sh [options] [FILE...]
#   FILE...          only these; default: all of the repository
#   --changed [REF]  only files that differ from REF (default HEAD), new ones included
#   --fix            put the layout right, and what clang-tidy can mend, instead of complaining
#   --no-tidy        clang-format only (seconds instead of minutes)
#   --build DIR      build folder whose compile_commands.json clang-tidy reads, default build
#   --cache DIR      remembers in DIR/clang-tidy what was found clean (LRID_CACHE), default ~/.cache/lrid
#   --minutes N      begin no file's clang-tidy after N minutes and say how many are left, which is no finding; files
#                    changed last come first. Default: check all
#   --jobs N         clang-tidy processes side by side, default all cores
#
# clang-tidy checks the files of a batch (option LRID_UNITY) together; it sees none that the build folder does not
# compile (those with LibTorch in a build without it). Both tools in version 14: others lay some lines out differently.
# Exit code: 0 clean, 1 findings, 2 bad usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

fix=
tidy=yes
changed=
build=build
cache=$(default_cache)
jobs=$(default_jobs)
minutes=0
files=()
while [ $# -gt 0 ]; do
  case $1 in
    --changed)
      changed=HEAD; shift
      if [ $# -gt 0 ] && git rev-parse --quiet --verify "$1^{commit}" >/dev/null; then changed=$1; shift; fi ;;
    --fix) fix=yes; shift ;;
    --no-tidy) tidy=; shift ;;
    --build) build=$(value_of "$@"); shift 2 ;;
    --cache) cache=$(value_of "$@"); shift 2 ;;
    --minutes) minutes=$(value_of "$@"); require_count "$1" "$minutes"; shift 2 ;;
    --jobs) jobs=$(value_of "$@"); require_count "$1" "$jobs"; shift 2 ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    -*) bad_option "$1" ;;
    *) files+=("$1"); shift ;;
  esac
done

tool() {  # tool NAME: its version 14
  if command -v "$1-14" >/dev/null; then echo "$1-14"
  elif "$1" --version 2>/dev/null | grep -q 'version 14\.'; then echo "$1"
  else bad_usage "$1: version 14 not found, run scripts/setup.sh (Debian package $1-14)"; fi
}
clang_format=$(tool clang-format)

git=(git -c safe.directory='*')  # a checkout of another user's, as in CI, is fine: nothing of it is run by git
for file in "${files[@]}"; do
  # clang-format takes everything for C++, and lays it out as such.
  case $file in *.cpp|*.hpp) ;; *) bad_usage "$file: expected a .cpp or .hpp file" ;; esac
done
if [ ${#files[@]} -eq 0 ]; then
  if [ -n "$changed" ]; then
    mapfile -t files < <("${git[@]}" diff --name-only --diff-filter=d "$changed" -- '*.cpp' '*.hpp'
                         "${git[@]}" ls-files --others --exclude-standard -- '*.cpp' '*.hpp')
  else
    mapfile -t files < <("${git[@]}" ls-files --cached --others --exclude-standard -- '*.cpp' '*.hpp')
  fi
fi
present=()
for file in "${files[@]}"; do [ -f "$file" ] && present+=("$file"); done
if [ ${#present[@]} -eq 0 ]; then echo "no C++ files to check"; exit 0; fi

status=0
if [ -n "$fix" ]; then
  "$clang_format" -i "${present[@]}"
elif ! "$clang_format" --dry-run --Werror "${present[@]}"; then
  status=1
fi
echo "clang-format: ${#present[@]} files, $([ $status -eq 0 ] && echo clean || echo 'not clean: scripts/check-format.sh --fix --no-tidy mends it')"
[ -n "$tidy" ] || exit $status

clang_tidy=$(tool clang-tidy)
[ -f "$build/compile_commands.json" ] ||
  bad_usage "$build/compile_commands.json: no such file, expected a configured build folder (scripts/build.sh, --build DIR)"

# The same commands without GCC's precompiled headers, which clang cannot read. And what is compiled as one: a file, or
# the files of a batch (LRID_UNITY), which are checked together for the sake of the headers that they share.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -E 's# -include [^ "]*cmake_pch\.hxx##; s# -Winvalid-pch##; s# -fpch-preprocess##' "$build/compile_commands.json" \
  > "$work/compile_commands.json"
sed -nE 's#^ *"file": "(.*)",?$#\1#p' "$work/compile_commands.json" | LC_ALL=C sort -u | while read -r unit; do
  case $unit in
    */Unity/unity_*) sed -nE "s#^\#include \"(.*\.cpp)\"#$unit\t\1#p" "$unit" ;;
    *) printf '%s\t%s\n' "$unit" "$unit" ;;
  esac
done | sed "s#\t$PWD/#\t#" > "$work/units"

# Ours of the files that the compiler last saw a unit include.
{ [ ! -f "$build/build.ninja" ] || ninja -C "$build" -t deps; } | awk -v root="$PWD/" -v build="$(cd "$build" && pwd)/" '
  function whole(path) {  # relative ones are so to the build folder
    if (path !~ /^\//) path = build path
    while (sub(/\/[^\/]+\/\.\.\//, "/", path)) {}
    return path
  }
  /^[^ ]/ { unit = "" }
  /^ / && unit == "" && /\.(cpp|cxx)$/ { unit = whole($1) }
  /^ / && /\.hpp$/ && index(path = whole($1), root) == 1 { print unit "\t" path }' | LC_ALL=C sort -u > "$work/includes"

# Units of the files that were asked for, those that were changed last first.
printf '%s\n' "${present[@]}" > "$work/present"
{ "${git[@]}" ls-files --modified --others --exclude-standard
  "${git[@]}" log --format= --name-only 2>/dev/null; } > "$work/by_change"
mapfile -t units < <(awk -F '\t' -v OFS='\t' '
  FILENAME == ARGV[1] { if (!($0 in rank)) rank[$0] = ++changes; next }
  FILENAME == ARGV[2] { asked[$0]; next }
  $2 in asked {
    place = $2 in rank ? rank[$2] : changes + 1
    if (!($1 in best) || place < best[$1]) best[$1] = place
  }
  END { for (unit in best) print best[unit], unit }' "$work/by_change" "$work/present" "$work/units" | sort -n | cut -f 2)

# Clean units are remembered by what the answer depends on: their files, those of our headers that they include (all of
# them where that is not known), the checks.
mkdir -p "$cache/clang-tidy"
all_headers=$(find include src apps tests benchmarks -name '*.hpp' | LC_ALL=C sort)
todo=()
for unit in "${units[@]}"; do
  sources=$(awk -F '\t' -v unit="$unit" '$1 == unit { print $2 }' "$work/units")
  headers=$(awk -F '\t' -v unit="$unit" '$1 == unit { print $2 }' "$work/includes")
  # Contents only: the folder that the clone lies in does not matter.
  # shellcheck disable=SC2086  # a name a word: none of ours has blanks
  stamp=$cache/clang-tidy/$( (echo "$sources"; cat .clang-tidy $sources ${headers:-$all_headers}) | sha256sum | cut -d' ' -f1)
  [ -e "$stamp" ] || todo+=("$unit" "$stamp")
done
# Only clang-tidy's findings: what counts as a compiler warning is for the compiler to say. A batch includes .cpp files.
export TIDY="$clang_tidy --quiet -p $work --checks=-bugprone-suspicious-include --extra-arg=-Wno-everything ${fix:+--fix}"
export LEFT=$work/left DEADLINE=$((minutes ? $(date +%s) + 60 * minutes : 0))
: > "$LEFT"
# shellcheck disable=SC2016  # expanded by the shell that xargs starts
check_one='if [ "$DEADLINE" -gt 0 ] && [ "$(date +%s)" -ge "$DEADLINE" ]; then echo "$1" >> "$LEFT"; exit 0; fi
  output=$($TIDY "$1" 2>&1) && : > "$2" || { printf "%s\n" "$output"; exit 1; }'
# Corrections of headers must not meet: one process at a time.
[ -z "$fix" ] || jobs=1
if [ ${#todo[@]} -gt 0 ] && ! printf '%s\0' "${todo[@]}" | xargs -0 -n 2 -P "$jobs" bash -c "$check_one" check; then
  status=1
fi
[ -z "$fix" ] || "$clang_format" -i "${present[@]}"
left=$(wc -l < "$LEFT")
echo "clang-tidy: ${#units[@]} files or batches, $((${#units[@]} - ${#todo[@]} / 2)) unchanged since found clean," \
  "$((${#todo[@]} / 2 - left)) checked, $left left for want of time: $([ $status -eq 0 ] && echo clean || echo 'findings above')"
exit $status
