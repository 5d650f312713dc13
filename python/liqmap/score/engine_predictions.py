"""What the engine says a bar sweeps, by bracket: levels that stood before it apart from what opens within it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap.positions.engine.calibrated_recipe import DISTANCES, CalibratedRecipe, trailing_volume

if TYPE_CHECKING:
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.positions.engine.inputs import EngineBars

__all__ = ["EnginePredictions", "predict_unit_shares", "predict_with_engine"]

_UNLIMITED_OI = 1e15


@dataclass(frozen=True, eq=False, slots=True)
class EnginePredictions:
    """USD swept in each bar, shape ``(bars, 2, brackets)``, longs first.

    Attributes:
        standing: Of levels that stood when the bar began: nothing of the bar but its low and high decides it.
        born: Of positions that open and are liquidated within the bar; depends on its volume and close.
    """

    standing: Floats
    born: Floats


def predict_with_engine(fed: EngineBars, brackets: Floats, step: float) -> EnginePredictions:
    """Advance the engine over the bars, each in two strokes: first its range without entries, then its entries."""
    still = np.zeros(len(fed.hours))

    def both(first: Floats, second: Floats) -> Floats:
        return np.ascontiguousarray(np.column_stack([first, second]).ravel())

    usd, _ = _core.Cohorts(brackets, step).advance(
        both(fed.hours, still),
        both(fed.low, fed.low),
        both(fed.high, fed.high),
        both(fed.close, fed.close),
        both(fed.open_interest, fed.open_interest),
        both(still, fed.long_flow),
        both(still, fed.short_flow),
    )
    return EnginePredictions(standing=usd[0::2], born=usd[1::2])


def predict_unit_shares(
    bars: MarketBars, distances: tuple[float, ...] = DISTANCES, *, expected: bool = True
) -> EnginePredictions:
    """USD swept per unit of share: the engine is linear in its flow as long as nothing is cut to open interest.

    Args:
        bars: In order of time; a year before the first scored bar is a good warm-up.
        distances: Of the brackets, descending.
        expected: Let what opens and is swept within a bar follow the volume that was usual before it, not its own:
            the prediction is then given nothing of the bar but its price path.

    Raises:
        NotFoundError: No volume is known.
    """
    share = 0.5 / len(distances)
    kernel = CalibratedRecipe.uniform(share, distances)
    fed = kernel.engine_bars(replace(bars, oi_base=np.full(len(bars), _UNLIMITED_OI)), instrument=bars.instrument)
    swept = predict_with_engine(fed, kernel.rows(), kernel.step)
    born = swept.born / share
    if expected:
        usual = trailing_volume(bars, instrument=bars.instrument)
        volume = np.where(bars.volume_base > 0, bars.volume_base, usual)
        born *= np.divide(usual, volume, out=np.ones(len(bars)), where=volume > 0)[:, None, None]
    return EnginePredictions(standing=swept.standing / share, born=born)
