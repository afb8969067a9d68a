"""The wheel carries what it needs. Only for a repaired wheel, which has a folder lrid.libs."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import distribution
from pathlib import Path

import lrid
from lrid._programs import program

HOME = Path(lrid.__file__).resolve().parent
#: What every Linux has that the wheel's tag admits.
SYSTEM = re.compile(r"linux-vdso|ld-linux|lib(c|m|z|dl|rt|pthread|resolv|util|stdc\+\+|gcc_s)\.so")


def test_programs_and_types_are_there() -> None:
    for name in ("lrid-observe", "lrid-classify"):
        printed = subprocess.run(
            [program(name), "--version"], capture_output=True, text=True, check=True
        ).stdout
        assert printed.startswith(f"lrid {distribution('lrid').version}")
    assert (HOME / "py.typed").is_file()
    assert {point.name for point in distribution("lrid").entry_points} >= {"lrid-observe", "lrid-classify"}


def test_a_repaired_wheel_needs_no_library_of_the_systems() -> None:
    libraries = HOME.parent / "lrid.libs"
    if not libraries.is_dir():
        return
    for name in ("lrid-observe", "lrid-classify"):
        printed = subprocess.run(
            ["ldd", HOME / "bin" / name], capture_output=True, text=True, check=True
        ).stdout
        assert "libhdf5" in printed and "torch" not in printed
        outside = [
            line for line in printed.splitlines() if "lrid.libs/" not in line and not SYSTEM.search(line)
        ]
        assert not outside, outside
