"""A calendar as SVG paths: one cell per day, one column per week, Monday at the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DAY", "SHADE_COUNT", "Calendar", "calendar"]

DAY = 86_400_000_000
SHADE_COUNT = 5
"""Number of shades; shade 0 is a day without data."""

_WEEKS = 53
_MONDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar of at most 53 weeks.

    Attributes:
        cells: Column, row and day of each cell.
        paths: Shade → SVG path data; a cell is one unit wide and high.
        weeks: Number of columns.
        first: First day shown, UTC microseconds.
        last: Last day shown, UTC microseconds.
    """

    cells: tuple[tuple[int, int, int], ...]
    paths: dict[int, str]
    weeks: int
    first: int
    last: int


def calendar(shades: Mapping[int, int]) -> Calendar | None:
    """Build the calendar; ``None`` without days.

    Args:
        shades: Day (days since 1970-01-01) → shade, 0 to 4.

    Example:
        >>> calendar({0: 4, 1: 0}).paths
        {0: 'M0.06 4.06h.88v.88h-.88z', 4: 'M0.06 3.06h.88v.88h-.88z'}
    """
    if not shades:
        return None
    last = max(shades)
    start = (last + _MONDAY) // 7 - _WEEKS + 1
    seen = sorted(day for day in shades if (day + _MONDAY) // 7 >= start)
    first_week = (seen[0] + _MONDAY) // 7
    cells = tuple(((day + _MONDAY) // 7 - first_week, (day + _MONDAY) % 7, day) for day in seen)
    paths: dict[int, str] = {}
    for level in range(SHADE_COUNT):
        drawn = "".join(f"M{x}.06 {y}.06h.88v.88h-.88z" for x, y, day in cells if shades[day] == level)
        if drawn:
            paths[level] = drawn
    return Calendar(cells, paths, (last + _MONDAY) // 7 - first_week + 1, seen[0] * DAY, last * DAY)
