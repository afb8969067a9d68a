"""The examples run where the libraries that they use are installed."""

from __future__ import annotations

import importlib.util
import json
import os
import runpy
from pathlib import Path

import numpy as np
import pytest

import lrid

ROOT = Path(__file__).resolve().parents[2]


def installed(*modules: str) -> bool:
    return all(importlib.util.find_spec(module) for module in modules)


def test_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With three points and a few steps instead of twenty-one points."""
    if not installed("torch", "biotorch", "PIL"):
        pytest.skip("needs PyTorch, BioTorch and Pillow")
    notebook = json.loads((ROOT / "examples/biotorch.ipynb").read_text(encoding="utf-8"))
    (tmp_path / "examples").mkdir()
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path / "examples")
    namespace: dict[str, object] = {"__name__": "notebook"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            code = "".join(cell["source"]).replace("steps=250, points=21", "steps=4, points=3")
            exec(compile(code, "biotorch.ipynb", "exec"), namespace)
    still = lrid.read("frozen.h5")["conv2/weights"].values
    np.testing.assert_array_equal(still[0], still[-1])
    for name in ("sgdm", "adam"):
        assert not np.array_equal(*lrid.read(f"{name}.h5")["conv2/weights"].values[[0, -1]])


@pytest.mark.parametrize(
    ("script", "modules"), [("jax_recording.py", ["jax"]), ("keras_recording.py", ["keras", "jax"])]
)
def test_scripts(tmp_path: Path, script: str, modules: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if not installed(*modules):
        pytest.skip(f"needs {' and '.join(modules)}")
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "jax")
    monkeypatch.setattr("sys.argv", [script, str(tmp_path / "r.h5")])
    runpy.run_path(str(ROOT / "examples" / script), run_name="__main__")
    assert len(lrid.read(tmp_path / "r.h5").children) == 3
