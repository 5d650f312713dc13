"""From the history to a map: read what was known, grow the positions, add those that were seen, bin their levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.grid import Grid
from liqmap._base.provenance import Provenance
from liqmap._core import __version__
from liqmap.maps.cluster_history import PastClusters
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
    """The map of one instrument as of ``at``, from nothing that was known later.

    Observed positions enter exactly; modelled cohorts fill the rest of open interest. Where there are no bars to model
    from, the observed stand alone. Without a recipe the map takes the calibration in force, else the default; see
    :func:`liqmap.positions.engine.recipe_selection.select_recipe`.

    Raises:
        NotFoundError: The history does not have the instrument, or nothing of it at that time.
    """
    return map_from_inputs(read_map_inputs(store, instrument, at, recipe), grid)


def map_from_inputs(
    of: MapInputs, grid: Grid | None = None, *, scale: float = 1.0, compare: bool = True
) -> LiquidationMap:
    """The map of what was read.

    Args:
        of: What was read.
        grid: Price axis; around the mark if left out.
        scale: The map's prices per price of the instrument: spot over mark brings it onto a spot-equivalent axis.
            Notional stays what it is.
        compare: Tell how the clusters rank among those of the 90 days before.

    Raises:
        NotFoundError: No open interest, no tier, or no bracket that the venue offers.
    """
    past = PastClusters() if compare else None
    people = _run_population(of, past)
    brackets = tuple(float(x) for x in DEFAULT_RECIPE.leverages) if people is None else people.leverages
    stood = NONE_OBSERVED if of.seen is None else open_observed(of.seen, brackets, of.bars, of.mark)
    open_interest = of.open_interest if people is None else float(people.bars.open_interest[-1])
    mixed = split_open_interest(open_interest, None if people is None else people.ledger, stood)
    mark = of.mark * scale
    axis = Grid.around(mark, of.about.tick_size) if grid is None else grid
    of_seen = binned = histogram(_rescale_levels(stood.levels(), scale), axis, brackets=len(brackets))
    if people is not None:
        binned = of_seen + histogram(_rescale_levels(people.levels(mixed.share), scale), axis, brackets=len(brackets))
    off_grid = binned.outside.sum(axis=1) / binned.units_per_notional
    modelled = () if people is None else people.assumptions
    return LiquidationMap(
        instrument=of.about.name,
        at=of.at,
        mark_price=mark,
        open_interest=mixed.open_interest,
        grid=axis,
        brackets=brackets,
        long=binned.long,
        short=binned.short,
        outside={"long": float(off_grid[0]), "short": float(off_grid[1])},
        ledger=mixed.ledger,
        provenance=Provenance(
            version=__version__,
            inputs=of.inputs,
            parameters=of.parameters,
            assumptions=(*mixed.notes, *of.notes, *modelled, *of.said, *(() if past is None else past.notes())),
            simulated=of.about.simulated,
            observed_share=_observed_share(of_seen, binned),
        ),
        observed=None if of.seen is None else _observed_part(of_seen, stood, mixed, of.seen.as_of),
        past=None if past is None else past.notional(),
    )


def _run_population(of: MapInputs, past: PastClusters | None) -> Population | None:
    if of.bars is None:
        return None
    nursery = prepare_run(of.bars, of.tiers, of.recipe, instrument=of.about.name, at=of.at)
    return run_engine(nursery, past)


def _rescale_levels(levels: arro3.core.Table, scale: float) -> arro3.core.Table:
    """The levels at other prices, their notional unchanged."""
    if scale == 1:
        return levels
    from arro3.core import Array, ChunkedArray  # noqa: PLC0415 - Arrow loads only when levels are binned

    price = np.ascontiguousarray(levels.column("price").to_numpy() * scale)
    return levels.set_column(levels.column_names.index("price"), "price", ChunkedArray([Array.from_numpy(price)]))


def _observed_part(
    binned: Histogram, stood: OpenObserved, mixed: ObservedModelledSplit, as_of: Instant
) -> ObservedPart:
    held = [stood.coin_held(side, priced=True) + stood.coin_held(side, priced=False) for side in (1, -1)]
    long, short = (coin / mixed.open_interest if mixed.open_interest > 0 else 0.0 for coin in held)
    return ObservedPart(
        long=binned.long,
        short=binned.short,
        coverage={"long": long, "short": short},
        positions=len(stood.coin),
        as_of=as_of,
    )


def _observed_share(part: Histogram, whole: Histogram) -> float:
    """Share of mapped notional that was observed, what lies off the grid included."""
    seen, all_of_it = (float(np.sum(h.units) + np.sum(h.outside)) for h in (part, whole))
    return seen / all_of_it if all_of_it > 0 else 0.0
