"""Volatility forecast from the slope of the map: amplification by nearby forced flow, relative to past maps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.instruments import SIDES
from liqmap.maps.snapshots import MapSnapshot, take_snapshot
from liqmap.strategies.context import book_side
from liqmap.strategies.rule_result import RuleResult
from liqmap.stress.touch_probability import HORIZONS_H

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.instruments import Side
    from liqmap.maps.map import LiquidationMap
    from liqmap.strategies.context import MapContext

__all__ = ["Forecast", "volatility_forecast"]

CAP = 0.9
"""Maximum branching ratio, a tenfold amplification; the linear model does not hold beyond it."""

RULE = (
    "The forecast is the realised volatility times the amplification of a one-standard-deviation move by the "
    "liquidations within it, relative to the maps of the days before: present 1/(1−ρ) divided by past 1/(1−ρ), root "
    "mean square of both sides."
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Forecast for one horizon.

    Attributes:
        hours: The horizon.
        baseline: Standard deviation of moves over the horizon at the realised volatility, a fraction.
        forecast: The same with the map.
        ratio: ``forecast / baseline``.
        below: ρ within one standard deviation below the mark: USD of longs divided by USD of bids.
        above: ρ within one standard deviation above the mark: USD of shorts divided by USD of asks.
        usual_below: Mean of ``below`` over past maps; 0 without past maps.
        usual_above: Mean of ``above`` over past maps; 0 without past maps.
        capped: Whether a ρ was limited to 0.9.
    """

    hours: float
    baseline: float
    forecast: float
    ratio: float
    below: float
    above: float
    usual_below: float
    usual_above: float
    capped: bool


def volatility_forecast(context: MapContext, past: Sequence[LiquidationMap | MapSnapshot] = ()) -> RuleResult[Forecast]:
    """Forecasts for 4, 12 and 24 hours.

    ``ρ = G(σ_h) / D(σ_h)``: liquidations within one standard deviation of the horizon divided by the orders there, the
    slope of the map relative to the book; a constant ρ amplifies every move by ``A = 1/(1 − ρ)`` (locally uniform
    density). Realised volatility already includes the amplification of its own days, so only the change matters:
    ``σ̂_h = σ_h · √(½ Σ_sides (A_now / A_then)²)``. Both use the present book, so only changes of the map count.
    """
    then = [one if isinstance(one, MapSnapshot) else take_snapshot(one) for one in past]
    today = take_snapshot(context.of)
    rows = tuple(_forecast(context, today, then, hours) for hours in HORIZONS_H)
    comparison = (
        f"compared with {len(past)} past maps under the present book"
        if past
        else "no past maps for comparison: an upper bound that counts past cascades twice"
    )
    return RuleResult(
        RULE, rows, None, (comparison, "the forecast was not tested against realised volatility alone", *context.limits)
    )


def _forecast(context: MapContext, today: MapSnapshot, past: Sequence[MapSnapshot], hours: float) -> Forecast:
    sigma = context.conditions.move(hours)
    now = {side: _forced_flow_ratio(context, today, side, sigma) for side in SIDES}
    usual = {
        side: float(np.mean([_forced_flow_ratio(context, of, side, sigma) for of in past])) if past else 0.0
        for side in SIDES
    }
    ratio = math.sqrt(float(np.mean([((1 - min(usual[s], CAP)) / (1 - min(now[s], CAP))) ** 2 for s in SIDES])))
    return Forecast(
        hours=hours,
        baseline=sigma,
        forecast=sigma * ratio,
        ratio=ratio,
        below=now["long"],
        above=now["short"],
        usual_below=usual["long"],
        usual_above=usual["short"],
        capped=max(*now.values(), *usual.values()) > CAP,
    )


def _forced_flow_ratio(context: MapContext, of: MapSnapshot, side: Side, sigma: float) -> float:
    """Liquidations within ``sigma`` of a map's mark divided by the present orders there."""
    reach = of.mark_price * (1 - sigma if side == "long" else 1 + sigma)
    forced = float(of.reached(SIDES.index(side), np.array([reach]))[0])
    depth = float(context.laws[side].curve(book_side(side)).notional(np.array([sigma]))[0])
    return forced / depth if depth > 0 else math.inf
