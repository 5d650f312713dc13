"""Build tracks from a history: run the engine once and match the clusters of consecutive columns.

The transition between two columns is cached with the checkpoints, since later tracks of a history share most columns.
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
    """Follow clusters through time; arguments and errors are those of :func:`liqmap.maps.heatmap.build_heatmap`."""
    about = store.instrument(instrument)
    bars = store.market_bars(instrument, until=end)
    used, parameters, recipe_notes = select_recipe(store, bars, start, recipe)
    engine_run = prepare_run(bars, store.tiers(instrument, at=end), used, instrument=instrument, at=end)
    stops = column_stops(engine_run, start, end, step, bars.interval_s, instrument)
    reader = _ColumnReader(engine_run)
    sides = [TrackBuilder(side) for side in SIDES]
    columns: list[_Column] = []
    for begin, stop in zip([None, *stops[:-1]], stops, strict=True):
        previous = columns[-1] if columns else None
        compute_column = partial(reader.column, begin, stop, previous)
        columns.append(engine_run.checkpoints.cached_result((_ColumnReader, reader.axis, begin, stop), compute_column))
        for side, transition in zip(sides, columns[-1].transitions, strict=True):
            side.step(transition)
    at = engine_run.bars.end[np.asarray(stops) - 1]
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
            assumptions=("every position is modelled; none is observed", *engine_run.assumptions, *recipe_notes),
            simulated=about.simulated,
        ),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Column:
    """One column: each side's transition from the column before, and the side's totals.

    Attributes:
        transitions: Longs, shorts.
        totals: USD open, opened, closed and liquidated, shape ``(4, 2)``; the changes are zero at the first column.
    """

    transitions: tuple[Transition, ...]
    totals: Floats


class _ColumnReader:
    """Computes columns with the engine."""

    def __init__(self, engine_run: EngineRun) -> None:
        self._engine_run = engine_run
        self._first, self._bins, self._edges = price_axis(engine_run, engine_run.step, MAP_MERGE)
        self._groups, self._half_lives = _groups_by_half_life(engine_run.half_lives)
        self._cells: tuple[int, Floats] | None = None

    @property
    def axis(self) -> tuple[int, int]:
        """First engine bin and number of bins."""
        return self._first, self._bins

    def column(self, start: int | None, stop: int, previous: _Column | None) -> _Column:
        """The column after ``stop`` bars, with its transition from the one after ``start`` bars if there is one."""
        if start is None or previous is None:
            mass = self._notional_cells(stop).sum(axis=1)
            # No position at the first column is known to be new: all notional is carried in.
            zeros = np.zeros_like(mass)
            changes = MassChanges(mass, mass, zeros, zeros, zeros)
            before: tuple[Clusters, ...] = ((),) * len(SIDES)
        else:
            old = self._notional_cells(start)
            rescaled_share = step_bars(self._engine_run, start, stop).kept
            cells = (old, self._notional_cells(stop))
            changes = measure_changes(
                self._engine_run, slice(start, stop), rescaled_share, cells, self._half_lives, self._first
            )
            before = tuple(transition.now for transition in previous.transitions)
        at = int(self._engine_run.bars.end[stop - 1])
        parts = (changes.after, changes.opened, changes.closed, changes.liquidated)
        transitions = tuple(
            find_transition(self._edges, before[k], _side_changes(changes, k), at) for k in range(len(SIDES))
        )
        return _Column(transitions, np.stack([part.sum(axis=1) for part in parts]))

    def _notional_cells(self, stop: int) -> Floats:
        """USD after ``stop`` bars by side, group of equal half-life, and engine bin."""
        if self._cells is None or self._cells[0] != stop:
            self._engine_run.advance_to(stop)
            bins = self._bins * MAP_MERGE
            self._cells = stop, self._engine_run.engine.density(self._groups, self._first, 1, bins)[0]
        return self._cells[1]


def _groups_by_half_life(half_lives: Floats) -> tuple[list[tuple[int, int]], Floats]:
    """Ranges of brackets of equal half-life, with that half-life; the sum over a range decays like each bracket."""
    starts = np.flatnonzero(np.append(True, half_lives[1:] != half_lives[:-1]))
    stops = np.append(starts[1:], len(half_lives))
    return list(zip(starts.tolist(), stops.tolist(), strict=True)), half_lives[starts]


def _side_changes(changes: MassChanges, side: int) -> MassChanges:
    return MassChanges(
        *(
            _merge_bins(part[side])
            for part in (changes.before, changes.after, changes.opened, changes.closed, changes.liquidated)
        )
    )


def _merge_bins(bins: Floats) -> Floats:
    # Summed over strided slices: a sum along an axis of length two takes eight times as long.
    return np.asarray(sum(bins[k::MAP_MERGE] for k in range(MAP_MERGE)), dtype=np.float64)


@dataclass(slots=True)
class _OpenTrack:
    """A track that is being built."""

    steps: list[Step]
    parent: _OpenTrack | None = None
    heir: _OpenTrack | None = None
    number: int = 0


@dataclass(slots=True)
class TrackBuilder:
    """Builds one side's tracks, column by column.

    Attributes:
        side: Side of the positions.
        drafts: The tracks so far, in order of their first column.
    """

    side: Side
    drafts: list[_OpenTrack] = field(default_factory=list)
    _now: list[_OpenTrack] = field(default_factory=list)

    def step(self, transition: Transition) -> None:
        """Append the transition to the next column."""
        before, matching = self._now, transition.matching
        came_from = {j: i for i, j in matching.pairs.items()}
        self._now = []
        for j, step in enumerate(transition.steps):
            if j in came_from:
                draft = before[came_from[j]]
                draft.steps.append(step)
            else:
                draft = _OpenTrack([step])
                self.drafts.append(draft)
            self._now.append(draft)
        for i, step in transition.ended.items():
            before[i].steps.append(step)
            before[i].heir = self._now[matching.heir[i]] if i in matching.heir else None
        for j, i in matching.parent.items():
            self._now[j].parent = before[i]


def _number_tracks(sides: list[TrackBuilder]) -> tuple[Track, ...]:
    """Tracks of both sides, numbered by first column, side and price."""
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
