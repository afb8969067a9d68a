"""python -m lrid convert lr-identify: the study's published pickle, made to its description."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import pickletools
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lrid
from lrid.__main__ import main
from lrid._programs import run

NAMES = ["weightabs_median", "actraw_mean"]
FIELDS = [
    ("model", "U12"),
    ("task", "U10"),
    ("layer_name", "U8"),
    ("batch_size", "i8"),
    ("model_seed", "U4"),
    ("dataset_seed", "U4"),
]


def content(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    rows = [
        ("KNet4", "cifar10", f"conv{layer}", 128, seed, "0") for seed in ("none", "0") for layer in range(3)
    ]
    rows = rows * 2
    data = {
        "X": rng.normal(size=(12, 21, 2)),
        "Y": np.array(["SGDM"] * 6 + ["Adam"] * 6),
        "obs_keys": np.array(NAMES),
        "meta": np.array(rows, dtype=FIELDS).view(np.recarray),
        "X_cat": np.repeat(np.eye(3)[np.arange(12) % 3][:, None], 21, axis=1),
    }
    data.update(changes)
    return {key: value for key, value in data.items() if value is not None}


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def convert(folder: Path, data: Any, *options: str, protocol: int = 2) -> Done:
    """Runs the command line in this process."""
    path = folder / "dataset.pkl"
    path.write_bytes(data if isinstance(data, bytes) else pickle.dumps(data, protocol=protocol))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["convert", "lr-identify", str(path), str(folder / "out.h5"), *options])
    return Done(code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_becomes_a_dataset_that_the_programs_read(tmp_path: Path, protocol: int) -> None:
    data = content()
    done = convert(tmp_path, data, protocol=protocol)
    assert done.returncode == 0, done.stderr
    assert "architecture from model" in done.stdout
    dataset = lrid.read(tmp_path / "out.h5")
    np.testing.assert_array_equal(dataset["X"], data["X"].astype("f4"))
    assert list(dataset["observable"].values) == NAMES
    assert list(dataset["learning_rule"].values) == ["sgdm"] * 6 + ["adam"] * 6
    assert list(dataset["layer_position"].values[:3]) == ["early", "middle", "deep"]
    assert list(dataset["model_seed"].values[:6]) == [-1] * 3 + [0] * 3
    assert len(set(dataset["network"].values)) == 4
    assert "12" in run("lrid-observe", "show", tmp_path / "out.h5")


def test_pickles_of_python_2(tmp_path: Path) -> None:
    # As Python 2 writes them: text as bytes without an encoding (STRING and SHORT_BINSTRING), NumPy's old names.
    for protocol in (0, 2):
        data = content()
        data["Y"] = np.array(data["Y"], dtype="S")
        data["obs_keys"] = np.array(NAMES, dtype="S")
        data["meta"] = np.array(
            [tuple(v.encode() if isinstance(v, str) else v for v in row) for row in data["meta"].tolist()],
            dtype=[(name, kind.replace("U", "S")) for name, kind in FIELDS],
        )
        raw = pickle.dumps(data, protocol=protocol, fix_imports=True).replace(b"numpy._core", b"numpy.core")
        raw = python_2_strings(raw, protocol)
        done = convert(tmp_path, raw)
        assert done.returncode == 0, done.stderr
        dataset = lrid.read(tmp_path / "out.h5")
        assert list(dataset["learning_rule"].values) == ["sgdm"] * 6 + ["adam"] * 6
        np.testing.assert_array_equal(dataset["X"], data["X"].astype("f4"))


def python_2_strings(raw: bytes, protocol: int) -> bytes:
    """Writes text as Python 2 does: strings without an encoding."""
    operations = list(pickletools.genops(raw))
    ends = [position for _, _, position in operations[1:]] + [len(raw)]
    result = b""
    for (operation, argument, position), end in zip(operations, ends, strict=True):
        if operation.name in ("BINUNICODE", "UNICODE") and argument.isascii():
            text = argument.encode()
            if protocol == 0:
                result += b"S" + repr(argument).encode() + b"\n"
            else:
                result += b"T" + len(text).to_bytes(4, "little") + text
        else:
            result += raw[position:end]
    return result


def test_fields_of_other_names_are_given(tmp_path: Path) -> None:
    meta = np.array(
        [(f"net{i // 3}", f"conv{i % 3}") for i in range(12)], dtype=[("nn", "U8"), ("where", "U8")]
    )
    data = content(meta=meta.view(np.recarray))
    refused = convert(tmp_path, data)
    assert refused.returncode == 2
    assert "--field architecture=FIELD with one of nn, where" in refused.stderr
    assert not (tmp_path / "out.h5").exists()
    done = convert(tmp_path, data, "--field", "architecture=nn", "--field", "layer=where")
    assert done.returncode == 0, done.stderr
    assert set(lrid.read(tmp_path / "out.h5")["batch_size"].values) == {-1}


def test_networks_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    meta = np.array([("KNet4", f"conv{i % 3}") for i in range(12)], dtype=[("model", "U8"), ("layer", "U8")])
    done = convert(tmp_path, content(meta=meta))
    assert done.returncode == 2 and "can't be told apart" in done.stderr


def test_numbered_labels_need_names(tmp_path: Path) -> None:
    data = content(Y=np.arange(12) // 6)
    refused = convert(tmp_path, data)
    assert refused.returncode == 2 and "--label 0=sgdm" in refused.stderr
    done = convert(tmp_path, data, "--label", "0=sgdm", "--label", "1=adam")
    assert done.returncode == 0, done.stderr
    assert list(lrid.read(tmp_path / "out.h5")["learning_rule"].values) == ["sgdm"] * 6 + ["adam"] * 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(X=None), "lacks X"),
        (dict(X=np.ones((12, 21))), "X has shape [12, 21]"),
        (dict(Y=np.array(["SGDM"] * 5)), "Y is of 5 samples"),
        (dict(obs_keys=np.array(["a", "a"])), "name an observable twice"),
        (dict(meta=np.zeros(12)), "expected a record array"),
        (dict(X_cat=np.ones((12, 21, 3))), "X_cat has shape"),
        (dict(X_cat=None), "--field layer_position=FIELD"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    done = convert(tmp_path, content(**changes))
    assert done.returncode == 2 and message in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert not (tmp_path / "out.h5").exists()


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def test_nothing_in_a_pickle_is_run(tmp_path: Path) -> None:
    for data in (Evil(tmp_path / "ran"), {"X": Evil(tmp_path / "ran")}):
        done = convert(tmp_path, data)
        assert done.returncode == 2 and "expected NumPy's arrays, numbers and text only" in done.stderr
        assert not (tmp_path / "ran").exists()
    for raw in (
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\nfromfile\n.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"c_codecs\nencode\n(S'x'\nS'hex'\ntR.",
        b"",
        b"\x80\x05garbage",
        b"not a pickle",
    ):
        done = convert(tmp_path, raw)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, raw


def test_bad_options(tmp_path: Path) -> None:
    assert "expected NAME=VALUE" in convert(tmp_path, content(), "--field", "x").stderr
    assert "expected one of architecture" in convert(tmp_path, content(), "--field", "colour=model").stderr
    missing = subprocess.run(
        [sys.executable, "-m", "lrid", "convert", "lr-identify", str(tmp_path / "no.pkl"), "o.h5"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert missing.returncode == 2 and "no such file" in missing.stderr
