#!/usr/bin/env bash
# Writes man pages of a program and of each of its commands, from what --help prints.
#
# usage: scripts/man-pages.sh [options] PROGRAM
#   --out DIR        folder for the pages, PROGRAM.1 and PROGRAM-COMMAND.1
#   --version V      what the footer says
#   --help2man PATH  default help2man
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

out=
version=
help2man=help2man
program=
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$(value_of "$@"); shift 2 ;;
    --version) version=$(value_of "$@"); shift 2 ;;
    --help2man) help2man=$(value_of "$@"); shift 2 ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    -*) bad_option "$1" ;;
    *) program=$1; shift ;;
  esac
done
[ -n "$out" ] || bad_usage "--out: is missing"
[ -x "$program" ] || bad_usage "PROGRAM $program: expected a program that can be run"

name=$(basename "$program")
mkdir -p "$out"
export COLUMNS=100

# help2man fills examples as one paragraph, and takes a second line that begins with -- for an option: it is given
# each as a line of its own, with a blank line between.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/$name" <<END
#!/usr/bin/env bash
set -o pipefail
"$(realpath "$program")" "\$@" | awk '
  /^\$/ {examples = 0}
  examples {joined = sub(/ [\\\\]\$/, ""); if (continued) sub(/^ */, " "); else print ""}
  {printf "%s%s", \$0, joined ? "" : "\\n"; continued = joined; joined = 0}
  /^Examples:/ {examples = 1}'
END
chmod +x "$scratch/$name"
program=$scratch/$name

# The first sentence of the description, which follows the usage and a blank line.
summary_of() { awk 'begun && /^$/ {exit} begun {text = text " " $0} /^$/ {begun = 1} END {sub(/^ /, "", text); sub(/[.;:] .*|\.$/, "", text); print text}'; }
# page NAME SECTION-NAME HELP...: HELP are the words that make the program print its help
page() {
  local page=$1 see=$2 summary
  shift 2
  summary=$("$program" "$@" | summary_of)
  "$help2man" --no-info --section=1 --source="lrid $version" --version-string="$version" --name="$summary" \
    --help-option="$*" --include=<(printf '[see also]\n%s\n' "$see") "$program" |
    sed "1,/^\.SH/s/^\.TH [^ ]*/.TH ${page^^}/; s/^$name \\\\- /$page \\\\- /" > "$out/$page.1"
}
mapfile -t commands < <("$program" --help | awk '/^$/ {on = 0} on && /^  [^ ]/ {print $1} /^Commands:/ {on = 1}')
see=
for command in "${commands[@]}"; do
  page "$name-$command" ".BR $name (1)" "$command" --help
  see+="${see:+ ,\n}.BR $name-$command (1)"
done
page "$name" "$(printf '%b' "$see")" --help
