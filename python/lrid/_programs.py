"""Runs lrid-observe and lrid-classify, which the wheel carries in lrid/bin."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import NoReturn

from ._errors import BadInput, LridWarning, WorkFailed

_HERE = Path(__file__).resolve().parent


def program(name: str) -> Path:
    """Returns the path of a program: from the folder LRID_BIN if it is set, else this package's, else PATH's."""
    folder = os.environ.get("LRID_BIN")
    if folder:
        path = Path(folder) / name
        if not path.is_file():
            raise BadInput(f"LRID_BIN: {folder}: holds no {name}, expected the folder of lrid's programs")
        return path
    path = _HERE / "bin" / name
    if path.is_file():
        return path
    found = shutil.which(name)
    # The entry points below have these names: without a program behind them they would call themselves.
    if found and Path(found).read_bytes()[:4] == b"\x7fELF":
        return Path(found)
    raise BadInput(
        f"{name}: not in this installation: expected a wheel with programs, or LRID_BIN set to their folder"
    )


def run(name: str, *arguments: str | os.PathLike[str]) -> str:
    """Runs a program to its end and returns what it printed. Its warnings become LridWarning, a failure BadInput or
    WorkFailed with the line that the program ended with, an interruption KeyboardInterrupt."""
    command = [str(program(name)), *(os.fspath(argument) for argument in arguments), "--log-level", "warn"]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL
    )
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    for line in lines:
        if line.startswith("warning: "):
            warnings.warn(line.removeprefix("warning: "), LridWarning, stacklevel=3)
    if done.returncode == 0:
        return done.stdout
    own = [line for line in lines if line.startswith(name + ": ")]
    message = own[-1] if own else lines[-1] if lines else f"{name}: ended with {_ending(done.returncode)}"
    if done.returncode == 130 or done.returncode == -signal.SIGINT:
        raise KeyboardInterrupt(message)
    raise (BadInput if done.returncode == 2 else WorkFailed)(message)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _become(name: str) -> NoReturn:
    try:
        path = program(name)
    except BadInput as error:
        sys.exit(f"{error}")
    os.execv(path, [name, *sys.argv[1:]])


def observe() -> NoReturn:
    """The command lrid-observe."""
    _become("lrid-observe")


def classify() -> NoReturn:
    """The command lrid-classify."""
    _become("lrid-classify")
