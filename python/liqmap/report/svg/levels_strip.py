"""Prices from left to right, a lane for each use: drawn by hand, since strips on one axis need no chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap.strategies.trading_levels import LevelsToUse

__all__ = ["LevelRow", "LevelsStrip", "PriceSpan", "lanes"]

_MARGIN = 0.06
_MIN_WIDTH = 0.35
_TICKS = 4


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """A stretch of prices, or a single one if both ends are the same; in per cent of the width.

    Attributes:
        left: Left end.
        width: At least what can be seen.
        look: CSS names.
    """

    left: float
    width: float
    look: str


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One use."""

    name: str
    strips: tuple[PriceSpan, ...]


@dataclass(frozen=True, slots=True)
class LevelsStrip:
    """The picture.

    Attributes:
        lanes: Top to bottom; empty ones are left out.
        mark: Where the mark lies, per cent of the width.
        ticks: Place in per cent and price.
        low: Price at the left edge.
        high: Price at the right edge.
    """

    lanes: tuple[LevelRow, ...]
    mark: float
    ticks: tuple[tuple[float, float], ...]
    low: float
    high: float


def lanes(found: LevelsToUse) -> LevelsStrip:
    """Every level the rules found, on one axis of price that holds them all, as far to the left as to the right."""
    stops = [(s.price, s.price, f"{s.side}s-3 thin") for s in found.stops.rows if s.price is not None]
    given: dict[str, list[tuple[float, float, str]]] = {
        "Clusters": [(c.low, c.high, f"{c.side}s-2") for c in found.clusters.rows],
        "Breakout": [(min(b.level, b.through), max(b.level, b.through), f"{b.side}s-3") for b in found.breakout.rows],
        "Scalping": [(s.low, s.high, f"{s.side}s-1") for s in found.scalping.rows],
        "Stops": stops,
        "Liquidity": [(z.low, z.high, "deep") for z in found.liquidity.rows],
        "Voids": [(z.low, z.high, "empty") for z in found.voids.rows],
        "Traps": [(t.peak, t.peak, f"{t.side}s-3 thin") for t in found.traps.rows if t.flagged],
    }
    mark = found.mark_price
    ends = [price for many in given.values() for low, high, _ in many for price in (low, high)]
    reach = max((abs(price / mark - 1) for price in ends), default=0.05) * (1 + _MARGIN)
    low, high = mark * (1 - reach), mark * (1 + reach)

    def at(price: float) -> float:
        return 100 * (price - low) / (high - low)

    def strips(many: Iterable[tuple[float, float, str]]) -> tuple[PriceSpan, ...]:
        return tuple(PriceSpan(at(a), max(at(b) - at(a), _MIN_WIDTH), look) for a, b, look in many)

    ticks = tuple((100 * i / _TICKS, low + (high - low) * i / _TICKS) for i in range(_TICKS + 1))
    filled = tuple(LevelRow(name, strips(many)) for name, many in given.items() if many)
    return LevelsStrip(filled, 50.0, ticks, low, high)
