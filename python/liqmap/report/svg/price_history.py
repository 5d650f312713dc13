"""Price history of an instrument over its issues as SVG: mark price as a line, clusters as blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liqmap.report.site.types import IssueSummary

__all__ = ["HEIGHT", "WIDTH", "PriceHistory", "price_history"]

WIDTH, HEIGHT = 1000, 300
_BANDS = ("low", "medium", "high", "extreme")
_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """SVG path data in a ``WIDTH × HEIGHT`` box, scaled to the page width.

    Attributes:
        paths: CSS class of the colour → path data of the clusters, by side and band.
        mark_line: Path data of the mark price line.
        ticks: Round prices and their vertical positions, per cent from the top.
        last_position: Vertical position of the last price, per cent from the top.
        first: Time at the left edge, UTC microseconds.
        last: Time at the right edge, UTC microseconds.
    """

    paths: dict[str, str]
    mark_line: str
    ticks: tuple[tuple[float, float], ...]
    last_position: float
    first: int
    last: int


def price_history(rows: list[tuple[IssueSummary, dict[str, Any]]]) -> PriceHistory | None:
    """Draw the price history from issue summaries; ``None`` for fewer than two issues."""
    if len(rows) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    shown = [
        (summary["at"], entry["mark_price"], [c for c in entry["clusters"] if c["band"] != "low"])
        for summary, entry in rows
    ]
    prices: list[float] = [price for _, mark, clusters in shown for price in (mark, *(c["peak"] for c in clusters))]
    low, high = min(prices) * (1 - _MARGIN), max(prices) * (1 + _MARGIN)
    first, last = int(shown[0][0]), int(shown[-1][0])
    width: float = WIDTH / len(shown)

    def horizontal(at: int) -> float:
        return width / 2 + (at - first) / (last - first) * (WIDTH - width)

    def vertical(price: float) -> float:
        return (high - min(max(price, low), high)) / (high - low) * HEIGHT

    paths: dict[str, str] = {}
    for at, _, clusters in shown:
        for cluster in clusters:
            top, bottom = vertical(cluster["high"]), vertical(cluster["low"])
            name = f"{cluster['side']}s-{_BANDS.index(cluster['band'])}"
            drawn = f"M{horizontal(at) - width / 2:.1f} {top:.1f}h{width:.1f}v{max(bottom - top, 1):.1f}h{-width:.1f}z"
            paths[name] = paths.get(name, "") + drawn
    mark_line = "M" + "L".join(f"{horizontal(at):.1f} {vertical(price):.1f}" for at, price, _ in shown)
    ticks = tuple((price, vertical(price) / HEIGHT * 100) for price in _round_prices(low, high))
    return PriceHistory(
        dict(sorted(paths.items())), mark_line, ticks, vertical(shown[-1][1]) / HEIGHT * 100, first, last
    )


def _round_prices(low: float, high: float) -> list[float]:
    """Three to seven round prices between ``low`` and ``high``."""
    power = 10.0 ** math.floor(math.log10((high - low) / 3))
    step = power * max(factor for factor in (1, 2, 2.5, 5, 10) if factor * power <= (high - low) / 3)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
