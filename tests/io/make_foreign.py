"""Writes types and links that lrid does not write itself: make_foreign.py FOLDER."""
import sys
from pathlib import Path

import h5py
import numpy as np

folder = Path(sys.argv[1])
with h5py.File(folder / "b.h5", "w") as file:
    file["deep/data"] = np.arange(3)
    file["deep/back"] = h5py.ExternalLink("a.h5", "/")
    file["deep/up"] = h5py.SoftLink("/")
with h5py.File(folder / "a.h5", "w") as file:
    file["float32"] = np.array([0.1, 45, np.nan, 1e-20, -np.inf], "f4")
    file["float64"] = np.array([0.1, 1 / 3])
    file["uint64"] = np.array([2**64 - 1, 7], "u8")
    file["int8"] = np.array([-3], "i1")
    file["bool"] = np.array([True, False])
    file.create_dataset("enum", data=np.array([9, -2, 4], "i2"), dtype=h5py.enum_dtype({"low": -2, "high": 9}, "i2"))
    file["large"] = np.array([1, 300])
    file.attrs["float32"], file.attrs["bool"], file.attrs["uint64"] = np.float32(0.1), True, np.uint64(2**64 - 1)
    file.attrs["list"] = [1, 2]
    file["group/inner/x"] = 1
    file["group/again"] = file["group/inner"]
    file["soft"] = h5py.SoftLink("/group/inner")
    file["out"] = h5py.ExternalLink("b.h5", "/deep")
    file["nowhere"] = h5py.SoftLink("/no/such")
    file["gone"] = h5py.ExternalLink("c.h5", "/x")
# Chunks behind a user block: their addresses count from its end, or from the file's beginning.
for libver in ("earliest", "v110"):
    with h5py.File(folder / f"block_{libver}.h5", "w", userblock_size=2048, libver=libver) as file:
        values = np.arange(60000, dtype="f4").reshape(300, 200)
        file.create_dataset("gzip", data=values, chunks=(64, 32), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("plain", data=values, chunks=(64, 32))
        file["contiguous"] = values
        file.create_dataset("texts", data=[f"text {i}" for i in range(500)], dtype=h5py.string_dtype(), chunks=(64,), compression="gzip")
        file.attrs["text"] = "of variable length"
print(h5py.version.hdf5_version)
