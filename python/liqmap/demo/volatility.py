"""Volatility of the simulated price: GARCH with Student-t shocks, a slow regime and a daily cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from liqmap.demo.settings import Settings

__all__ = ["MINUTES_PER_DAY", "VolatilityProcess"]

MINUTES_PER_DAY = 1_440
_MAX_SQUARED_RETURN = 64.0


@dataclass(slots=True)
class VolatilityProcess:
    """Variance of the price by minute.

    Variance follows ``h' = (1 − α − β)·v + α·r² + β·h`` (Bollerslev 1986). ``r`` is the realised return, so that a
    cascade raises the variance of the next minutes; ``v`` is the long-run variance times the factors of regime and
    hour. Returns are capped at eight times the long-run volatility, so that a flash crash raises volatility for about
    an hour and does not amplify itself.

    Attributes:
        arch: α.
        garch: β.
        base: Long-run variance per minute.
        level: ``v`` of every minute.
        shocks: Standardised shock of every minute.
        variance: Present ``h``.
    """

    arch: float
    garch: float
    base: float
    level: npt.NDArray[np.float64]
    shocks: npt.NDArray[np.float64]
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        self.variance = float(self.level[0])

    @classmethod
    def draw(cls, rng: np.random.Generator, minutes: int, settings: Settings) -> VolatilityProcess:
        """Draw the regime and the shocks of all minutes."""
        base = settings.volatility**2 / (365 * MINUTES_PER_DAY)
        keep = math.exp(-1 / (settings.regime_days * 24))
        steps = rng.standard_normal(minutes // 60 + 2) * settings.regime_spread * math.sqrt(1 - keep**2)
        regime = np.empty(len(steps))
        regime[0] = 0.0
        for hour in range(1, len(steps)):
            regime[hour] = keep * regime[hour - 1] + steps[hour]
        minute = np.arange(minutes)
        slow = np.interp(minute / 60, np.arange(len(regime)), regime) - settings.regime_spread**2 / 2
        # The maximum is at 14:30 UTC, when trading hours in Europe and America overlap.
        hours = settings.daily_swing * np.cos((minute % MINUTES_PER_DAY / 60 - 14.5) * (math.pi / 12))
        shocks = rng.standard_t(settings.tail, minutes) * math.sqrt((settings.tail - 2) / settings.tail)
        return cls(settings.arch, settings.garch, base, base * np.exp(slow) * (1 + hours), shocks)

    def sigma(self) -> float:
        """Volatility of the present minute."""
        return math.sqrt(self.variance)

    def update(self, minute: int, move: float) -> None:
        """Update the variance with the realised log return of a minute."""
        square = min(move * move, _MAX_SQUARED_RETURN * self.base)
        rest = 1 - self.arch - self.garch
        self.variance = rest * float(self.level[minute]) + self.arch * square + self.garch * self.variance
