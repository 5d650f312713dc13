"""From the history to tracks: the engine run once, clusters of each column matched with those of the last.

The next tracks of a history share most of their columns with these: what came about between two is looked at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.instruments import SIDES
from liqmap._base.provenance import Provenance
from liqmap._core import __version__
from liqmap.maps.heatmap import MAP_MERGE, column_stops, price_axis
from liqmap.maps.tracks.mass_changes import MassChanges, measure_changes
from liqmap.maps.tracks.tracks import Step, Track, Tracks
from liqmap.maps.tracks.transitions import Clusters, Transition, find_transition
from liqmap.positions.engine.bar_steps import step_bars
from liqmap.positions.engine.population import prepare_run
from liqmap.positions.engine.recipe_selection import select_recipe

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap._base.timestamps import Instant
    from liqmap.history.store import Store
    from liqmap.positions.engine.population import AnyRecipe, EngineRun

    Floats = npt.NDArray[np.float64]

__all__ = ["TrackBuilder", "build_tracks"]


def build_tracks(
    store: Store, instrument: str, *, start: Instant, end: Instant, step: Instant, recipe: AnyRecipe | None = None
) -> Tracks:
    """Follow clusters from column to column; arguments and errors as for :func:`liqmap.maps.heatmap.build_heatmap`."""
    about = store.instrument(instrument)
    bars = store.market_bars(instrument, until=end)
    used, parameters, said = select_recipe(store, bars, start, recipe)
    nursery = prepare_run(bars, store.tiers(instrument, at=end), used, instrument=instrument, at=end)
    stops = column_stops(nursery, start, end, step, bars.interval_s, instrument)
    walked = _ColumnReader(nursery)
    sides = [TrackBuilder(side) for side in SIDES]
    columns: list[_Column] = []
    for begin, stop in zip([None, *stops[:-1]], stops, strict=True):
        standing = columns[-1] if columns else None
        look = partial(walked.column, begin, stop, standing)
        columns.append(nursery.checkpoints.cached_result((_ColumnReader, walked.axis, begin, stop), look))
        for side, made in zip(sides, columns[-1].transitions, strict=True):
            side.step(made)
    at = nursery.bars.end[np.asarray(stops) - 1]
    totals = np.stack([column.totals for column in columns], axis=1)
    return Tracks(
        instrument=instrument,
        at=at,
        tracks=_number_tracks(sides),
        notional=totals[0],
        opened=totals[1],
        closed=totals[2],
        liquidated=totals[3],
        provenance=Provenance(
            version=__version__,
            inputs=store.input_hashes(instrument, until=int(at[-1])),
            parameters=parameters,
            assumptions=("every position is modelled; none is observed", *nursery.assumptions, *said),
            simulated=about.simulated,
        ),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Column:
    """A column: what either side's clusters did since the one before, and USD that stands, opened, closed, was swept.

    Attributes:
        turns: Longs, shorts.
        totals: Shape ``(4, 2)``; all but the first are zero at the first column.
    """

    transitions: tuple[Transition, ...]
    totals: Floats


class _ColumnReader:
    """Takes an engine from column to column, as far as nobody has been there before."""

    def __init__(self, nursery: EngineRun) -> None:
        self._nursery = nursery
        self._first, self._bins, self._edges = price_axis(nursery, nursery.step, MAP_MERGE)
        self._groups, self._lives = _groups_by_half_life(nursery.half_lives)
        self._cells: tuple[int, Floats] | None = None

    @property
    def axis(self) -> tuple[int, int]:
        """First engine bin and number of bins."""
        return self._first, self._bins

    def column(self, start: int | None, stop: int, standing: _Column | None) -> _Column:
        """What came about between so many bars and so many; the first column follows none."""
        if start is None or standing is None:
            mass = self._notional_cells(stop).sum(axis=1)
            # Of what stands at the first column nothing is known to be new: it is carried in.
            nothing = np.zeros_like(mass)
            told = MassChanges(mass, mass, nothing, nothing, nothing)
            before: tuple[Clusters, ...] = ((),) * len(SIDES)
        else:
            old = self._notional_cells(start)
            kept = step_bars(self._nursery, start, stop).kept
            cells = (old, self._notional_cells(stop))
            told = measure_changes(self._nursery, slice(start, stop), kept, cells, self._lives, self._first)
            before = tuple(made.now for made in standing.transitions)
        at = int(self._nursery.bars.end[stop - 1])
        parts = (told.after, told.opened, told.closed, told.liquidated)
        turns = tuple(find_transition(self._edges, before[k], _side_changes(told, k), at) for k in range(len(SIDES)))
        return _Column(turns, np.stack([part.sum(axis=1) for part in parts]))

    def _notional_cells(self, stop: int) -> Floats:
        """USD by side, group that ages alike, and engine bin."""
        if self._cells is None or self._cells[0] != stop:
            self._nursery.advance_to(stop)
            bins = self._bins * MAP_MERGE
            self._cells = stop, self._nursery.engine.density(self._groups, self._first, 1, bins)[0]
        return self._cells[1]


def _groups_by_half_life(half_lives: Floats) -> tuple[list[tuple[int, int]], Floats]:
    """Ranges of brackets that age alike, with the half-life of each: together they decay as each does alone."""
    starts = np.flatnonzero(np.append(True, half_lives[1:] != half_lives[:-1]))
    stops = np.append(starts[1:], len(half_lives))
    return list(zip(starts.tolist(), stops.tolist(), strict=True)), half_lives[starts]


def _side_changes(told: MassChanges, side: int) -> MassChanges:
    return MassChanges(
        *(_merge_bins(part[side]) for part in (told.before, told.after, told.opened, told.closed, told.liquidated))
    )


def _merge_bins(bins: Floats) -> Floats:
    # Column by column: along an axis of two, a sum takes eight times as long.
    return np.asarray(sum(bins[k::MAP_MERGE] for k in range(MAP_MERGE)), dtype=np.float64)


@dataclass(slots=True)
class _OpenTrack:
    """A track under way."""

    steps: list[Step]
    parent: _OpenTrack | None = None
    heir: _OpenTrack | None = None
    number: int = 0


@dataclass(slots=True)
class TrackBuilder:
    """One side's tracks, column by column.

    Attributes:
        side: Whose positions.
        drafts: Its tracks, by birth.
    """

    side: Side
    drafts: list[_OpenTrack] = field(default_factory=list)
    _now: list[_OpenTrack] = field(default_factory=list)

    def step(self, made: Transition) -> None:
        """Go on to the next column."""
        before, matching = self._now, made.matching
        came_from = {j: i for i, j in matching.pairs.items()}
        self._now = []
        for j, step in enumerate(made.steps):
            if j in came_from:
                draft = before[came_from[j]]
                draft.steps.append(step)
            else:
                draft = _OpenTrack([step])
                self.drafts.append(draft)
            self._now.append(draft)
        for i, step in made.ended.items():
            before[i].steps.append(step)
            before[i].heir = self._now[matching.heir[i]] if i in matching.heir else None
        for j, i in matching.parent.items():
            self._now[j].parent = before[i]


def _number_tracks(sides: list[TrackBuilder]) -> tuple[Track, ...]:
    """Drafts of both sides as tracks, numbered by birth, side and price."""
    order = [(draft.steps[0].at, k, draft.steps[0].peak) for k, side in enumerate(sides) for draft in side.drafts]
    drafts = [(draft, side.side) for side in sides for draft in side.drafts]
    ranked = [drafts[i] for i in sorted(range(len(order)), key=order.__getitem__)]
    for number, (draft, _) in enumerate(ranked, start=1):
        draft.number = number
    return tuple(
        Track(
            number=draft.number,
            side=side,
            steps=tuple(draft.steps),
            parent=None if draft.parent is None else draft.parent.number,
            heir=None if draft.heir is None else draft.heir.number,
        )
        for draft, side in ranked
    )
