"""Placebos: maps built by the same procedure from uninformative inputs, whose gain measures chance."""

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
    """The same bars with constant mean volume, which removes the information when traders opened positions."""
    return replace(bars, volume_base=np.full(len(bars), np.nanmean(bars.volume_base)))


def shuffled_days(bars: MarketBars, *, seed: int) -> MarketBars:
    """The same bars with the volume of whole days permuted, which keeps amounts and hours but not the days."""
    days, start, length = np.unique(bars.ts // _DAY, return_index=True, return_counts=True)
    volume = bars.volume_base.copy()
    random = np.random.default_rng(seed)
    for size in np.unique(length):
        alike = start[length == size] if len(days) > 1 else start
        rows = alike[:, None] + np.arange(size)
        volume[rows] = bars.volume_base[random.permutation(alike)[:, None] + np.arange(size)]
    return replace(bars, volume_base=volume)


def mirrored(bars: MarketBars, periods: Periods, distances: tuple[float, ...] = DISTANCES) -> Floats:
    """Existing levels of the opposite side: USD that each bar would sweep if it moved equally far the other way.

    For each bar of a period, a copy of the engine processes the bar mirrored about its open in log price. The swept
    shorts are assigned to the longs and the reverse: distances and amounts are real, prices are not.

    Returns:
        USD per unit of share, shape ``(bars, 2, brackets)``; 0 outside the periods.
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
