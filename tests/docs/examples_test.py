"""Runs the Python examples of docs/formats.md and docs/recordings.md on files that the programs have just written:
examples_test.py SOURCE_FOLDER BUILD_FOLDER. Exit code 77 (skipped) without h5py."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import h5py
    import numpy as np
except ImportError:
    other = os.environ.get("LRID_PYTHON", str(Path.home() / ".cache/lrid/python/bin/python"))
    if Path(other).exists() and "LRID_PYTHON_TRIED" not in os.environ:
        os.execve(other, [other, *sys.argv], os.environ | {"LRID_PYTHON_TRIED": "1"})
    print("no Python with h5py: set LRID_PYTHON to one")
    sys.exit(77)

source, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()


def program(folder, name, *arguments, out=None):
    result = subprocess.run([build / "bin" / name, *arguments], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, f"{name} {' '.join(map(str, arguments))}: {result.stderr}"
    if out:
        (folder / out).write_text(result.stdout)


def example(folder, page, number, code):
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, f"{page}, example {number}:\n{code}\n{result.stderr}"
    print(f"{page}, example {number}\n{result.stdout}")


def write_dataset(path, names):
    """24 networks of 3 layers, whose rules differ in the mean of everything."""
    rng = np.random.default_rng(1)
    rules, layers = ["adam", "fa", "ia", "sgdm"], ["conv1", "conv2", "fc3"]
    rows = [(rule, f"{rule}{i}", layer) for rule in range(4) for i in range(6) for layer in range(3)]
    with h5py.File(path, "w") as f:
        f.attrs["format"], f.attrs["format_version"] = "lrid-dataset", 1
        f["X"] = np.array([rng.normal(rule, 0.3, (10, len(names))) for rule, _, _ in rows], dtype="f4")
        text = lambda values: np.array(values, dtype=h5py.string_dtype())
        f["observable_names"] = text(names)
        meta = f.create_group("meta")
        for name, value in (("architecture", "KNet4"), ("task", "cifar10"), ("dataset", "synthetic")):
            meta[name] = text([value] * len(rows))
        meta["learning_rule"] = text([rules[rule] for rule, _, _ in rows])
        meta["network"] = text([network for _, network, _ in rows])
        meta["layer"] = text([layers[layer] for _, _, layer in rows])
        meta["layer_position"] = np.array([layer for _, _, layer in rows], dtype="u1")
        for name in ("batch_size", "model_seed", "dataset_seed"):
            meta[name] = np.full(len(rows), 32, dtype="i8")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks = {page: re.findall(r"^```python\n(.*?)^```", (source / "docs" / page).read_text(), re.M | re.S)
                  for page in ("formats.md", "recordings.md")}
        writers = [(page, code) for page, codes in blocks.items() for code in codes if '"w"' in code]
        assert writers, "no example writes a recording"
        for number, (page, code) in enumerate(writers):
            example(folder, page, f"that writes {number}", code)
        program(folder, "lrid-observe", "recording", "recording.h5", "--out", "observables.h5", "--quiet")
        program(folder, "lrid-observe", "export", "observables.h5", out="table.csv")
        with h5py.File(folder / "observables.h5") as f:
            write_dataset(folder / "dataset.h5", f["observable_names"].asstr()[:].tolist())
        settings = ["--set", 'classifiers=["forest"]', "--set", "forest.trees=[20]", "--quiet", "--data", "dataset.h5"]
        program(folder, "lrid-classify", "run", "--config", source / "configs/classify/quickstart.toml", *settings,
                "--set", "splits=2", "--out", "results.json", "--save-splits", "splits.json")
        program(folder, "lrid-classify", "fit", "--config", source / "configs/classify/fit.toml", *settings,
                "--set", 'features.measures=["activation"]', "--out", "model.h5")
        program(folder, "lrid-classify", "predict", "--model", "model.h5", "observables.h5", "--json", out="predictions.json")
        if has_torch := (build / "bin/lrid-train").exists():
            small = ("data.folder=cifar10-sample", "data.training_samples=12", "batch_size=4", "epochs=1", "points=3",
                     "probe.size=4", "validation.samples=4", "compute.device=cpu", "learning_rule=fa")
            program(folder, "lrid-train", "run", "--config", source / "configs/train/base.toml", "--out", "run.h5", "--quiet",
                    "--data-dir", source / "data", *(word for key in small for word in ("--set", key)))
        for page, codes in blocks.items():
            for number, code in enumerate(codes):
                if '"w"' not in code and (has_torch or "run.h5" not in code):
                    example(folder, page, number, code)


if __name__ == "__main__":
    main()
