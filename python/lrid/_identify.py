"""From a file to a verdict: runs lrid-observe recording and lrid-classify predict, and holds what comes out."""

from __future__ import annotations

import html
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd

from ._errors import BadInput
from ._programs import run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .recorder import Recorder


def models() -> list[Path]:
    """Returns the models that come with this installation, or those in the folder LRID_MODELS, by name; there may be
    none."""
    lines = run("lrid-classify", "list", "models").splitlines()
    return [Path(line) for line in lines if line and not line.startswith(" ")]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a classifier says of a network.

    `str()` is the sentence; in a notebook a Verdict shows itself with probabilities and layers.
    """

    network: str
    #: The rule; None where it is refused or can't be told.
    verdict: str | None
    #: The likeliest class, refused or not.
    nearest: str
    #: The classes that can't be excluded, where the model says.
    set: list[str]
    #: "known" or "new": whether networks of this kind were among those that the model was fitted to; None where the
    #: model does not say.
    kind: str | None
    #: Refused: unlike all that the model was fitted to.
    none_of_these: bool
    #: Calibrated probability of each class, from all layers.
    probabilities: pd.Series[float]
    #: Share of known networks, held out while fitting, that are at least as odd.
    typicality: float
    #: A row per layer: position, typicality, the probability of each class, and what else the program says.
    layers: pd.DataFrame
    #: By how much the probability of `nearest` falls without each observable, largest first.
    observables: pd.Series[float]
    #: The verdict in words.
    sentence: str
    #: All that the program printed of this network.
    raw: dict[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        def row(cells: Iterable[str], tag: str = "td") -> str:
            return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"

        classes = list(self.probabilities.index)
        bars = "".join(
            row(
                (
                    html.escape(str(name)),
                    f'<div style="background:{"#2a6fb0" if name in self.set else "#b9c4ce"};height:0.8em;'
                    f'width:{max(0.5, 160 * p):.0f}px"></div>',
                    f"{p:.2f}",
                )
            )
            for name, p in self.probabilities.items()
        )
        head = row(("layer", "position", *map(html.escape, classes), "typicality"), "th")
        body = "".join(
            row(
                (
                    html.escape(str(name)),
                    html.escape(str(layer.get("position") or "")),
                    *(f"{layer[c]:.2f}" for c in classes),
                    _shown(layer.get("typicality")),
                )
            )
            for name, layer in self.layers.iterrows()
        )
        return (
            f"<div><p><b>{html.escape(self.network)}</b>: {html.escape(self.sentence)}</p>"
            f"<table>{bars}</table><details><summary>{len(self.layers)} layers</summary>"
            f"<table>{head}{body}</table></details></div>"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the probabilities of all layers together and of each layer; returns the axes. Needs matplotlib."""
        try:
            from matplotlib import pyplot
        except ImportError:
            raise BadInput("plot: needs matplotlib, expected it installed (pip install lrid[plot])") from None
        if ax is None:
            _, ax = pyplot.subplots(figsize=(6, 0.35 * len(self.layers) + 1.4), layout="constrained")
        classes = list(self.probabilities.index)
        names = ["all layers", *map(str, self.layers.index)]
        table = np.vstack(
            [self.probabilities.to_numpy(dtype=float), self.layers[classes].to_numpy(dtype=float)]
        )
        left = np.zeros(len(names))
        for i, name in enumerate(classes):
            ax.barh(range(len(names)), table[:, i], left=left, label=name)
            left += table[:, i]
        ax.set(yticks=range(len(names)), yticklabels=names, xlim=(0, 1), xlabel="probability")
        ax.invert_yaxis()
        ax.set_title(self.sentence, loc="left", fontsize="medium", wrap=True)
        ax.legend(
            ncols=len(classes),
            loc="upper center",
            bbox_to_anchor=(0.5, -0.3 / (0.35 * len(names))),
            frameon=False,
        )
        return ax


def identify(
    source: str | os.PathLike[str] | Recorder, model: str | os.PathLike[str] | None = None
) -> Verdict:
    """Tells which learning rule trained a network.

    Args:
        source: a Recorder, or a file of one network: recording, observables or trajectory.
        model: a model file that `lrid-classify fit` wrote; None: that of the shipped ones that uses most of what was
            measured.

    The trajectory is interpolated linearly in time where the model expects another number of points. Raises BadInput
    with the programs' line for what does not fit, and where no model is shipped.
    """
    verdicts = identify_all(source, model)
    if len(verdicts) != 1:
        raise BadInput(
            f"{_path_of(source)}: holds {len(verdicts)} networks, expected one (identify_all takes more)"
        )
    return verdicts[0]


def identify_all(
    source: str | os.PathLike[str] | Recorder, model: str | os.PathLike[str] | None = None
) -> list[Verdict]:
    """As identify, but also of the networks of a dataset: a verdict for each."""
    path = _path_of(source)
    with tempfile.TemporaryDirectory(prefix="lrid-") as folder:
        measured = path
        if _format_of(path) == "lrid-recording":
            measured = Path(folder) / f"{path.stem}.h5"
            run("lrid-observe", "recording", path, "--out", measured)
        chosen = [] if model is None else ["--model", os.fspath(model)]
        printed = run("lrid-classify", "predict", *chosen, measured, "--interpolate", "--json")
    predictions = json.loads(printed)
    return [_verdict(network) for file in predictions["files"] for network in file["networks"]]


def _shown(value: float | None) -> str:
    return "" if value is None or np.isnan(value) else f"{value:.3f}"


def _path_of(source: str | os.PathLike[str] | Recorder) -> Path:
    path = getattr(source, "path", None)
    if path is not None and not isinstance(source, (str, os.PathLike)):
        if getattr(source, "points", 1) == 0:
            raise BadInput(f"{path}: nothing is recorded yet, expected a call of point() before")
        return Path(path)
    return Path(source)  # type: ignore[arg-type]


def _format_of(path: Path) -> str:
    """ "": whatever it is, the program will say it."""
    try:
        with h5py.File(path, "r") as file:
            form = file.attrs.get("format", "")
            return form.decode("utf-8", "replace") if isinstance(form, bytes) else str(form)
    except OSError:
        return ""


def _verdict(raw: dict[str, Any]) -> Verdict:
    probabilities = pd.Series(raw["probabilities"], dtype=float, name="probability")
    nearest = raw.get("nearest") or str(probabilities.idxmax())
    refused = bool(raw.get("none_of_these", False))
    rows = []
    for layer in raw.get("layers", ()):
        rest = {key: value for key, value in layer.items() if key != "probabilities"}
        rows.append({**rest, **layer["probabilities"]})
    layers = pd.DataFrame(rows)
    if "layer" in layers:
        layers = layers.set_index("layer")
    observables = {entry["name"]: entry["effect"] for entry in raw.get("observables", ())}
    verdict = raw.get("verdict")
    classes: list[str] = list(raw["set"]) if "set" in raw else [nearest] if verdict is not None else []
    typicality = raw.get("typicality")
    return Verdict(
        network=str(raw.get("network", "")),
        verdict=verdict,
        nearest=nearest,
        set=classes,
        kind=raw.get("kind"),
        none_of_these=refused,
        probabilities=probabilities,
        typicality=float("nan") if typicality is None else float(typicality),
        layers=layers,
        observables=pd.Series(observables, dtype=float, name="effect"),
        sentence=raw.get("sentence") or _sentence(verdict, nearest, refused, probabilities, typicality),
        raw=raw,
    )


def _sentence(
    verdict: str | None,
    nearest: str,
    refused: bool,
    probabilities: pd.Series[float],
    typicality: float | None,
) -> str:
    """For models whose program does not say it in words."""
    if refused:
        return (
            f"None of these: unlike all that the model was fitted to (typicality {typicality or 0:.3f}); "
            f"nearest {nearest}."
        )
    others: Sequence[str] = [f"{name} {p:.2f}" for name, p in probabilities.items() if name != nearest]
    said = nearest if verdict is not None else f"Not decided, likeliest {nearest}"
    return f"{said}, probability {probabilities[nearest]:.2f} ({', '.join(others)})."
