"""scripts/check-docs finds each kind of fault, and nothing in a page without: check_docs_test.py SOURCE_FOLDER."""
import subprocess
import sys
import tempfile
from pathlib import Path

source = Path(sys.argv[1])

GOOD = {
    "docs/a.md": "# A\n\n## 2. Second part\n\nSee [b](b.md#its-section), `src/x.cpp`, `x.hpp`, b.md, \"Its section\"; `weightabs_median`.\n",
    "docs/b.md": "# B\n\n## Its section\n\n**Term.** text\n\n```sh\nscripts/run.sh --fast configs/c.toml\n```\n",
    "src/x.cpp": "// As a.md, section 2, and b.md,\n// \"Term\" say; LRID_HOME.\nint x;\n",
    "include/x.hpp": "/// (b.md, \"Its section\")\n",
    "scripts/run.sh": "# usage: scripts/run.sh [--fast]\n: \"$LRID_HOME\"\n",
    "configs/c.toml": "# a recipe\n",
}
# What is put in place of a good text, and what must be said about it.
FAULTS = [
    ("docs/a.md", "(b.md#its-section)", "(c.md)", "no such file"),
    ("docs/a.md", "#its-section", "#other", "no section of that name"),
    ("docs/a.md", "`src/x.cpp`", "`src/y.cpp`", "src/y.cpp: no such file"),
    ("docs/a.md", "`x.hpp`", "`y.hpp`", "y.hpp: no file of that name"),
    ("docs/a.md", "\"Its section\"", "\"Elsewhere\"", "has no section \"Elsewhere\""),
    ("docs/a.md", "weightabs_median", "weightabs_medium", "no observable"),
    ("docs/b.md", "--fast", "--slow", "has no option --slow"),
    ("docs/b.md", "configs/c.toml", "configs/d.toml", "configs/d.toml: no such file"),
    ("docs/b.md", "text", "`LRID_HOUSE`", "LRID_HOUSE"),
    ("src/x.cpp", "section 2", "section 3", "has no section 3"),
    ("src/x.cpp", "\"Term\"", "\"Word\"", "has no section \"Word\""),
    ("include/x.hpp", "b.md", "z.md", "z.md: no such page"),
    ("include/x.hpp", "(b.md", "../other/data.h5 (b.md", "nothing outside of it"),
]


def check(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        result = subprocess.run([sys.executable, source / "scripts/check-docs", "--root", folder], capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr


def main():
    failures = []
    status, output = check(GOOD)
    if status != 0:
        failures.append(f"good pages: exit code {status}, expected 0:\n{output}")
    for name, good, bad, said in FAULTS:
        assert good in GOOD[name], (name, good)
        status, output = check(GOOD | {name: GOOD[name].replace(good, bad)})
        if status != 1 or said not in output or output.count("\n") != 1:
            failures.append(f"{name} with {bad}: exit code {status}, expected 1 and only \"{said}\":\n{output}")
    print("\n".join(failures) or f"{len(FAULTS)} faults found, each by itself")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
