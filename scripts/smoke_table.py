"""Prints a line for each trajectory file of the given folders: architecture, task, learning rule, seconds, status,
how many of its values are finite, how many observables it has. Exit code 1 if one is not as it should be.

    smoke_table.py DIR...
"""

import sys
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np

# Of the 45, skew and kurtosis have no value where a layer's output is constant.
MAY_BE_NAN = ("skew", "kurtosis")


def seconds(trajectory):
    """From the lines of the log that say when the run started and when it was complete."""
    times = [datetime.fromisoformat(line.split()[0].rstrip("Z")) for line in trajectory.with_suffix(".log").open()]
    return (max(times) - min(times)).total_seconds()


def main():
    files = sorted(file for folder in sys.argv[1:] for file in Path(folder).glob("*.h5"))
    bad = 0
    print(f"{'architecture':12} {'task':9} {'rule':5} {'s':>5}  {'status':9} finite  observables")
    for path in files:
        with h5py.File(path) as file:
            attributes = file.attrs
            names = [name.decode() for name in file["observable_names"][:]]
            values = file["observables"][:]
            checked = [i for i, name in enumerate(names) if not name.endswith(MAY_BE_NAN)]
            finite = bool(np.isfinite(values[:, :, checked]).all())
            good = attributes["status"] == "complete" and finite and len(names) == 45 and values.shape[0] == 2
            bad += not good
            print(
                f"{attributes['architecture']:12} {attributes['task']:9} {attributes['learning_rule']:5} "
                f"{seconds(path):5.0f}  {attributes['status']:9} {'yes' if finite else 'NO':6}  {len(names)}"
                + ("" if good else "   <-")
            )
    print(f"{len(files)} networks, {bad} not as they should be")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
