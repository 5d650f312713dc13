"""Maps of the days before one, from a single run of the engine: to compare with, not to publish."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from liqmap._core import __version__
from liqmap.clock import iso
from liqmap.grid import Grid
from liqmap.maps.histogram import histogram
from liqmap.maps.map import LiquidationMap
from liqmap.maps.sources import read_sources
from liqmap.positions.model import grow, level_table, prepare
from liqmap.provenance import Provenance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap.clock import Instant
    from liqmap.history.store import Store
    from liqmap.instruments import Instrument
    from liqmap.positions.model import AnyRecipe, Nursery

__all__ = ["earlier_maps"]

_SAID = "made to compare with a later map: by that map's recipe and margin tiers, of modelled positions alone"


def earlier_maps(
    store: Store, instrument: str, at: Instant, instants: Sequence[Instant], *, recipe: AnyRecipe | None = None
) -> tuple[LiquidationMap, ...]:
    """Maps at some instants before ``at``, in order of time, as the recipe and tiers in force at ``at`` draw them.

    They hold modelled positions alone and are not ranked. Instants before the first open interest are left out.

    Raises:
        NotFoundError: The history does not have the instrument, or nothing of it at that time.
    """
    of = read_sources(store, instrument, at, recipe)
    if of.bars is None:
        return ()
    nursery = prepare(of.bars, of.tiers, of.recipe, instrument=instrument, at=of.at)
    album = _Album(of.about, sorted(moment for moment in instants if moment < of.at))
    grow(nursery, album)
    return tuple(album.maps)


@dataclass(slots=True)
class _Album:
    """Takes a map at each instant."""

    about: Instrument
    instants: Sequence[Instant]
    maps: list[LiquidationMap] = field(default_factory=list)

    def stops(self, nursery: Nursery) -> list[int]:
        stops = np.unique(np.searchsorted(nursery.bars.end, np.asarray(self.instants, dtype=np.int64), side="right"))
        return [int(stop) for stop in stops if stop > 0]

    def look(self, nursery: Nursery, seen: int) -> None:
        mark = float(nursery.bars.close[seen - 1])
        grid = Grid.around(mark, self.about.tick_size)
        leverages, of_row = np.unique(nursery.leverages, return_inverse=True)
        price, coin, side, row = nursery.engine.levels()
        levels = level_table(price, coin * price, side, of_row.astype(np.uint8)[row])
        binned = histogram(levels, grid, brackets=len(leverages))
        off_grid = binned.outside.sum(axis=1) / binned.units_per_notional
        at = int(nursery.bars.end[seen - 1])
        self.maps.append(
            LiquidationMap(
                instrument=self.about.name,
                at=at,
                mark_price=mark,
                open_interest=float(nursery.bars.open_interest[seen - 1]),
                grid=grid,
                brackets=tuple(leverages.tolist()),
                long=binned.long,
                short=binned.short,
                outside={"long": float(off_grid[0]), "short": float(off_grid[1])},
                ledger=nursery.ledger(),
                provenance=Provenance(
                    version=__version__, assumptions=(_SAID, f"as of {iso(at)}"), simulated=self.about.simulated
                ),
            )
        )
