"""Writes one array [time, stimuli, units] in every order of axes, layout and element type: make_layouts.py FILE.

With the word `large`, 2 MB that do not compress, in chunks that are large, or that are far from each other.
"""
import itertools
import sys

import h5py
import numpy as np

if "large" in sys.argv:
    values = np.random.default_rng(0).normal(size=(40, 100, 64))
    layouts = {name: {"chunks": chunks, "compression": "gzip"} for name, chunks in
               (("whole", (40, 100, 64)), ("stimuli", (40, 10, 64)), ("units", (40, 100, 1)), ("odd", (17, 19, 23)))}
    kinds = ("<f8",)
else:
    time, stimuli, units = np.ogrid[:5, :7, :11]
    values = 100 * (10 * time + stimuli) + 2 * units
    layouts = {"contiguous": {}, "small": {"chunks": (2, 3, 2)}, "points": {"chunks": (5, 1, 1), "compression": "gzip"},
               "whole": {"chunks": (5, 7, 11), "compression": "gzip", "shuffle": True}}
    kinds = ("<f4", ">f4", "<f8", "<i2")
with h5py.File(sys.argv[1], "w") as file:
    file.attrs["format"] = "lrid-recording"
    for order in itertools.permutations(range(3)):
        axes = ",".join(("time", "stimuli", "units")[axis] for axis in order)
        for layout, keywords in layouts.items():
            for kind in kinds:
                name = f"{axes} {layout} {kind}"
                chosen = dict(keywords)
                if "chunks" in chosen:
                    chosen["chunks"] = tuple(chosen["chunks"][axis] for axis in order)
                scale = 2.0 if kind == "<i2" else 1.0
                group = file.create_group(f"layers/{name}")
                group.attrs["name"] = name
                data = group.create_dataset("activations", data=(values / scale).transpose(order).astype(kind), **chosen)
                data.attrs["axes"] = axes
                if kind == "<i2":
                    data.attrs["scale"] = scale
