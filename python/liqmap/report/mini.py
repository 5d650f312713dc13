"""The small map of a card: eight paths, drawn by hand since a card needs no axes and a site has many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.maps.view import GROUPS, bars, window

if TYPE_CHECKING:
    from liqmap.maps.map import LiquidationMap

__all__ = ["HEIGHT", "WIDTH", "Mini", "mini"]

WIDTH, HEIGHT = 1000, 100
_MOST = 110


@dataclass(frozen=True, slots=True)
class Mini:
    """Path data on a ``WIDTH × HEIGHT`` box, to be stretched.

    Attributes:
        paths: CSS name of the colour → ``d``: ``longs-0`` … ``shorts-3``; empty ones left out.
        mark: Where the mark lies, in units of the box.
        low: Price at the left edge.
        high: Price at the right edge.
        step: Width of a bar, price.
    """

    paths: dict[str, str]
    mark: float
    low: float
    high: float
    step: float


def mini(of: LiquidationMap) -> Mini:
    """Draw a map small: the same bars, range and colours as the large chart."""
    shown = bars(of, most=_MOST)
    low, high = window(of)
    inside = (shown.high > low) & (shown.low < high)
    tallest = float((shown.long + shown.short).sum(axis=0)[inside].max(initial=0.0)) or 1.0
    left = (np.maximum(shown.low, low) - low) / (high - low) * WIDTH
    width = (np.minimum(shown.high, high) - low) / (high - low) * WIDTH - left
    floor = np.zeros(len(left))
    paths = {}
    for side, stack in (("shorts", shown.short), ("longs", shown.long)):
        for group in reversed(range(len(GROUPS))):
            rise = stack[group] / tallest * HEIGHT
            seen = np.flatnonzero(inside & (rise > HEIGHT / 1000))
            path = "".join(
                f"M{left[i]:.1f} {HEIGHT - floor[i]:.1f}h{width[i] * 0.86:.1f}v{-rise[i]:.1f}h{-width[i] * 0.86:.1f}z"
                for i in seen
            )
            floor += rise
            if path:
                paths[f"{side}-{group}"] = path
    return Mini(paths, (of.mark_price - low) / (high - low) * WIDTH, low, high, shown.step)
