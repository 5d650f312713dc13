"""Maps as they were issued: a whole series of them in one run of the engine, each from nothing that was known later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from liqmap import _core
from liqmap._base.grid import Grid
from liqmap.history.registry import issued_maps
from liqmap.maps.clusters import basins, smoothing_sigma
from liqmap.maps.observed_modelled import NONE_OBSERVED, open_observed, split_open_interest
from liqmap.positions.engine.population import EngineRun, cached_engine_bars
from liqmap.positions.engine.recipe_selection import select_recipe
from liqmap.positions.observed import read_observed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from liqmap._base.instruments import Instrument
    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.history.registry.issued_maps import MapTotals
    from liqmap.history.store import Store
    from liqmap.maps.map import LiquidationMap
    from liqmap.positions.engine.population import AnyRecipe

__all__ = ["MapSnapshot", "SnapshotRun", "snapshot_run", "take_snapshot"]

_DAY = 86_400_000_000
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class MapSnapshot:
    """What a map said would be liquidated on the way to each price, leverages together.

    Attributes:
        at: When it was issued, UTC microseconds.
        mark_price: Price then.
        edges: Of its bins, ascending.
        sums: USD liquidated from the mark to each edge, longs then shorts, shape ``(2, bins + 1)``.
        differs: Whether it is the one on record, since the history gives another for that time now.
        clusters: One row each: 0 for longs or 1 for shorts, low and high edge, USD, intensity.
    """

    at: Instant
    mark_price: float
    edges: Floats
    sums: Floats
    clusters: Floats
    differs: bool = False

    @classmethod
    def of(cls, at: Instant, mark_price: float, axis: Grid, long: Floats, short: Floats) -> MapSnapshot:
        """From the notional per bin; longs are counted from the top down, shorts from the bottom up."""
        edges = axis.edges()
        sums = np.zeros((2, len(edges)))
        sums[0, :-1] = np.cumsum(long[::-1])[::-1]
        sums[1, 1:] = np.cumsum(short)
        sigma = smoothing_sigma(mark_price, axis)
        found = [
            (side, edges[basin.bins.start], edges[basin.bins.stop], mass[basin.bins].sum(), 0.0)
            for side, mass in ((0, long), (1, short))
            for basin in basins(mass, sigma)
        ]
        clusters = np.array(found, dtype=np.float64).reshape(-1, 5)
        clusters[:, 4] = clusters[:, 3] / clusters[:, 3].max(initial=0.0) if len(clusters) else 0.0
        return cls(at, mark_price, edges, sums, clusters)

    def reached(self, side: int, price: Floats) -> Floats:
        """USD that is liquidated by the time the price has got there; a bin that it cuts counts in proportion.

        Args:
            side: 0 for longs, 1 for shorts.
            price: Any.
        """
        return np.asarray(np.interp(price, self.edges, self.sums[side]), dtype=np.float64)


def take_snapshot(of: LiquidationMap) -> MapSnapshot:
    """A map, frozen."""
    return MapSnapshot.of(of.at, of.mark_price, of.grid, of.side("long"), of.side("short"))


class SnapshotRun:
    """One engine that stops at one time after the other and leaves what a map issued there says.

    It goes on from where it stopped while the recipe in force and its brackets are the same, else it begins anew. What
    it gives is what :func:`liqmap.maps.build.build_map` gives for the same time.
    """

    def __init__(self, about: Instrument) -> None:
        self._about = about
        self._made: dict[tuple[object, ...], MapSnapshot] = {}
        self._kind: tuple[object, ...] = ()
        self._nursery: EngineRun | None = None

    def maps(
        self, store: Store, times: Sequence[Instant], bars: MarketBars, recipe: AnyRecipe | None = None
    ) -> list[MapSnapshot]:
        """The maps of these times; before one there has to be a day of bars with open interest, and volume if any.

        Args:
            store: The history; the same, and unchanged, at every call.
            times: UTC microseconds, ascending, none after the last bar.
            bars: What was known at the last of them or later.
            recipe: What is assumed about unseen positions; as in force at each time if left out.
        """
        told = bars.ts[np.isfinite(bars.oi_base) & (bars.oi_base > 0)]
        measured = bars.ts[np.isfinite(bars.volume_base)]
        # A map made before volume was known took something else for it: one run cannot do both.
        since = max([int(part[0]) + _DAY for part in (told, measured) if len(part)], default=0)
        series = (bars.price_source, bars.interval_s, recipe)
        due = [at for at in times if len(told) and at >= since]
        missing = [at for at in due if (*series, at) not in self._made]
        kept = issued_maps.read_map_totals(store, self._about.name, missing[0], missing[-1]) if missing else {}
        for at in missing:
            made = self._advance_to(store, at, bars, recipe)
            self._made[*series, at] = made if recipe is not None else _prefer_recorded(made, kept.get(at))
        return [self._made[*series, at] for at in due]

    def _advance_to(self, store: Store, at: Instant, bars: MarketBars, asked: AnyRecipe | None) -> MapSnapshot:
        name = self._about.name
        recipe, _, _ = select_recipe(store, bars, at, asked)
        mark = float(bars.close[int(np.searchsorted(bars.end, at, side="right")) - 1])
        brackets = recipe.brackets(store.tiers(name, at=at), name, mark)
        fed = cached_engine_bars(bars, recipe, name)
        stop = int(np.searchsorted(fed.end, at, side="right"))
        kind = (bars.price_source, bars.interval_s, recipe, brackets.rows.tobytes())
        nursery = self._nursery
        if kind != self._kind or nursery is None or stop < nursery.processed:
            engine = _core.Cohorts(brackets.rows, recipe.step)
            nursery = EngineRun(engine, fed, brackets.leverages, brackets.rows, recipe.step, ())
        elif nursery.bars is not fed:
            nursery = replace(nursery, bars=fed)
        nursery.advance_to(stop)
        self._kind, self._nursery = kind, nursery
        return self._snapshot(store, nursery, mark, at, bars)

    def _snapshot(self, store: Store, nursery: EngineRun, mark: float, at: Instant, bars: MarketBars) -> MapSnapshot:
        seen = read_observed(store, self._about.name, at)
        leverages = tuple(np.unique(nursery.leverages).tolist())
        stood = NONE_OBSERVED if seen is None else open_observed(seen, leverages, bars.known(at), mark)
        share = split_open_interest(
            float(nursery.bars.open_interest[nursery.processed - 1]), nursery.ledger(), stood
        ).share
        price, coin, side, _ = nursery.engine.levels()
        price = np.append(price, stood.price)
        coin = np.append(coin * np.where(side > 0, *share), stood.coin)
        side = np.append(side, stood.side)
        axis = Grid.around(mark, self._about.tick_size)
        return MapSnapshot.of(at, mark, axis, *_bin_levels(axis, price, coin * price, side))


def _prefer_recorded(made: MapSnapshot, kept: MapTotals | None) -> MapSnapshot:
    """What was issued: the map on record, if it says anything else."""
    if kept is None:
        return made
    told = MapSnapshot.of(made.at, kept.mark_price, kept.axis, kept.usd[0], kept.usd[1])
    same = np.array_equal(told.edges, made.edges) and np.allclose(told.sums, made.sums, rtol=_TOLERANCE, atol=1.0)
    return made if same else replace(told, differs=True)


_RUNS: WeakKeyDictionary[Store, dict[str, SnapshotRun]] = WeakKeyDictionary()


def snapshot_run(store: Store, instrument: str) -> SnapshotRun:
    """The run of an instrument: one for as long as a history is open to read, a new one where it may change."""
    if store.mode != "r":
        return SnapshotRun(store.instrument(instrument))
    runs = _RUNS.setdefault(store, {})
    if instrument not in runs:
        runs[instrument] = SnapshotRun(store.instrument(instrument))
    return runs[instrument]


def _bin_levels(axis: Grid, price: Floats, usd: Floats, side: npt.NDArray[np.int8]) -> Floats:
    """Sums of longs and of shorts per bin, by the rule of :meth:`Grid.bin_of`; what lies off the axis is left out."""
    place = (np.floor(price * (1 / axis.tick) + 0.5) - axis.low_tick) // axis.width_ticks
    on = (place >= 0) & (place < axis.bins)
    where = place[on].astype(np.int64) + axis.bins * (side[on] < 0)
    sums = np.bincount(where, weights=usd[on], minlength=2 * axis.bins)
    return np.asarray(sums, dtype=np.float64).reshape(2, axis.bins)
