"""Reads with h5py what the tests wrote, and says what is not as expected: read_back.py WHAT FILE."""
import sys

import h5py
import numpy as np

problems = []


def expect(condition, message):
    if not condition:
        problems.append(message)


def check_strings(dataset, values):
    info = h5py.check_string_dtype(dataset.dtype)
    expect(info is not None and info.encoding == "utf-8" and info.length is None,
           f"{dataset.name}: not UTF-8 of variable length")
    expect(list(dataset.asstr()[:]) == values, f"{dataset.name}: {list(dataset.asstr()[:])}")


def check_filters(file):
    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            expect(item.compression in (None, "gzip"), f"{name}: filter {item.compression}")
            expect(not item.fletcher32 and item.scaleoffset is None, f"{name}: unexpected filters")
            expect(item.dtype.byteorder in "=<|", f"{name}: not little-endian")
    file.visititems(visit)


def dataset(file):
    x = np.arange(2 * 3 * 4, dtype="<f4").reshape(2, 3, 4)
    expect(file.attrs["format"] == "lrid-dataset" and file.attrs["format_version"] == 1, "format")
    expect(file["X"].dtype == "<f4" and np.array_equal(file["X"][:], x), "X")
    check_strings(file["observable_names"], ["a", "b", "c", "é"])
    check_strings(file["meta/layer"], ["conv1", "fc4"])
    expect(file["meta/layer_position"].dtype == "u1" and list(file["meta/layer_position"]) == [0, 2], "position")
    expect(file["meta/model_seed"].dtype == "<i8" and list(file["meta/model_seed"]) == [-1, 2**62], "model_seed")
    expect(np.isnan(file["meta/final_accuracy"][1]), "final_accuracy")


def trajectory(file):
    expect(file.attrs["format"] == "lrid-trajectory" and file.attrs["model_seed_drawn"] == 1, "attributes")
    expect(file.attrs["model_seed"] == 2**63 - 1 and file.attrs["status"] == "complete", "attributes")
    expect(file["observables"].shape == (2, 3, 45) and file["observables"][1, 2, 44] == 269.0, "observables")
    expect(file["step"].dtype == "<i8" and file["epoch"].dtype == "<f8", "types")
    expect(file["metrics/train_loss"].shape == (2,), "metrics")
    expect(np.isnan(file["alignment/error_angle"][0, 0]), "alignment")
    expect(file["imperfect/observables"].shape == (2, 2, 3, 45), "imperfect")
    expect(file["checkpoints/1/block/conv1/weight"].shape == (2, 3), "checkpoint")
    expect(file["checkpoints/1/scale"].shape == (), "scalar checkpoint")


with h5py.File(sys.argv[2]) as opened:
    check_filters(opened)
    {"dataset": dataset, "trajectory": trajectory}[sys.argv[1]](opened)
print("\n".join(problems))
sys.exit(1 if problems else 0)
