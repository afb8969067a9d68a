"""Reads lrid's files as xarray objects."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from ._errors import BadInput
from ._recording import POSITIONS


def read(path: str | os.PathLike[str]) -> xr.Dataset | xr.DataTree:
    """Reads any file of lrid's by its format.

    | file | returns |
    |---|---|
    | trajectory | Dataset: `observables` [point, layer, observable], metrics [point], alignment [point, layer] |
    | observables | Dataset: `observables` [point, layer, observable] |
    | dataset | Dataset: `X` [sample, point, observable], metadata as coordinates of `sample` |
    | results.json | Dataset: `accuracy` [row, split], its mean and interval [row], conditions as coordinates of `row` |
    | predictions.json | Dataset: `probability` [sample, class], a sample per layer and one per network |
    | model | Dataset without arrays: classes, observables and what it was fitted to |
    | recording | DataTree: a node per layer with `activations` [point, stimulus, unit] and so on, read when needed |

    With imperfect measurements a trajectory's `observables` have `measurement` as first dimension, whose first entry
    is the perfect one. `.to_dataframe()` of a Dataset, or of an array of a recording, is its long form: a row per
    value. Raises BadInput for another file, OSError for one that can't be opened.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            form = _text(file.attrs.get("format", ""))
            reader = _HDF5.get(form)
            if reader is None:
                raise BadInput(f'{path}: format "{form}": expected one of {", ".join([*_HDF5, *_JSON])}')
            return reader(path, file)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        form = content["format"]
    except (ValueError, TypeError, KeyError, UnicodeDecodeError):
        raise BadInput(f"{path}: is neither HDF5 nor JSON of lrid's: expected one of lrid's files") from None
    if form not in _JSON:
        raise BadInput(f'{path}: format "{form}": expected one of {", ".join([*_HDF5, *_JSON])}')
    result = _JSON[form](content)
    result.encoding["source"] = str(path)
    return result


# --- HDF5 ---


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _attributes(file: h5py.File | h5py.Group) -> dict[str, Any]:
    return {name: _text(value) for name, value in file.attrs.items()}


def _strings(file: h5py.File, name: str) -> np.ndarray[Any, Any]:
    return np.asarray(file[name].asstr()[...], dtype=object)


def _positions(values: Any) -> np.ndarray[Any, Any]:
    names = np.array([*POSITIONS, ""], dtype=object)
    return names[np.minimum(np.asarray(values, dtype=int), 3)]


def _trajectory(path: Path, file: h5py.File) -> xr.Dataset:
    observables = file["observables"][...]
    per_point = {name: ("point", data[...]) for name, data in file.get("metrics", {}).items()}
    per_layer = {name: (("point", "layer"), data[...]) for name, data in file.get("alignment", {}).items()}
    coordinates: dict[str, Any] = {
        "point": np.arange(len(observables)),
        "layer": _strings(file, "layers"),
        "observable": _strings(file, "observable_names"),
        "layer_position": ("layer", _positions(file["layer_position"][...])),
        "step": ("point", file["step"][...]),
        "epoch": ("point", file["epoch"][...]),
    }
    dimensions: tuple[str, ...] = ("point", "layer", "observable")
    if "imperfect" in file:
        imperfect = file["imperfect"]
        more = imperfect["observables"][:, : len(observables)]
        observables = np.concatenate([observables[None], more])
        dimensions = ("measurement", *dimensions)
        for name, perfect in (("unit_fraction", 1.0), ("noise", 0.0), ("units", 0)):
            if name in imperfect:
                coordinates[name] = ("measurement", np.concatenate([[perfect], imperfect[name][...]]))
    variables = {"observables": (dimensions, observables), **per_point, **per_layer}
    return xr.Dataset(variables, coordinates, _attributes(file))


def _observables(path: Path, file: h5py.File) -> xr.Dataset:
    values = file["observables"][...]
    coordinates: dict[str, Any] = {
        "point": np.arange(len(values)),
        "layer": _strings(file, "layers"),
        "observable": _strings(file, "observable_names"),
    }
    if "layer_position" in file and file["layer_position"].dtype.kind in "iu":
        coordinates["layer_position"] = ("layer", _positions(file["layer_position"][...]))
    return xr.Dataset(
        {"observables": (("point", "layer", "observable"), values)}, coordinates, _attributes(file)
    )


def _dataset(path: Path, file: h5py.File) -> xr.Dataset:
    x = file["X"][...]
    coordinates: dict[str, Any] = {
        "point": np.arange(x.shape[1]),
        "observable": _strings(file, "observable_names"),
    }
    for name, data in file["meta"].items():
        values = data.asstr()[...].astype(object) if h5py.check_string_dtype(data.dtype) else data[...]
        coordinates[name] = ("sample", _positions(values) if name == "layer_position" else values)
    return xr.Dataset({"X": (("sample", "point", "observable"), x)}, coordinates, _attributes(file))


def _model(path: Path, file: h5py.File) -> xr.Dataset:
    coordinates = {"class": _strings(file, "classes"), "observable": _strings(file, "observables")}
    return xr.Dataset(coords=coordinates, attrs=_attributes(file))


class _Values(BackendArray):
    """An array of a recording, read from its file when it is needed; int16 times its scale."""

    def __init__(self, path: Path, name: str, data: h5py.Dataset, order: tuple[int, ...]) -> None:
        self._path, self._name, self._order = path, name, order
        self._scale = float(data.attrs["scale"]) if data.dtype.kind == "i" else None
        self.shape = tuple(data.shape[axis] for axis in order)
        self.dtype = np.dtype(np.float64) if self._scale is not None else data.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        backward = [isinstance(k, slice) and (k.step or 1) < 0 for k in key]  # h5py reads forward only
        forward = tuple(
            slice(*_forward(k, n)) if back else k
            for k, n, back in zip(key, self.shape, backward, strict=True)
        )
        in_file: list[Any] = [None] * len(self._order)
        for axis, k in zip(self._order, forward, strict=True):
            in_file[axis] = k
        with h5py.File(self._path, "r") as file:
            values = np.asarray(file[self._name][tuple(in_file)])
        kept = [axis for axis in range(len(self._order)) if isinstance(in_file[axis], slice)]
        wanted = [axis for axis, k in zip(self._order, key, strict=True) if isinstance(k, slice)]
        values = values.transpose([kept.index(axis) for axis in wanted])
        values = values[
            tuple(
                slice(None, None, -1 if back else 1)
                for k, back in zip(key, backward, strict=True)
                if isinstance(k, slice)
            )
        ]
        return values * self._scale if self._scale is not None else values


def _forward(key: slice, length: int) -> tuple[int, int, int]:
    indices = range(*key.indices(length))
    return (indices[-1], indices[0] + 1, -indices.step) if indices else (0, 0, 1)


def _recording(path: Path, file: h5py.File) -> xr.DataTree:
    axes = {"time": "point", "stimuli": "stimulus", "units": "unit"}
    tree = xr.DataTree(name=path.stem)
    tree.attrs.update(_attributes(file))
    groups = list(file["layers"].values())
    if all("order" in group.attrs for group in groups):
        groups.sort(key=lambda group: float(group.attrs["order"]))
    for group in groups:
        variables: dict[str, Any] = {}
        for what in ("activations", "weights", "layer_change"):
            if what not in group:
                continue
            data = group[what]
            order = tuple(range(data.ndim))
            names = ["point", *(f"w{i}" for i in range(1, data.ndim))]
            if what == "layer_change":
                names = ["point", "stimulus"]
            elif what == "activations":
                given = [
                    axis.strip() for axis in _text(data.attrs.get("axes", "time,stimuli,units")).split(",")
                ]
                order = tuple(given.index(axis) for axis in axes)
                names = list(axes.values())
            lazy = indexing.LazilyIndexedArray(_Values(path.resolve(), data.name, data, order))
            variables[what] = xr.Variable(names, lazy)
        attributes = _attributes(group)
        # Names such as block/conv1 are nodes within nodes.
        tree[str(attributes.get("name", group.name))] = xr.DataTree(xr.Dataset(variables, attrs=attributes))
    return tree


# --- JSON ---


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _column(values: list[Any]) -> np.ndarray[Any, Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = [json.dumps(v) if isinstance(v, (list, dict)) else v for v in values]
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    return column.astype(float) if numbers and len(values) else column


def _results(content: dict[str, Any]) -> xr.Dataset:
    rows = content["rows"]
    coordinates: dict[str, Any] = {"classifier": ("row", _column([row["classifier"] for row in rows]))}
    for key in dict.fromkeys(key for row in rows for key in row["condition"]):
        coordinates[key] = ("row", _column([row["condition"].get(key) for row in rows]))
    figures = {"accuracy": [row["accuracy"] for row in rows]}
    for name in dict.fromkeys(name for row in rows for name in row.get("extra") or {}):
        figures[name] = [(row.get("extra") or {}).get(name) for row in rows]
    splits = max([len((f or {}).get("splits", ())) for fs in figures.values() for f in fs], default=0)
    variables: dict[str, Any] = {}
    for name, values in figures.items():
        table = np.full((len(rows), splits), np.nan)
        for i, figure in enumerate(values):
            each = [_number(v) for v in (figure or {}).get("splits", ())]
            table[i, : len(each)] = each
        variables[name] = (("row", "split"), table)
        variables[f"{name}_mean"] = ("row", [_number((f or {}).get("mean")) for f in values])
        if any("interval" in (f or {}) for f in values):
            ends = np.array([[_number(v) for v in (f or {}).get("interval") or (None, None)] for f in values])
            variables[f"{name}_low"], variables[f"{name}_high"] = ("row", ends[:, 0]), ("row", ends[:, 1])
        if any("p" in (f or {}) for f in values):
            variables[f"{name}_p"] = ("row", [_number((f or {}).get("p")) for f in values])
    attributes = {
        key: content[key] for key in ("experiment", "config", "software", "notes") if key in content
    }
    return xr.Dataset(variables, coordinates, attributes)


def _predictions(content: dict[str, Any]) -> xr.Dataset:
    classes = content["model"]["classes"]
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("file", "network", "layer", "position", "verdict", "none_of_these", "typicality")
    }
    probabilities: list[list[float]] = []

    def add(file: str, network: dict[str, Any], judged: dict[str, Any]) -> None:
        columns["file"].append(file)
        for name in ("network", "verdict", "none_of_these"):
            columns[name].append(network.get(name))
        columns["layer"].append(judged.get("layer"))
        columns["position"].append(judged.get("position"))
        columns["typicality"].append(_number(judged.get("typicality")))
        probabilities.append([_number(judged["probabilities"].get(name)) for name in classes])

    for file in content["files"]:
        for network in file["networks"]:
            for judged in (network, *network.get("layers", ())):
                add(file["file"], network, judged)
    values = np.array(probabilities, dtype=float).reshape(-1, len(classes))
    coordinates: dict[str, Any] = {name: ("sample", _column(column)) for name, column in columns.items()}
    typicality = coordinates.pop("typicality")
    coordinates["class"] = classes
    variables = {"probability": (("sample", "class"), values), "typicality": typicality}
    return xr.Dataset(variables, coordinates, dict(content["model"]))


_HDF5: dict[str, Callable[[Path, h5py.File], xr.Dataset | xr.DataTree]] = {
    "lrid-trajectory": _trajectory,
    "lrid-dataset": _dataset,
    "lrid-recording": _recording,
    "lrid-observables": _observables,
    "lrid-model": _model,
}
_JSON: dict[str, Callable[[dict[str, Any]], xr.Dataset]] = {
    "lrid-results": _results,
    "lrid-predictions": _predictions,
}
