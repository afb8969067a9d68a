"""Compares the table of libraries in docs/design.md with what CMake links: library_map.py SOURCE_FOLDER.

Fails if a library is missing on either side, uses another library than the table says, or stands above one that it
uses.
"""
import re
import sys
from pathlib import Path


def libraries_of_table(page):
    """name → what the table says it uses, in order of the table's rows."""
    section = page.split("## Libraries", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", section, re.M)
    return {name: {use.strip().strip("`") for use in uses.split(",") if use.strip()} for name, uses in rows}


def libraries_of_cmake(source):
    """name → what lrid_library() links, publicly or privately, of our own and LibTorch."""
    found = {}
    for file in sorted((source / "src").glob("*/CMakeLists.txt")):
        for call in re.findall(r"^lrid_library\((.*?)\)$", re.sub(r"#.*", "", file.read_text()), re.M | re.S):
            name = call.split()[0]
            links = re.split(r"\b(?:PRIVATE_)?LINKS\b", call)[1:]
            found[name] = {word.removeprefix("lrid_").replace("LibTorch::LibTorch", "LibTorch")
                           for part in links for word in part.split() if word.startswith(("lrid_", "LibTorch::"))}
    return found


def main():
    source = Path(sys.argv[1])
    table, cmake = libraries_of_table((source / "docs/design.md").read_text()), libraries_of_cmake(source)
    faults = []
    for name in table.keys() - cmake.keys():
        faults.append(f"{name} is in the table, but no lrid_library() defines it")
    for name in cmake.keys() - table.keys():
        faults.append(f"{name} is not in the table")
    for name in table.keys() & cmake.keys():
        if table[name] != cmake[name]:
            faults.append(f"{name} links {sorted(cmake[name])}, the table says {sorted(table[name])}")
    order = list(table)
    for i, name in enumerate(order):
        for above in table[name] & set(order[i:]):
            faults.append(f"{name} uses {above}, which does not stand before it: expected lowest first")
    if len(table) < 5:
        faults.append(f"docs/design.md: found only {len(table)} rows of the table under \"Libraries\"")
    print("\n".join(sorted(faults)) or f"{len(table)} libraries, as CMake links them")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
