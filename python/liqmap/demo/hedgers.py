"""Hedgers: hedged or unlevered holders that take the other side of the accounts' trades."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from liqmap.demo.volatility import MINUTES_PER_DAY

if TYPE_CHECKING:
    from liqmap.demo.settings import Settings

__all__ = ["Hedgers"]

_MAX_TRIES = 6
_REVERSION_PER_MINUTE = 1 / 3_000
_NOISE_SHARE = 5e-4


@dataclass(eq=False, slots=True)
class Hedgers:
    """Net positions of the hedgers.

    Every trade moves lots from a seller to a buyer. The sum over all accounts and hedgers is therefore always zero, and
    the total of the longs equals the total of the shorts and the open interest.

    Attributes:
        lots: Position by hedger, lots: above 0 long, below 0 short.
        average_entry: Average entry price by hedger, ticks.
        long_lots, short_lots: Open lots by side.
        size_deviation: Log deviation of the hedgers' target size from its mean.
    """

    rng: np.random.Generator
    settings: Settings
    lots: list[int]
    average_entry: list[float]
    long_lots: int = 0
    short_lots: int = 0
    size_deviation: float = 0.0
    _shuffled: list[int] = field(default_factory=list)

    @classmethod
    def at_equilibrium(cls, rng: np.random.Generator, settings: Settings, tick: int) -> Hedgers:
        """Half the hedgers long, half short, with log-normal sizes."""
        pairs = settings.hedgers // 2
        weight = np.exp(rng.standard_normal(pairs))
        size = [int(x) for x in settings.hedger_lots * weight / weight.sum()]
        hedgers = cls(rng, settings, [0] * settings.hedgers, [0.0] * settings.hedgers)
        for pair, lots in enumerate(size):
            hedgers.trade(2 * pair, lots, tick)
            hedgers.trade(2 * pair + 1, -lots, tick)
        return hedgers

    def trade(self, hedger: int, bought: int, tick: int) -> None:
        """Let one hedger buy lots at ``tick`` (sell if ``bought`` is below 0)."""
        before = self.lots[hedger]
        after = before + bought
        if after * before <= 0:
            self.average_entry[hedger] = float(tick)
        elif abs(after) > abs(before):
            self.average_entry[hedger] += (tick - self.average_entry[hedger]) * (1 - before / after)
        self.lots[hedger] = after
        self.long_lots += max(after, 0) - max(before, 0)
        self.short_lots += max(-after, 0) - max(-before, 0)

    def take_other_side(self, bought: int, tick: int, *, reduces_positions: bool) -> None:
        """Sell the lots that the accounts bought on balance (or buy the lots that they sold).

        Args:
            bought: Net lots bought by the accounts.
            tick: Price, ticks.
            reduces_positions: Whether a hedger closes open lots, so that open interest falls, or opens new ones.
        """
        if bought:
            self.trade(self._random_hedger(long=(bought > 0) == reduces_positions), -bought, tick)

    def trade_among_themselves(self, tick: int, minutes: int) -> None:
        """Trade between a long and a short hedger, who both open or both close; moves the total to its target size."""
        keep = math.exp(-minutes / (self.settings.hedger_days * MINUTES_PER_DAY))
        noise = float(self.rng.standard_normal())
        self.size_deviation = (
            keep * self.size_deviation + self.settings.hedger_spread * math.sqrt(1 - keep * keep) * noise
        )
        wanted = self.settings.hedger_lots * math.exp(self.size_deviation)
        pull = (wanted - min(self.long_lots, self.short_lots)) * _REVERSION_PER_MINUTE * minutes
        step = round(pull + wanted * _NOISE_SHARE * math.sqrt(minutes) * noise)
        buyer, seller = self._random_hedger(long=True), self._random_hedger(long=False)
        if step < 0:
            step = -min(-step, max(self.lots[buyer], 0), max(-self.lots[seller], 0))
        self.trade(buyer, step, tick)
        self.trade(seller, -step, tick)

    def _random_hedger(self, *, long: bool) -> int:
        """A random hedger of this side, or of any side if the first tries find none."""
        hedger = 0
        for _ in range(_MAX_TRIES):
            if not self._shuffled:
                self._shuffled = self.rng.integers(0, self.settings.hedgers, 20_000).tolist()
            hedger = self._shuffled.pop()
            if (self.lots[hedger] > 0) == long:
                break
        return hedger
