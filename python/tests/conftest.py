"""What several tests need. The package under test is the installed one, not the folder beside this one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import lrid
from lrid._programs import run

ROOT = Path(__file__).resolve().parents[2]
RULES = ["adam", "fa", "ia", "sgdm"]


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    if os.environ.get("LRID_TEST_INSTALLED"):
        assert Path(lrid.__file__).is_relative_to(sys.prefix), (
            f"tests of {lrid.__file__}, expected the installed package"
        )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def recording(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Two layers without weights at ten points."""
    layers = {name: rng.gamma(2, size=(10, 20, units)) for name, units in (("V1", 30), ("LM", 20))}
    return lrid.write_recording(tmp_path / "mouse.h5", layers, positions={"V1": "early", "LM": "deep"})


@pytest.fixture(scope="session")
def observable_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("names")
    lrid.write_recording(folder / "r.h5", {"a": np.ones((2, 2, 2))})
    run("lrid-observe", "recording", folder / "r.h5", "--out", folder / "o.h5")
    return list(lrid.read(folder / "o.h5")["observable"].values)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory, observable_names: list[str]) -> Path:
    """24 networks of 3 layers, whose rules differ in the growth of everything."""
    path = tmp_path_factory.mktemp("dataset") / "dataset.h5"
    generator = np.random.default_rng(1)
    rows = [(rule, i, layer) for rule in range(4) for i in range(6) for layer in range(3)]
    ramp = np.linspace(0, 1, 10)[:, None]
    text = h5py.string_dtype()
    with h5py.File(path, "w") as f:
        f.attrs["format"], f.attrs["format_version"] = "lrid-dataset", 1
        x = [
            1
            + (rule + generator.normal(0, 0.3)) * ramp
            + generator.normal(0, 0.05, (10, len(observable_names)))
            for rule, _, _ in rows
        ]
        f["X"] = np.array(x, dtype="f4")
        f["observable_names"] = np.array(observable_names, dtype=text)
        meta = f.create_group("meta")
        for name, value in (("architecture", "KNet4"), ("task", "cifar10"), ("dataset", "synthetic")):
            meta[name] = np.array([value] * len(rows), dtype=text)
        meta["learning_rule"] = np.array([RULES[rule] for rule, _, _ in rows], dtype=text)
        meta["network"] = np.array([f"{RULES[rule]}{i}" for rule, i, _ in rows], dtype=text)
        meta["layer"] = np.array([f"conv{layer}" for _, _, layer in rows], dtype=text)
        meta["layer_position"] = np.array([layer for _, _, layer in rows], dtype="u1")
        for name in ("batch_size", "model_seed", "dataset_seed"):
            meta[name] = np.full(len(rows), 32, dtype="i8")
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    """A small forest that uses activations only."""
    path = tmp_path_factory.mktemp("model") / "model.h5"
    run(
        "lrid-classify",
        "fit",
        "--config",
        ROOT / "configs/classify/fit.toml",
        "--data",
        dataset,
        "--out",
        path,
        *(
            word
            for key in ('classifiers=["forest"]', "forest.trees=[20]", 'features.measures=["activation"]')
            for word in ("--set", key)
        ),
    )
    return path
