"""Stop placement: beyond a cluster and its expected displacement, never past the own liquidation price."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap._base.instruments import SIDES
from liqmap.maps.clusters import SMOOTHING_WIDTH
from liqmap.strategies.context import ImpactByLaw, far_edge, near_edge
from liqmap.strategies.rule_result import RuleResult

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.strategies.context import MapContext

__all__ = ["ATR_SHARE", "OwnPosition", "Stop", "stops"]

ATR_SHARE = 0.5
"""``k``: margin for noise, in hourly true ranges."""
SNAP_ATR = 1.0
"""Maximum distance to the next gap between clusters, in hourly true ranges."""
SHARE = 0.25
"""Minimum notional of a cluster for a stop, as a share of the largest one within reach."""
_MAX_STOPS = 3
_MIN_MARGINS = 2.0

RULE = (
    "A stop is placed beyond the far edge of a cluster by the displacement of the cluster's forced flow plus half an "
    "hourly true range, then at the next gap in liquidations; if that is closer to the own liquidation price than "
    "twice the maintenance margin, no stop is possible and the position is too large."
)


@dataclass(frozen=True, slots=True)
class OwnPosition:
    """The user's own position, which the stop protects.

    Attributes:
        entry: Entry price, quote currency; the mark by default.
        usd: Notional, USD.
        liquidation_price: Liquidation price at the venue; below the entry for a long, above it for a short.
        maintenance: Maintenance margin, a fraction of notional.

    Raises:
        InputError: A value is not finite or outside its range.
    """

    entry: float | None = None
    usd: float = 0.0
    liquidation_price: float | None = None
    maintenance: float = 0.005

    def __post_init__(self) -> None:
        given = {"entry": self.entry, "liquidation_price": self.liquidation_price}
        for name, value in given.items():
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError("levels", name, repr(value), "a finite price above 0", "nothing computed")
        if not (math.isfinite(self.usd) and self.usd >= 0):
            raise InputError("levels", "usd", repr(self.usd), "USD from 0 on", "nothing computed")
        if not 0 <= self.maintenance < 0.5:  # noqa: PLR2004 - twice the margin would be the entire price
            raise InputError(
                "levels", "maintenance", repr(self.maintenance), "a fraction from 0 to 0.5", "nothing computed"
            )


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop behind one cluster.

    Attributes:
        side: Side of the protected position.
        behind: Far edge of the cluster, quote currency.
        notional: Notional of the cluster, USD.
        push: Displacement ``I(M)`` of the cluster beyond that edge, a fraction; three laws.
        rule_price: Stop price by the rule, independent of the own position.
        snapped: Whether ``rule_price`` is a gap in liquidations instead of the plain sum.
        limit: Farthest allowed price, by liquidation price and twice the maintenance margin; ``None`` without one.
        price: The stop; ``None`` if ``rule_price`` lies past the limit, so that the position is too large.
        most_leverage: The highest leverage at which an isolated position from the entry can use ``rule_price``.
        touch: Probability that ``rule_price`` is touched within ``4h``, ``12h``, ``24h``.
        fill: Expected fill after the flow of cluster and position, calm book; ``None`` if the flow exceeds the book.
        target: Near edge of the nearest comparable cluster on the other side of the mark; ``None`` without one.
        reward: Distance to the target divided by the distance to the fill (R multiple).
    """

    side: Side
    behind: float
    notional: float
    push: ImpactByLaw
    rule_price: float
    snapped: bool
    limit: float | None
    price: float | None
    most_leverage: float
    touch: dict[str, float]
    fill: float | None
    target: float | None
    reward: float | None


def stops(context: MapContext, own: OwnPosition | None = None) -> RuleResult[Stop]:
    """Stops for both sides, behind the nearest clusters of the position's own side (at most three per side).

    ``far edge ∓ I(M)·edge ∓ k·ATR(1 h)``, ``k = 0.5``, then out to the next local minimum of the smoothed density of
    liquidations if it lies within one hourly true range; for a long at least ``L·(1 + 2·mmr)`` with the own
    liquidation price ``L``. The highest leverage solves the formula of an isolated position
    ``L = entry·(1 − 1/leverage)/(1 − mmr)``. The fill is worse than the stop by ``I(M + own)``.
    """
    own = OwnPosition() if own is None else own
    enough = SHARE * context.largest
    rows: list[Stop] = []
    for side in SIDES:
        behind = [c for c in context.clusters if c.side == side and c.notional >= enough]
        entry = context.mark if own.entry is None else own.entry
        # A stop lies on the losing side of its entry.
        behind = [c for c in behind if (near_edge(c) < entry) == (side == "long")][:_MAX_STOPS]
        found = [_stop(context, cluster, own, entry, enough) for cluster in behind]
        # Neighbouring clusters may lead to the same gap: one stop, behind the farther cluster.
        rows += {stop.rule_price: stop for stop in found}.values()
    return RuleResult(RULE, tuple(rows), None if rows else context.empty_reason, context.limits)


def _stop(context: MapContext, cluster: Cluster, own: OwnPosition, entry: float, enough: float) -> Stop:
    side, sign = cluster.side, -1 if cluster.side == "long" else 1
    edge, push = far_edge(cluster), context.push(cluster.side, cluster.notional)
    margin = (push.calm or 0.0) * edge + ATR_SHARE * context.conditions.atr
    gap = _next_gap(context, side, edge + sign * margin)
    rule_price = edge + sign * margin if gap is None else gap
    limit = _limit(own, entry, side)
    slip = context.push(side, cluster.notional + own.usd).calm
    fill = None if slip is None else rule_price * (1 + sign * slip)
    target = next((near_edge(c) for c in context.clusters if c.side != side and c.notional >= enough), None)
    # A target must lie on the winning side of the entry.
    if target is not None and (target - entry) * sign >= 0:
        target = None
    risk = None if fill is None else (fill - entry) * sign
    return Stop(
        side=side,
        behind=edge,
        notional=cluster.notional,
        push=push,
        rule_price=rule_price,
        snapped=gap is not None,
        limit=limit,
        price=rule_price if limit is None or (limit - rule_price) * sign >= 0 else None,
        most_leverage=_leverage(entry, rule_price, own.maintenance, sign),
        touch=context.touch(rule_price),
        fill=fill,
        target=target,
        reward=None if target is None or not risk or risk < 0 else abs(target - entry) / risk,
    )


def _limit(own: OwnPosition, entry: float, side: Side) -> float | None:
    """Farthest price for a stop; a liquidation price on the winning side belongs to a position of the other side."""
    own_price = own.liquidation_price
    if own_price is None or (own_price < entry) != (side == "long"):
        return None
    return own_price * (1 + (_MIN_MARGINS if side == "long" else -_MIN_MARGINS) * own.maintenance)


def _leverage(entry: float, stop: float, maintenance: float, sign: int) -> float:
    """The leverage whose liquidation price lies two maintenance margins beyond the stop."""
    liquidation = stop / (1 - sign * _MIN_MARGINS * maintenance)
    share = sign * (liquidation * (1 + sign * maintenance) / entry - 1)
    return 1 / share if share > 0 else math.inf


def _next_gap(context: MapContext, side: Side, price: float) -> float | None:
    """The next local minimum of the smoothed density beyond a price, if it is near and the price is not in one."""
    grid, sign = context.of.grid, -1 if side == "long" else 1
    start = grid.bin_of(price)
    if start is None:
        return None
    sigma = max(2.0, SMOOTHING_WIDTH * context.mark / grid.width)
    density = _core.smooth(np.ascontiguousarray(context.of.side(side)), sigma)
    # Rounding removes the tails of the smoothing kernel, which would count as slopes.
    steps = np.sign(np.diff(np.round(density / max(float(density.max()), 1.0), 6)))[::sign] * sign
    first = start - 1 if sign > 0 else grid.bins - 2 - start
    outward = steps[max(first, 0) :]
    lowest = np.flatnonzero((outward[:-1] < 0) & (outward[1:] >= 0))
    if outward.size == 0 or (outward[0] <= 0 and outward[1:2].sum() >= 0) or lowest.size == 0:
        return None
    middle = float(grid.centres()[start + sign * int(lowest[0])])
    beyond = (middle - price) * sign
    return middle if 0 <= beyond <= SNAP_ATR * context.conditions.atr else None
