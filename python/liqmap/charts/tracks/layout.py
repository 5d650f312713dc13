"""Layout of a track chart: the tracks to draw, their starts and ends, and the price."""

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
"""Minimum of a drawn track's largest notional, as a share of that of the largest track."""
_MAX_TRACKS = 48


@dataclass(frozen=True, eq=False, slots=True)
class PricePath:
    """The price by column: its range since the column before, and its close.

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
    """Summary of a track.

    Attributes:
        track: The track.
        end: ``stands``: open at the last column; ``swept``: the price touched its last peak in the step in which it
            ended; ``merged``: merged into another track; ``dissolved``: closed by choice, or no longer a peak.
        known: Whether it started after the first column; otherwise its start is unknown.
        until: Time of the last column, of the column at which it had ended, or of the sweep, UTC microseconds.
        largest: Largest notional of its steps, USD.
        opened, closed, liquidated: Sums over its steps, USD.
        migrated: Its latest step that is a migration, if any.
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
        """Time of its first step."""
        return self.track.steps[0].at

    @property
    def last(self) -> Step:
        """Its last step with notional."""
        return self.track.steps[-1] if self.track.alive or len(self.track.steps) == 1 else self.track.steps[-2]

    @property
    def new(self) -> bool:
        """Whether it started after the first column and did not split off another track."""
        return self.known and self.track.parent is None

    @property
    def change(self) -> float:
        """Change of notional since the first column, USD; the whole notional if it started later."""
        return self.track.steps[-1].notional - (0.0 if self.known else self.track.steps[0].notional)


@dataclass(frozen=True, eq=False, slots=True)
class TracksLayout:
    """Tracks with the price, and the price range that is shown.

    Attributes:
        of: The tracks.
        path: The price in the columns of the tracks.
        line: The price in finer columns, for drawing.
        summaries: Summaries of all tracks, in order of number.
        view: Lowest and highest price shown.
        tick: Tick size of the instrument.
    """

    of: Tracks
    path: PricePath
    line: PricePath
    summaries: tuple[TrackSummary, ...]
    view: tuple[float, float]
    tick: float

    @classmethod
    def of_tracks(cls, of: Tracks, path: PricePath, line: PricePath, tick: float) -> TracksLayout:
        """Summarise each track and choose the price range."""
        last = float(path.close[-1])
        low, high = float(path.low.min()), float(path.high.max())
        margin = 0.03 * (high - low)
        view = min(low - margin, last * (1 - _MIN_VIEW_DISTANCE)), max(high + margin, last * (1 + _MIN_VIEW_DISTANCE))
        return cls(of, path, line, tuple(summarise_track(track, of, path, line) for track in of.tracks), view, tick)

    @property
    def shown(self) -> tuple[TrackSummary, ...]:
        """The tracks to draw, the largest last so that it is on top."""
        inside = [one for one in self.summaries if self.view[0] <= one.last.peak <= self.view[1]]
        floor = _MIN_SHARE * max((one.largest for one in inside), default=0.0)
        drawn = sorted((one for one in inside if one.largest >= floor), key=lambda one: (one.largest, one.track.number))
        return tuple(drawn[-_MAX_TRACKS:])

    def open_tracks(self, count: int) -> tuple[TrackSummary, ...]:
        """The largest open tracks in the price range, highest price first."""
        now = [one for one in self.summaries if one.end == "stands" and self.view[0] <= one.last.peak <= self.view[1]]
        largest = sorted(now, key=lambda one: (-one.last.notional, one.track.number))[:count]
        return tuple(sorted(largest, key=lambda one: -one.last.peak))

    def ended_tracks(self, count: int) -> tuple[TrackSummary, ...]:
        """The largest ended tracks in the price range, the latest first."""
        final = [one for one in self.summaries if one.end != "stands" and self.view[0] <= one.last.peak <= self.view[1]]
        largest = sorted(final, key=lambda one: (-one.largest, one.track.number))[:count]
        return tuple(sorted(largest, key=lambda one: (-one.until, one.track.number)))


def summarise_track(track: Track, of: Tracks, path: PricePath, line: PricePath) -> TrackSummary:
    """Summarise a track."""
    steps = track.steps
    begin, end = int(of.at[0]), _end(track, of, path)
    # The start of a track that is open at the first column is not known.
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
    final = track.steps[-1]
    column = int(np.searchsorted(of.at, final.at))
    touched = path.low[column] <= final.peak if track.side == "long" else path.high[column] >= final.peak
    if touched:
        return "swept"
    return "merged" if track.heir is not None else "dissolved"


def _swept_at(track: Track, line: PricePath) -> Instant:
    """Time at which the price first touched the last peak of a track, within the step in which the track ended."""
    final = track.steps[-1]
    inside = (line.at > track.steps[-2].at) & (line.at <= final.at)
    touched = line.low <= final.peak if track.side == "long" else line.high >= final.peak
    found = line.at[inside & touched]
    return int(found[0]) if len(found) else final.at
