"""Accounts that trade on margin: one isolated position each, or none, as dense arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from liqmap.demo.isolated_margin import Floats, MarginTable, liquidation_price

if TYPE_CHECKING:
    from liqmap.demo.settings import Settings

__all__ = ["NO_TRIGGER_TICK", "Ints", "MarginAccounts"]

Ints = npt.NDArray[np.int64]

NO_TRIGGER_TICK = np.iinfo(np.int32).max
"""A tick no price reaches: a short without a liquidation price."""


_NO_ACCOUNTS: Ints = np.empty(0, dtype=np.int64)


@dataclass(eq=False, slots=True)
class MarginAccounts:
    """The positions, by account; an account without one has side 0.

    A long is liquidated when the mark's tick is at or below ``falls_to``, a short at or above ``rises_to``; accounts
    without such a position hold 0 and :data:`NO_TRIGGER_TICK` there, so that one comparison finds all
    that are triggered.

    Attributes:
        wealth: Typical position of the account relative to the median; drawn once, kept for life.
        idle: Accounts without a position, a ring that is left at ``head`` and joined at ``tail`` (both only grow).
        long_lots, short_lots: Open lots by side.
        nearest_long, nearest_short: No long is triggered above, no short below: spares most minutes the look.
    """

    settings: Settings
    tiers: MarginTable
    size_factor: Floats
    side: Ints
    lots: Ints
    entry: Ints
    leverage: Floats
    margin: Floats
    price: Floats
    long_trigger_tick: npt.NDArray[np.int32]
    short_trigger_tick: npt.NDArray[np.int32]
    exit_minute: Ints
    idle_queue: Ints
    head: int
    tail: int
    long_lots: int = 0
    short_lots: int = 0
    highest_long_trigger: int = 0
    lowest_short_trigger: int = NO_TRIGGER_TICK

    @classmethod
    def empty(cls, rng: np.random.Generator, settings: Settings, tiers: MarginTable) -> MarginAccounts:
        """As many accounts as the settings say, none with a position."""
        n = settings.accounts
        return cls(
            settings=settings,
            tiers=tiers,
            size_factor=np.exp(rng.standard_normal(n) * settings.account_spread),
            side=np.zeros(n, dtype=np.int64),
            lots=np.zeros(n, dtype=np.int64),
            entry=np.zeros(n, dtype=np.int64),
            leverage=np.zeros(n),
            margin=np.zeros(n),
            price=np.full(n, np.nan),
            long_trigger_tick=np.zeros(n, dtype=np.int32),
            short_trigger_tick=np.full(n, NO_TRIGGER_TICK, dtype=np.int32),
            exit_minute=np.full(n, -1, dtype=np.int64),
            idle_queue=rng.permutation(n),
            head=0,
            tail=n,
        )

    def take_idle(self, wanted: int) -> Ints:
        """Up to ``wanted`` accounts without a position, those that have waited longest; they are about to open one."""
        last = min(self.head + wanted, self.tail)
        taken = self.idle_queue.take(np.arange(self.head, last), mode="wrap")
        self.head = last
        return taken

    def open(self, who: Ints, side: Ints, usd: Floats, tick: Ints, leverage: Floats, padding: Floats) -> Ints:
        """Open positions at a price; returns their lots.

        Args:
            who: Idle accounts.
            side: +1 long, −1 short.
            usd: Notional wanted; it is cut to whole lots, at least one.
            tick: Entry prices.
            leverage: Leverage wanted; cut to what the tier allows.
            padding: Margin above what the leverage asks for, as a share of it.
        """
        lot, step = self.settings.lot, self.settings.tick
        entry = np.asarray(tick * step, dtype=np.float64)
        lots = np.maximum(np.floor(usd / (entry * lot)), 1.0)
        notional = lots * (entry * lot)
        leverage = self.tiers.cap_leverage(notional, leverage)
        margin = np.rint(notional / leverage * (1 + padding) * 1e4) / 1e4
        price = liquidation_price(side, lots * lot, entry, margin, self.tiers)
        whole = lots.astype(np.int64)
        self.side[who] = side
        self.lots[who] = whole
        self.entry[who] = tick
        self.leverage[who] = leverage
        self.margin[who] = margin
        self.price[who] = price
        is_long = side > 0
        level = price / step
        level[np.isnan(level)] = 0.0
        falls_to = np.where(is_long, np.floor(level), 0).astype(np.int32)
        rises_to = np.where(is_long, NO_TRIGGER_TICK, np.ceil(level)).astype(np.int32)
        self.long_trigger_tick[who] = falls_to
        self.short_trigger_tick[who] = rises_to
        self.highest_long_trigger = max(self.highest_long_trigger, int(falls_to.max()))
        self.lowest_short_trigger = min(self.lowest_short_trigger, int(rises_to.min()))
        net, total = int((whole * side).sum()), int(whole.sum())
        self.long_lots += (total + net) // 2
        self.short_lots += (total - net) // 2
        return whole

    def close(self, who: Ints) -> None:
        """Take positions off; the accounts join the idle."""
        lots = self.lots[who]
        net, total = int((lots * self.side[who]).sum()), int(lots.sum())
        self.long_lots -= (total + net) // 2
        self.short_lots -= (total - net) // 2
        self.side[who] = 0
        self.lots[who] = 0
        self.long_trigger_tick[who] = 0
        self.short_trigger_tick[who] = NO_TRIGGER_TICK
        self.idle_queue[np.arange(self.tail, self.tail + len(who)) % len(self.idle_queue)] = who
        self.tail += len(who)

    def triggered(self, tick: int, *, falling: bool) -> Ints:
        """Positions that a mark at ``tick`` liquidates, in the order in which the price met them."""
        if falling:
            if tick > self.highest_long_trigger:
                return _NO_ACCOUNTS
            hit = np.flatnonzero(self.long_trigger_tick >= tick)
            self.highest_long_trigger = tick - 1 if len(hit) else int(self.long_trigger_tick.max())
            return np.asarray(hit[np.argsort(-self.long_trigger_tick[hit], kind="stable")])
        if tick < self.lowest_short_trigger:
            return _NO_ACCOUNTS
        hit = np.flatnonzero(self.short_trigger_tick <= tick)
        self.lowest_short_trigger = tick + 1 if len(hit) else int(self.short_trigger_tick.min())
        return np.asarray(hit[np.argsort(self.short_trigger_tick[hit], kind="stable")])

    def has_loss(self, who: Ints, tick: int) -> npt.NDArray[np.bool_]:
        """Which positions are under water at a price."""
        return np.asarray(self.side[who] * (tick - self.entry[who]) < 0)
