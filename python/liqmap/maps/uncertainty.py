"""Uncertainty of a map: its range over all plausible recipes on the same history."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap._base.instruments import SIDES
from liqmap._base.timestamps import Instant, iso
from liqmap.maps.build import map_from_inputs
from liqmap.maps.display_bars import IDENTIFIED_DISTANCE
from liqmap.maps.map_inputs import read_map_inputs
from liqmap.positions.engine.recipe import Recipe
from liqmap.positions.engine.recipe_alternatives import alternatives
from liqmap.positions.engine.recipe_selection import latest_calibration

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.grid import Grid
    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON
    from liqmap.history.store import Store
    from liqmap.maps.clusters import Cluster
    from liqmap.maps.map import LiquidationMap
    from liqmap.maps.map_inputs import MapInputs
    from liqmap.positions.engine.population import AnyRecipe
    from liqmap.positions.engine.recipe_alternatives import Alternative

    Floats = npt.NDArray[np.float64]

__all__ = ["ClusterBand", "Uncertainty", "build_uncertainty"]


@dataclass(frozen=True, slots=True)
class ClusterBand:
    """A cluster of the map and the uncertainty range of the notional in its basin, USD."""

    cluster: Cluster
    low: float
    high: float

    def to_dict(self) -> dict[str, JSON]:
        """Prices, notional and uncertainty range of the cluster."""
        of = self.cluster
        return {
            "side": of.side,
            "low": of.low,
            "peak": of.peak,
            "high": of.high,
            "notional": of.notional,
            "notional_low": self.low,
            "notional_high": self.high,
        }


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The uncertainty range of a map: the least and the greatest notional of each bin under any of the recipes.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds.
        grid: The price axis of the map.
        recipes: The difference of each recipe from the map's own; the first is that recipe, with an empty text.
        long: USD by recipe and bin, shape ``(recipes, bins)``.
        short: The same for shorts.
        clusters: The map's clusters with their uncertainty ranges, in the map's order.
        assumed: Price zones that the prior determines: liquidations do not distinguish between recipes farther than
            about 10 % from the mark.
        assumptions: Assumptions, one sentence each.
    """

    instrument: str
    at: Instant
    grid: Grid
    recipes: tuple[str, ...]
    long: Floats
    short: Floats
    clusters: tuple[ClusterBand, ...]
    assumed: tuple[tuple[float, float], ...]
    assumptions: tuple[str, ...]

    def band(self, side: Side) -> tuple[Floats, Floats]:
        """The least and the greatest notional per bin, USD."""
        by_recipe = self.long if side == "long" else self.short
        return by_recipe.min(axis=0), by_recipe.max(axis=0)

    def to_dict(self) -> dict[str, JSON]:
        """Plain data: ``{"low": [...], "high": [...]}`` by side, the clusters' ranges and the prior's zones."""
        bands: dict[str, JSON] = {}
        for side in SIDES:
            low, high = self.band(side)
            bands[side] = {"low": low.tolist(), "high": high.tolist()}
        return {
            "instrument": self.instrument,
            "at": iso(self.at),
            "recipes": list(self.recipes),
            **bands,
            "clusters": [band.to_dict() for band in self.clusters],
            "prior_decides": [{"low": low, "high": high} for low, high in self.assumed],
            "assumptions": list(self.assumptions),
        }


def build_uncertainty(
    store: Store,
    instrument: str,
    *,
    at: Instant | None = None,
    grid: Grid | None = None,
    recipe: AnyRecipe | None = None,
) -> Uncertainty:
    """Build the map under every alternative recipe on one grid, in parallel; each holds the observed positions.

    Raises:
        NotFoundError: The history does not have the instrument, or has no data of it at that time.
    """
    inputs = read_map_inputs(store, instrument, at, recipe)
    first = map_from_inputs(inputs, grid, compare=False)
    others = _alternatives_to(store, inputs, own=recipe is None)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        results = list(threads.map(lambda other: _map_with(other, inputs, first.grid), others))
    computed = [("", first), *((other.name, m) for other, m in zip(others, results, strict=True) if m is not None)]
    maps = [m for _, m in computed]
    return Uncertainty(
        instrument=instrument,
        at=first.at,
        grid=first.grid,
        recipes=tuple(name for name, _ in computed),
        long=np.stack([m.side("long") for m in maps]),
        short=np.stack([m.side("short") for m in maps]),
        clusters=tuple(_cluster_range(cluster, maps) for cluster in first.clusters()),
        assumed=_assumed_zones(first),
        assumptions=_notes(inputs.recipe),
    )


def _alternatives_to(store: Store, inputs: MapInputs, *, own: bool) -> tuple[Alternative, ...]:
    """The alternatives to the map's recipe; none if no position is modelled."""
    if inputs.bars is None:
        return ()
    fitted = latest_calibration(store, inputs.bars, inputs.at) if own else None
    return alternatives(inputs.recipe, None if fitted is None else fitted[1])[1:]


def _map_with(other: Alternative, inputs: MapInputs, grid: Grid) -> LiquidationMap | None:
    """The map under another recipe; ``None`` if the venue offers none of its leverages."""
    try:
        return map_from_inputs(replace(inputs, recipe=other.recipe), grid, compare=False)
    except NotFoundError:
        return None


def _cluster_range(cluster: Cluster, maps: list[LiquidationMap]) -> ClusterBand:
    edges = maps[0].grid.edges()
    basin = (edges[:-1] >= cluster.low) & (edges[1:] <= cluster.high)
    notional = [float(m.side(cluster.side)[basin].sum()) for m in maps]
    return ClusterBand(cluster, min(notional), max(notional))


def _assumed_zones(of: LiquidationMap) -> tuple[tuple[float, float], ...]:
    if of.provenance.observed_share >= 1:
        return ()
    below, above = of.mark_price * (1 - IDENTIFIED_DISTANCE), of.mark_price * (1 + IDENTIFIED_DISTANCE)
    return tuple((low, high) for low, high in ((of.grid.low, below), (above, of.grid.high)) if low < high)


def _notes(recipe: AnyRecipe) -> tuple[str, ...]:
    range_note = "the range is the spread over recipes, not a confidence interval: no recipe is known to be right"
    if isinstance(recipe, Recipe):
        scale = f"the share of open interest that is mapped ({recipe.mapped_share:.0%}) scales the whole map"
        return (range_note, f"{scale} and is not part of the range; calibrated values were 4–11 %")
    return (range_note,)
