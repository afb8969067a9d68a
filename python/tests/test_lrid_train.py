"""What the Recorder records of a network in PyTorch is what lrid-train records of the same weights and stimuli."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import lrid
from lrid._programs import run

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional

TRAIN = os.environ.get("LRID_TRAIN", "")
pytestmark = pytest.mark.skipif(not Path(TRAIN).is_file(), reason="LRID_TRAIN names no lrid-train")


class KNet4(nn.Module):
    """docs/architectures.md, "KNet"."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 32, 5, padding=2), nn.BatchNorm2d(32)
        self.conv2, self.norm2 = nn.Conv2d(32, 32, 5, padding=2), nn.BatchNorm2d(32)
        self.conv3, self.norm3 = nn.Conv2d(32, 64, 5, padding=2), nn.BatchNorm2d(64)
        self.fc4 = nn.Linear(64 * 4 * 4, 10)

    def forward(self, x: Any) -> Any:
        x = F.relu(self.norm1(F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True)))
        x = self.norm2(F.avg_pool2d(F.relu(self.conv2(x)), 3, 2, ceil_mode=True))
        x = self.norm3(F.avg_pool2d(F.relu(self.conv3(x)), 3, 2, ceil_mode=True))
        return self.fc4(x.flatten(1))


def load(model: KNet4, checkpoint: h5py.Group) -> None:
    state = model.state_dict()
    for name in ("conv1", "conv2", "conv3", "fc4"):
        for part in ("weight", "bias"):
            state[f"{name}.{part}"] = torch.tensor(checkpoint[f"{name}/{part}"][...])
    names = {
        "weight": ("scale", "weight"),
        "bias": ("shift", "bias"),
        "running_mean": ("running_mean",),
        "running_var": ("running_var",),
    }
    for i in (1, 2, 3):
        norm = checkpoint[f"conv{i}/bn"]
        for part, theirs in names.items():
            state[f"norm{i}.{part}"] = torch.tensor(norm[next(n for n in theirs if n in norm)][...])
    model.load_state_dict(state)


def cifar10(folder: Path) -> np.ndarray:
    """Images of noise as CIFAR-10's binary files; returns those of the test batch."""
    rng = np.random.default_rng(0)
    images = {}
    for name, count in (("data_batch_1", 64), ("test_batch", 24)):
        coarse = rng.integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)
        images[name] = coarse.repeat(4, axis=2).repeat(4, axis=3)
        labels = (np.arange(count) % 10).astype(np.uint8)[:, None]
        (folder / f"{name}.bin").write_bytes(np.hstack([labels, images[name].reshape(count, -1)]).tobytes())
    return images["test_batch"]


def test_a_knet4_checkpoint_agrees(tmp_path: Path) -> None:
    probe = cifar10(tmp_path)
    settings = [
        "architecture=KNet4",
        "learning_rule=sgdm",
        "batch_size=8",
        "epochs=4",
        "points=3",
        "probe.size=24",
        "data.folder=.",
        "data.normalize=none",
        "optimizer.learning_rate=0.05",
        "schedule.warmup=0",
        "checkpoint.keep=true",
        "compute.device=cpu",
        "validation.samples=24",
    ]
    config = Path(__file__).resolve().parents[2] / "configs/train/base.toml"
    subprocess.run(
        [
            TRAIN,
            "run",
            "--config",
            config,
            "--data-dir",
            tmp_path,
            "--out",
            tmp_path / "run.h5",
            "--quiet",
            *(word for key in settings for word in ("--set", key)),
        ],
        check=True,
    )
    torch.set_num_threads(1)
    model = KNet4()
    with (
        lrid.Recorder(model, torch.tensor(probe.astype("f4")), tmp_path / "mine.h5") as recorder,
        h5py.File(tmp_path / "run.h5") as file,
    ):
        for t in range(3):
            load(model, file[f"checkpoints/{t}"])
            recorder.point()
    run("lrid-observe", "recording", tmp_path / "mine.h5", "--out", tmp_path / "mine-statistics.h5")

    theirs = lrid.read(tmp_path / "run.h5")
    mine = lrid.read(tmp_path / "mine-statistics.h5")["observables"]
    assert list(mine["layer"].values) == list(theirs["layer"].values) == ["conv1", "conv2", "conv3", "fc4"]
    with h5py.File(tmp_path / "mine.h5") as file:
        positions = [group.attrs["position"] for group in file["layers"].values()]
    assert positions == list(theirs["layer_position"].values)
    names = list(mine["observable"].values)
    a = mine.transpose("point", "layer", "observable").values.astype(float)
    b = (
        theirs["observables"]
        .sel(observable=names)
        .transpose("point", "layer", "observable")
        .values.astype(float)
    )
    # A median, or a mean with a sign, may be a small rest of large values: it counts as a hundredth of their mean size.
    sizes = [names.index(re.sub(r"^(act|weight|gradavg)raw", r"\1abs", name.split("_")[0]) + "_mean")
             if not name.startswith("gradavg") else names.index("gradavgabs_id") for name in names]  # fmt: skip
    error = np.abs(a - b) / np.maximum(np.abs(b), 0.01 * np.abs(b[:, :, sizes]))
    _, layer, name = np.unravel_index(np.nanargmax(error), error.shape)
    print(f"largest relative difference {np.nanmax(error):.1e}: {mine['layer'].values[layer]}, {names[name]}")
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    assert np.nanmax(error) <= 1e-5
