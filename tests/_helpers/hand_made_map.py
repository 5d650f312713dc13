"""A map of a few blocks of liquidations around 100,000, simple enough for hand calculation."""

from __future__ import annotations

import numpy as np

from liqmap._base.grid import Grid
from liqmap._base.ledger import Ledger, SideLedger
from liqmap._base.provenance import Provenance
from liqmap.maps.map import LiquidationMap
from liqmap.strategies.conditions import Conditions
from liqmap.strategies.context import MapContext
from liqmap.stress.impact import Law, Linear

MARK = 100_000.0
WIDTH = 20.0
MILLION_PER_DOLLAR = Linear(depth=1e11)
"""An impact law under which $1M moves the price of 100,000 by $1."""
CALM = Conditions(volatility=0.5, atr=300.0)


def hand_map(*blocks: tuple[float, float, float]) -> LiquidationMap:
    """Blocks ``(low, high, USD)``, each spread evenly over its bins of 20; blocks below 100,000 are longs."""
    grid = Grid(tick=0.5, low_tick=int(80_000 / 0.5), width_ticks=int(WIDTH / 0.5), bins=2000)
    held = {"long": np.zeros((2, grid.bins)), "short": np.zeros((2, grid.bins))}
    for low, high, usd in blocks:
        first, last = round((low - grid.low) / WIDTH), round((high - grid.low) / WIDTH)
        held["long" if high <= MARK else "short"][:, first:last] += usd / (last - first) / 2
    account = SideLedger(opened=0.0, closed=0.0, liquidated=0.0, mapped=0.0, unmapped=0.0)
    return LiquidationMap(
        instrument="sim:HAND",
        at=1_780_574_400_000_000,
        mark_price=MARK,
        open_interest=0.0,
        grid=grid,
        brackets=(10.0, 50.0),
        long=held["long"],
        short=held["short"],
        outside={"long": 0.0, "short": 0.0},
        ledger=Ledger(long=account, short=account),
        provenance=Provenance(version="0"),
    )


def map_context(
    *blocks: tuple[float, float, float], law: Law = MILLION_PER_DOLLAR, conditions: Conditions = CALM
) -> MapContext:
    return MapContext(hand_map(*blocks), law, conditions)
