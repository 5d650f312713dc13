"""All open positions of the simulated market at one time, with their true liquidation prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from liqmap.demo.accounts import Ints
    from liqmap.demo.isolated_margin import Floats
    from liqmap.demo.simulated_market import SimulatedMarket

__all__ = ["OpenPositions"]


@dataclass(frozen=True, eq=False, slots=True)
class OpenPositions:
    """All open positions at one time, as columns; hedgers follow the accounts.

    Attributes:
        ts: Time, UTC microseconds.
        mark_price: Mark, USD.
        account: Number of the holder, arbitrary.
        side: +1 long, −1 short.
        lots: Size, lots.
        entry_price: Entry price, USD.
        leverage: Chosen leverage; 1 for hedgers, who hold the coin or cash as a hedge.
        margin: Isolated margin, USD; NaN for hedgers.
        liquidation_price: Liquidation price, USD; NaN if no price liquidates the position.
    """

    ts: int
    mark_price: float
    account: Ints
    side: Ints
    lots: Ints
    entry_price: Floats
    leverage: Floats
    margin: Floats
    liquidation_price: Floats

    @classmethod
    def of(cls, market: SimulatedMarket, ts: int) -> OpenPositions:
        """Read the open positions of the market at its present minute."""
        accounts, step = market.accounts, market.settings.tick
        rows = np.flatnonzero(accounts.side)
        held = np.array(market.hedgers.lots, dtype=np.int64)
        hedger = np.flatnonzero(held)
        none = np.full(len(hedger), np.nan)
        average_entry = np.rint(np.array(market.hedgers.average_entry)[hedger])
        return cls(
            ts=ts,
            mark_price=market.tick * step,
            account=np.concatenate([rows, hedger + len(accounts.side)]),
            side=np.concatenate([accounts.side[rows], np.sign(held[hedger])]),
            lots=np.concatenate([accounts.lots[rows], np.abs(held[hedger])]),
            entry_price=np.concatenate([accounts.entry[rows].astype(np.float64), average_entry]) * step,
            leverage=np.concatenate([accounts.leverage[rows], np.ones(len(hedger))]),
            margin=np.concatenate([accounts.margin[rows], none]),
            liquidation_price=np.concatenate([accounts.price[rows], none]),
        )
