"""Writes datasets [4, 8] of which each chunk but one holds what it should: make_short_chunks.py FILE."""
import sys
import zlib

import h5py
import numpy as np

row = np.arange(8, dtype="<f4").tobytes()
with h5py.File(sys.argv[1], "w") as file:
    for name, place, stored, mask in (("good", 1, zlib.compress(row), 0), ("short", 2, zlib.compress(row[4:]), 0),
                                      ("long", 3, zlib.compress(row + b"1234"), 0), ("cut", 3, zlib.compress(row)[:-6], 0),
                                      ("unfiltered", 1, row[:28], 1)):
        data = file.create_dataset(name, shape=(4, 8), dtype="<f4", chunks=(1, 8), compression="gzip")
        for point in range(4):
            data.id.write_direct_chunk((point, 0), zlib.compress(row))
        data.id.write_direct_chunk((place, 0), stored, mask)
