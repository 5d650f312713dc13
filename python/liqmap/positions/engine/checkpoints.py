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

__all__ = ["EVERY", "Line", "State", "line_of"]

T = TypeVar("T")

EVERY = 4096
"""A state is kept after every so many bars: an engine takes about 8 ms for as many."""
_STATES = 16
_LINES = 3
_SEEN = 2048
_FED = ("end", "hours", "low", "high", "close", "open_interest", "long_flow", "short_flow")


@dataclass(frozen=True, slots=True)
class State:
    """An engine after ``fed`` bars, in ``rescaled`` of which mapped positions were cut down to open interest."""

    fed: int
    rescaled: int
    engine: bytes


@dataclass(eq=False, slots=True)
class Line:
    """What is known of one engine's way.

    Attributes:
        rows, step: What the engine was made of; see :class:`liqmap._core.Cohorts`.
        bars: What it was fed, as far as anybody knows.
    """

    rows: npt.NDArray[np.float64]
    step: float
    bars: EngineBars
    _states: dict[int, State] = field(default_factory=dict)
    _seen: dict[Hashable, Any] = field(default_factory=dict)

    def agrees(self, rows: npt.NDArray[np.float64], step: float, bars: EngineBars) -> bool:
        """Whether an engine of these rows that is fed these bars goes the same way, as far as both are known."""
        if self.step != step or not np.array_equal(self.rows, rows):
            return False
        both = slice(0, min(len(self.bars.end), len(bars.end)))
        return self.bars is bars or all(
            np.array_equal(getattr(self.bars, name)[both], getattr(bars, name)[both]) for name in _FED
        )

    def nearest(self, stop: int) -> State | None:
        """The last state kept that has been fed no more than ``stop`` bars."""
        return self._states.get(max((fed for fed in self._states if fed <= stop), default=-1))

    def keep(self, fed: int, rescaled: int, engine: _core.Cohorts) -> None:
        """Keep a state; the earliest of too many is let go."""
        self._states[fed] = State(fed, rescaled, engine.to_bytes())
        if len(self._states) > _STATES:
            del self._states[min(self._states)]

    def once(self, what: Hashable, look: Callable[[], T]) -> T:
        """What was seen on the way, looked at once; ``what`` says where, by whom, and how. The oldest are let go."""
        if what not in self._seen:
            self._seen[what] = look()
            if len(self._seen) > _SEEN:
                del self._seen[next(iter(self._seen))]
        found: T = self._seen[what]
        return found


class _Known(local):
    """The ways of this thread's engines, the last used first; threads share none, since a way is changed in use."""

    def __init__(self) -> None:
        self.lines: list[Line] = []


_KNOWN = _Known()


def line_of(rows: npt.NDArray[np.float64], step: float, bars: EngineBars) -> Line:
    """The way of an engine of these rows that is fed these bars: a known one, if one agrees to the bit."""
    found = next((line for line in _KNOWN.lines if line.agrees(rows, step, bars)), None)
    if found is None:
        found = Line(rows, step, bars)
    elif len(bars.end) >= len(found.bars.end):
        found.bars = bars
    _KNOWN.lines = [found, *(line for line in _KNOWN.lines if line is not found)][:_LINES]
    return found
