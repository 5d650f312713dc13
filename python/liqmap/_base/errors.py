"""The one form in which liqmap says what is wrong.

``liqmap: <stage>: <where>[!member][:row][, field]: <found> (expected <what>); <what was done>``
"""

from __future__ import annotations

__all__ = ["InputError", "InternalError", "LiqmapError", "NotFoundError", "StorageError"]


class LiqmapError(Exception):
    """Base of every error liqmap raises on purpose; ``str(error)`` is one line in the house's form.

    Args:
        stage: The verb that failed: ``load``, ``open``, ``map``, ``cascade``, ``report``, ``histogram``, …
        where: The file, or ``venue/endpoint``, or the argument that is at fault (``file!member`` inside an archive).
        found: What was found.
        expected: What would have been right.
        done: What was done about it; says plainly when nothing was stored.
        row: 1-based row of the file, counted with its header.
        field: The column or field at fault.

    Example:
        >>> print(InputError("load", "bars.csv", "'-3'", "a price above 0", "nothing stored", row=7, field="close"))
        liqmap: load: bars.csv:7, close: '-3' (expected a price above 0); nothing stored
    """

    def __init__(
        self,
        stage: str,
        where: str,
        found: str,
        expected: str,
        done: str,
        *,
        row: int | None = None,
        field: str | None = None,
    ) -> None:
        self.stage = stage
        self.where = where
        self.found = found
        self.expected = expected
        self.done = done
        self.row = row
        self.field = field
        super().__init__(str(self))

    def __str__(self) -> str:
        row = "" if self.row is None else f":{self.row}"
        field = "" if self.field is None else f", {self.field}"
        line = f"liqmap: {self.stage}: {self.where}{row}{field}: {self.found} (expected {self.expected}); {self.done}"
        # Data may carry line breaks or control characters; an error stays one line.
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


class InputError(LiqmapError, ValueError):
    """A file, a value or an argument is not what it has to be."""


class NotFoundError(LiqmapError, LookupError):
    """The history holds no such instrument, table or time."""


class StorageError(LiqmapError, OSError):
    """The history file is missing, locked, damaged, of another version, or the disk is full."""


class InternalError(LiqmapError, RuntimeError):
    """A fault of liqmap's own; the message says how to report it."""
