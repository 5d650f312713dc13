"""Liquidations predicted by the cohort engine for each bar, by bracket and by age of the position."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap.positions.engine.calibrated_recipe import DISTANCES, CalibratedRecipe, trailing_volume

if TYPE_CHECKING:
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.positions.engine.opening_flow import EngineBars

__all__ = ["EnginePredictions", "predict_unit_shares", "predict_with_engine"]

_UNLIMITED_OI = 1e15


@dataclass(frozen=True, eq=False, slots=True)
class EnginePredictions:
    """USD swept in each bar, shape ``(bars, 2, brackets)``, longs first.

    Attributes:
        existing: From levels that existed when the bar began; of the bar, only its low and high matter.
        opened: From positions that open and are liquidated within the bar; depends on its volume and close.
    """

    existing: Floats
    opened: Floats


def predict_with_engine(fed: EngineBars, brackets: Floats, step: float) -> EnginePredictions:
    """Advance the engine over the bars, each in two steps: its price range without entries, then its entries."""
    zeros = np.zeros(len(fed.hours))

    def interleave(first: Floats, second: Floats) -> Floats:
        return np.ascontiguousarray(np.column_stack([first, second]).ravel())

    usd, _ = _core.Cohorts(brackets, step).advance(
        interleave(fed.hours, zeros),
        interleave(fed.low, fed.low),
        interleave(fed.high, fed.high),
        interleave(fed.close, fed.close),
        interleave(fed.open_interest, fed.open_interest),
        interleave(zeros, fed.long_flow),
        interleave(zeros, fed.short_flow),
    )
    return EnginePredictions(existing=usd[0::2], opened=usd[1::2])


def predict_unit_shares(
    bars: MarketBars, distances: tuple[float, ...] = DISTANCES, *, expected: bool = True
) -> EnginePredictions:
    """USD swept per unit of share; the engine is linear in its flow as long as positions are not cut to open interest.

    Args:
        bars: Bars in order of time; a warm-up of one year before the first scored bar is recommended.
        distances: Distances of the brackets, descending.
        expected: Scale the positions opened and swept within a bar to the trailing mean volume instead of the bar's
            own, so that the prediction uses only the price path of the bar.

    Raises:
        NotFoundError: All volume is missing.
    """
    share = 0.5 / len(distances)
    kernel = CalibratedRecipe.uniform(share, distances)
    fed = kernel.engine_bars(replace(bars, oi_base=np.full(len(bars), _UNLIMITED_OI)), instrument=bars.instrument)
    swept = predict_with_engine(fed, kernel.rows(), kernel.step)
    opened = swept.opened / share
    if expected:
        mean_volume = trailing_volume(bars, instrument=bars.instrument)
        volume = np.where(bars.volume_base > 0, bars.volume_base, mean_volume)
        opened *= np.divide(mean_volume, volume, out=np.ones(len(bars)), where=volume > 0)[:, None, None]
    return EnginePredictions(existing=swept.existing / share, opened=opened)
