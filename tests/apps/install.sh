#!/usr/bin/env bash
# Installs into a scratch folder and uses what is there: programs, recipes, completion, man pages, documentation.
#
# usage: tests/apps/install.sh BUILD_FOLDER PROGRAM...
set -euo pipefail
build=$1
shift
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix" > "$prefix/log"
cd "$prefix"
fail() { echo "FAILED: $*"; exit 1; }
for program in "$@"; do
  bin/"$program" --version > /dev/null || fail "$program does not run from $prefix"
  bash -n share/bash-completion/completions/"$program" || fail "completion of $program"
  [ "$(head -n 1 share/zsh/site-functions/_"$program")" = "#compdef $program" ] || fail "completion of $program"
  mapfile -t commands < <(bin/"$program" --help | awk '/^$/ {on = 0} on && /^  [^ ]/ {print $1} /^Commands:/ {on = 1}')
  [ ${#commands[@]} -ge 5 ] || fail "$program has commands: ${commands[*]}"
  if [ -d share/man/man1 ]; then
    for page in "$program" "${commands[@]/#/$program-}"; do
      grep -q '^\.SH OPTIONS\|^\.SS "Options:"\|^\.SS "Common options:"' share/man/man1/"$page".1 || fail "man page $page has no options"
    done
  fi
done
bin/lrid-classify run --config share/lrid/configs/classify/base.toml --data none.h5 --out r.json 2> error && fail "no dataset"
grep -q 'none.h5' error || fail "the recipe is not read: $(cat error)"
for file in share/lrid/configs/study/cifar10.toml share/doc/lrid/README.md share/doc/lrid/docs/formats.md share/doc/lrid/LICENSE; do
  [ -s "$file" ] || fail "no $file"
done
