"""Writes recordings: activity of layers along training, and weights and activity changes where they are known.

docs/formats.md, "Recording file", has every field.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._errors import BadInput

POSITIONS = ("early", "middle", "deep")
_ARRAYS = ("activations", "weights", "layer_change")
_CHUNK_BYTES = 4 << 20


def software() -> str:
    try:
        return f"lrid {version('lrid')} (Python)"
    except PackageNotFoundError:
        return "lrid (Python)"


def positions_by_depth(layers: int) -> list[str]:
    """Returns early, middle or deep for each of n layers in order, by thirds: the first n // 3 are early, as many
    middle, the rest deep (architectures.md, "Layer position")."""
    third = layers // 3
    return [
        POSITIONS[0] if i < third else POSITIONS[1] if i < 2 * third else POSITIONS[2] for i in range(layers)
    ]


def as_floats(name: str, values: ArrayLike) -> NDArray[np.floating[Any]]:
    """Returns real numbers as float32, or float64 where they need it. Anything else is BadInput."""
    array = np.asarray(values)
    kind = array.dtype.kind
    if array.dtype == np.float32 or array.dtype == np.float64:
        return array
    if (
        (kind == "f" and array.dtype.itemsize <= 2)
        or kind == "b"
        or (kind in "iu" and array.dtype.itemsize <= 2)
    ):
        return array.astype(np.float32)
    if kind in "fiu":
        return array.astype(np.float64)
    raise BadInput(f"{name}: is an array of {array.dtype}, expected real numbers")


def check_position(name: str, position: object) -> str | float:
    """Returns a layer's position: early, middle, deep, or its depth from 0 to 1."""
    if isinstance(position, str) and position in POSITIONS:
        return position
    number = isinstance(position, (int, float, np.integer, np.floating)) and not isinstance(position, bool)
    if number and 0 <= position <= 1:  # type: ignore[operator]
        return float(position)  # type: ignore[arg-type]
    raise BadInput(f"positions: {name}: {position!r}: expected early, middle, deep, or a number from 0 to 1")


@dataclass
class Layer:
    """A layer's name, where it stands, and its arrays, each with points along the first dimension."""

    name: str
    position: str | float | None = None
    arrays: dict[str, NDArray[np.floating[Any]]] = field(default_factory=dict)


def write_recording(
    path: str | os.PathLike[str],
    layers: Mapping[str, ArrayLike],
    *,
    positions: Mapping[str, str | float] | None = None,
    weights: Mapping[str, ArrayLike] | None = None,
    layer_change: Mapping[str, ArrayLike] | None = None,
) -> Path:
    """Writes a recording file of arrays from anywhere: NumPy, JAX, TensorFlow, MATLAB's exports.

    Args:
        path: the file to write; it appears whole or not at all.
        layers: activations of each layer, [points, stimuli, units]; more dimensions after the second are units, too.
            NaN where a unit was lost. The order of the mapping is the order of the layers.
        positions: early, middle, deep, or a depth from 0 to 1, of every layer that is named.
        weights: the forward kernel of a layer at each point, [points, ...].
        layer_change: the layer-wise activity change of each stimulus, [points, stimuli].

    Layers may have weights or activity changes only. All arrays have the same number of points; all but the
    activations are optional. Returns the path. Raises BadInput for arrays that do not fit together, OSError where the
    file can't be written.
    """
    given: dict[str, Mapping[str, ArrayLike]] = {
        "activations": layers,
        "weights": weights or {},
        "layer_change": layer_change or {},
    }
    found: dict[str, Layer] = {}
    for what, arrays in given.items():
        for name, values in arrays.items():
            if not isinstance(name, str) or not name:
                raise BadInput(f"{what}: {name!r}: expected a layer's name")
            layer = found.setdefault(name, Layer(name))
            layer.arrays[what] = _checked(what, name, values)
    if not found:
        raise BadInput("layers: is empty, expected the activations of at least one layer")
    for name, position in (positions or {}).items():
        if name not in found:
            raise BadInput(f"positions: {name}: no such layer, expected one of {', '.join(found)}")
        found[name].position = check_position(name, position)

    points = {len(a) for layer in found.values() for a in layer.arrays.values()}
    if len(points) > 1:
        lengths = [
            f"{what} of {n} has {len(a)}" for n, layer in found.items() for what, a in layer.arrays.items()
        ]
        raise BadInput(
            f"layers: numbers of points differ: {', '.join(lengths[:6])}; expected the same of all"
        )
    for layer in found.values():
        activations, change = layer.arrays.get("activations"), layer.arrays.get("layer_change")
        if activations is not None and change is not None and activations.shape[1] != change.shape[1]:
            raise BadInput(
                f"layer_change: {layer.name}: is of {change.shape[1]} stimuli, but the activations are of "
                f"{activations.shape[1]}: expected the same"
            )

    def write(file: h5py.File) -> None:
        for i, layer in enumerate(found.values()):
            group = create_layer(file, i, layer.name, layer.position)
            for what, values in layer.arrays.items():
                group.create_dataset(what, data=values, compression="gzip", compression_opts=1, shuffle=True)

    return write_whole(path, write)


def _checked(what: str, name: str, values: ArrayLike) -> NDArray[np.floating[Any]]:
    array = as_floats(f"{what}: {name}", values)
    if what == "activations" and array.ndim > 3:
        array = array.reshape(*array.shape[:2], -1)
    expected = {"activations": (3, "[points, stimuli, units]"), "layer_change": (2, "[points, stimuli]")}
    dimensions, text = expected.get(what, (array.ndim, "[points, ...]"))
    if array.ndim != dimensions or array.ndim == 0:
        raise BadInput(f"{what}: {name}: has shape {list(array.shape)}, expected {text}")
    if array.size == 0:
        raise BadInput(f"{what}: {name}: is empty: shape {list(array.shape)}")
    return array


def create_layer(file: h5py.File, index: int, name: str, position: str | float | None) -> h5py.Group:
    """Creates a layer's group in a recording and returns it."""
    group = file.create_group(f"layers/{index:04}")
    group.attrs["name"], group.attrs["order"] = name, index
    if position is not None:
        group.attrs["position"] = position
    return group


def start_file(file: h5py.File, form: str) -> None:
    """Writes the attributes that all our files have."""
    file.attrs["format"], file.attrs["format_version"] = form, 1
    file.attrs["software"] = software()


def write_whole(path: str | os.PathLike[str], write: Any, form: str = "lrid-recording") -> Path:
    """Calls `write` with a new HDF5 file that takes the place of `path` when it is complete. Returns the path."""
    target = Path(path)
    if target.is_dir():
        raise BadInput(f"{target}: is a folder, expected a file to write")
    target = Path(os.path.realpath(target))  # a link stays, what it leads to is replaced
    handle, temporary = tempfile.mkstemp(prefix=target.name + ".", suffix=".tmp", dir=target.parent)
    os.close(handle)
    try:
        with h5py.File(temporary, "w") as file:
            start_file(file, form)
            write(file)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return Path(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class PointWriter:
    """A recording that grows point by point, and whose file is whole at any time, whenever the process dies.

    There are two copies while it grows: `path`, which is complete and never written to, and a spare one beside it that
    is a point behind. A point is appended to the spare copy, which then changes places with `path`. So every number is
    written twice, and nothing is rewritten.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(path))
        if self.path.is_dir():
            raise BadInput(f"{path}: is a folder, expected a file to write")
        if not self.path.parent.is_dir():
            raise BadInput(f"{path}: {self.path.parent} is no folder, expected one that exists")
        self._spare = self.path.with_name(self.path.name + ".part")
        self._leaving = self.path.with_name(self.path.name + ".last")
        self._rows: list[Any] = []
        self.points = 0

    @contextlib.contextmanager
    def point(self) -> Iterator[h5py.File]:
        """A new point: the file to write it to, with `self.points` points so far. It counts once the block ends
        without an exception."""
        try:
            with h5py.File(self._spare, "r+" if self._catch_up() else "w") as file:
                if self.points == 0:
                    start_file(file, "lrid-recording")
                yield file
            self._exchange()
        except BaseException:
            self._discard()
            raise
        self.points += 1

    def close(self) -> None:
        """Removes the spare copy."""
        self._discard()

    def _discard(self) -> None:
        for path in (self._spare, self._leaving):
            with contextlib.suppress(OSError):
                path.unlink()

    def _catch_up(self) -> bool:
        """Brings the spare copy up to `path`; False where there is nothing yet."""
        if self.points == 0:
            return False
        if not self._spare.exists():
            shutil.copyfile(self.path, self._spare)
            return True
        with h5py.File(self.path, "r") as whole, h5py.File(self._spare, "r+") as spare:
            for source in datasets(whole):
                copy_points(source, spare[source.name])
        return True

    def _exchange(self) -> None:
        """Puts the spare copy in the place of `path` and what was there in the place of the spare one. There is a
        whole file under `path` all the time."""
        with contextlib.suppress(FileNotFoundError):
            self._leaving.unlink()
        before = False
        if self.points > 0:
            with contextlib.suppress(OSError):  # file systems without hard links: the spare copy is made anew
                os.link(self.path, self._leaving)
                before = True
        os.replace(self._spare, self.path)
        if before:
            os.replace(self._leaving, self._spare)


def datasets(file: h5py.File) -> Iterator[h5py.Dataset]:
    """All arrays of a recording's layers."""
    for group in file["layers"].values():
        for what in _ARRAYS:
            if what in group:
                yield group[what]


def create_growing(
    group: h5py.Group, what: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> h5py.Dataset:
    """Creates an array without points. A chunk is a part of a point, some megabytes, and all are about as large: the
    file holds whole chunks."""
    row = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
    first = max(1, min(shape[0], _CHUNK_BYTES // max(1, row))) if shape else 1
    if shape:
        first = -(-shape[0] // -(-shape[0] // first))
    chunk = (1, first, *shape[1:]) if shape else (1,)
    return group.create_dataset(what, shape=(0, *shape), maxshape=(None, *shape), chunks=chunk, dtype=dtype)


def append(dataset: h5py.Dataset, point: int, first: int, values: NDArray[Any]) -> None:
    """Writes rows from `first` on at a point. Whole chunks go to the file as they are."""
    rows = dataset.chunks[1] if dataset.ndim > 1 else 1
    if dataset.ndim > 1 and first % rows == 0 and values.dtype == dataset.dtype:
        whole = len(values) - len(values) % rows
        for i in range(0, whole, rows):
            part = np.ascontiguousarray(values[i : i + rows])
            dataset.id.write_direct_chunk((point, first + i, *(0,) * (dataset.ndim - 2)), part)
        values, first = values[whole:], first + whole
    if len(values):
        dataset[point, first : first + len(values)] = values


def copy_points(source: h5py.Dataset, target: h5py.Dataset) -> None:
    """Copies the points that `target` lacks, chunk by chunk as they lie in the file."""
    have, points = target.shape[0], source.shape[0]
    target.resize(points, axis=0)
    rest = (0,) * max(0, source.ndim - 2)
    firsts = range(0, source.shape[1], source.chunks[1]) if source.ndim > 1 else (None,)
    for point in range(have, points):
        for first in firsts:
            offset = (point,) if first is None else (point, first, *rest)
            mask, chunk = source.id.read_direct_chunk(offset)
            target.id.write_direct_chunk(offset, chunk, mask)
