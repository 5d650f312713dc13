"""Exceptions raised by liqmap, each with a one-line message in a fixed format.

``liqmap: <stage>: <where>[!member][:row][, field]: <found> (expected <what>); <what was done>``
"""

from __future__ import annotations

__all__ = ["InputError", "InternalError", "LiqmapError", "NotFoundError", "StorageError"]


class LiqmapError(Exception):
    """Base class of all liqmap errors; ``str(error)`` is one line in the format above.

    Args:
        stage: The operation that failed: ``load``, ``open``, ``map``, ``cascade``, ``report``, ``histogram``, …
        where: The invalid file, ``venue/endpoint`` or argument (``file!member`` inside an archive).
        found: The value or state that was found.
        expected: The value or state that would be valid.
        done: The consequence; states explicitly when nothing was stored.
        row: 1-based row of the file; the header counts as a row.
        field: The invalid column or field.

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
        # Data can contain line breaks or control characters; the message must stay on one line.
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


class InputError(LiqmapError, ValueError):
    """A file, a value or an argument is invalid."""


class NotFoundError(LiqmapError, LookupError):
    """The history does not contain the requested instrument, table or time."""


class StorageError(LiqmapError, OSError):
    """The history file is missing, locked, damaged, of another version, or the disk is full."""


class InternalError(LiqmapError, RuntimeError):
    """A bug in liqmap; the message states how to report it."""
