"""Checkpoint cache of the cohort engine: runs with identical brackets and inputs resume from the latest shared state.

A map uses 90 days of engine states, a heatmap 30, tracks 7 and a scorecard 90, and the next issue of a report repeats
all of them twelve hours later. Without the cache each of them would process the whole history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import local
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy.typing as npt

    from liqmap import _core
    from liqmap.positions.engine.opening_flow import EngineBars

__all__ = ["CHECKPOINT_BARS", "Checkpoint", "CheckpointCache", "checkpoint_cache"]

T = TypeVar("T")

CHECKPOINT_BARS = 4096
"""Bars between two checkpoints; the engine processes as many in about 8 ms."""
_MAX_CHECKPOINTS = 16
_MAX_CACHES = 3
_MAX_RESULTS = 2048
_COMPARED_COLUMNS = ("end", "hours", "low", "high", "close", "open_interest", "long_flow", "short_flow")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Serialised engine after ``processed`` bars, ``rescaled`` of which had mapped positions above open interest."""

    processed: int
    rescaled: int
    engine: bytes


@dataclass(eq=False, slots=True)
class CheckpointCache:
    """Checkpoints and cached results of one engine configuration and input.

    Attributes:
        rows, step: Brackets and bin width of the engine; see :class:`liqmap._core.Cohorts`.
        bars: The longest input processed so far.
    """

    rows: npt.NDArray[np.float64]
    step: float
    bars: EngineBars
    _checkpoints: dict[int, Checkpoint] = field(default_factory=dict)
    _results: dict[Hashable, Any] = field(default_factory=dict)

    def matches(self, rows: npt.NDArray[np.float64], step: float, bars: EngineBars) -> bool:
        """Whether brackets, bin width and the common part of the input are identical."""
        if self.step != step or not np.array_equal(self.rows, rows):
            return False
        common = slice(0, min(len(self.bars.end), len(bars.end)))
        return self.bars is bars or all(
            np.array_equal(getattr(self.bars, name)[common], getattr(bars, name)[common]) for name in _COMPARED_COLUMNS
        )

    def latest(self, stop: int) -> Checkpoint | None:
        """Return the last checkpoint after at most ``stop`` bars."""
        return self._checkpoints.get(
            max((processed for processed in self._checkpoints if processed <= stop), default=-1)
        )

    def save(self, processed: int, rescaled: int, engine: _core.Cohorts) -> None:
        """Save a checkpoint; beyond the maximum number the earliest one is discarded."""
        self._checkpoints[processed] = Checkpoint(processed, rescaled, engine.to_bytes())
        if len(self._checkpoints) > _MAX_CHECKPOINTS:
            del self._checkpoints[min(self._checkpoints)]

    def cached_result(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return a result computed from intermediate states, cached by ``key``.

        The key must identify the bars, the measurement and its parameters. Beyond the maximum number of results the
        oldest one is discarded.
        """
        if key not in self._results:
            self._results[key] = compute()
            if len(self._results) > _MAX_RESULTS:
                del self._results[next(iter(self._results))]
        found: T = self._results[key]
        return found


class _ThreadCaches(local):
    """The caches of this thread, most recently used first; they are thread-local because a run modifies its cache."""

    def __init__(self) -> None:
        self.caches: list[CheckpointCache] = []


_CACHES = _ThreadCaches()


def checkpoint_cache(rows: npt.NDArray[np.float64], step: float, bars: EngineBars) -> CheckpointCache:
    """Return this thread's cache for these brackets and bars, which must match bit by bit, or a new one."""
    found = next((cache for cache in _CACHES.caches if cache.matches(rows, step, bars)), None)
    if found is None:
        found = CheckpointCache(rows, step, bars)
    elif len(bars.end) >= len(found.bars.end):
        found.bars = bars
    _CACHES.caches = [found, *(cache for cache in _CACHES.caches if cache is not found)][:_MAX_CACHES]
    return found
