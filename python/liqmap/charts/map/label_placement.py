"""Placement of cluster labels: the largest first, without overlaps and within the chart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Label", "place_labels"]

MIN_GAP = 10.0
"""Minimum gap between two labels of a row, pixels."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label and its position.

    Attributes:
        key: Index in the list of wanted labels.
        x: Centre of the text, pixels from the left of the chart.
        row: Row; 0 is nearest to the bars.
    """

    key: int
    x: float
    row: int


def place_labels(
    wanted: Sequence[tuple[float, float]],
    width: float,
    rows: int,
    taken: Iterable[tuple[float, float, int]] = (),
) -> list[Label]:
    """Place labels greedily in the given order; a label that fits nowhere is omitted.

    Args:
        wanted: For each label the pixel of its target and the width of its text, most important first.
        width: Width of the chart, pixels.
        rows: Number of rows.
        taken: Occupied spans: left, right, row.

    Example:
        >>> [(label.key, label.x, label.row) for label in place_labels([(50, 60), (95, 60), (50, 60)], 200, rows=2)]
        [(0, 50.0, 0), (1, 95.0, 1)]
    """
    spans: list[tuple[float, float, int, float | None]] = [(left, right, row, None) for left, right, row in taken]
    placed: list[Label] = []
    for key, (target, size) in enumerate(wanted):
        for row, x in product(range(rows), _candidate_centres(target, size, width)):
            left, right = x - size / 2, x + size / 2
            if all(_is_free(row, target, left - MIN_GAP, right + MIN_GAP, *other) for other in spans):
                spans.append((left, right, row, target))
                placed.append(Label(key, x, row))
                break
    return placed


def _candidate_centres(target: float, size: float, width: float) -> list[float]:
    """Candidate centres of a text: centred on its target, else shifted so that the leader line stays below it."""
    slack = size / 2 - MIN_GAP
    centres = [target, target + slack / 2, target - slack / 2, target + slack, target - slack]
    return [min(max(float(x), size / 2), width - size / 2) for x in centres]


def _is_free(
    row: int, target: float, left: float, right: float, low: float, high: float, other: int, points_at: float | None
) -> bool:
    """Whether neither text overlaps the other or the leader line from the other's text down to the bars."""
    if row == other:
        return right <= low or left >= high
    if row > other:
        return not low <= target <= high
    return points_at is None or not left <= points_at <= right
