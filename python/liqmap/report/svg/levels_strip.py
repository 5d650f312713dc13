"""Trading levels on one horizontal price axis, one row per rule, as plain SVG rectangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap.strategies.trading_levels import TradingLevels

__all__ = ["LevelRow", "LevelsStrip", "PriceSpan", "levels_strip"]

_MARGIN = 0.06
_MIN_WIDTH = 0.35
_TICKS = 4


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """A price interval or a single price, in per cent of the width.

    Attributes:
        left: Left end.
        width: Width, at least the visible minimum.
        css_class: CSS classes.
    """

    left: float
    width: float
    css_class: str


@dataclass(frozen=True, slots=True)
class LevelRow:
    """The levels of one rule."""

    name: str
    spans: tuple[PriceSpan, ...]


@dataclass(frozen=True, slots=True)
class LevelsStrip:
    """The rows and the price axis.

    Attributes:
        rows: Rows from top to bottom, without empty ones.
        mark: Position of the mark price, per cent of the width.
        ticks: Position in per cent and price of each tick.
        low: Price at the left edge.
        high: Price at the right edge.
    """

    rows: tuple[LevelRow, ...]
    mark: float
    ticks: tuple[tuple[float, float], ...]
    low: float
    high: float


def levels_strip(found: TradingLevels) -> LevelsStrip:
    """Lay out all levels on one price axis that contains them and is symmetric about the mark price."""
    stops = [(s.price, s.price, f"{s.side}s-3 thin") for s in found.stops.rows if s.price is not None]
    by_rule: dict[str, list[tuple[float, float, str]]] = {
        "Clusters": [(c.low, c.high, f"{c.side}s-2") for c in found.clusters.rows],
        "Breakout": [(min(b.level, b.through), max(b.level, b.through), f"{b.side}s-3") for b in found.breakout.rows],
        "Scalping": [(s.low, s.high, f"{s.side}s-1") for s in found.scalping.rows],
        "Stops": stops,
        "Liquidity": [(z.low, z.high, "deep") for z in found.liquidity.rows],
        "Voids": [(z.low, z.high, "empty") for z in found.voids.rows],
        "Traps": [(t.peak, t.peak, f"{t.side}s-3 thin") for t in found.traps.rows if t.flagged],
    }
    mark = found.mark_price
    ends = [price for many in by_rule.values() for low, high, _ in many for price in (low, high)]
    reach = max((abs(price / mark - 1) for price in ends), default=0.05) * (1 + _MARGIN)
    low, high = mark * (1 - reach), mark * (1 + reach)

    def position(price: float) -> float:
        return 100 * (price - low) / (high - low)

    def spans(many: Iterable[tuple[float, float, str]]) -> tuple[PriceSpan, ...]:
        return tuple(PriceSpan(position(a), max(position(b) - position(a), _MIN_WIDTH), css) for a, b, css in many)

    ticks = tuple((100 * i / _TICKS, low + (high - low) * i / _TICKS) for i in range(_TICKS + 1))
    rows = tuple(LevelRow(name, spans(many)) for name, many in by_rule.items() if many)
    return LevelsStrip(rows, 50.0, ticks, low, high)
