"""Maps that should know nothing: what they still gain is no merit of the map."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap.positions.engine.calibrated_recipe import DISTANCES, CalibratedRecipe

if TYPE_CHECKING:
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.score.periods import Periods

__all__ = ["constant_volume", "mirrored", "shuffled_days"]

_DAY = 86_400_000_000
_UNLIMITED_OI = 1e15


def constant_volume(bars: MarketBars) -> MarketBars:
    """The same bars, each with the mean volume: the map no longer knows when traders traded."""
    return replace(bars, volume_base=np.full(len(bars), np.nanmean(bars.volume_base)))


def shuffled_days(bars: MarketBars, *, seed: int) -> MarketBars:
    """The same bars with the volume of whole days dealt out anew: right amounts and hours, wrong days."""
    days, start, length = np.unique(bars.ts // _DAY, return_index=True, return_counts=True)
    volume = bars.volume_base.copy()
    random = np.random.default_rng(seed)
    for size in np.unique(length):
        alike = start[length == size] if len(days) > 1 else start
        rows = alike[:, None] + np.arange(size)
        volume[rows] = bars.volume_base[random.permutation(alike)[:, None] + np.arange(size)]
    return replace(bars, volume_base=volume)


def mirrored(bars: MarketBars, periods: Periods, distances: tuple[float, ...] = DISTANCES) -> Floats:
    """Standing levels of the wrong side: what a bar would sweep if it went as far the other way.

    For each bar of a period the engine branches off before it, meets the bar mirrored about its open in log price, and
    what that sweeps of the shorts stands in for the longs, and the other way round. Distances and amounts are real,
    places are not.

    Returns:
        USD per unit of share, shape ``(bars, 2, brackets)``; 0 where no period is.
    """
    share = 0.5 / len(distances)
    kernel = CalibratedRecipe.uniform(share, distances)
    fed = kernel.engine_bars(replace(bars, oi_base=np.full(len(bars), _UNLIMITED_OI)), instrument=bars.instrument)
    columns = (fed.hours, fed.low, fed.high, fed.close, fed.open_interest, fed.long_flow, fed.short_flow)
    engine = _core.Cohorts(kernel.rows(), kernel.step)
    out = np.zeros((len(bars), 2, len(distances)))
    done = 0
    for i in periods.inside.ravel().tolist():
        engine.advance(*(np.ascontiguousarray(c[done:i]) for c in columns))
        done = i
        low, high, close = (bars.open[i] ** 2 / price for price in (bars.high[i], bars.low[i], bars.open[i]))
        one = [np.array([value]) for value in (fed.hours[i], low, high, close, fed.open_interest[i], 0.0, 0.0)]
        usd, _ = _core.Cohorts.from_bytes(engine.to_bytes()).advance(*one)
        out[i] = usd[0, ::-1]
    return out / share
