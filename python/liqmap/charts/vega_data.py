"""Rows for a chart: fixed field names, plain numbers, nothing that JSON cannot say."""

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
    """Take rows into a chart, or say which field of which chart is not a number.

    Whole floats become integers and others keep eight figures: the same to a reader and half the bytes in a page. The
    files beside it keep every digit.

    Raises:
        InputError: A NaN or an infinity: JSON has no such number, and the chart would come out blank.

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
    """A line with a row behind it that has no place, where the next line of the same mark begins anew.

    One mark for all lines of a kind is drawn in half the time of a mark for each; it must keep the order of its rows
    (``order=False``).

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


def with_data(drawing: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """A drawing, the same for every object, with what one object adds to it: a specification that can be drawn."""
    return {**drawing, **data, "params": [*drawing.get("params", ()), *data["params"]]}
