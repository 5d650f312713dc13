"""Desks: hedged or unlevered holders, who take the other side of what the accounts do."""

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
    """Net positions of the desks, lots: above 0 long, below 0 short.

    Every trade moves lots from a seller to a buyer, so the sum over all accounts and desks is zero at any time, and the
    longs' sum is the shorts' sum is the open interest.

    Attributes:
        lots: By desk.
        paid: Average entry price by desk, ticks.
        long_lots, short_lots: Open lots by side.
        mood: How far the desks' wish to hold is from its rest (log).
    """

    rng: np.random.Generator
    settings: Settings
    lots: list[int]
    paid: list[float]
    long_lots: int = 0
    short_lots: int = 0
    size_deviation: float = 0.0
    _shuffled: list[int] = field(default_factory=list)

    @classmethod
    def at_equilibrium(cls, rng: np.random.Generator, settings: Settings, tick: int) -> Hedgers:
        """Half the desks long, half short, of very unequal size."""
        pairs = settings.desks // 2
        weight = np.exp(rng.standard_normal(pairs))
        size = [int(x) for x in settings.desk_lots * weight / weight.sum()]
        desks = cls(rng, settings, [0] * settings.desks, [0.0] * settings.desks)
        for pair, lots in enumerate(size):
            desks.trade(2 * pair, lots, tick)
            desks.trade(2 * pair + 1, -lots, tick)
        return desks

    def trade(self, desk: int, bought: int, tick: int) -> None:
        """One desk buys (or, below 0, sells)."""
        before = self.lots[desk]
        after = before + bought
        if after * before <= 0:
            self.paid[desk] = float(tick)
        elif abs(after) > abs(before):
            self.paid[desk] += (tick - self.paid[desk]) * (1 - before / after)
        self.lots[desk] = after
        self.long_lots += max(after, 0) - max(before, 0)
        self.short_lots += max(-after, 0) - max(-before, 0)

    def take_other_side(self, bought: int, tick: int, *, from_holders: bool) -> None:
        """Sell what the market bought on balance (or buy what it sold).

        Args:
            bought: Lots the accounts bought more than they sold.
            tick: The price.
            from_holders: Whether a desk gives up what it holds, so that contracts disappear, or takes on new ones.
        """
        if bought:
            self.trade(self._random_hedger(long=(bought > 0) == from_holders), -bought, tick)

    def trade_among_themselves(self, tick: int, minutes: int) -> None:
        """Some minutes of their own business: a long and a short desk open or close with each other."""
        keep = math.exp(-minutes / (self.settings.desk_days * MINUTES_PER_DAY))
        noise = float(self.rng.standard_normal())
        self.size_deviation = (
            keep * self.size_deviation + self.settings.desk_spread * math.sqrt(1 - keep * keep) * noise
        )
        wanted = self.settings.desk_lots * math.exp(self.size_deviation)
        pull = (wanted - min(self.long_lots, self.short_lots)) * _REVERSION_PER_MINUTE * minutes
        step = round(pull + wanted * _NOISE_SHARE * math.sqrt(minutes) * noise)
        buyer, seller = self._random_hedger(long=True), self._random_hedger(long=False)
        if step < 0:
            step = -min(-step, max(self.lots[buyer], 0), max(-self.lots[seller], 0))
        self.trade(buyer, step, tick)
        self.trade(seller, -step, tick)

    def _random_hedger(self, *, long: bool) -> int:
        """A random desk that is on this side; any other one if luck is out."""
        desk = 0
        for _ in range(_MAX_TRIES):
            if not self._shuffled:
                self._shuffled = self.rng.integers(0, self.settings.desks, 20_000).tolist()
            desk = self._shuffled.pop()
            if (self.lots[desk] > 0) == long:
                break
        return desk
