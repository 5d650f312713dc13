"""Map snapshots at many times from one engine run; each snapshot uses only data known at its time."""

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
    """Predicted liquidations between the mark and each price, summed over leverage, as of the issue time.

    Attributes:
        at: Issue time, UTC microseconds.
        mark_price: Mark price at the issue time.
        edges: Price edges of the bins, ascending.
        sums: USD liquidated from the mark to each edge, longs then shorts, shape ``(2, bins + 1)``.
        clusters: One row per cluster: 0 for longs or 1 for shorts, low and high edge, USD, intensity.
        differs: Whether this is the registered map and the history now gives a different one for that time.
    """

    at: Instant
    mark_price: float
    edges: Floats
    sums: Floats
    clusters: Floats
    differs: bool = False

    @classmethod
    def of(cls, at: Instant, mark_price: float, axis: Grid, long: Floats, short: Floats) -> MapSnapshot:
        """Create a snapshot from notional per bin; longs are summed downwards, shorts upwards."""
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
        """USD liquidated once price has reached ``price``; the bin that contains it counts in proportion.

        Args:
            side: 0 for longs, 1 for shorts.
            price: Prices, of any shape.
        """
        return np.asarray(np.interp(price, self.edges, self.sums[side]), dtype=np.float64)


def take_snapshot(of: LiquidationMap) -> MapSnapshot:
    """The snapshot of a map."""
    return MapSnapshot.of(of.at, of.mark_price, of.grid, of.side("long"), of.side("short"))


class SnapshotRun:
    """Runs the engine once and takes a map snapshot at each requested time.

    The engine continues from the previous time while the recipe in force and its brackets are unchanged, and restarts
    otherwise. The snapshots equal those of :func:`liqmap.maps.build.build_map` for the same times.
    """

    def __init__(self, about: Instrument) -> None:
        self._about = about
        self._made: dict[tuple[object, ...], MapSnapshot] = {}
        self._kind: tuple[object, ...] = ()
        self._engine_run: EngineRun | None = None

    def maps(
        self, store: Store, times: Sequence[Instant], bars: MarketBars, recipe: AnyRecipe | None = None
    ) -> list[MapSnapshot]:
        """Snapshots at the given times, except those without a day of open interest (and volume, if any) before them.

        Args:
            store: The history; the same and unchanged at every call.
            times: UTC microseconds, ascending, none after the last bar.
            bars: The bars known at the last of these times or later.
            recipe: The recipe for modelled positions; by default the one in force at each time.
        """
        with_oi = bars.ts[np.isfinite(bars.oi_base) & (bars.oi_base > 0)]
        with_volume = bars.ts[np.isfinite(bars.volume_base)]
        # Without volume a map uses a fallback for it, so one run cannot cover times before and after its start.
        since = max([int(part[0]) + _DAY for part in (with_oi, with_volume) if len(part)], default=0)
        series = (bars.price_source, bars.interval_s, recipe)
        due = [at for at in times if len(with_oi) and at >= since]
        missing = [at for at in due if (*series, at) not in self._made]
        registered = issued_maps.read_map_totals(store, self._about.name, missing[0], missing[-1]) if missing else {}
        for at in missing:
            made = self._advance_to(store, at, bars, recipe)
            self._made[*series, at] = made if recipe is not None else _prefer_recorded(made, registered.get(at))
        return [self._made[*series, at] for at in due]

    def _advance_to(self, store: Store, at: Instant, bars: MarketBars, requested: AnyRecipe | None) -> MapSnapshot:
        name = self._about.name
        recipe, _, _ = select_recipe(store, bars, at, requested)
        mark = float(bars.close[int(np.searchsorted(bars.end, at, side="right")) - 1])
        brackets = recipe.brackets(store.tiers(name, at=at), name, mark)
        inputs = cached_engine_bars(bars, recipe, name)
        stop = int(np.searchsorted(inputs.end, at, side="right"))
        kind = (bars.price_source, bars.interval_s, recipe, brackets.rows.tobytes())
        engine_run = self._engine_run
        if kind != self._kind or engine_run is None or stop < engine_run.processed:
            engine = _core.Cohorts(brackets.rows, recipe.step)
            engine_run = EngineRun(engine, inputs, brackets.leverages, brackets.rows, recipe.step, ())
        elif engine_run.bars is not inputs:
            engine_run = replace(engine_run, bars=inputs)
        engine_run.advance_to(stop)
        self._kind, self._engine_run = kind, engine_run
        return self._snapshot(store, engine_run, mark, at, bars)

    def _snapshot(self, store: Store, engine_run: EngineRun, mark: float, at: Instant, bars: MarketBars) -> MapSnapshot:
        observed = read_observed(store, self._about.name, at)
        leverages = tuple(np.unique(engine_run.leverages).tolist())
        open_positions = NONE_OBSERVED if observed is None else open_observed(observed, leverages, bars.known(at), mark)
        share = split_open_interest(
            float(engine_run.bars.open_interest[engine_run.processed - 1]), engine_run.ledger(), open_positions
        ).share
        price, coin, side, _ = engine_run.engine.levels()
        price = np.append(price, open_positions.price)
        coin = np.append(coin * np.where(side > 0, *share), open_positions.coin)
        side = np.append(side, open_positions.side)
        axis = Grid.around(mark, self._about.tick_size)
        return MapSnapshot.of(at, mark, axis, *_bin_levels(axis, price, coin * price, side))


def _prefer_recorded(made: MapSnapshot, registered: MapTotals | None) -> MapSnapshot:
    """The registered snapshot if it differs from the computed one, else the computed one."""
    if registered is None:
        return made
    issued = MapSnapshot.of(made.at, registered.mark_price, registered.axis, registered.usd[0], registered.usd[1])
    same = np.array_equal(issued.edges, made.edges) and np.allclose(issued.sums, made.sums, rtol=_TOLERANCE, atol=1.0)
    return made if same else replace(issued, differs=True)


_RUNS: WeakKeyDictionary[Store, dict[str, SnapshotRun]] = WeakKeyDictionary()


def snapshot_run(store: Store, instrument: str) -> SnapshotRun:
    """The snapshot run of an instrument: cached for a read-only history, new for one that may change."""
    if store.mode != "r":
        return SnapshotRun(store.instrument(instrument))
    runs = _RUNS.setdefault(store, {})
    if instrument not in runs:
        runs[instrument] = SnapshotRun(store.instrument(instrument))
    return runs[instrument]


def _bin_levels(axis: Grid, price: Floats, usd: Floats, side: npt.NDArray[np.int8]) -> Floats:
    """Sums of longs and of shorts per bin, by the rule of :meth:`Grid.bin_of`; levels outside the axis are left out."""
    place = (np.floor(price * (1 / axis.tick) + 0.5) - axis.low_tick) // axis.width_ticks
    on = (place >= 0) & (place < axis.bins)
    where = place[on].astype(np.int64) + axis.bins * (side[on] < 0)
    sums = np.bincount(where, weights=usd[on], minlength=2 * axis.bins)
    return np.asarray(sums, dtype=np.float64).reshape(2, axis.bins)
