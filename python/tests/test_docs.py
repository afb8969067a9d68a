"""The examples of docs/python.md run, one after the other."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/python.md"


def test_the_examples_run(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(model, tmp_path / "model.h5")
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(examples) >= 4
    for code in examples:
        if "import torch" not in code or importlib.util.find_spec("torch"):
            exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})
