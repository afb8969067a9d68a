"""Exceptions and warnings of the package: one line each, as the programs print them."""


class LridError(Exception):
    """Base of what this package raises on purpose. Its text is one line: file or argument, what is wrong, what was
    expected."""


class BadInput(LridError, ValueError):
    """The caller's mistake: a file, an argument or a model that does not fit (exit code 2 of the programs)."""


class WorkFailed(LridError, RuntimeError):
    """What failed while working: a full disk, too little memory (exit code 1 of the programs)."""


class LridWarning(UserWarning):
    """A program's warning, or something left out of a recording that its reader should know of."""
