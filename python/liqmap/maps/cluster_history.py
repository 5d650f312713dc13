"""Sizes of clusters in the 90 days before a map, against which its own clusters are ranked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from liqmap.maps.clusters import basins
from liqmap.maps.heatmap import MAP_MERGE, MAP_SIGMA, price_axis

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.positions.engine.population import EngineRun

__all__ = ["ClusterHistory"]

DAYS = 90
STEP_HOURS = 12
MIN_DAYS = 7
"""Clusters are not ranked if the history before the map is shorter."""
_US_PER_HOUR = 3_600_000_000


class ClusterHistory:
    """Notional of the clusters of modelled positions at every 12 hours of the last 90 days.

    The axis has bins of 5 bp, smoothed by 10 bp as on a map. Only times before the last bar are used, so that a map's
    clusters are not compared with themselves.
    """

    def __init__(self) -> None:
        self._notional: list[float] = []
        self._days = 0.0

    def observe(self, engine_run: EngineRun) -> None:
        """Advance the engine to …, 24, 12 hours before the last bar and measure the clusters at each.

        Results are cached with the checkpoints, so that the next map of a history reuses most of them.
        """
        axis = price_axis(engine_run, engine_run.step, MAP_MERGE)[:2]
        end = engine_run.bars.end
        ago = np.arange(DAYS * 24 // STEP_HOURS, 0, -1) * STEP_HOURS * _US_PER_HOUR
        at = end[-1] - ago
        at = at[at >= end[0]]
        self._days = float(end[-1] - at[0]) / (24 * _US_PER_HOUR) if len(at) else 0.0
        for stop in np.unique(np.searchsorted(end, at, side="right")).tolist():
            measure = partial(_cluster_notional, engine_run, axis, stop)
            self._notional += engine_run.checkpoints.cached_result((_cluster_notional, axis, stop), measure)

    def notional(self) -> npt.NDArray[np.float64] | None:
        """USD of every past cluster, ascending; ``None`` if the history before the map is too short."""
        if self._days < MIN_DAYS or not self._notional:
            return None
        return np.sort(np.array(self._notional, dtype=np.float64))

    def notes(self) -> tuple[str, ...]:
        """Assumptions of the ranking: the number of days, if it is not 90."""
        if self.notional() is None:
            return (f"clusters are not ranked: the history holds less than {MIN_DAYS} days before the map",)
        if self._days < DAYS:
            return (f"clusters are ranked among those of {self._days:.0f} days, not {DAYS}: the history is shorter",)
        return ()


def _cluster_notional(engine_run: EngineRun, axis: tuple[int, int], stop: int) -> list[float]:
    """USD of each cluster after ``stop`` bars; ``axis`` is the first engine bin and the number of bins."""
    engine_run.advance_to(stop)
    first, bins = axis
    sides, _ = engine_run.engine.density([(0, len(engine_run.leverages))], first, MAP_MERGE, bins)
    return [float(mass[basin.bins].sum()) for (mass,) in sides for basin in basins(mass, MAP_SIGMA)]
