"""Layout of a map chart: its size in pixels, its axes, and the conversion between prices and pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.number_format import decimals
from liqmap.charts.nice_steps import nice_step
from liqmap.maps.display_bars import GROUPS, DisplayBars, display_bars, first_view

if TYPE_CHECKING:
    from liqmap.maps.map import LiquidationMap

__all__ = ["MEDIUM", "NARROW", "WIDE", "MapChartSize", "MapLayout"]


_HEADROOM = 1.08  # above the end of a cumulative line, so that its label does not overlap the strip


@dataclass(frozen=True, slots=True)
class MapChartSize:
    """Size of a map chart.

    Attributes:
        width: Pixels between the two vertical axes.
        height: Pixels from the top of the label strip to the price axis.
        rows: Rows of cluster labels in the strip.
        labels: Maximum number of cluster labels.
        most: Maximum number of bars in the first view.
        titles: Whether there is space for the titles of the vertical axes.
    """

    width: int
    height: int
    rows: int
    labels: int
    most: int
    titles: bool

    @property
    def strip(self) -> int:
        """Height of the strip above the bars: the mark's label, the rows of cluster labels and the basins, pixels."""
        return 22 + self.rows * self.row + 12

    @property
    def row(self) -> int:
        """Height of a row of labels: two lines and spacing, pixels."""
        return 34


WIDE = MapChartSize(width=980, height=470, rows=2, labels=8, most=150, titles=True)
MEDIUM = MapChartSize(width=610, height=420, rows=2, labels=8, most=110, titles=False)
NARROW = MapChartSize(width=284, height=360, rows=2, labels=8, most=80, titles=False)


@dataclass(frozen=True, eq=False, slots=True)
class MapLayout:
    """A map with the choices needed to draw it.

    Attributes:
        of: The map.
        bars: Bars of the map.
        low: Left end of the first view, price.
        high: Right end of the first view, price.
        top: USD per bar at the top of the chart, including the strip.
        total: USD at the top of the chart on the cumulative axis.
        frame: Size of the chart.
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
        """Choose bars, price range and axes for a map; ``reach`` limits the range to that distance from the mark."""
        low, high = first_view(of) if reach is None else (of.mark_price * (1 - reach), of.mark_price * (1 + reach))
        shown = display_bars(of, most=frame.most, within=(low, high))
        inside = (shown.high > low) & (shown.low < high)
        # The axes of an empty map end at 1,000 USD.
        tallest = float((shown.long + shown.short).sum(axis=0)[inside].max(initial=0.0)) or 1e3
        total = float(shown.cumulative[inside].max(initial=0.0)) or 1e3
        stretch = frame.height / (frame.height - frame.strip)
        return cls(of, shown, low, high, tallest * stretch, total * stretch * _HEADROOM, frame)

    def pixel(self, price: float) -> float:
        """Pixels of a price from the left of the chart in the first view."""
        return (price - self.low) / (self.high - self.low) * self.frame.width

    def price_at(self, pixel: float) -> float:
        """The price at ``pixel`` from the left of the chart in the first view."""
        return self.low + pixel / self.frame.width * (self.high - self.low)

    def parameters(self) -> dict[str, float | list[float]]:
        """Values of the parameters of :mod:`liqmap.charts.map.layers`."""
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
        """Round tick values from 0 to the lower end of the strip, for an axis with ``top`` at the top of the chart."""
        usable = top * (self.frame.height - self.frame.strip) / self.frame.height
        step = nice_step(usable / count)
        return [step * i for i in range(int(usable / step + 1e-9) + 1)]
