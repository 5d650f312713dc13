"""Stop placement: beyond a cluster, where its own run ends, and never past the own liquidation price."""

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
"""``k``: hourly true ranges left as room for noise."""
SNAP_ATR = 1.0
"""The next gap between clusters is taken if it lies within this many hourly true ranges."""
SHARE = 0.25
"""A stop is worth placing behind a cluster of at least this share of the largest one within reach."""
_MAX_STOPS = 3
_MIN_MARGINS = 2.0

RULE = (
    "A stop goes beyond the far edge of a cluster by what the cluster's forced flow pushes, plus half an hourly true "
    "range, out to the next gap in liquidations; where that is closer to the own liquidation price than twice the "
    "maintenance margin, there is no stop to place and the position is too large."
)


@dataclass(frozen=True, slots=True)
class OwnPosition:
    """The position that the stop is for.

    Attributes:
        entry: Its entry price, quote currency; the mark if left out.
        usd: Its notional.
        liquidation_price: Where the venue liquidates it; below the entry of a long, above that of a short.
        maintenance: Maintenance margin, a fraction of notional.

    Raises:
        InputError: A number that makes no sense.
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
        if not 0 <= self.maintenance < 0.5:  # noqa: PLR2004 - twice the margin would be the whole price
            raise InputError(
                "levels", "maintenance", repr(self.maintenance), "a fraction from 0 to 0.5", "nothing computed"
            )


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop behind one cluster.

    Attributes:
        side: Of the position that it protects.
        behind: Far edge of the cluster, quote currency.
        notional: USD of the cluster.
        push: ``I(M)`` of the cluster beyond that edge, three laws.
        rule_price: Where the rule puts the stop, whatever the position.
        snapped: Whether that is a gap in liquidations rather than the plain sum.
        limit: The furthest allowed: the own liquidation price and twice the maintenance margin; ``None`` if not known.
        price: The stop; ``None`` where the rule's price lies past the limit: then the position is too large.
        most_leverage: The highest leverage at which an isolated position from the entry may use it.
        touch: Probability that ``rule_price`` is touched within ``4h``, ``12h``, ``24h``.
        fill: Where it is filled after the flow of cluster and position, calm book; ``None`` if the book lacks it.
        target: The nearest such cluster on the other side of the mark; ``None`` without one.
        reward: Distance to the target over the distance to the fill: the R multiple.
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


def stops(setting: MapContext, own: OwnPosition | None = None) -> RuleResult[Stop]:
    """Stops for both sides, behind the nearest clusters of the position's own side (at most three a side).

    ``far edge ∓ I(M)·edge ∓ k·ATR(1 h)``, ``k = 0.5``, then out to the next local minimum of the smoothed density of
    liquidations if it lies within one hourly true range; for a long at least ``L·(1 + 2·mmr)``, ``L`` the own
    liquidation price. The leverage that may use it solves the plain isolated ``L = entry·(1 − 1/leverage)/(1 − mmr)``
    for it. The fill is worse than the stop by ``I(M + own)``.
    """
    own = OwnPosition() if own is None else own
    enough = SHARE * setting.largest
    rows: list[Stop] = []
    for side in SIDES:
        behind = [c for c in setting.clusters if c.side == side and c.notional >= enough]
        entry = setting.mark if own.entry is None else own.entry
        # A stop lies on the losing side of its entry.
        behind = [c for c in behind if (near_edge(c) < entry) == (side == "long")][:_MAX_STOPS]
        found = [_stop(setting, cluster, own, entry, enough) for cluster in behind]
        # Neighbours may lead to the same gap: one stop, behind the further of them.
        rows += {stop.rule_price: stop for stop in found}.values()
    return RuleResult(RULE, tuple(rows), None if rows else setting.empty_reason, setting.limits)


def _stop(setting: MapContext, cluster: Cluster, own: OwnPosition, entry: float, enough: float) -> Stop:
    side, sign = cluster.side, -1 if cluster.side == "long" else 1
    edge, push = far_edge(cluster), setting.push(cluster.side, cluster.notional)
    room = (push.calm or 0.0) * edge + ATR_SHARE * setting.conditions.atr
    plain = edge + sign * room
    gap = _expected_fill(setting, side, plain)
    wanted = plain if gap is None else gap
    limit = _limit(own, entry, side)
    slip = setting.push(side, cluster.notional + own.usd).calm
    fill = None if slip is None else wanted * (1 + sign * slip)
    target = next((near_edge(c) for c in setting.clusters if c.side != side and c.notional >= enough), None)
    # The reach of a target is counted from the entry: one that lies behind it is none.
    if target is not None and (target - entry) * sign >= 0:
        target = None
    risk = None if fill is None else (fill - entry) * sign
    return Stop(
        side=side,
        behind=edge,
        notional=cluster.notional,
        push=push,
        rule_price=wanted,
        snapped=gap is not None,
        limit=limit,
        price=wanted if limit is None or (limit - wanted) * sign >= 0 else None,
        most_leverage=_leverage(entry, wanted, own.maintenance, sign),
        touch=setting.touch(wanted),
        fill=fill,
        target=target,
        reward=None if target is None or not risk or risk < 0 else abs(target - entry) / risk,
    )


def _limit(own: OwnPosition, entry: float, side: Side) -> float | None:
    """The furthest price for a stop; a liquidation price on the winning side is that of the other position."""
    own_price = own.liquidation_price
    if own_price is None or (own_price < entry) != (side == "long"):
        return None
    return own_price * (1 + (_MIN_MARGINS if side == "long" else -_MIN_MARGINS) * own.maintenance)


def _leverage(entry: float, stop: float, maintenance: float, sign: int) -> float:
    """The leverage whose liquidation price leaves two maintenance margins to the stop."""
    liquidation = stop / (1 - sign * _MIN_MARGINS * maintenance)
    share = sign * (liquidation * (1 + sign * maintenance) / entry - 1)
    return 1 / share if share > 0 else math.inf


def _expected_fill(setting: MapContext, side: Side, price: float) -> float | None:
    """The next local minimum of the side's smoothed density beyond a price, if it is near and the price in none."""
    grid, sign = setting.of.grid, -1 if side == "long" else 1
    start = grid.bin_of(price)
    if start is None:
        return None
    sigma = max(2.0, SMOOTHING_WIDTH * setting.mark / grid.width)
    density = _core.smooth(np.ascontiguousarray(setting.of.side(side)), sigma)
    # Tails of the kernel are no slope.
    steps = np.sign(np.diff(np.round(density / max(float(density.max()), 1.0), 6)))[::sign] * sign
    first = start - 1 if sign > 0 else grid.bins - 2 - start
    outward = steps[max(first, 0) :]
    lowest = np.flatnonzero((outward[:-1] < 0) & (outward[1:] >= 0))
    if outward.size == 0 or (outward[0] <= 0 and outward[1:2].sum() >= 0) or lowest.size == 0:
        return None
    middle = float(grid.centres()[start + sign * int(lowest[0])])
    beyond = (middle - price) * sign
    return middle if 0 <= beyond <= SNAP_ATR * setting.conditions.atr else None
