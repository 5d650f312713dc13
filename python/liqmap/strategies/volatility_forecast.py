"""Volatility from the slope of the map: what forced flow close by adds to the moves seen so far, or no longer adds."""

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
"""From a branching ratio of 0.9 on, a tenfold amplification, no number would mean anything."""

RULE = (
    "The forecast is the realised volatility times how much more one standard deviation is amplified by the "
    "liquidations within it than on the maps of the days before: 1/(1−ρ) now over 1/(1−ρ) then, root mean square of "
    "both sides."
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """One horizon.

    Attributes:
        hours: The horizon.
        baseline: One standard deviation of its moves at the realised volatility alone, a fraction.
        forecast: The same with the map.
        ratio: ``forecast / baseline``.
        below: ρ within one standard deviation below the mark: USD of longs over USD of bids.
        above: ρ above it: shorts over asks.
        usual_below: The same on the maps before, their mean; 0 where there are none.
        usual_above: Likewise above.
        capped: Whether a ρ was cut to 0.9.
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


def volatility_forecast(setting: MapContext, past: Sequence[LiquidationMap | MapSnapshot] = ()) -> RuleResult[Forecast]:
    """Forecasts for 4, 12 and 24 hours.

    ``ρ = G(σ_h) / D(σ_h)``: liquidations within one standard deviation of the horizon over the orders there, the
    slope of the map in units of the book; a constant ρ amplifies every move by ``A = 1/(1 − ρ)`` (locally uniform
    density). Realised volatility already holds the amplification of its own days, so only the change counts:
    ``σ̂_h = σ_h · √(½ Σ_sides (A_now / A_then)²)``. The same book serves both: only the map's change speaks.
    """
    then = [one if isinstance(one, MapSnapshot) else take_snapshot(one) for one in past]
    today = take_snapshot(setting.of)
    rows = tuple(_forecast(setting, today, then, hours) for hours in HORIZONS_H)
    said = (
        f"compared with {len(past)} maps before, under today's book"
        if past
        else "no maps before to compare with: an upper bound, past cascades are counted twice"
    )
    return RuleResult(
        RULE, rows, None, (said, "no test of this forecast against the plain one stands behind it", *setting.limits)
    )


def _forecast(setting: MapContext, today: MapSnapshot, past: Sequence[MapSnapshot], hours: float) -> Forecast:
    sigma = setting.conditions.move(hours)
    now = {side: _forced_flow_ratio(setting, today, side, sigma) for side in SIDES}
    usual = {
        side: float(np.mean([_forced_flow_ratio(setting, of, side, sigma) for of in past])) if past else 0.0
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


def _forced_flow_ratio(setting: MapContext, of: MapSnapshot, side: Side, sigma: float) -> float:
    """Liquidations within ``sigma`` of a map's mark over today's orders there."""
    reach = of.mark_price * (1 - sigma if side == "long" else 1 + sigma)
    forced = float(of.reached(SIDES.index(side), np.array([reach]))[0])
    held = float(setting.laws[side].curve(book_side(side)).notional(np.array([sigma]))[0])
    return forced / held if held > 0 else math.inf
