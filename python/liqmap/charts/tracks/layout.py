"""Tracks ready to be drawn and told: which of them, how each began and ended, and the price they met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.maps.tracks.tracks import Step, Track, Tracks

    Floats = npt.NDArray[np.float64]

__all__ = ["PricePath", "TrackEnd", "TrackSummary", "TracksLayout", "summarise_track"]

TrackEnd: TypeAlias = Literal["stands", "swept", "merged", "dissolved"]

_MIN_VIEW_DISTANCE = 0.06
_MIN_SHARE = 0.08
"""Of the largest cluster's notional: what never reaches it is not drawn."""
_MAX_TRACKS = 48


@dataclass(frozen=True, eq=False, slots=True)
class PricePath:
    """The price column by column: its span since the column before, and its last one.

    Attributes:
        at: UTC microseconds of each column, ascending.
        low, high, close: Quote currency.
    """

    at: npt.NDArray[np.int64]
    low: Floats
    high: Floats
    close: Floats


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """A track from its first column here to its last.

    Attributes:
        track: The track.
        end: ``swept``: the price touched its last peak in the step in which it ended; ``merged``: its positions went on
            in another; ``dissolved``: closed by choice, or spread until it was no peak any more.
        known: Whether its birth was seen; else it stood at the first column.
        until: The last column; of one that ended the one where it was gone, or the time at which it was swept.
        largest: Its largest notional, USD.
        opened, closed, liquidated: Sums over its steps, USD.
        migrated: Its latest step that counts as migration, if there is one.
    """

    track: Track
    end: TrackEnd
    known: bool
    until: Instant
    largest: float
    opened: float
    closed: float
    liquidated: float
    migrated: Step | None

    @property
    def born(self) -> Instant:
        """When it was first seen."""
        return self.track.steps[0].at

    @property
    def last(self) -> Step:
        """The last step in which it stood."""
        return self.track.steps[-1] if self.track.alive or len(self.track.steps) == 1 else self.track.steps[-2]

    @property
    def new(self) -> bool:
        """Whether it came up by itself within the time shown, and did not split off from another."""
        return self.known and self.track.parent is None

    @property
    def change(self) -> float:
        """USD since it was first seen here: since its birth all that it has."""
        return self.track.steps[-1].notional - (0.0 if self.known else self.track.steps[0].notional)


@dataclass(frozen=True, eq=False, slots=True)
class TracksLayout:
    """Tracks with the price, and the part of both that is shown.

    Attributes:
        of: The tracks.
        path: The price in their columns.
        line: The price in finer ones, to be drawn.
        lives: Every track, in order of number.
        view: First and last price shown.
        tick: The instrument's.
    """

    of: Tracks
    path: PricePath
    line: PricePath
    lives: tuple[TrackSummary, ...]
    view: tuple[float, float]
    tick: float

    @classmethod
    def of_tracks(cls, of: Tracks, path: PricePath, line: PricePath, tick: float) -> TracksLayout:
        """Tell each track's life, and choose the prices to show."""
        last = float(path.close[-1])
        low, high = float(path.low.min()), float(path.high.max())
        spare = 0.03 * (high - low)
        view = min(low - spare, last * (1 - _MIN_VIEW_DISTANCE)), max(high + spare, last * (1 + _MIN_VIEW_DISTANCE))
        return cls(of, path, line, tuple(summarise_track(track, of, path, line) for track in of.tracks), view, tick)

    @property
    def shown(self) -> tuple[TrackSummary, ...]:
        """Those worth drawing, the largest last: it lies on top."""
        inside = [one for one in self.lives if self.view[0] <= one.last.peak <= self.view[1]]
        floor = _MIN_SHARE * max((one.largest for one in inside), default=0.0)
        kept = sorted((one for one in inside if one.largest >= floor), key=lambda one: (one.largest, one.track.number))
        return tuple(kept[-_MAX_TRACKS:])

    def standing(self, count: int) -> tuple[TrackSummary, ...]:
        """The largest that stand now in the prices shown, highest price first."""
        now = [one for one in self.lives if one.end == "stands" and self.view[0] <= one.last.peak <= self.view[1]]
        largest = sorted(now, key=lambda one: (-one.last.notional, one.track.number))[:count]
        return tuple(sorted(largest, key=lambda one: -one.last.peak))

    def ended(self, count: int) -> tuple[TrackSummary, ...]:
        """The largest that ended in the prices shown, the latest first."""
        gone = [one for one in self.lives if one.end != "stands" and self.view[0] <= one.last.peak <= self.view[1]]
        largest = sorted(gone, key=lambda one: (-one.largest, one.track.number))[:count]
        return tuple(sorted(largest, key=lambda one: (-one.until, one.track.number)))


def summarise_track(track: Track, of: Tracks, path: PricePath, line: PricePath) -> TrackSummary:
    """What became of a track."""
    steps = track.steps
    begin, end = int(of.at[0]), _end(track, of, path)
    # What stood at the first column was carried in from before: nothing of it was seen to begin.
    return TrackSummary(
        track=track,
        end=end,
        known=steps[0].at > begin,
        until=_swept_at(track, line) if end == "swept" else steps[-1].at,
        largest=max(step.notional for step in steps),
        opened=sum(step.opened for step in steps),
        closed=sum(step.closed for step in steps),
        liquidated=sum(step.liquidated for step in steps),
        migrated=next((step for step in reversed(steps) if step.migrating), None),
    )


def _end(track: Track, of: Tracks, path: PricePath) -> TrackEnd:
    if track.alive:
        return "stands"
    gone = track.steps[-1]
    column = int(np.searchsorted(of.at, gone.at))
    touched = path.low[column] <= gone.peak if track.side == "long" else path.high[column] >= gone.peak
    if touched:
        return "swept"
    return "merged" if track.heir is not None else "dissolved"


def _swept_at(track: Track, line: PricePath) -> Instant:
    """When, within the step in which it ended, the price first touched its last peak."""
    gone = track.steps[-1]
    inside = (line.at > track.steps[-2].at) & (line.at <= gone.at)
    touched = line.low <= gone.peak if track.side == "long" else line.high >= gone.peak
    found = line.at[inside & touched]
    return int(found[0]) if len(found) else gone.at
