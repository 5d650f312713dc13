"""From the history to tracks: the engine run once, clusters of each column matched with those of the last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from liqmap._core import __version__
from liqmap.instruments import SIDES
from liqmap.maps.clusters import Basin, basins
from liqmap.maps.flows import Flows, flows
from liqmap.maps.heatmap import MAP_MERGE, MAP_SIGMA, column_stops, price_axis
from liqmap.maps.links import LINK
from liqmap.maps.matching import Ground, match
from liqmap.maps.tracks import Step, Track, Tracks
from liqmap.positions.choose import choose
from liqmap.positions.model import prepare
from liqmap.positions.walk import walk
from liqmap.provenance import Provenance

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.clock import Instant
    from liqmap.history.store import Store
    from liqmap.instruments import Side
    from liqmap.positions.model import AnyRecipe

    Floats = npt.NDArray[np.float64]

__all__ = ["Follower", "build_tracks"]


def build_tracks(
    store: Store, instrument: str, *, start: Instant, end: Instant, step: Instant, recipe: AnyRecipe | None = None
) -> Tracks:
    """Follow clusters from column to column; arguments and errors as for :func:`liqmap.maps.heatmap.build_heatmap`."""
    about = store.instrument(instrument)
    bars = store.market_bars(instrument, until=end)
    used, parameters, said = choose(store, bars, start, recipe)
    nursery = prepare(bars, store.tiers(instrument, at=end), used, instrument=instrument, at=end)
    stops = column_stops(nursery, start, end, step, bars.interval_s, instrument)
    first, bins, edges = price_axis(nursery, nursery.step, MAP_MERGE)
    groups, lives = _alike(nursery.half_lives)

    nursery.reach(stops[0])
    before, _ = nursery.engine.density(groups, first, 1, bins * MAP_MERGE)
    at = nursery.bars.end[np.asarray(stops) - 1]
    sides = [Follower(side, edges, _merged(before[k].sum(axis=0)), int(at[0])) for k, side in enumerate(SIDES)]
    totals = np.zeros((4, len(stops), 2))
    totals[0, 0] = before.sum(axis=(1, 2))
    for i in range(1, len(stops)):
        kept = walk(nursery, stops[i - 1], stops[i]).kept
        after, _ = nursery.engine.density(groups, first, 1, bins * MAP_MERGE)
        span = slice(stops[i - 1], stops[i])
        told = flows(nursery, span, kept, (before, after), lives, first)
        for k, side in enumerate(sides):
            side.step(int(at[i]), _one_side(told, k))
        parts = (told.after, told.opened, told.closed, told.liquidated)
        totals[:, i] = [part.sum(axis=1) for part in parts]
        before = after
    return Tracks(
        instrument=instrument,
        at=at,
        tracks=_numbered(sides),
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


def _alike(half_lives: Floats) -> tuple[list[tuple[int, int]], Floats]:
    """Ranges of brackets that age alike, with the half-life of each: together they decay as each does alone."""
    starts = np.flatnonzero(np.append(True, half_lives[1:] != half_lives[:-1]))
    stops = np.append(starts[1:], len(half_lives))
    return list(zip(starts.tolist(), stops.tolist(), strict=True)), half_lives[starts]


def _merged(bins: Floats) -> Floats:
    # Column by column: along an axis of two, a sum takes eight times as long.
    return np.asarray(sum(bins[k::MAP_MERGE] for k in range(MAP_MERGE)), dtype=np.float64)


def _one_side(told: Flows, side: int) -> Flows:
    return Flows(
        *(_merged(part[side]) for part in (told.before, told.after, told.opened, told.closed, told.liquidated))
    )


@dataclass(slots=True)
class _Draft:
    """A track under way."""

    steps: list[Step]
    parent: _Draft | None = None
    heir: _Draft | None = None
    number: int = 0


@dataclass(slots=True)
class Follower:
    """One side's tracks, column by column.

    Attributes:
        side: Whose positions.
        edges: The ``bins + 1`` price edges.
        mass: USD per bin at the first column.
        at: UTC microseconds of it.
    """

    side: Side
    edges: Floats
    mass: Floats
    at: Instant
    drafts: list[_Draft] = field(default_factory=list)
    _now: list[tuple[Basin, Ground, _Draft]] = field(default_factory=list)
    _edges: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self._edges = self.edges.tolist()
        # Of what stands at the first column nothing is known to be new: it is carried in.
        nothing = np.zeros_like(self.mass)
        standing = _Sums(Flows(self.mass, self.mass, nothing, nothing, nothing))
        for basin, ground in self._clusters(self.mass):
            self._begin(basin, ground, standing, self.at)

    def step(self, at: Instant, told: Flows) -> None:
        """Go on to the next column."""
        before, after = self._now, self._clusters(told.after)
        sums = _Sums(told)
        matching = match([ground for _, ground, _ in before], [ground for _, ground in after])
        self._now = []
        came_from = {j: i for i, j in matching.pairs.items()}
        drafts: dict[int, _Draft] = {}
        for j, (basin, ground) in enumerate(after):
            if j not in came_from:
                drafts[j] = self._begin(basin, ground, sums, at)
                continue
            was, old, draft = before[came_from[j]]
            share = matching.share[came_from[j]]
            moved = share >= LINK and abs(ground.peak - old.peak) > old.half_width
            draft.steps.append(_step(at, ground, sums, was.bins, basin.bins, link=share, migrating=moved))
            self._now.append((basin, ground, draft))
            drafts[j] = draft
        for i, (was, old, draft) in enumerate(before):
            if i not in matching.pairs:
                gone = old._replace(mass=0.0)
                draft.steps.append(_step(at, gone, sums, was.bins, slice(0, 0)))
                draft.heir = drafts[matching.heir[i]] if i in matching.heir else None
        for j, i in matching.parent.items():
            drafts[j].parent = before[i][2]

    def _clusters(self, mass: Floats) -> list[tuple[Basin, Ground]]:
        edges = self._edges
        return [
            (
                basin,
                Ground(
                    edges[basin.bins.start],
                    (edges[basin.at] + edges[basin.at + 1]) / 2,
                    edges[basin.bins.stop],
                    float(mass[basin.bins].sum()),
                ),
            )
            for basin in basins(mass, MAP_SIGMA)
        ]

    def _begin(self, basin: Basin, ground: Ground, told: _Sums, at: Instant) -> _Draft:
        draft = _Draft([_step(at, ground, told, slice(0, 0), basin.bins)])
        self.drafts.append(draft)
        self._now.append((basin, ground, draft))
        return draft


class _Sums:
    """Flows summed over any range of bins."""

    def __init__(self, told: Flows) -> None:
        self._running = {
            name: np.append(0.0, np.cumsum(getattr(told, name)))
            for name in ("opened", "closed", "liquidated", "survived")
        }

    def of(self, name: str, bins: slice) -> float:
        running = self._running[name]
        return float(running[bins.stop] - running[bins.start]) if bins.stop > bins.start else 0.0


def _step(
    at: Instant,
    ground: Ground,
    told: _Sums,
    was: slice,
    now: slice,
    *,
    link: float | None = None,
    migrating: bool = False,
) -> Step:
    """The change from one basin to the next, taken apart."""
    stayed = told.of("survived", slice(max(was.start, now.start), min(was.stop, now.stop)))
    return Step(
        at=at,
        low=ground.low,
        peak=ground.peak,
        high=ground.high,
        notional=ground.mass,
        opened=told.of("opened", now),
        closed=told.of("closed", was),
        liquidated=told.of("liquidated", was),
        carried_in=told.of("survived", now) - stayed,
        carried_out=told.of("survived", was) - stayed,
        link=link,
        migrating=migrating,
    )


def _numbered(sides: list[Follower]) -> tuple[Track, ...]:
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
