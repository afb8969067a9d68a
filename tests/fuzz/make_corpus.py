"""Writes the smallest good file of every kind, what fuzzing starts from: make_corpus.py FOLDER."""
import json
import sys
from pathlib import Path

import h5py
import numpy as np

folder = Path(sys.argv[1])
TEXT = h5py.string_dtype()


def create(name, file_format, **attributes):
    file = h5py.File(folder / f"{name}.h5", "w")
    file.attrs["format"] = file_format
    file.attrs["format_version"] = 1
    for key, value in attributes.items():
        file.attrs[key] = value
    return file


def texts(group, name, values):
    group.create_dataset(name, data=values, dtype=TEXT)


with create("trajectory", "lrid-trajectory", architecture="a", task="t", dataset="d", learning_rule="r", batch_size=1,
            model_seed=1, dataset_seed=2, model_seed_drawn=1, dataset_seed_drawn=0, epochs=1.0, status="complete",
            config="", software="", probe_size=1, probe_checksum="", layer_change_kernel="forward") as file:
    file.create_dataset("observables", data=np.ones((2, 1, 2), "f4"), compression="gzip", shuffle=True)
    texts(file, "observable_names", ["actraw_mean", "b"])
    texts(file, "layers", ["conv1"])
    file["layer_position"] = np.zeros(1, "u1")
    file["step"] = np.arange(2)
    file["epoch"] = np.arange(2.0)
    file["metrics/validation_accuracy"] = np.arange(2.0)
    for name in ("weight_angle", "error_angle", "norm_ratio"):
        file[f"alignment/{name}"] = np.ones((2, 1), "f4")
    file["imperfect/unit_fraction"] = np.ones(1)
    file["imperfect/noise"] = np.ones(1)
    file["imperfect/observables"] = np.ones((1, 2, 1, 2), "f4")
    file["checkpoints/1/conv1/weight"] = np.ones((1, 2), "f4")

with create("dataset", "lrid-dataset") as file:
    file["X"] = np.ones((2, 2, 1), "f4")
    texts(file, "observable_names", ["actraw_mean"])
    for name in ("architecture", "task", "dataset", "learning_rule", "layer", "network"):
        texts(file, f"meta/{name}", ["a", "b"])
    file["meta/layer_position"] = np.zeros(2, "u1")
    for name in ("batch_size", "model_seed", "dataset_seed"):
        file[f"meta/{name}"] = np.ones(2, "i8")
    for name in ("noise", "unit_fraction", "final_accuracy"):
        file[f"meta/{name}"] = np.ones(2)

with create("observables", "lrid-observables", unit_fraction=1.0, noise=0.0, seed=0, software="") as file:
    file["observables"] = np.ones((2, 1, 2), "f4")
    texts(file, "observable_names", ["actraw_mean", "b"])
    texts(file, "layers", ["V1"])

with create("recording", "lrid-recording") as file:
    group = file.create_group("layers/a")
    group.attrs["name"] = "V1"
    group.attrs["order"] = 1
    group.create_dataset("activations", data=np.ones((3, 2, 2), "i2"), chunks=(2, 1, 2), compression="gzip")
    group["activations"].attrs["axes"] = "units,stimuli,time"
    group["activations"].attrs["scale"] = 0.5
    group["weights"] = np.ones((2, 3), "f4")
    group["layer_change"] = np.ones((2, 2))

with h5py.File(folder / "nwb.h5", "w") as file:
    file.attrs["nwb_version"] = "2.7.0"
    file["identifier"] = "x"
    series = file.create_group("acquisition/s")
    series.attrs["neurodata_type"] = "RoiResponseSeries"
    series["data"] = np.ones((40, 2), "i2")
    series["data"].attrs["conversion"] = 0.5
    series["starting_time"] = 0.0
    series["starting_time"].attrs["rate"] = 10.0
    file["rois/id"] = np.arange(2)
    file["rois/imaging_plane/location"] = "V1"
    series["rois"] = np.arange(2)
    series["rois"].attrs["table"] = file["rois"].ref
    file["acquisition/e/data"] = np.ones((4, 2), "f4")
    file["acquisition/e/timestamps"] = np.arange(4.0)
    file["acquisition/e/electrodes"] = np.arange(2)
    file["acquisition/e/channel_conversion"] = np.ones(2)
    file["electrodes/id"] = np.arange(2)
    texts(file, "electrodes/location", ["a", "b"])
    file["acquisition/e/electrodes"].attrs["table"] = file["electrodes"].ref
    file["intervals/trials/id"] = np.arange(4)
    file["intervals/trials/start_time"] = np.arange(4) * 0.5
    texts(file, "intervals/trials/stimulus", ["a", "b", "b", "a"])
    file["units/id"] = np.arange(2)
    file["units/spike_times"] = np.arange(6) * 0.3
    file["units/spike_times_index"] = np.array([2, 6], "u1")
    file["units/obs_intervals"] = np.array([[0, 1.0], [0, 9]])
    file["units/obs_intervals_index"] = np.array([1, 2])
    file["units/electrode_group"] = np.array([file["electrodes"].ref] * 2, dtype=h5py.ref_dtype)

figure = {"mean": 0.5, "sem": None, "splits": [0.5, None]}
(folder / "results.json").write_text(json.dumps({
    "format": "lrid-results", "format_version": 1, "experiment": "main", "dataset": {"path": "", "sha256": ""}, "config": "",
    "software": "", "seconds": 1.0, "notes": ["n"],
    "trajectories": [{"observable": "a", "labels": ["x"], "mean": [[1.0]], "sem": [[0.0]]}],
    "rows": [{"classifier": "svm", "condition": {"split": "sample", "position": 0, "noise": 0.1, "matched": True},
              "accuracy": figure, "confusion": [[[1, 0], [0, 1]]], "labels": ["x", "y"], "dprime": [[1, 2]],
              "balanced_accuracy": [[1, 2]], "hyperparameters": [{"C": 1}], "importances": {"a": 1}, "n_train": 1,
              "extra": {"e": figure}}]}))
