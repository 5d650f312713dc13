"""Margin accounts: at most one isolated position each, stored as dense arrays."""

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
"""A tick above any price, for shorts without a liquidation price."""

_NO_ACCOUNTS: Ints = np.empty(0, dtype=np.int64)


@dataclass(eq=False, slots=True)
class MarginAccounts:
    """Positions by account number; an account without a position has side 0.

    A long is liquidated when the mark's tick is at or below its ``long_trigger_tick``, a short when it is at or above
    its ``short_trigger_tick``. Accounts without a long hold 0 and accounts without a short hold
    :data:`NO_TRIGGER_TICK`, so that one comparison over the whole array finds the triggered positions.

    Attributes:
        size_factor: Typical position of the account relative to the median; drawn once.
        long_trigger_tick, short_trigger_tick: Marks that liquidate the position, ticks.
        exit_minute: Minute of the scheduled exit; −1 without a schedule.
        idle_queue: Ring buffer of accounts without a position.
        head, tail: Read and write counters of the ring buffer; both only increase.
        long_lots, short_lots: Open lots by side.
        highest_long_trigger, lowest_short_trigger: Bounds beyond which no position is triggered, so that most minutes
            need no search.
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
        """The number of accounts in the settings, all without a position."""
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
        """Remove up to ``wanted`` accounts from the idle queue, longest idle first, to open their positions."""
        last = min(self.head + wanted, self.tail)
        taken = self.idle_queue.take(np.arange(self.head, last), mode="wrap")
        self.head = last
        return taken

    def open(self, rows: Ints, side: Ints, usd: Floats, tick: Ints, leverage: Floats, extra_margin: Floats) -> Ints:
        """Open positions and return their lots.

        Args:
            rows: Numbers of idle accounts.
            side: +1 long, −1 short.
            usd: Requested notional; rounded down to whole lots, at least one.
            tick: Entry prices, ticks.
            leverage: Requested leverage; limited to the maximum of the tier.
            extra_margin: Margin above the initial margin, as a share of it.
        """
        lot, step = self.settings.lot, self.settings.tick
        entry = np.asarray(tick * step, dtype=np.float64)
        lots = np.maximum(np.floor(usd / (entry * lot)), 1.0)
        notional = lots * (entry * lot)
        leverage = self.tiers.cap_leverage(notional, leverage)
        margin = np.rint(notional / leverage * (1 + extra_margin) * 1e4) / 1e4
        price = liquidation_price(side, lots * lot, entry, margin, self.tiers)
        whole = lots.astype(np.int64)
        self.side[rows] = side
        self.lots[rows] = whole
        self.entry[rows] = tick
        self.leverage[rows] = leverage
        self.margin[rows] = margin
        self.price[rows] = price
        is_long = side > 0
        level = price / step
        level[np.isnan(level)] = 0.0
        long_trigger = np.where(is_long, np.floor(level), 0).astype(np.int32)
        short_trigger = np.where(is_long, NO_TRIGGER_TICK, np.ceil(level)).astype(np.int32)
        self.long_trigger_tick[rows] = long_trigger
        self.short_trigger_tick[rows] = short_trigger
        self.highest_long_trigger = max(self.highest_long_trigger, int(long_trigger.max()))
        self.lowest_short_trigger = min(self.lowest_short_trigger, int(short_trigger.min()))
        net, total = int((whole * side).sum()), int(whole.sum())
        self.long_lots += (total + net) // 2
        self.short_lots += (total - net) // 2
        return whole

    def close(self, rows: Ints) -> None:
        """Close positions and append the accounts to the idle queue."""
        lots = self.lots[rows]
        net, total = int((lots * self.side[rows]).sum()), int(lots.sum())
        self.long_lots -= (total + net) // 2
        self.short_lots -= (total - net) // 2
        self.side[rows] = 0
        self.lots[rows] = 0
        self.long_trigger_tick[rows] = 0
        self.short_trigger_tick[rows] = NO_TRIGGER_TICK
        self.idle_queue[np.arange(self.tail, self.tail + len(rows)) % len(self.idle_queue)] = rows
        self.tail += len(rows)

    def triggered(self, tick: int, *, falling: bool) -> Ints:
        """Accounts whose position a mark at ``tick`` liquidates, in the order in which the price reaches them."""
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

    def has_loss(self, rows: Ints, tick: int) -> npt.NDArray[np.bool_]:
        """Whether each position has an unrealised loss at a price."""
        return np.asarray(self.side[rows] * (tick - self.entry[rows]) < 0)
