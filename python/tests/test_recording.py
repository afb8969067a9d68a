"""write_recording, and the file that grows point by point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import lrid
from lrid._programs import run
from lrid._recording import PointWriter, append, create_growing, create_layer, positions_by_depth


def test_what_is_written_is_read_by_the_programs(tmp_path: Path, rng: np.random.Generator) -> None:
    v1 = rng.normal(size=(4, 6, 8)).astype(np.float32)
    weights = rng.normal(size=(4, 3, 2))
    change = rng.normal(size=(4, 6))
    path = lrid.write_recording(
        tmp_path / "r.h5",
        {"V1": v1, "LM": rng.normal(size=(4, 6, 2, 5))},
        weights={"V1": weights},
        layer_change={"V1": change},
        positions={"V1": 0.25},
    )
    run("lrid-observe", "recording", path, "--out", tmp_path / "o.h5")
    values = lrid.read(tmp_path / "o.h5")["observables"]
    assert list(values["layer"].values) == ["V1", "LM"]
    at = values.sel(layer="V1")
    np.testing.assert_allclose(at.sel(observable="actraw_mean"), v1.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(
        at.sel(observable="weightraw_norm"), np.sqrt((weights**2).sum(axis=(1, 2))), rtol=1e-5
    )
    np.testing.assert_allclose(at.sel(observable="gradavgsq_id"), (change**2).mean(axis=1), rtol=1e-5)
    assert np.isnan(values.sel(layer="LM", observable="weightraw_norm")).all()
    with h5py.File(path) as f:
        assert f["layers/0000"].attrs["position"] == 0.25
        assert f["layers/0001/activations"].shape == (4, 6, 10)


def test_equal_arrays_give_equal_bytes(tmp_path: Path) -> None:
    files = [lrid.write_recording(tmp_path / name, {"a": np.ones((2, 3, 4))}) for name in ("x.h5", "y.h5")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(layers={}), "layers: is empty"),
        (
            dict(layers={"a": np.ones((2, 3))}),
            "activations: a: has shape [2, 3], expected [points, stimuli, units]",
        ),
        (dict(layers={"a": np.ones((2, 0, 3))}), "is empty"),
        (dict(layers={"a": np.array([[["x"]]])}), "expected real numbers"),
        (dict(layers={"a": np.ones((2, 3, 4), dtype=complex)}), "expected real numbers"),
        (dict(layers={"": np.ones((2, 3, 4))}), "expected a layer's name"),
        (dict(layers={"a": np.ones((2, 3, 4)), "b": np.ones((3, 3, 4))}), "numbers of points differ"),
        (dict(layers={"a": np.ones((2, 3, 4))}, weights={"a": np.ones((3, 3))}), "numbers of points differ"),
        (dict(layers={"a": np.ones((2, 3, 4))}, layer_change={"a": np.ones((2, 5))}), "is of 5 stimuli"),
        (dict(layers={"a": np.ones((2, 3, 4))}, positions={"b": "early"}), "positions: b: no such layer"),
        (dict(layers={"a": np.ones((2, 3, 4))}, positions={"a": 2}), "from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    tmp_path: Path, arguments: dict, message: str
) -> None:
    with pytest.raises(lrid.BadInput) as caught:
        lrid.write_recording(tmp_path / "r.h5", **arguments)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    with pytest.raises(lrid.BadInput, match="is a folder"):
        lrid.write_recording(tmp_path, {"a": np.ones((2, 3, 4))})


def test_half_precision_and_integers_are_widened(tmp_path: Path) -> None:
    path = lrid.write_recording(
        tmp_path / "r.h5", {"half": np.ones((2, 3, 4), np.float16), "int": np.ones((2, 3, 4), int)}
    )
    with h5py.File(path) as f:
        assert [f[f"layers/{i:04}/activations"].dtype for i in range(2)] == [np.float32, np.float64]


def test_layers_are_early_middle_deep_by_thirds() -> None:
    assert positions_by_depth(1) == ["deep"]
    assert positions_by_depth(2) == ["deep", "deep"]
    assert positions_by_depth(5) == ["early", "middle", "deep", "deep", "deep"]


def grow(writer: PointWriter, values: np.ndarray) -> None:
    with writer.point() as file:
        if writer.points == 0:
            group = create_layer(file, 0, "a", None)
            create_growing(group, "activations", values.shape, values.dtype)
        data = file["layers/0000/activations"]
        data.resize(writer.points + 1, axis=0)
        append(data, writer.points, 0, values[:3])
        append(data, writer.points, 3, values[3:])


def test_a_growing_file_holds_all_points_after_each(tmp_path: Path, rng: np.random.Generator) -> None:
    path, points = tmp_path / "r.h5", rng.normal(size=(5, 7, 400_000 // 7)).astype(np.float32)
    writer = PointWriter(path)
    for t, values in enumerate(points):
        grow(writer, values)
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file["layers/0000/activations"], points[: t + 1])
    writer.close()
    assert [p.name for p in tmp_path.iterdir()] == ["r.h5"]
    grow(writer, points[0])  # goes on after close
    with h5py.File(path) as file:
        assert len(file["layers/0000/activations"]) == 6


def test_a_point_that_fails_leaves_the_points_before(tmp_path: Path, rng: np.random.Generator) -> None:
    path, values = tmp_path / "r.h5", rng.normal(size=(7, 5))
    writer = PointWriter(path)
    grow(writer, values)
    grow(writer, values)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), writer.point() as file:
        file["layers/0000/activations"].resize(3, axis=0)
        raise ZeroDivisionError
    assert path.read_bytes() == before and writer.points == 2
    grow(writer, 2 * values)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["layers/0000/activations"][2], 2 * values)


def test_a_killed_process_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "r.h5"
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); import numpy as np; from lrid._recording import PointWriter\n"
        "from test_recording import grow\n"
        "writer = PointWriter(sys.argv[1])\n"
        "while True: grow(writer, np.full((7, 2000), writer.points, 'f4'))"
    )
    for pause in (0.01, 0.05, 0.15):
        process = subprocess.Popen(
            [sys.executable, "-c", code, path, str(Path(__file__).parent)], cwd=tmp_path
        )
        while not path.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with h5py.File(path) as file:
            data = file["layers/0000/activations"][...]
        assert len(data) > 0
        np.testing.assert_array_equal(data, np.broadcast_to(np.arange(len(data))[:, None, None], data.shape))
        path.unlink()
