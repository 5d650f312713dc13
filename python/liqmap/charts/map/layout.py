"""The frame a map is drawn in: its room in pixels, its axes, and where a pixel lies on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.number_format import decimals
from liqmap.maps.display_bars import GROUPS, DisplayBars, display_bars, first_view

if TYPE_CHECKING:
    from liqmap.maps.map import LiquidationMap

__all__ = ["MEDIUM", "NARROW", "WIDE", "MapChartSize", "MapLayout"]


_HEADROOM = 1.08  # above the end of a line of sums, so that its figure keeps clear of the strip


@dataclass(frozen=True, slots=True)
class MapChartSize:
    """The room a chart has.

    Attributes:
        width: Pixels between the two vertical axes.
        height: Pixels from the top of the label strip to the price axis.
        rows: Rows of cluster labels in the strip.
        labels: How many clusters may be named.
        most: Bars in the first view, at most.
        titles: Whether there is room for words: titles of the vertical axes, the name of the assumed zone.
    """

    width: int
    height: int
    rows: int
    labels: int
    most: int
    titles: bool

    @property
    def strip(self) -> int:
        """Height of the strip above the bars: the mark's line, then the rows, then the basins."""
        return 22 + self.rows * self.row + 12

    @property
    def row(self) -> int:
        """Height of a row of labels: two lines and air."""
        return 34


WIDE = MapChartSize(width=980, height=470, rows=2, labels=8, most=150, titles=True)
MEDIUM = MapChartSize(width=610, height=420, rows=2, labels=8, most=110, titles=False)
NARROW = MapChartSize(width=284, height=360, rows=2, labels=8, most=80, titles=False)


@dataclass(frozen=True, eq=False, slots=True)
class MapLayout:
    """A map in its frame.

    Attributes:
        of: The map.
        bars: Its bars.
        low: Left end of the first view, price.
        high: Right end.
        top: USD per bar at the top of the frame, strip included.
        total: USD at the top of the frame on the axis of sums.
    """

    of: LiquidationMap
    bars: DisplayBars
    low: float
    high: float
    top: float
    total: float
    frame: MapChartSize

    @classmethod
    def of_map(cls, of: LiquidationMap, frame: MapChartSize, reach: float | None = None) -> MapLayout:
        """Choose bars, range and axes for a map; with a reach, for that distance from the mark and no further."""
        low, high = first_view(of) if reach is None else (of.mark_price * (1 - reach), of.mark_price * (1 + reach))
        shown = display_bars(of, most=frame.most, within=(low, high))
        inside = (shown.high > low) & (shown.low < high)
        # An empty map still has axes: a thousand dollars high.
        tallest = float((shown.long + shown.short).sum(axis=0)[inside].max(initial=0.0)) or 1e3
        total = float(shown.cumulative[inside].max(initial=0.0)) or 1e3
        room = frame.height / (frame.height - frame.strip)
        return cls(of, shown, low, high, tallest * room, total * room * _HEADROOM, frame)

    def pixel(self, price: float) -> float:
        """Pixels from the left of the frame in the first view."""
        return (price - self.low) / (self.high - self.low) * self.frame.width

    def price_at(self, pixel: float) -> float:
        """The price ``pixel`` from the left of the frame in the first view."""
        return self.low + pixel / self.frame.width * (self.high - self.low)

    def parameters(self) -> dict[str, float | list[float]]:
        """What the drawing of :mod:`liqmap.charts.map.layers` has to be told."""
        return {
            "mark": self.of.mark_price,
            "low": self.low,
            "high": self.high,
            "top": self.top,
            "total": self.total,
            "left": self.ticks(self.top),
            "right": self.ticks(self.total),
            "digits": decimals(self.of.mark_price, self.of.grid.tick),
            "strip": self.frame.strip,
            "spare": _HEADROOM,
            "count": self.frame.width // 72,
            **{f"show_{group}": True for group in range(len(GROUPS))},
        }

    def ticks(self, top: float, count: int = 4) -> list[float]:
        """Round values for an axis whose value at the top of the frame is ``top``: 0 up to where the strip begins."""
        usable = top * (self.frame.height - self.frame.strip) / self.frame.height
        power = 10.0 ** math.floor(math.log10(usable / count))
        step = power * next(step for step in (1, 2, 2.5, 5, 10) if step * power >= usable / count * (1 - 1e-9))
        return [step * i for i in range(int(usable / step + 1e-9) + 1)]
