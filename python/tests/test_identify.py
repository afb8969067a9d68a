"""identify: from a file to a verdict, and the programs' errors as exceptions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lrid
from lrid import _identify
from lrid._programs import program, run


def test_a_recording_gets_a_verdict(recording: Path, model: Path) -> None:
    verdict = lrid.identify(recording, model)
    assert verdict.network == "mouse"
    assert list(verdict.probabilities.index) == ["adam", "fa", "ia", "sgdm"]
    assert verdict.probabilities.sum() == pytest.approx(1)
    assert verdict.nearest == verdict.probabilities.idxmax()
    assert list(verdict.layers.index) == ["V1", "LM"]
    assert {"position", "typicality", "adam", "fa", "ia", "sgdm"} <= set(verdict.layers.columns)
    assert len(verdict.observables) and verdict.sentence and str(verdict) == verdict.sentence
    assert (verdict.verdict is None) or verdict.verdict in verdict.probabilities.index
    assert list(recording.parent.iterdir()) == [recording]


def test_the_networks_of_a_dataset_are_told(dataset: Path, model: Path) -> None:
    verdicts = lrid.identify_all(dataset, model)
    assert len(verdicts) == 24
    right = [v.nearest == v.network.rstrip("0123456789") for v in verdicts]
    assert np.mean(right) > 0.8
    with pytest.raises(lrid.BadInput, match="holds 24 networks, expected one"):
        lrid.identify(dataset, model)


def test_it_shows_itself_in_notebooks(recording: Path, model: Path) -> None:
    verdict = lrid.identify(recording, model)
    page = verdict._repr_html_()
    for word in ("mouse", "V1", "adam", "sgdm"):
        assert word in page
    raw = dict(verdict.raw, network="<script>")
    assert "<script>" not in _identify._verdict(raw)._repr_html_()


def test_it_plots(recording: Path, model: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    ax = lrid.identify(recording, model).plot()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["all layers", "V1", "LM"]
    ax.figure.canvas.draw()


def test_fields_of_later_models_are_taken_over() -> None:
    raw = {
        "network": "n",
        "verdict": None,
        "nearest": "fa",
        "none_of_these": False,
        "set": ["fa", "ia"],
        "kind": "new",
        "sentence": "Not Adam.",
        "probabilities": {"adam": 0.1, "fa": 0.5, "ia": 0.4},
        "typicality": None,
        "observables": [],
        "layers": [
            {
                "layer": "a",
                "position": None,
                "set": ["fa"],
                "typicality": None,
                "probabilities": {"adam": 0.1, "fa": 0.5, "ia": 0.4},
            }
        ],
    }
    verdict = _identify._verdict(raw)
    assert (verdict.verdict, verdict.set, verdict.kind, verdict.sentence) == (
        None,
        ["fa", "ia"],
        "new",
        "Not Adam.",
    )
    assert verdict.layers.loc["a", "set"] == ["fa"] and np.isnan(verdict.typicality)
    assert "Not Adam." in verdict._repr_html_()


def test_the_programs_line_is_the_exceptions(tmp_path: Path, model: Path) -> None:
    with pytest.raises(lrid.BadInput) as caught:
        lrid.identify(tmp_path / "none.h5", model)
    command = [program("lrid-classify"), "predict", "--model", model, tmp_path / "none.h5", "--json"]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert printed.returncode == 2
    assert str(caught.value) == printed.stderr.strip()


def test_a_failure_while_working_is_another_exception(recording: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    command = f"exec {program('lrid-observe')} show {recording} > /dev/full"
    assert subprocess.run(["sh", "-c", command], capture_output=True, check=False).returncode == 1
    with pytest.raises(lrid.BadInput, match="lrid-observe: "):
        run("lrid-observe", "show", recording.with_name("none.h5"))


def test_without_a_shipped_model_it_says_so(
    recording: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LRID_MODELS", str(tmp_path / "none"))
    assert lrid.models() == []
    with pytest.raises(lrid.BadInput, match="no model comes with this version"):
        lrid.identify(recording)


def test_the_shipped_model_is_the_one_that_fits(
    recording: Path, model: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setenv("LRID_MODELS", str(model.parent))
    assert lrid.models() == [model]
    assert lrid.identify(recording).nearest == lrid.identify(recording, model).nearest
    weights_only = lrid.write_recording(
        recording.with_name("w.h5"), {}, weights={"a": rng.normal(size=(10, 5))}
    )
    with pytest.raises(lrid.BadInput, match=r"missing or not finite: .* expected all of them"):
        lrid.identify(weights_only)


def test_commands_are_on_the_path() -> None:
    for name in ("lrid-observe", "lrid-classify"):
        entry = f"from lrid._programs import {name.removeprefix('lrid-')} as go; go()"
        done = subprocess.run(
            [sys.executable, "-c", entry, "--version"], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith("lrid ")
