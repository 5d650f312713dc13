"""Maps through time: price × time, by side and bracket group, with the predicted liquidations between columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.errors import InputError, NotFoundError
from liqmap._base.plotting import chart
from liqmap._base.provenance import Provenance
from liqmap._base.timestamps import Instant, iso
from liqmap._core import __version__
from liqmap.positions.engine.population import prepare_run
from liqmap.positions.engine.recipe_selection import select_recipe

if TYPE_CHECKING:
    from pathlib import Path

    import altair as alt
    import arro3.core
    import numpy.typing as npt

    from liqmap._base.ledger import Ledger
    from liqmap.history.store import Store
    from liqmap.positions.engine.population import AnyRecipe, EngineRun

    Floats = npt.NDArray[np.float64]

__all__ = ["MAP_MERGE", "MAP_SIGMA", "Heatmap", "build_heatmap", "build_heatmap_at", "column_stops", "price_axis"]

PRICE_MARGIN = 1.0
"""Margin of the axis around the price path, as a factor: low / 2 to high · 2 includes 2x positions."""
MAX_COLUMNS = 20_000
MAP_MERGE = 2
"""Engine bins (2.5 bp) per bin of an axis with the resolution of a map, 5 bp."""
MAP_SIGMA = 2.0
"""Width of a map's smoothing Gaussian in such bins: 10 bp."""


@dataclass(frozen=True, eq=False)
class Heatmap:
    """One map per column, on one axis of equal price ratios.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds of each column; each column uses only data available at its time.
        edges: The ``bins + 1`` price edges, each a constant factor above the one before.
        groups: Leverages of each bracket group.
        long: USD notional, shape ``(columns, groups, bins)``.
        short: The same for shorts.
        outside: USD outside the axis, shape ``(columns, 2)``, longs first.
        low, high, close: Price since the previous column.
        predicted: Predicted liquidations since the previous column, USD, shape ``(columns, 2, groups)``.
        open_interest: Coin, per column.
        ledgers: The ledger at each column.
        provenance: Inputs, parameters, assumptions.
    """

    instrument: str
    at: npt.NDArray[np.int64]
    edges: Floats
    groups: tuple[tuple[float, ...], ...]
    long: Floats
    short: Floats
    outside: Floats
    low: Floats
    high: Floats
    close: Floats
    predicted: Floats
    open_interest: Floats
    ledgers: tuple[Ledger, ...]
    provenance: Provenance

    def to_arrow(self) -> arro3.core.Table:
        """One row per filled cell: ``at_us, price_low, price_high, side, leverage_from, notional_usd``."""
        from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when asked for

        both = np.stack([self.long, self.short], axis=1)
        column, side, group, bin_ = np.nonzero(both)
        sides = np.array(["long", "short"], dtype=object)[side]
        first = np.array([g[0] for g in self.groups], dtype=np.float64)
        return Table.from_pydict(
            {
                "at_us": Array.from_numpy(self.at[column]),
                "price_low": Array.from_numpy(self.edges[bin_]),
                "price_high": Array.from_numpy(self.edges[bin_ + 1]),
                "side": Array(sides.tolist(), type=DataType.utf8()),
                "leverage_from": Array.from_numpy(first[group]),
                "notional_usd": Array.from_numpy(both[column, side, group, bin_]),
            }
        )

    def to_parquet(self, path: Path) -> None:
        """:meth:`to_arrow` as a Parquet file, written by DuckDB."""
        import duckdb  # noqa: PLC0415 - a heatmap in a notebook needs no database

        with duckdb.connect() as connection:
            connection.execute("SET threads = 1")
            connection.from_arrow(self.to_arrow()).write_parquet(str(path), compression="zstd")

    def chart(self, **options: Any) -> alt.LayerChart:  # noqa: ANN401 - passed on to heat_chart
        """The heatmap as an Altair chart; see :func:`liqmap.charts.heatmap.chart.heat_chart`."""
        return chart("heatmap", self, **options)


def build_heatmap(
    store: Store,
    instrument: str,
    *,
    start: Instant,
    end: Instant,
    step: Instant,
    recipe: AnyRecipe | None = None,
    merge: int = 4,
    groups: tuple[tuple[float, float], ...] | None = None,
) -> Heatmap:
    """Run the cohort engine once over the history and read its density every ``step``.

    Args:
        store: The history.
        instrument: ``venue:SYMBOL``.
        start: First column, UTC microseconds.
        end: Last column at the latest.
        step: Microseconds between columns, at least one bar.
        recipe: The recipe for modelled positions; by default the calibration in force at ``start``, else the
            default recipe.
        merge: Engine bins (2.5 bp) per bin of the axis: 4 makes 10 bp.
        groups: Bracket groups as half-open ranges of leverage; by default one group of all brackets.

    Raises:
        InputError: ``end`` is before ``start``, the step is shorter than a bar, there are more than 20,000 columns,
            or a group has no brackets.
        NotFoundError: The history does not have the instrument or that span.
    """
    _check_span(start, end, step)
    wanted = np.arange(start, end + 1, step)
    return build_heatmap_at(store, instrument, wanted, recipe=recipe, merge=merge, groups=groups, step=step)


def build_heatmap_at(
    store: Store,
    instrument: str,
    wanted: npt.NDArray[np.int64],
    *,
    recipe: AnyRecipe | None = None,
    merge: int = 4,
    groups: tuple[tuple[float, float], ...] | None = None,
    step: Instant | None = None,
) -> Heatmap:
    """Run the cohort engine once and read its density at each of the ``wanted`` times, which must be ascending.

    The other arguments and errors are those of :func:`build_heatmap`; ``step`` is only validated against the bars.
    """
    start, end = int(wanted[0]), int(wanted[-1])
    about = store.instrument(instrument)
    bars = store.market_bars(instrument, until=end)
    used, parameters, recipe_notes = select_recipe(store, bars, start, recipe)
    engine_run = prepare_run(bars, store.tiers(instrument, at=end), used, instrument=instrument, at=end)
    if step is not None:
        _check_step(step, bars.interval_s)
    stops = _stops(engine_run, wanted, instrument)
    ranges = _ranges(engine_run.leverages, groups)
    first, bins, edges = price_axis(engine_run, used.step, merge)

    shape = (len(stops), len(ranges), bins)
    both = np.empty((2, *shape))
    outside = np.empty((len(stops), 2))
    predicted = np.zeros((len(stops), 2, len(ranges)))
    ledgers = []
    # Predictions before the first column belong to no column, except those of its last bar.
    begin = stops[0] - 1
    engine_run.advance_to(begin)
    series = engine_run.bars
    extremes = np.empty((2, len(stops)))
    for i, stop in enumerate(stops):
        usd, _ = engine_run.advance(begin, stop)
        for g, (a, b) in enumerate(ranges):
            predicted[i, :, g] = usd[:, :, a:b].sum(axis=(0, 2))
        path = slice(begin, stop)
        extremes[:, i] = series.low[path].min(), series.high[path].max()
        cells, off = engine_run.engine.density(ranges, first, merge, bins)
        both[:, i], outside[i] = cells, off
        ledgers.append(engine_run.ledger())
        begin = stop
    last = np.asarray(stops) - 1
    return Heatmap(
        instrument=instrument,
        at=series.end[last],
        edges=edges,
        groups=tuple(tuple(dict.fromkeys(engine_run.leverages[a:b])) for a, b in ranges),
        long=both[0],
        short=both[1],
        outside=outside,
        low=extremes[0],
        high=extremes[1],
        close=series.close[last],
        predicted=predicted,
        open_interest=series.open_interest[last],
        ledgers=tuple(ledgers),
        provenance=Provenance(
            version=__version__,
            inputs=store.input_hashes(instrument, until=int(series.end[last[-1]])),
            parameters=parameters,
            assumptions=("every position is modelled; none is observed", *engine_run.assumptions, *recipe_notes),
            simulated=about.simulated,
        ),
    )


def column_stops(
    engine_run: EngineRun, start: Instant, end: Instant, step: Instant, interval_s: int, instrument: str
) -> list[int]:
    """Number of bars that had closed by each column; columns without a new bar are left out."""
    _check_span(start, end, step)
    _check_step(step, interval_s)
    return _stops(engine_run, np.arange(start, end + 1, step), instrument)


def _check_span(start: Instant, end: Instant, step: Instant) -> None:
    if end < start:
        raise InputError("heatmap", "end", f"{iso(end)} before {iso(start)}", "an end after the start", "nothing made")
    if step <= 0:
        raise InputError("heatmap", "step", f"{step / 1e6:g} s", "a positive step", "nothing made")
    if (end - start) // step >= MAX_COLUMNS:
        found = f"{(end - start) // step + 1} columns"
        raise InputError("heatmap", "step", found, f"at most {MAX_COLUMNS}", "nothing made")


def _check_step(step: Instant, interval_s: int) -> None:
    if step < interval_s * 1_000_000:
        found = f"{step / 1e6:g} s"
        raise InputError("heatmap", "step", found, f"at least one bar ({interval_s} s)", "nothing made")


def _stops(engine_run: EngineRun, wanted: npt.NDArray[np.int64], instrument: str) -> list[int]:
    counts = np.unique(np.searchsorted(engine_run.bars.end, wanted, side="right"))
    stops = [int(n) for n in counts if n > 0]
    start, end = int(wanted[0]), int(wanted[-1])
    # Bars that closed before the first column do not make a column.
    if not stops or engine_run.bars.end[stops[-1] - 1] < start:
        found = f"no data from {iso(start)} to {iso(end)}"
        raise NotFoundError("heatmap", instrument, found, "a span within the history", "nothing made")
    return stops


def _ranges(leverages: tuple[float, ...], groups: tuple[tuple[float, float], ...] | None) -> list[tuple[int, int]]:
    if groups is None:
        return [(0, len(leverages))]
    ranges = [(int(np.searchsorted(leverages, a)), int(np.searchsorted(leverages, b))) for a, b in groups]
    if any(a >= b for a, b in ranges):
        expected = f"ranges that hold some of {leverages}"
        raise InputError("heatmap", "groups", str(groups), expected, "nothing made")
    return ranges


def price_axis(engine_run: EngineRun, step: float, merge: int) -> tuple[int, int, Floats]:
    """First engine bin, number of merged bins, and the price edges of the merged bins."""
    low = math.log(float(engine_run.bars.low.min()) / (1 + PRICE_MARGIN)) / step
    high = math.log(float(engine_run.bars.high.max()) * (1 + PRICE_MARGIN)) / step
    first = math.floor(low / merge) * merge
    bins = math.ceil((high - first) / merge)
    edges = np.exp((first + merge * np.arange(bins + 1)) * step)
    return first, bins, edges
