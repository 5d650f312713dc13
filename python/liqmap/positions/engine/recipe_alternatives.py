"""Plausible alternatives to a recipe, from which the uncertainty ranges of a map are computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe

if TYPE_CHECKING:
    from liqmap.positions.engine.calibration import Calibration
    from liqmap.positions.engine.population import AnyRecipe
    from liqmap.positions.engine.recipe import Recipe

__all__ = ["HALF_LIFE_FACTORS", "Alternative", "alternatives"]

HALF_LIFE_FACTORS: tuple[tuple[str, float], ...] = (
    ("", 1.0),
    ("positions live a third as long", 1 / 3),
    ("positions live three times as long", 3.0),
)
_RETAIL_MIX: tuple[tuple[float, float, float], ...] = (
    *((5, 0.15, 168), (10, 0.25, 72), (20, 0.25, 24), (25, 0.12, 24)),
    *((50, 0.13, 8), (75, 0.03, 8), (100, 0.05, 4), (125, 0.02, 4)),
)
"""Leverage, share of open positions, half-life in hours: the assumed mix of a retail exchange. Binance reported 60 % of
its futures trades at 20x or more in December 2019; the share is applied to open positions here."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A recipe and its difference from the original one; ``name`` is empty for the original recipe itself."""

    name: str
    recipe: AnyRecipe


def alternatives(recipe: AnyRecipe, fitted: Calibration | None = None) -> tuple[Alternative, ...]:
    """Return the recipe itself, then its alternatives: every leverage mix with every factor on the half-life.

    The other mix of an assumed recipe is that of a retail exchange; those of a calibrated recipe are the shares at 5 %
    and at 95 % of their bootstrap intervals. Liquidations alone do not separate half-lives from shares, so both are
    varied.

    Example:
        >>> from liqmap.positions.engine.recipe import DEFAULT_RECIPE
        >>> [other.name for other in alternatives(DEFAULT_RECIPE)][3]
        'leverage as on a retail exchange'
        >>> len(alternatives(DEFAULT_RECIPE))
        6
    """
    mixes = _calibrated_mixes(recipe, fitted) if isinstance(recipe, CalibratedRecipe) else _leverage_mixes(recipe)
    return tuple(
        Alternative(", ".join(filter(None, (name, half_life))), _with_half_life_factor(mix, factor))
        for name, mix in mixes
        for half_life, factor in HALF_LIFE_FACTORS
    )


def _leverage_mixes(recipe: Recipe) -> tuple[tuple[str, AnyRecipe], ...]:
    leverages, stock, half_lives = zip(*_RETAIL_MIX, strict=True)
    retail = replace(recipe, leverages=leverages, stock=stock, half_life_hours=half_lives)
    return (("", recipe), ("leverage as on a retail exchange", retail))


def _calibrated_mixes(kernel: CalibratedRecipe, fitted: Calibration | None) -> tuple[tuple[str, AnyRecipe], ...]:
    if fitted is None:
        return (("", kernel),)
    bounds = (("shares at 5 %", fitted.low), ("shares at 95 %", fitted.high))
    others = ((name, replace(kernel, long=long, short=short)) for name, (long, short) in bounds)
    return (("", kernel), *others)


def _with_half_life_factor(recipe: AnyRecipe, factor: float) -> AnyRecipe:
    if isinstance(recipe, CalibratedRecipe):
        return replace(recipe, half_life_hours=recipe.half_life_hours * factor)
    return replace(recipe, half_life_hours=tuple(hours * factor for hours in recipe.half_life_hours))
