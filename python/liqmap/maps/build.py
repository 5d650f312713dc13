"""From the history to a map: read what was known, grow the positions, bin their levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._core import __version__
from liqmap.clock import Instant, iso
from liqmap.errors import NotFoundError
from liqmap.grid import Grid
from liqmap.maps.histogram import histogram
from liqmap.maps.map import LiquidationMap
from liqmap.positions.choose import choose
from liqmap.positions.model import grow
from liqmap.provenance import Provenance

if TYPE_CHECKING:
    from liqmap.history.read import MarketBars
    from liqmap.history.store import Store
    from liqmap.positions.model import AnyRecipe, Population

__all__ = ["build_map"]

_END_OF_TIME: Instant = 2**62


def build_map(
    store: Store,
    instrument: str,
    *,
    at: Instant | None = None,
    grid: Grid | None = None,
    recipe: AnyRecipe | None = None,
) -> LiquidationMap:
    """The map of one instrument as of ``at``, from nothing that was known later.

    Without a recipe it takes the calibration in force, else the default; see :func:`liqmap.positions.choose.choose`.

    Raises:
        NotFoundError: The history does not have the instrument, or nothing of it at that time.
    """
    about = store.instrument(instrument)
    bars = store.market_bars(instrument, until=_END_OF_TIME if at is None else at)
    moment = _moment(bars, instrument, at)
    used, parameters, said = choose(store, bars, moment, recipe)
    people = grow(bars, store.tiers(instrument, at=moment), used, instrument=instrument, at=moment)
    mark = float(bars.close[-1])
    axis = Grid.around(mark, about.tick_size) if grid is None else grid
    binned = histogram(people.levels(), axis, brackets=len(people.leverages))
    off_grid = binned.outside.sum(axis=1) / binned.units_per_notional
    return LiquidationMap(
        instrument=instrument,
        at=moment,
        mark_price=mark,
        open_interest=float(people.bars.open_interest[-1]),
        grid=axis,
        brackets=people.leverages,
        long=binned.long,
        short=binned.short,
        outside={"long": float(off_grid[0]), "short": float(off_grid[1])},
        ledger=people.ledger,
        provenance=Provenance(
            version=__version__,
            inputs=store.input_hashes(instrument, until=moment),
            parameters=parameters,
            assumptions=(*_assumptions(people, bars), *said),
            simulated=about.simulated,
        ),
    )


def _moment(bars: MarketBars, instrument: str, at: Instant | None) -> Instant:
    """The instant of the map: asked for, or the end of the last bar; the history has to reach it."""
    if not len(bars):
        when = "at any time" if at is None else f"at {iso(at)}"
        raise NotFoundError("map", instrument, f"no bar {when}", "bars that end by then", "no map made")
    last_end = int(bars.end[-1])
    if at is None:
        return last_end
    if at >= last_end + bars.interval_s * 1_000_000:
        found = f"{iso(at)}, after the last bar ends at {iso(last_end)}"
        raise NotFoundError("map", instrument, found, "a time the history has", "no map made", field="at")
    return at


def _assumptions(people: Population, bars: MarketBars) -> tuple[str, ...]:
    span = (int(bars.ts[-1]) - int(bars.ts[0])) / 86_400e6
    return (
        "every position is modelled; none is observed",
        f"the model has seen {span:.1f} days; positions older than that are on no map",
        "the last traded price stands in for the mark price",
        *people.assumptions,
    )
