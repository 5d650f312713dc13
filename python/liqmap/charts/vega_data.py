"""Rows of chart data: fixed field names and finite plain numbers, as JSON requires."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Row", "plain_rows", "with_data", "with_gap"]

_UNCHANGED_TYPES = (str, int)

Row: TypeAlias = dict[str, float | int | str]


def plain_rows(chart: str, values: Iterable[Row]) -> list[Row]:
    """Validate and normalise the rows of a chart.

    Whole floats become integers and others are rounded to eight significant digits, which halves the bytes in a page.
    Downloads keep all digits.

    Raises:
        InputError: A field is NaN or infinite: JSON has no such number, and the chart would be blank.

    Example:
        >>> plain_rows("map", [{"low": 77_400.0, "usd": 0.5}])
        [{'low': 77400, 'usd': 0.5}]
    """
    return [
        {
            field: value if type(value) in _UNCHANGED_TYPES else _plain(chart, field, value)
            for field, value in row.items()
        }
        for row in values
    ]


def with_gap(line: list[Row], place: str) -> list[Row]:
    """A line followed by a row without ``place``, which separates it from the next line of the same mark.

    One mark for all lines of a kind is drawn in half the time of one mark per line. The mark must preserve the order
    of its rows (``order=False``).

    Example:
        >>> with_gap([{"t": 0, "p": 1}, {"t": 1, "p": 2}], "p")[-1]
        {'t': 1}
    """
    return [*line, {field: value for field, value in line[-1].items() if field != place}]


def _plain(chart: str, field: str, value: float | str) -> float | int:
    number = float(value)
    if not math.isfinite(number):
        raise InputError("chart", chart, repr(number), "a finite number", "nothing drawn", field=field)
    return int(number) if number.is_integer() else float(f"{number:.8g}")


def with_data(spec: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Add the data of one object to a specification without data; the result can be drawn."""
    return {**spec, **data, "params": [*spec.get("params", ()), *data["params"]]}
