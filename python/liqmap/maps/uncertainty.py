"""How much of a map is evidence and how much assumption: the same history under every recipe that is as plausible."""

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
    """A cluster of the map and what its basin holds under the other recipes, USD."""

    cluster: Cluster
    low: float
    high: float

    def to_dict(self) -> dict[str, JSON]:
        """Where the cluster is, what it holds, and the band."""
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
    """The band that a map lies in: the least and the most that each bin holds under any of the recipes.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds.
        grid: The price axis of the map.
        recipes: What is different about each recipe; the first is the map's own, and differs in nothing.
        long: USD per recipe and bin, shape ``(recipes, bins)``.
        short: The same for shorts.
        clusters: The map's clusters with their bands, in its order.
        assumed: Price zones where the prior decides: farther than about 10 % from the mark, no liquidation has told
            one recipe from another.
        assumptions: One sentence each.
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
        """The least and the most per bin, USD."""
        under = self.long if side == "long" else self.short
        return under.min(axis=0), under.max(axis=0)

    def to_dict(self) -> dict[str, JSON]:
        """Bands as plain data: ``{"low": [...], "high": [...]}`` by side, the clusters' and the zones of the prior."""
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
    """The map under every alternative recipe, on one grid, on all threads; what was observed is in all of them.

    Raises:
        NotFoundError: The history does not have the instrument, or nothing of it at that time.
    """
    sources = read_map_inputs(store, instrument, at, recipe)
    first = map_from_inputs(sources, grid, compare=False)
    others = _alternatives_to(store, sources, own=recipe is None)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made = list(threads.map(lambda other: _map_with(other, sources, first.grid), others))
    told = [("", first), *((other.name, m) for other, m in zip(others, made, strict=True) if m is not None)]
    maps = [m for _, m in told]
    return Uncertainty(
        instrument=instrument,
        at=first.at,
        grid=first.grid,
        recipes=tuple(name for name, _ in told),
        long=np.stack([m.side("long") for m in maps]),
        short=np.stack([m.side("short") for m in maps]),
        clusters=tuple(_cluster_range(cluster, maps) for cluster in first.clusters()),
        assumed=_assumed_zones(first),
        assumptions=_notes(sources.recipe),
    )


def _alternatives_to(store: Store, sources: MapInputs, *, own: bool) -> tuple[Alternative, ...]:
    """The alternatives to the map's recipe; none where nothing is modelled."""
    if sources.bars is None:
        return ()
    fitted = latest_calibration(store, sources.bars, sources.at) if own else None
    return alternatives(sources.recipe, None if fitted is None else fitted[1])[1:]


def _map_with(other: Alternative, sources: MapInputs, grid: Grid) -> LiquidationMap | None:
    """The map under another recipe; ``None`` where the venue offers none of its leverages."""
    try:
        return map_from_inputs(replace(sources, recipe=other.recipe), grid, compare=False)
    except NotFoundError:
        return None


def _cluster_range(cluster: Cluster, maps: list[LiquidationMap]) -> ClusterBand:
    edges = maps[0].grid.edges()
    basin = (edges[:-1] >= cluster.low) & (edges[1:] <= cluster.high)
    held = [float(m.side(cluster.side)[basin].sum()) for m in maps]
    return ClusterBand(cluster, min(held), max(held))


def _assumed_zones(of: LiquidationMap) -> tuple[tuple[float, float], ...]:
    if of.provenance.observed_share >= 1:
        return ()
    near, far = of.mark_price * (1 - IDENTIFIED_DISTANCE), of.mark_price * (1 + IDENTIFIED_DISTANCE)
    return tuple((low, high) for low, high in ((of.grid.low, near), (far, of.grid.high)) if low < high)


def _notes(recipe: AnyRecipe) -> tuple[str, ...]:
    spread = "the band is the spread over recipes, not a confidence interval: no recipe is known to be right"
    if isinstance(recipe, Recipe):
        scale = f"the share of open interest that is mapped ({recipe.mapped_share:.0%}) scales the whole map"
        return (spread, f"{scale} and is not part of the band; calibrated, it was 4–11 %")
    return (spread,)
