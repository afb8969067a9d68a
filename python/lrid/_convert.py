"""Turns the study's published dataset (lr-identify, dataset.pkl) into a dataset file.

It is a pickle of a dict: `X` [samples, points, observables], `Y` labels, `obs_keys` names of observables, `meta` a
NumPy record array whose fields differ from copy to copy, and in some `X_cat` [samples, points, 3], the layer's position
as one-hot code.
"""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np

from ._errors import BadInput
from ._recording import POSITIONS, write_whole

#: Columns of a dataset file, and names that fields of theirs may have in the record array.
_FIELDS = {
    "architecture": ("architecture", "arch", "model", "model_name", "model_type"),
    "task": ("task", "task_name"),
    "dataset": ("dataset", "dataset_name", "data"),
    "layer": ("layer", "layer_name", "layers"),
    "layer_position": ("layer_position", "position", "layer_pos", "depth"),
    "network": ("network", "network_id", "exp_id"),
    "batch_size": ("batch_size", "batchsize", "bs", "train_batch_size"),
    "model_seed": ("model_seed", "modelseed", "seed_model"),
    "dataset_seed": ("dataset_seed", "datasetseed", "data_seed", "seed_dataset"),
}
_NETWORK = ("architecture", "task", "dataset", "learning_rule", "batch_size", "model_seed", "dataset_seed")


def convert_lr_identify(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    fields: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Converts the pickle to a dataset file.

    Args:
        source: dataset.pkl, of Python 2 or 3.
        out: the dataset file to write, whole or not at all.
        fields: for columns of the dataset file the field of `meta` that holds it, where its name does not tell. Columns
            are architecture, task, dataset, layer, layer_position, network, batch_size, model_seed, dataset_seed.
        labels: for values of `Y` the rule's name; without it they are taken in lower case.

    Without a field for `network`, samples that agree in architecture, task, data set, rule, batch size and both seeds
    are layers of one network. Returns which field was taken for each column. Raises BadInput for a pickle that holds
    anything but NumPy's types and Python's plain ones, or does not fit the description.
    """
    path = Path(source)
    with path.open("rb") as file:
        try:
            content = _Unpickler(file, encoding="latin1").load()
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from None
        except Exception as error:  # a damaged pickle may fail in any way
            raise BadInput(
                f"{path}: is no pickle that can be read ({type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else ''}), expected the study's dataset.pkl"
            ) from None
    if not isinstance(content, dict):
        raise BadInput(
            f"{path}: holds a {type(content).__name__}, expected a dict with X, Y, obs_keys and meta"
        )
    content = {_text(key): value for key, value in content.items()}
    missing = [key for key in ("X", "Y", "obs_keys", "meta") if key not in content]
    if missing:
        raise BadInput(f"{path}: lacks {', '.join(missing)}, expected a dict with X, Y, obs_keys and meta")

    try:
        x = np.asarray(content["X"], dtype=np.float32)
    except (TypeError, ValueError):
        raise BadInput(f"{path}: X holds no numbers, expected [samples, points, observables]") from None
    names = [_text(name) for name in np.asarray(content["obs_keys"]).ravel()]
    if x.ndim != 3 or x.size == 0 or x.shape[2] != len(names):
        raise BadInput(
            f"{path}: X has shape {list(x.shape)} and there are {len(names)} obs_keys, expected "
            f"[samples, points, observables]"
        )
    if len(set(names)) != len(names):
        raise BadInput(f"{path}: obs_keys name an observable twice, expected each once")
    samples = len(x)
    meta = np.asarray(content["meta"])
    rules = [_text(value) for value in np.asarray(content["Y"]).ravel()]
    for what, length in (("Y", len(rules)), ("meta", meta.size)):
        if length != samples:
            raise BadInput(f"{path}: {what} is of {length} samples, X of {samples}: expected the same")
    known = meta.dtype.names
    if known is None:
        raise BadInput(f"{path}: meta is an array of {meta.dtype}, expected a record array")
    meta = meta.ravel()

    columns: dict[str, np.ndarray[Any, Any]] = {"learning_rule": _rules(path, rules, labels or {})}
    taken = _choose_fields(path, known, fields or {})
    for column, default in (
        ("architecture", None),
        ("task", "unknown"),
        ("dataset", "unknown"),
        ("layer", None),
    ):
        if column in taken:
            columns[column] = _object([_text(value) for value in meta[taken[column]]])
        elif default is not None:
            columns[column] = _object([default] * samples)
        else:
            raise BadInput(
                f"{path}: no field of meta is known to be the {column}, expected --field {column}=FIELD with "
                f"one of {', '.join(known)}"
            )
    for column in ("batch_size", "model_seed", "dataset_seed"):
        values = [-1] * samples
        if column in taken:
            values = [_whole_number(path, taken[column], value) for value in meta[taken[column]]]
        columns[column] = np.array(values, dtype=np.int64)
    columns["layer_position"] = _positions(path, content.get("X_cat"), meta, taken, samples)
    if "network" in taken:
        columns["network"] = _object([_text(value) for value in meta[taken["network"]]])
    else:
        columns["network"] = _object(["_".join(str(columns[c][i]) for c in _NETWORK) for i in range(samples)])
    seen = set(zip(columns["network"], columns["layer"], strict=True))
    if len(seen) < samples:
        raise BadInput(
            f"{path}: {samples} samples are of {len(seen)} layers of networks: networks can't be told apart by "
            f"{', '.join(sorted(taken.values()))}, expected more of the fields {', '.join(known)} "
            f"(--field COLUMN=FIELD)"
        )

    def write(file: h5py.File) -> None:
        text = h5py.string_dtype()
        file.create_dataset("X", data=x, compression="gzip", shuffle=True)
        file.create_dataset("observable_names", data=_object(names), dtype=text)
        group = file.create_group("meta")
        for name, values in sorted(columns.items()):
            group.create_dataset(name, data=values, dtype=text if values.dtype == object else None)

    write_whole(out, write, "lrid-dataset")
    return taken


def _choose_fields(path: Path, names: tuple[str, ...], fields: Mapping[str, str]) -> dict[str, str]:
    for column, field in fields.items():
        if column not in _FIELDS:
            raise BadInput(f"--field {column}={field}: expected one of {', '.join(_FIELDS)} before the =")
        if field not in names:
            raise BadInput(
                f"--field {column}={field}: {path}: meta has no such field, expected one of {', '.join(names)}"
            )
    taken = dict(fields)
    lower = {name.lower(): name for name in names}
    for column, candidates in _FIELDS.items():
        match = next((lower[candidate] for candidate in candidates if candidate in lower), None)
        if column not in taken and match is not None and match not in fields.values():
            taken[column] = match
    return taken


def _rules(path: Path, rules: list[str], labels: Mapping[str, str]) -> np.ndarray[Any, Any]:
    unknown = [value for value in labels if value not in rules]
    if unknown:
        raise BadInput(
            f"--label {unknown[0]}={labels[unknown[0]]}: {path}: Y has no such label, expected one of "
            f"{', '.join(sorted(set(rules)))}"
        )
    numbers = sorted(
        {rule for rule in rules if rule not in labels and rule.lstrip("-").replace(".", "").isdigit()}
    )
    if numbers:
        raise BadInput(
            f"{path}: Y holds the numbers {', '.join(numbers)}, expected rules' names (--label {numbers[0]}=sgdm)"
        )
    return _object([labels.get(rule, rule.lower()) for rule in rules])


def _positions(
    path: Path, codes: Any, meta: np.ndarray[Any, Any], taken: Mapping[str, str], samples: int
) -> np.ndarray[Any, Any]:
    if codes is not None:
        one_hot = np.asarray(codes)
        if one_hot.ndim == 2:
            one_hot = one_hot[:, None, :]
        if (
            one_hot.ndim != 3
            or one_hot.shape[0] != samples
            or one_hot.shape[2] != 3
            or not np.isin(one_hot, (0, 1)).all()
            or not (one_hot.sum(axis=2) == 1).all()
            or not (one_hot == one_hot[:, :1]).all()
        ):
            raise BadInput(
                f"{path}: X_cat has shape {list(one_hot.shape)}, expected [samples, points, 3] with one 1 in a "
                f"row, the same at all points of a sample"
            )
        return one_hot[:, 0].argmax(axis=1).astype(np.uint8)
    if "layer_position" not in taken:
        raise BadInput(
            f"{path}: has no X_cat, and no field of meta is known to be the layer's position, expected --field "
            f"layer_position=FIELD with one of {', '.join(meta.dtype.names or ())}"
        )
    known = {name: i for i, name in enumerate(POSITIONS)} | {str(i): i for i in range(3)}
    values = [_text(value).lower() for value in meta[taken["layer_position"]]]
    wrong = next((value for value in values if value not in known), None)
    if wrong is not None:
        raise BadInput(
            f"{path}: field {taken['layer_position']} of meta holds {wrong!r}, expected early, middle, deep, or "
            f"0, 1, 2"
        )
    return np.array([known[value] for value in values], dtype=np.uint8)


def _whole_number(path: Path, field: str, value: Any) -> int:
    text = _text(value).strip()
    if text.lower() in ("", "none", "nan", "null"):
        return -1
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number != int(number) if np.isfinite(number) else True:
        raise BadInput(f"{path}: field {field} of meta holds {text!r}, expected a whole number or none")
    return int(number)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _object(values: list[str]) -> np.ndarray[Any, Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _scalar(dtype: np.dtype[Any], data: Any = None) -> Any:
    if dtype.hasobject:
        raise BadInput("holds a scalar of Python objects, expected numbers and text")
    raw = data.encode("latin1") if isinstance(data, str) else data
    return np.frombuffer(raw, dtype=dtype, count=1)[0]


def _reconstruct(kind: type, shape: tuple[int, ...], dtype: Any) -> Any:
    if kind not in (np.ndarray, np.recarray) or tuple(shape) != (0,):
        raise BadInput("builds an array in another way than NumPy's pickles do, expected NumPy's")
    return np.ndarray.__new__(kind, (0,), "b")


def _from_buffer(buffer: Any, dtype: np.dtype[Any], shape: tuple[int, ...], order: Any, *_: Any) -> Any:
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)


def _latin1(text: str, codec: str = "latin1") -> bytes:
    if codec not in ("latin1", "latin-1"):
        raise BadInput(f"decodes text by {codec}, expected latin1")
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    """Admits what NumPy's arrays, scalars and records need, under their names of all versions, and nothing else:
    loading can't run anything that the file brings along."""

    _ADMITTED: ClassVar[dict[str, Any]] = {
        "ndarray": np.ndarray,
        "dtype": np.dtype,
        "recarray": np.recarray,
        "record": np.record,
        "_reconstruct": _reconstruct,
        "scalar": _scalar,
        "_frombuffer": _from_buffer,
    }
    _MODULES = frozenset(
        f"numpy{middle}{last}"
        for middle in ("", ".core", "._core", ".rec")
        for last in ("", ".multiarray", ".numeric", ".records")
    )

    def find_class(self, module: str, name: str) -> Any:
        if module in self._MODULES and name in self._ADMITTED:
            return self._ADMITTED[name]
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("_codecs", "encode"):
            return _latin1
        raise BadInput(f"holds {module}.{name}, expected NumPy's arrays, numbers and text only")
