"""Compares what was imported from NWB files with what should be: check_nwb.py FOLDER NAME...

NAME.h5 is the recording, NAME.npz what numpy computed (make_nwb.py, make_nwb_oddities.py)."""
import sys
from pathlib import Path

import h5py
import numpy as np

folder = Path(sys.argv[1])
problems = []


def check(name):
    expected = np.load(folder / f"{name}.npz")
    with h5py.File(folder / f"{name}.h5") as file:
        groups = sorted(file["layers"].values(), key=lambda group: group.attrs["order"])
        if [group.attrs["name"] for group in groups] != list(expected["layers"]):
            problems.append(f"{name}: layers {[group.attrs['name'] for group in groups]}, expected {list(expected['layers'])}")
        for i, group in enumerate(groups):
            found, wanted = group["activations"][:], expected[f"layer_{i}"]
            if found.shape != wanted.shape:
                problems.append(f"{name}: {group.attrs['name']}: shape {found.shape}, expected {wanted.shape}")
            elif not np.allclose(found, wanted, rtol=1e-12, atol=1e-12, equal_nan=True):
                problems.append(f"{name}: {group.attrs['name']}: off by {np.nanmax(np.abs(found - wanted))}")
        stimuli = list(file["stimulus_names"].asstr()[:]) if "stimulus_names" in file else []
        if stimuli != list(expected["stimuli"]):
            problems.append(f"{name}: stimuli {stimuli}, expected {list(expected['stimuli'])}")


for name in sys.argv[2:]:
    check(name)
print("\n".join(problems))
sys.exit(1 if problems else 0)
