"""Build a map from a history: read the inputs, run the cohort engine, add observed positions, bin the levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.grid import Grid
from liqmap._base.provenance import Provenance
from liqmap._core import __version__
from liqmap.maps.cluster_history import ClusterHistory
from liqmap.maps.histogram import histogram
from liqmap.maps.map import LiquidationMap
from liqmap.maps.map_inputs import read_map_inputs
from liqmap.maps.observed_modelled import NONE_OBSERVED, ObservedPart, open_observed, split_open_interest
from liqmap.positions.engine.population import prepare_run, run_engine
from liqmap.positions.engine.recipe import DEFAULT_RECIPE

if TYPE_CHECKING:
    import arro3.core

    from liqmap._base.timestamps import Instant
    from liqmap.history.store import Store
    from liqmap.maps.histogram import Histogram
    from liqmap.maps.map_inputs import MapInputs
    from liqmap.maps.observed_modelled import ObservedModelledSplit, OpenObserved
    from liqmap.positions.engine.population import AnyRecipe, Population

__all__ = ["build_map", "map_from_inputs"]


def build_map(
    store: Store,
    instrument: str,
    *,
    at: Instant | None = None,
    grid: Grid | None = None,
    recipe: AnyRecipe | None = None,
) -> LiquidationMap:
    """Build the map of one instrument as of ``at``; no later data is used.

    Observed positions enter exactly; modelled cohorts fill the rest of open interest. Without bars the map holds
    observed positions only. Without a recipe the calibration in force is used, else the default recipe; see
    :func:`liqmap.positions.engine.recipe_selection.select_recipe`.

    Raises:
        NotFoundError: The history does not have the instrument, or has no data of it at that time.
    """
    return map_from_inputs(read_map_inputs(store, instrument, at, recipe), grid)


def map_from_inputs(
    of: MapInputs, grid: Grid | None = None, *, scale: float = 1.0, compare: bool = True
) -> LiquidationMap:
    """Build a map from inputs that have been read.

    Args:
        of: The inputs.
        grid: The price axis; a grid around the mark by default.
        scale: Factor applied to prices: spot over mark gives a spot-equivalent axis. Notional is not scaled.
        compare: Rank the clusters among those of the preceding 90 days.

    Raises:
        NotFoundError: There is no open interest, no margin tier, or no leverage bracket that the venue offers.
    """
    history = ClusterHistory() if compare else None
    population = _run_population(of, history)
    brackets = tuple(float(x) for x in DEFAULT_RECIPE.leverages) if population is None else population.leverages
    open_positions = NONE_OBSERVED if of.observed is None else open_observed(of.observed, brackets, of.bars, of.mark)
    open_interest = of.open_interest if population is None else float(population.bars.open_interest[-1])
    split = split_open_interest(open_interest, None if population is None else population.ledger, open_positions)
    mark = of.mark * scale
    axis = Grid.around(mark, of.about.tick_size) if grid is None else grid
    observed = binned = histogram(_rescale_levels(open_positions.levels(), scale), axis, brackets=len(brackets))
    if population is not None:
        binned = observed + histogram(
            _rescale_levels(population.levels(split.share), scale), axis, brackets=len(brackets)
        )
    off_grid = binned.outside.sum(axis=1) / binned.units_per_notional
    modelled = () if population is None else population.assumptions
    return LiquidationMap(
        instrument=of.about.name,
        at=of.at,
        mark_price=mark,
        open_interest=split.open_interest,
        grid=axis,
        brackets=brackets,
        long=binned.long,
        short=binned.short,
        outside={"long": float(off_grid[0]), "short": float(off_grid[1])},
        ledger=split.ledger,
        provenance=Provenance(
            version=__version__,
            inputs=of.inputs,
            parameters=of.parameters,
            assumptions=(
                *split.notes,
                *of.notes,
                *modelled,
                *of.recipe_notes,
                *(() if history is None else history.notes()),
            ),
            simulated=of.about.simulated,
            observed_share=_observed_share(observed, binned),
        ),
        observed=None if of.observed is None else _observed_part(observed, open_positions, split, of.observed.as_of),
        past=None if history is None else history.notional(),
    )


def _run_population(of: MapInputs, history: ClusterHistory | None) -> Population | None:
    if of.bars is None:
        return None
    engine_run = prepare_run(of.bars, of.tiers, of.recipe, instrument=of.about.name, at=of.at)
    return run_engine(engine_run, history)


def _rescale_levels(levels: arro3.core.Table, scale: float) -> arro3.core.Table:
    """The levels with their prices multiplied by ``scale`` and their notional unchanged."""
    if scale == 1:
        return levels
    from arro3.core import Array, ChunkedArray  # noqa: PLC0415 - Arrow loads only when levels are binned

    price = np.ascontiguousarray(levels.column("price").to_numpy() * scale)
    return levels.set_column(levels.column_names.index("price"), "price", ChunkedArray([Array.from_numpy(price)]))


def _observed_part(
    binned: Histogram, open_positions: OpenObserved, split: ObservedModelledSplit, as_of: Instant
) -> ObservedPart:
    held = [
        open_positions.coin_held(side, priced=True) + open_positions.coin_held(side, priced=False) for side in (1, -1)
    ]
    long, short = (coin / split.open_interest if split.open_interest > 0 else 0.0 for coin in held)
    return ObservedPart(
        long=binned.long,
        short=binned.short,
        coverage={"long": long, "short": short},
        positions=len(open_positions.coin),
        as_of=as_of,
    )


def _observed_share(part: Histogram, whole: Histogram) -> float:
    """Share of mapped notional that is observed, including notional outside the grid."""
    observed, total = (float(np.sum(h.units) + np.sum(h.outside)) for h in (part, whole))
    return observed / total if total > 0 else 0.0
