"""read: every file as xarray."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

import lrid
from lrid._programs import run


def test_a_recording_is_read_when_it_is_needed(tmp_path: Path, rng: np.random.Generator) -> None:
    values = {"block/conv1": rng.normal(size=(4, 6, 8)), "fc": rng.normal(size=(4, 6, 3))}
    tree = lrid.read(lrid.write_recording(tmp_path / "r.h5", values))
    activations = tree["block/conv1/activations"]
    assert activations.dims == ("point", "stimulus", "unit")
    for key in (
        (slice(None), 2, slice(1, 7, 2)),
        (slice(None, None, -1), slice(4, 1, -2), 3),
        (0, 0, 0),
        (..., [5, 1]),
    ):
        np.testing.assert_array_equal(activations[key].values, values["block/conv1"][key])
    frame = tree["fc/activations"].to_dataframe()
    assert len(frame) == 4 * 6 * 3 and frame.index.names == ["point", "stimulus", "unit"]
    np.testing.assert_allclose(frame["activations"].to_numpy(), values["fc"].ravel())


def test_other_axes_and_scaled_integers(tmp_path: Path, rng: np.random.Generator) -> None:
    counts = rng.integers(-9, 9, size=(5, 4, 6), dtype=np.int16)  # units, points, stimuli
    with h5py.File(tmp_path / "r.h5", "w") as f:
        f.attrs["format"], f.attrs["format_version"] = "lrid-recording", 1
        group = f.create_group("layers/0")
        group.attrs["name"] = "a"
        data = group.create_dataset("activations", data=counts)
        data.attrs["axes"], data.attrs["scale"] = "units, time, stimuli", 0.5
    activations = lrid.read(tmp_path / "r.h5")["a/activations"]
    np.testing.assert_array_equal(activations.values, 0.5 * counts.transpose(1, 2, 0))
    np.testing.assert_array_equal(activations[1, :, ::-2].values, 0.5 * counts.transpose(1, 2, 0)[1, :, ::-2])


def test_observables_in_long_form_are_what_export_prints(tmp_path: Path, recording: Path) -> None:
    run("lrid-observe", "recording", recording, "--out", tmp_path / "o.h5")
    frame = lrid.read(tmp_path / "o.h5").to_dataframe().reset_index()
    (tmp_path / "o.csv").write_text(run("lrid-observe", "export", tmp_path / "o.h5", "--format", "csv"))
    exported = pd.read_csv(tmp_path / "o.csv")
    both = frame.merge(exported, on=["layer", "point", "observable"])
    assert len(both) == len(frame) == len(exported)
    np.testing.assert_allclose(both["observables"], both["value"], rtol=1e-6)


def test_a_dataset_has_its_metadata_as_coordinates(dataset: Path) -> None:
    data = lrid.read(dataset)
    assert data["X"].dims == ("sample", "point", "observable")
    assert set(data["learning_rule"].values) == {"adam", "fa", "ia", "sgdm"}
    assert list(data["layer_position"].values[:3]) == ["early", "middle", "deep"]
    adam = data.where(data["learning_rule"] == "adam", drop=True)
    assert adam.sizes["sample"] == 18
    frame = data.isel(sample=slice(2)).to_dataframe()
    assert len(frame) == 2 * 10 * data.sizes["observable"] and {"network", "layer", "X"} <= set(frame.columns)


def test_a_model_and_its_predictions(tmp_path: Path, model: Path, dataset: Path) -> None:
    assert list(lrid.read(model)["class"].values) == ["adam", "fa", "ia", "sgdm"]
    (tmp_path / "p.json").write_text(run("lrid-classify", "predict", "--model", model, dataset, "--json"))
    predictions = lrid.read(tmp_path / "p.json")
    assert predictions.sizes["sample"] == 24 * 4  # networks, and their three layers
    np.testing.assert_allclose(predictions["probability"].sum("class"), 1, atol=1e-9)
    assert set(predictions.to_dataframe().columns) >= {"network", "layer", "probability", "typicality"}


def test_results_have_a_row_per_condition_and_classifier(tmp_path: Path) -> None:
    figure = {"mean": 0.5, "sem": 0.1, "splits": [0.4, None], "interval": [0.3, 0.7], "p": 0.01}
    rows = [
        {
            "classifier": "svm",
            "condition": {"measure": "all"},
            "accuracy": figure,
            "extra": {"log_loss": figure},
        },
        {
            "classifier": "forest",
            "condition": {"measure": "all", "held_out": "KNet4"},
            "accuracy": {"mean": 1.0, "sem": 0.0, "splits": [1.0]},
            "extra": {},
        },
    ]
    (tmp_path / "r.json").write_text(json.dumps({"format": "lrid-results", "experiment": "x", "rows": rows}))
    results = lrid.read(tmp_path / "r.json")
    assert results.attrs["experiment"] == "x"
    np.testing.assert_array_equal(results["accuracy"], [[0.4, np.nan], [1.0, np.nan]])
    np.testing.assert_array_equal(results["accuracy_high"], [0.7, np.nan])
    np.testing.assert_array_equal(results["log_loss_mean"], [0.5, np.nan])
    assert pd.isna(results["held_out"].values[0]) and results["held_out"].values[1] == "KNet4"


def test_a_trajectory(tmp_path: Path) -> None:
    rng, text = np.random.default_rng(0), h5py.string_dtype()
    with h5py.File(tmp_path / "t.h5", "w") as f:
        f.attrs["format"], f.attrs["learning_rule"] = "lrid-trajectory", "fa"
        f["observables"] = rng.normal(size=(3, 2, 4)).astype("f4")
        f["observable_names"] = np.array(list("abcd"), dtype=text)
        f["layers"] = np.array(["conv1", "fc2"], dtype=text)
        f["layer_position"] = np.array([0, 2], "u1")
        f["step"], f["epoch"] = np.arange(3), np.arange(3.0)
        f["metrics/validation_loss"] = np.arange(3.0)
        f["alignment/weight_angle"] = np.ones((3, 2), "f4")
        f["imperfect/unit_fraction"], f["imperfect/noise"] = [0.5], [0.1]
        f["imperfect/observables"] = rng.normal(size=(1, 3, 2, 4)).astype("f4")
    data = lrid.read(tmp_path / "t.h5")
    assert data["observables"].dims == ("measurement", "point", "layer", "observable")
    assert list(data["unit_fraction"].values) == [1, 0.5] and list(data["layer_position"].values) == [
        "early",
        "deep",
    ]
    frame = data[["observables"]].to_dataframe()
    assert len(frame) == 2 * 3 * 2 * 4 and {"step", "epoch", "unit_fraction"} <= set(frame.columns)


def test_other_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        lrid.read(tmp_path / "none.h5")
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(lrid.BadInput, match="neither HDF5 nor JSON"):
        lrid.read(tmp_path / "x.txt")
    with h5py.File(tmp_path / "x.h5", "w") as f:
        f.attrs["format"] = "other"
    with pytest.raises(lrid.BadInput, match='format "other"'):
        lrid.read(tmp_path / "x.h5")
