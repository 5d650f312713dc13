"""Other recipes that the evidence allows as well: what a map's uncertainty is measured with."""

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
"""Leverage, share of open positions, half-life in hours: a retail exchange, as an assumption. 60 % at 20x or more is
what Binance reported of its futures trades in December 2019, taken here for what is open."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A recipe and what is different about it; the first of a list differs in nothing."""

    name: str
    recipe: AnyRecipe


def alternatives(recipe: AnyRecipe, fitted: Calibration | None = None) -> tuple[Alternative, ...]:
    """The recipe itself, then the others: every mix of leverage with every life of positions.

    Of an assumed recipe the other mix is that of a retail exchange; of a calibrated one, the shares at 5 % and at 95 %
    of their bootstrap intervals. Lives and shares cannot be told apart by liquidations, so both move.

    Example:
        >>> from liqmap.positions.engine.recipe import DEFAULT
        >>> [other.name for other in alternatives(DEFAULT)][3]
        'leverage as on a retail exchange'
        >>> len(alternatives(DEFAULT))
        6
    """
    mixes = _calibrated_mixes(recipe, fitted) if isinstance(recipe, CalibratedRecipe) else _leverage_mixes(recipe)
    return tuple(
        Alternative(", ".join(filter(None, (name, life))), _with_half_life_factor(mix, factor))
        for name, mix in mixes
        for life, factor in HALF_LIFE_FACTORS
    )


def _leverage_mixes(recipe: Recipe) -> tuple[tuple[str, AnyRecipe], ...]:
    leverages, stock, lives = zip(*_RETAIL_MIX, strict=True)
    retail = replace(recipe, leverages=leverages, stock=stock, half_life_hours=lives)
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
    return replace(recipe, half_life_hours=tuple(life * factor for life in recipe.half_life_hours))
