"""What a venue's JSON becomes before it is judged: records whose cells are text, as a CSV's are.

A venue's file says which documents it knows (`DocumentSchema`) and turns each into rows (`VenueRecord`); nothing is
checked there but the shape. Contracts stay contracts: only the history knows how large one is.
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
        place: Where it stands in the document: ``data[2]``.
        instrument: ``venue:SYMBOL``.
        cells: Field of the table → text, without instrument and account.
        account: Whose it is, if the document says.
        contracts: The cells that count contracts.
        at: When the document was taken, if it says: for ``ts`` or ``valid_from``.
        updated: When the venue last changed the row: never after it was taken.
        flat: No position at all: an empty leg.
    """

    place: str
    instrument: str
    cells: dict[str, Cell]
    account: Cell = None
    contracts: tuple[str, ...] = ()
    at: Cell = None
    updated: Cell = None
    flat: bool = False


@dataclass(frozen=True, slots=True)
class DocumentSchema:
    """One kind of document.

    Attributes:
        name: What it is called in reports, and as the source of its rows.
        table: Where its rows go.
        fits: Whether a document is of this shape; all that ``records`` relies on.
        records: The document's rows; the second argument is the instrument asked for.
        whole_venue: It names every contract of a venue: those the history does not know are left out, not an error.
    """

    name: str
    table: str
    fits: Callable[[Any], bool]
    records: Callable[[Any, str | None], Iterable[VenueRecord]] = field(repr=False)
    covers_venue: bool = False


def to_cell(value: Any) -> Cell:  # noqa: ANN401 - whatever stood there
    """A JSON value as text; blank is ``None``."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value)[:200]


def is_list_of(value: Any, *names: str) -> bool:  # noqa: ANN401
    """Whether a value is a list of objects that all have these members, one at least."""
    return (
        isinstance(value, list) and bool(value) and all(isinstance(r, dict) and r.keys() >= set(names) for r in value)
    )


def parse_number(text: Cell) -> float | None:
    """The number a cell holds, if it holds one."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def magnitude(text: Cell) -> Cell:
    """A signed number's text without its sign.

    Example:
        >>> magnitude("-0.5"), magnitude("2"), magnitude("?")
        ('0.5', '2', '?')
    """
    return None if text is None else text.removeprefix("-")


def product(a: Cell, b: Cell) -> Cell:
    """The product of two cells; blank where either is no number."""
    x, y = parse_number(a), parse_number(b)
    return None if x is None or y is None else repr(x * y)


def quotient(a: Cell, b: Cell) -> Cell:
    """The quotient of two cells; blank where there is none."""
    x, y = parse_number(a), parse_number(b)
    return None if x is None or not y else repr(x / y)


def cell_sum(*cells: Cell) -> Cell:
    """The sum of cells; blank where one is no number."""
    numbers = [n for n in map(parse_number, cells) if n is not None]
    return repr(sum(numbers)) if len(numbers) == len(cells) else None


def price_or_none(text: Cell, *signs: float) -> Cell:
    """A price, or blank where the venue writes one of its signs for "none": 0, 0.0001, 999999, and those given.

    Example:
        >>> price_or_none("0.0001"), price_or_none("0.50", 0.5), price_or_none("64608.4")
        (None, None, '64608.4')
    """
    return None if parse_number(text) in (0.0, 0.0001, 999_999.0, *signs) else text
