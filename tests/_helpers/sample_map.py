"""A synthetic map with a realistic shape: cohorts of several leverages along a seeded price path."""

from __future__ import annotations

import numpy as np

from liqmap._base.grid import Grid
from liqmap._base.ledger import Ledger, SideLedger
from liqmap._base.provenance import Provenance
from liqmap._base.timestamps import Instant, parse_instant
from liqmap.maps.map import LiquidationMap

LEVERAGE = (3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0, 125.0)
SHARE = (0.10, 0.15, 0.24, 0.20, 0.12, 0.10, 0.04, 0.03, 0.02)
LIFE_H = (720, 168, 72, 24, 24, 8, 6, 4, 4)
OPEN_INTEREST = 101_234.5


def sample_map(
    instrument: str = "binance:BTCUSDT",
    *,
    seed: int = 7,
    mark: float = 77_412.3,
    tick: float = 0.1,
    simulated: bool = False,
    at: Instant | None = None,
) -> LiquidationMap:
    rng = np.random.default_rng(seed)
    bars = 20 * 288
    steps = rng.standard_t(4, bars) * 0.0011 / np.sqrt(2)
    path = mark * np.exp(np.cumsum(steps[::-1])[::-1] * -1)
    low, high = path * (1 - 0.0008), path * (1 + 0.0008)
    lowest = np.minimum.accumulate(np.append(low[1:], mark)[::-1])[::-1]
    highest = np.maximum.accumulate(np.append(high[1:], mark)[::-1])[::-1]
    age_h = np.arange(bars)[::-1] / 12
    opened = np.exp(rng.normal(0, 1.1, bars)) * (1 + 40 * np.abs(steps) / 0.001)
    grid = Grid.around(mark, tick)
    maps = {}
    for side, sign in (("long", -1), ("short", 1)):
        out = np.zeros((len(LEVERAGE), grid.bins))
        for row, (lev, share, life) in enumerate(zip(LEVERAGE, SHARE, LIFE_H, strict=True)):
            margin = 0.004 if lev >= 20 else 0.0065
            entry = path * np.exp(rng.normal(0, 0.0007, bars))
            level = entry * (1 + sign * (1 / lev - margin))
            alive = (level < lowest) if side == "long" else (level > highest)
            alive &= (level < mark) if side == "long" else (level > mark)
            mass = opened * share * 0.5 ** (age_h / life) * alive
            index = np.floor((level - grid.low) / grid.width).astype(int)
            ok = (index >= 0) & (index < grid.bins)
            out[row] = np.bincount(index[ok], weights=mass[ok], minlength=grid.bins)
        centre = grid.centres()
        coins = out / out.sum() * OPEN_INTEREST * 0.68
        maps[side] = coins * centre
    account = SideLedger(
        opened=812_400.25,
        closed=640_120.5,
        liquidated=812_400.25 - 640_120.5 - OPEN_INTEREST,
        mapped=OPEN_INTEREST * 0.68,
        unmapped=OPEN_INTEREST * 0.32,
    )
    return LiquidationMap(
        instrument=instrument,
        at=parse_instant("2026-06-12T00:00Z") if at is None else at,
        mark_price=mark,
        open_interest=OPEN_INTEREST,
        grid=grid,
        brackets=LEVERAGE,
        long=maps["long"],
        short=maps["short"],
        outside={"long": 0.0, "short": 0.0},
        ledger=Ledger(long=account, short=account),
        provenance=Provenance(
            version="0.1.0",
            inputs={
                "bars": {"rows": 5749, "first": "2026-05-25T15:55:00Z", "last": "2026-06-11T23:55:00Z"},
                "open_interest": {"rows": 5749, "first": "2026-05-25T15:55:00Z", "last": "2026-06-11T23:55:00Z"},
            },
            parameters={"half_life_h": {"50": 8, "100": 4}, "hedged_share": 0.3},
            assumptions=("Leverage of new positions follows a prior, not an observation.",),
            simulated=simulated,
        ),
    )
