"""python -m lrid: conversions."""

from __future__ import annotations

import argparse
import sys

from ._convert import convert_lr_identify
from ._errors import BadInput, LridError


def _pairs(option: str, values: list[str]) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, equals, what = value.partition("=")
        if not (name and equals and what):
            raise BadInput(f"{option} {value}: expected NAME=VALUE")
        pairs[name] = what
    return pairs


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0 done, 1 failed, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m lrid", description="Conversions to lrid's files.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    convert = commands.add_parser(
        "convert", help="convert files of other programs", description="Convert files."
    )
    formats = convert.add_subparsers(title="formats", required=True, metavar="FORMAT")
    study = formats.add_parser(
        "lr-identify",
        help="the study's published dataset, a pickle, to a dataset file",
        description="Convert the study's dataset (dataset.pkl) to a dataset file. Nothing in the pickle is run.",
    )
    study.add_argument("source", metavar="dataset.pkl")
    study.add_argument("out", metavar="OUT.h5")
    study.add_argument(
        "--field",
        metavar="COLUMN=FIELD",
        action="append",
        default=[],
        help="the field of the pickle's records that holds a column, e.g. architecture=model; repeat it",
    )
    study.add_argument(
        "--label",
        metavar="VALUE=RULE",
        action="append",
        default=[],
        help="the rule that a label stands for, e.g. 0=sgdm; repeat it",
    )
    options = parser.parse_args(arguments)
    try:
        taken = convert_lr_identify(
            options.source, options.out, _pairs("--field", options.field), _pairs("--label", options.label)
        )
    except LridError as error:
        print(f"lrid: {error}", file=sys.stderr)
        return 2 if isinstance(error, BadInput) else 1
    except FileNotFoundError as error:
        print(f"lrid: {error.filename}: no such file or folder, expected one that exists", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"lrid: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: {', '.join(f'{column} from {field}' for column, field in taken.items())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
