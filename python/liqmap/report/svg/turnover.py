"""Bars of positions opened, closed and liquidated per step, as SVG paths without axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from liqmap.maps.tracks.tracks import Tracks

__all__ = ["HEIGHT", "WIDTH", "Turnover", "turnover"]

WIDTH, HEIGHT = 1000, 100


@dataclass(frozen=True, slots=True)
class Turnover:
    """Bars of one side in a ``WIDTH × HEIGHT`` box: opened above the zero line, closed and liquidated below.

    Attributes:
        side: ``long`` or ``short``.
        paths: ``opened``, ``closed``, ``liquidated`` → path data.
        zero_line: Vertical position of the zero line in the box.
        top: USD at the top edge, the same for both sides.
        totals: USD over all steps: opened, closed, liquidated.
        change: Change of notional between the first and the last column, USD.
    """

    side: str
    paths: dict[str, str]
    zero_line: float
    top: float
    totals: tuple[float, float, float]
    change: float


def turnover(of: Tracks) -> tuple[Turnover, Turnover]:
    """Bars of longs and shorts on a common scale."""
    opened, closed, liquidated = (part[1:] for part in (of.opened, of.closed, of.liquidated))
    left = closed + liquidated
    top, bottom = float(opened.max(initial=1.0)), float(left.max(initial=1.0))
    zero_line = HEIGHT * top / (top + bottom)
    unit = HEIGHT / (top + bottom)
    width = WIDTH / max(len(opened), 1)

    def bars(side: int) -> dict[str, str]:
        found = {"opened": "", "closed": "", "liquidated": ""}
        for i in range(len(opened)):
            up, down, liquidations = (float(part[i, side]) * unit for part in (opened, closed, liquidated))
            for name, begin, rise in (
                ("opened", zero_line, -up),
                ("closed", zero_line + liquidations, down),
                ("liquidated", zero_line, liquidations),
            ):
                if abs(rise) >= HEIGHT / 2000:
                    found[name] += f"M{i * width:.1f} {begin:.2f}h{width * 0.88:.1f}v{rise:.2f}h{-width * 0.88:.1f}z"
        return found

    def one(side: int, name: str) -> Turnover:
        totals = tuple(float(np.sum(part[:, side])) for part in (opened, closed, liquidated))
        change = float(of.notional[-1, side] - of.notional[0, side])
        return Turnover(name, bars(side), zero_line, top, (totals[0], totals[1], totals[2]), change)

    return one(0, "long"), one(1, "short")
