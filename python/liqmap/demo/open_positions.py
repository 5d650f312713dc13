"""The truth about a moment: every open position."""

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
    """Every open position at one instant, as columns; desks come after the accounts.

    Attributes:
        ts: UTC microseconds.
        mark_price: USD.
        account: Number of the holder; it says nothing about who that is.
        side: +1 long, −1 short.
        lots: Size.
        entry_price: USD.
        leverage: What was picked; 1 for desks, who hold the coin or the cash against it.
        margin: Isolated margin, USD; NaN for desks.
        liquidation_price: USD; NaN where no price liquidates the position.
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
        """The market as it stands."""
        accounts, step = market.accounts, market.settings.tick
        who = np.flatnonzero(accounts.side)
        held = np.array(market.desks.lots, dtype=np.int64)
        desk = np.flatnonzero(held)
        none = np.full(len(desk), np.nan)
        paid = np.rint(np.array(market.desks.paid)[desk])
        return cls(
            ts=ts,
            mark_price=market.tick * step,
            account=np.concatenate([who, desk + len(accounts.side)]),
            side=np.concatenate([accounts.side[who], np.sign(held[desk])]),
            lots=np.concatenate([accounts.lots[who], np.abs(held[desk])]),
            entry_price=np.concatenate([accounts.entry[who].astype(np.float64), paid]) * step,
            leverage=np.concatenate([accounts.leverage[who], np.ones(len(desk))]),
            margin=np.concatenate([accounts.margin[who], none]),
            liquidation_price=np.concatenate([accounts.price[who], none]),
        )
