"""Which recipe a map uses: the one asked for, else the calibration in force, else the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.timestamps import iso
from liqmap.history.registry import calibrations
from liqmap.positions.engine.calibration import Calibration
from liqmap.positions.engine.recipe import DEFAULT_RECIPE

if TYPE_CHECKING:
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import MarketBars
    from liqmap.history.store import Store
    from liqmap.positions.engine.population import AnyRecipe

__all__ = ["latest_calibration", "select_recipe"]


def select_recipe(
    store: Store, bars: MarketBars, at: Instant, asked: AnyRecipe | None = None
) -> tuple[AnyRecipe, dict[str, JSON], tuple[str, ...]]:
    """The recipe for a map of these bars at a time, its parameters, and what has to be said about it.

    A calibration counts from the instant it was issued, and for the series of bars it was fitted on.
    """
    if asked is not None:
        return asked, asked.to_dict(), ()
    found = latest_calibration(store, bars, at)
    if found is None:
        return DEFAULT_RECIPE, DEFAULT_RECIPE.to_dict(), ()
    key, fitted = found
    span = f"{iso(fitted.start)[:10]} to {iso(fitted.end)[:10]}"
    said = f"distances calibrated on realised liquidations of {fitted.feed}, {span}, issued {iso(fitted.issued_at)}"
    return fitted.kernel, {**fitted.kernel.to_dict(), "calibration": key}, (said, *fitted.notes)


def latest_calibration(store: Store, bars: MarketBars, at: Instant) -> tuple[str, Calibration] | None:
    """The calibration in force for these bars at a time, with its id."""
    found = calibrations.calibration_in_force(
        store, bars.instrument, at, interval_s=bars.interval_s, price_source=bars.price_source
    )
    return None if found is None else (found[0], Calibration.from_dict(found[1]))
