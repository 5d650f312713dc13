"""Venue JSON before validation: records whose cells are text, like those of a CSV file.

Each venue module lists the documents it can read (`DocumentSchema`) and converts each into rows (`VenueRecord`). It
checks the structure only. Sizes in contracts are not converted, because the contract size is stored in the history.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "Cell",
    "DocumentSchema",
    "VenueRecord",
    "cell_sum",
    "is_list_of",
    "magnitude",
    "parse_number",
    "price_or_none",
    "product",
    "quotient",
    "to_cell",
]

Cell: TypeAlias = str | None


@dataclass(frozen=True, slots=True)
class VenueRecord:
    """One row for a table.

    Attributes:
        place: Path inside the document, such as ``data[2]``.
        instrument: ``venue:SYMBOL``.
        cells: Field of the table → text, without instrument and account.
        account: Owner of the position, if the document contains it.
        contracts: Names of the cells that are in contracts.
        at: Time of the document, if it contains one; becomes ``ts`` or ``valid_from``.
        updated: Time of the venue's last change of the row; must not be later than ``at``.
        is_empty: Whether the position is empty (size 0).
    """

    place: str
    instrument: str
    cells: dict[str, Cell]
    account: Cell = None
    contracts: tuple[str, ...] = ()
    at: Cell = None
    updated: Cell = None
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class DocumentSchema:
    """One kind of document.

    Attributes:
        name: Name in load reports, and the source of its rows.
        table: Table of its rows.
        fits: Returns whether a document has this structure; checks everything that ``records`` relies on.
        records: Returns the rows of a document; the second argument is the requested instrument.
        covers_venue: Whether the document lists all contracts of a venue; unknown contracts are then skipped instead of
            raising an error.
    """

    name: str
    table: str
    fits: Callable[[Any], bool]
    records: Callable[[Any, str | None], Iterable[VenueRecord]] = field(repr=False)
    covers_venue: bool = False


def to_cell(value: Any) -> Cell:  # noqa: ANN401 - any JSON
    """Convert a JSON value to text; blank becomes ``None``."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value)[:200]


def is_list_of(value: Any, *names: str) -> bool:  # noqa: ANN401
    """Return whether a value is a non-empty list of objects that all have these keys."""
    return (
        isinstance(value, list) and bool(value) and all(isinstance(r, dict) and r.keys() >= set(names) for r in value)
    )


def parse_number(text: Cell) -> float | None:
    """Return the number in a cell, or ``None``."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def magnitude(text: Cell) -> Cell:
    """Remove the minus sign from the text of a number.

    Example:
        >>> magnitude("-0.5"), magnitude("2"), magnitude("?")
        ('0.5', '2', '?')
    """
    return None if text is None else text.removeprefix("-")


def product(a: Cell, b: Cell) -> Cell:
    """Return the product of two cells; blank if either is not a number."""
    x, y = parse_number(a), parse_number(b)
    return None if x is None or y is None else repr(x * y)


def quotient(a: Cell, b: Cell) -> Cell:
    """Return the quotient of two cells; blank if either is not a number or the divisor is 0."""
    x, y = parse_number(a), parse_number(b)
    return None if x is None or not y else repr(x / y)


def cell_sum(*cells: Cell) -> Cell:
    """Return the sum of cells; blank if one is not a number."""
    numbers = [n for n in map(parse_number, cells) if n is not None]
    return repr(sum(numbers)) if len(numbers) == len(cells) else None


def price_or_none(text: Cell, *placeholders: float) -> Cell:
    """Return a price, or blank for the venue's codes for "no price": 0, 0.0001, 999999 and ``placeholders``.

    Example:
        >>> price_or_none("0.0001"), price_or_none("0.50", 0.5), price_or_none("64608.4")
        (None, None, '64608.4')
    """
    return None if parse_number(text) in (0.0, 0.0001, 999_999.0, *placeholders) else text
