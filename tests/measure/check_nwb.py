"""Compares what was imported from the files of make_nwb.py with what should be: check_nwb.py FOLDER NAME."""
import sys
from pathlib import Path

import h5py
import numpy as np

folder, name = Path(sys.argv[1]), sys.argv[2]
expected = np.load(folder / f"{name}.npz")
problems = []
with h5py.File(folder / f"{name}.h5") as file:
    groups = sorted(file["layers"].values(), key=lambda group: group.attrs["order"])
    if [group.attrs["name"] for group in groups] != list(expected["layers"]):
        problems.append(f"layers {[group.attrs['name'] for group in groups]}, expected {list(expected['layers'])}")
    for i, group in enumerate(groups):
        found, wanted = group["activations"][:], expected[f"layer_{i}"]
        if found.shape != wanted.shape:
            problems.append(f"{group.attrs['name']}: shape {found.shape}, expected {wanted.shape}")
        elif not np.allclose(found, wanted, rtol=1e-12, atol=1e-12, equal_nan=True):
            problems.append(f"{group.attrs['name']}: off by {np.nanmax(np.abs(found - wanted))}")
    stimuli = list(file["stimulus_names"].asstr()[:]) if "stimulus_names" in file else []
    if stimuli != list(expected["stimuli"]):
        problems.append(f"stimuli {stimuli}, expected {list(expected['stimuli'])}")
print("\n".join(problems))
sys.exit(1 if problems else 0)
