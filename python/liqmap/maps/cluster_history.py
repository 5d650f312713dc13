"""How large clusters were in the 90 days before a map: what its own are ranked against."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from liqmap.maps.clusters import basins
from liqmap.maps.heatmap import MAP_MERGE, MAP_SIGMA, price_axis

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.positions.engine.population import EngineRun

__all__ = ["PastClusters"]

DAYS = 90
STEP_HOURS = 12
MIN_DAYS = 7
"""With less to look back on, nothing is ranked."""
_US_PER_HOUR = 3_600_000_000


class PastClusters:
    """Looks at the modelled positions every 12 hours of the last 90 days and measures their clusters.

    The axis has bins of 5 bp, smoothed by 10 bp as on a map. Only the bars before the last one are looked at: what is
    ranked is not among what it is ranked with.
    """

    def __init__(self) -> None:
        self._notional: list[float] = []
        self._days = 0.0

    def observe(self, nursery: EngineRun) -> None:
        """Bring the engine to 12, 24, … hours before the last bar, oldest first, and measure what stands there.

        The next map of a history finds most of it measured already.
        """
        axis = price_axis(nursery, nursery.step, MAP_MERGE)[:2]
        end = nursery.bars.end
        ago = np.arange(DAYS * 24 // STEP_HOURS, 0, -1) * STEP_HOURS * _US_PER_HOUR
        at = end[-1] - ago
        at = at[at >= end[0]]
        self._days = float(end[-1] - at[0]) / (24 * _US_PER_HOUR) if len(at) else 0.0
        for stop in np.unique(np.searchsorted(end, at, side="right")).tolist():
            measure = partial(_cluster_notional, nursery, axis, stop)
            self._notional += nursery.checkpoints.cached_result((_cluster_notional, axis, stop), measure)

    def notional(self) -> npt.NDArray[np.float64] | None:
        """USD of every cluster seen, ascending; ``None`` where there was too little to look back on."""
        if self._days < MIN_DAYS or not self._notional:
            return None
        return np.sort(np.array(self._notional, dtype=np.float64))

    def notes(self) -> tuple[str, ...]:
        """What is to be said of the ranking: on how many days it rests, if not on 90."""
        if self.notional() is None:
            return (f"clusters are not ranked: the history holds less than {MIN_DAYS} days before the map",)
        if self._days < DAYS:
            return (f"clusters are ranked among those of {self._days:.0f} days, not {DAYS}: there are no more",)
        return ()


def _cluster_notional(nursery: EngineRun, axis: tuple[int, int], stop: int) -> list[float]:
    """USD of each cluster after ``stop`` bars; the axis is its first engine bin and how many bins."""
    nursery.advance_to(stop)
    first, bins = axis
    sides, _ = nursery.engine.density([(0, len(nursery.leverages))], first, MAP_MERGE, bins)
    return [float(mass[basin.bins].sum()) for (mass,) in sides for basin in basins(mass, MAP_SIGMA)]
