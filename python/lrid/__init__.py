"""Which learning rule trained this network?

`Recorder` records a PyTorch network along its training, `write_recording` arrays from anywhere; `identify` tells the
rule; `read` opens any file of lrid's. docs/python.md goes through it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._errors import BadInput, LridError, LridWarning, WorkFailed

if TYPE_CHECKING:
    from ._identify import Verdict, identify, identify_all, models
    from ._read import read
    from ._recording import write_recording
    from .recorder import Recorder

__all__ = [
    "BadInput",
    "LridError",
    "LridWarning",
    "Recorder",
    "Verdict",
    "WorkFailed",
    "identify",
    "identify_all",
    "models",
    "read",
    "write_recording",
]

# Loaded when they are used: PyTorch, xarray and pandas take seconds.
_HOME = {
    "Recorder": "recorder",
    "Verdict": "_identify",
    "identify": "_identify",
    "identify_all": "_identify",
    "models": "_identify",
    "read": "_read",
    "write_recording": "_recording",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
