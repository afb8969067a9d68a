# Shared by the scripts in this folder; source it, don't run it.
# shellcheck shell=bash

# Prints the comment at the top of a script: its help.
print_usage() { awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$1"; }

# One line on stderr, exit code 2: the same contract as lrid's own commands.
bad_usage() {
  echo "$(basename "$0"): $1" >&2
  exit 2
}
bad_option() { bad_usage "unknown option $1: see --help"; }

# The value of an option: value_of --cache DIR ... prints DIR.
value_of() {
  [ $# -ge 2 ] || bad_usage "$1: a value is missing, see --help"
  printf '%s\n' "$2"
}

require_count() {  # require_count OPTION VALUE
  [[ $2 =~ ^[1-9][0-9]*$ ]] || bad_usage "$1 $2: expected an integer, at least 1"
}

say() { printf '\n== %s\n' "$*"; }

# "3 min 20 s"
duration() {
  if [ "$1" -ge 60 ]; then printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); else printf '%d s' "$1"; fi
}

# Where downloads, compiler caches and virtual environments go unless --cache says otherwise.
default_cache() {
  if [ -n "${LRID_CACHE:-}" ]; then printf '%s\n' "$LRID_CACHE"
  elif [ -n "${HOME:-}" ]; then printf '%s\n' "$HOME/.cache/lrid"
  else printf '%s\n' "${TMPDIR:-/tmp}/lrid-cache"; fi
}

# One job per core, as far as 2 GB of memory for each go (a file with LibTorch's headers takes 1.5).
default_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 2000000)}' /proc/meminfo 2>/dev/null || true)
  [ -n "$memory" ] && [ "$memory" -lt "$cores" ] && cores=$memory
  [ "$cores" -ge 1 ] || cores=1
  echo "$cores"
}

has_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }

# LibTorch is the one inside this torch wheel, in a virtual environment of its own.
TORCH_VERSION=2.11.0
libtorch_environment() { echo "$1/libtorch-$TORCH_VERSION"; }

# For programs that we start: where setup.sh has put things. use_cache DIR
use_cache() {
  LRID_CACHE=$(mkdir -p "$1" && cd "$1" && pwd)
  export LRID_CACHE
  export CCACHE_DIR=${CCACHE_DIR:-$LRID_CACHE/ccache}
  # Clones in different folders share what was compiled.
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true
  # Precompiled headers are cached only with these.
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
  export LRID_PYTHON=$LRID_CACHE/python/bin/python
  if [ -x "$LRID_CACHE/cmake/bin/cmake" ]; then export PATH=$LRID_CACHE/cmake/bin:$PATH; fi
}

# Of a preset of CMakePresets.json.
build_folder() { if [ "$1" = release ]; then echo build; else echo "build-$1"; fi; }
