"""Market conditions: volatility and hourly true range, from bars."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap.stress.touch_probability import ewma_volatility

if TYPE_CHECKING:
    from liqmap._base.provenance import JSON
    from liqmap.history.queries import MarketBars

__all__ = ["Conditions"]

_HOURS_PER_YEAR = 8760.0
_HOUR_S = 3600
_HOUR_US = _HOUR_S * 1_000_000
_ATR_HOURS = 14


@dataclass(frozen=True, slots=True)
class Conditions:
    """Volatility and true range of a market.

    Attributes:
        volatility: Realised annual volatility, a fraction.
        atr: Average true range of one hour (ATR), quote currency.

    Raises:
        InputError: A value is not finite and above 0.

    Example:
        >>> round(Conditions(volatility=0.5, atr=300.0).move(12), 4)
        0.0185
    """

    volatility: float
    atr: float

    def __post_init__(self) -> None:
        for name, value in (("volatility", self.volatility), ("atr", self.atr)):
            if not (math.isfinite(value) and value > 0):
                raise InputError("levels", name, repr(value), "a finite number above 0", "nothing computed")

    def move(self, hours: float) -> float:
        """Standard deviation of the move over a number of hours, a fraction: ``σ·√(hours / 8760)``."""
        return self.volatility * math.sqrt(hours / _HOURS_PER_YEAR)

    @classmethod
    def of_bars(cls, bars: MarketBars) -> Conditions:
        """Exponentially weighted volatility (half-life 24 h), and the mean true range of the last 14 hours.

        Bars are aggregated to clock hours; the range of longer bars is scaled by ``√(1 h / bar)``.

        Raises:
            InputError: Fewer than two hours of bars, or prices that never moved.
        """
        hour = (bars.end - 1) // _HOUR_US
        starts = np.flatnonzero(np.diff(hour, prepend=hour[0] - 1)) if len(bars) else np.empty(0, np.int64)
        if starts.size < 2:  # noqa: PLR2004 - a true range needs the previous close
            raise InputError("levels", bars.instrument, f"{len(bars)} bars", "two hours of bars", "nothing computed")
        high, low = np.maximum.reduceat(bars.high, starts), np.minimum.reduceat(bars.low, starts)
        close = bars.close[np.append(starts[1:], len(bars)) - 1]
        ranges = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
        atr = float(ranges[-_ATR_HOURS:].mean()) * math.sqrt(min(1.0, _HOUR_S / bars.interval_s))
        return cls(volatility=ewma_volatility(bars.close, bars.interval_s), atr=atr)

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
        return dict(asdict(self))
