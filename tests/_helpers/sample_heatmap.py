"""A synthetic heatmap that ends at the time and price of a map: constant notional that a seeded price path sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.provenance import Provenance
from liqmap.charts.heatmap.layout import DAY, RealisedLiquidations, column_times
from liqmap.maps.heatmap import Heatmap

if TYPE_CHECKING:
    from liqmap.maps.map import LiquidationMap

HOUR = DAY // 24
BIN = 5e-4


def sample_heat(of: LiquidationMap, *, days: float = 10, seed: int = 7) -> Heatmap:
    """Columns as used by a page; the notional of a bin is constant, and zero for one day after a touch."""
    rng = np.random.default_rng(seed)
    at = column_times(of.at - round(days * DAY), of.at)
    hours = np.diff(at, prepend=at[0]) / HOUR
    steps = rng.standard_normal(len(at)) * 0.004 * np.sqrt(hours)
    close = of.mark_price * np.exp(np.cumsum(steps) - steps.sum())
    before = np.concatenate([close[:1], close[:-1]])
    low, high = np.minimum(before, close) * 0.999, np.maximum(before, close) * 1.001
    bins = 1400
    edges = of.mark_price * np.exp(BIN * (np.arange(bins + 1) - bins / 2))
    band = 1e5 * rng.lognormal(0, 1, bins)
    long, short = np.zeros((2, len(at), 1, bins))
    swept = np.zeros((len(at), 2, 1))
    for i in range(len(at)):
        day = slice(int(np.searchsorted(at, at[i] - DAY)), i + 1)
        long[i, 0] = np.where(edges[1:] <= low[day].min(), band, 0)
        short[i, 0] = np.where(edges[:-1] >= high[day].max(), band, 0)
        if i:
            touched = long[i - 1, 0] * (edges[1:] > low[i]), short[i - 1, 0] * (edges[:-1] < high[i])
            swept[i, :, 0] = touched[0].sum(), touched[1].sum()
    return Heatmap(
        instrument=of.instrument,
        at=at,
        edges=edges,
        groups=((5.0, 10.0),),
        long=long,
        short=short,
        outside=np.zeros((len(at), 2)),
        low=low,
        high=high,
        close=close,
        predicted=swept,
        open_interest=np.full(len(at), of.open_interest),
        ledgers=(of.ledger,) * len(at),
        provenance=Provenance(version="0.1.0", inputs={}, parameters={}, assumptions=()),
    )


def sample_realised(of: LiquidationMap, feed: str = "coinglass:BTC", seed: int = 7) -> RealisedLiquidations:
    """Five days of hourly liquidations with heavy tails."""
    start = of.at - 5 * DAY + HOUR * np.arange(5 * 24)
    usd = np.random.default_rng(seed).lognormal(13, 2, (len(start), 2))
    return RealisedLiquidations(feed, start, usd, since=int(start[0]), until=of.at)
