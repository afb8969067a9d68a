"""Writes files whose data lie in others: make_linked.py FOLDER."""
import os
import sys
from pathlib import Path

import h5py
import numpy as np

folder = Path(sys.argv[1])
os.chdir(folder)  # HDF5 looks for external storage from here
rng = np.random.default_rng(5)


def add_series(group, **storage):
    data = group.create_dataset("data", (300, 3), "f8", **storage)
    data[:] = rng.normal(size=(300, 3))
    group["starting_time"] = 0.0
    group["starting_time"].attrs["rate"] = 10.0


def add_trials(file):
    file.attrs["nwb_version"] = "2.7.0"
    trials = file.create_group("intervals/trials")
    trials["id"], trials["start_time"], trials["stop_time"] = np.arange(12), 1.0 + np.arange(12), 1.5 + np.arange(12)


with h5py.File("other.nwb", "w") as file:
    file.attrs["nwb_version"] = "2.7.0"
    add_series(file.create_group("acquisition/series"))
with h5py.File("linked.nwb", "w") as file:
    add_trials(file)
    file["acquisition/link"] = h5py.ExternalLink("other.nwb", "/acquisition")
    add_series(file.create_group("acquisition/stored"), external=[("raw.bin", 0, 7200)])

with h5py.File("recording.h5", "w") as file:
    layer = file.create_group("layers/0")
    layer.attrs["name"] = "V1"
    layer["activations"] = rng.normal(size=(3, 8, 5))
with h5py.File("linked.h5", "w") as file:
    file.attrs["format"] = "lrid-recording"
    file["layers"] = h5py.ExternalLink("recording.h5", "/layers")

with h5py.File("pipes.nwb", "w") as file:
    add_trials(file)
    add_series(file.create_group("acquisition/stored"), external=[("pipe.bin", 0, 7200)])
    file["acquisition/link"] = h5py.ExternalLink("pipe.h5", "/acquisition")
os.remove("pipe.bin")
os.mkfifo("pipe.bin")
os.mkfifo("pipe.h5")
