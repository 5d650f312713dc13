"""One engine's way through its bars: whoever feeds the same to the same brackets goes on from where another has been.

A map looks back on 90 days, a heatmap on thirty, tracks on seven, a scorecard on ninety, and the next issue of a report
does all of it again twelve hours later: without this each would run its own engine through all of history.
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
    from liqmap.positions.engine.inputs import EngineBars

__all__ = ["CHECKPOINT_BARS", "Checkpoint", "CheckpointCache", "checkpoint_cache"]

T = TypeVar("T")

CHECKPOINT_BARS = 4096
"""A state is kept after every so many bars: an engine takes about 8 ms for as many."""
_MAX_CHECKPOINTS = 16
_MAX_CACHES = 3
_MAX_RESULTS = 2048
_COMPARED_COLUMNS = ("end", "hours", "low", "high", "close", "open_interest", "long_flow", "short_flow")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An engine after ``fed`` bars, in ``rescaled`` of which mapped positions were cut down to open interest."""

    fed: int
    rescaled: int
    engine: bytes


@dataclass(eq=False, slots=True)
class CheckpointCache:
    """What is known of one engine's way.

    Attributes:
        rows, step: What the engine was made of; see :class:`liqmap._core.Cohorts`.
        bars: What it was fed, as far as anybody knows.
    """

    rows: npt.NDArray[np.float64]
    step: float
    bars: EngineBars
    _states: dict[int, Checkpoint] = field(default_factory=dict)
    _seen: dict[Hashable, Any] = field(default_factory=dict)

    def matches(self, rows: npt.NDArray[np.float64], step: float, bars: EngineBars) -> bool:
        """Whether an engine of these rows that is fed these bars goes the same way, as far as both are known."""
        if self.step != step or not np.array_equal(self.rows, rows):
            return False
        both = slice(0, min(len(self.bars.end), len(bars.end)))
        return self.bars is bars or all(
            np.array_equal(getattr(self.bars, name)[both], getattr(bars, name)[both]) for name in _COMPARED_COLUMNS
        )

    def nearest(self, stop: int) -> Checkpoint | None:
        """The last state kept that has been fed no more than ``stop`` bars."""
        return self._states.get(max((fed for fed in self._states if fed <= stop), default=-1))

    def keep(self, fed: int, rescaled: int, engine: _core.Cohorts) -> None:
        """Keep a state; the earliest of too many is let go."""
        self._states[fed] = Checkpoint(fed, rescaled, engine.to_bytes())
        if len(self._states) > _MAX_CHECKPOINTS:
            del self._states[min(self._states)]

    def once(self, what: Hashable, look: Callable[[], T]) -> T:
        """What was seen on the way, looked at once; ``what`` says where, by whom, and how. The oldest are let go."""
        if what not in self._seen:
            self._seen[what] = look()
            if len(self._seen) > _MAX_RESULTS:
                del self._seen[next(iter(self._seen))]
        found: T = self._seen[what]
        return found


class _ThreadCaches(local):
    """The ways of this thread's engines, the last used first; threads share none, since a way is changed in use."""

    def __init__(self) -> None:
        self.lines: list[CheckpointCache] = []


_CACHES = _ThreadCaches()


def checkpoint_cache(rows: npt.NDArray[np.float64], step: float, bars: EngineBars) -> CheckpointCache:
    """The way of an engine of these rows that is fed these bars: a known one, if one agrees to the bit."""
    found = next((line for line in _CACHES.lines if line.matches(rows, step, bars)), None)
    if found is None:
        found = CheckpointCache(rows, step, bars)
    elif len(bars.end) >= len(found.bars.end):
        found.bars = bars
    _CACHES.lines = [found, *(line for line in _CACHES.lines if line is not found)][:_MAX_CACHES]
    return found
