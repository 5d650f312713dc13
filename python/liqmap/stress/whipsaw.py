"""Whipsaw: a shock that liquidates one side, and a rebound that liquidates the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap.stress.directional_levels import MapLike, directional_levels
from liqmap.stress.impact_selection import core_market, law_or_fallback, triggered_side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap._base.instruments import Side
    from liqmap.stress.impact import Law

__all__ = ["WhipsawLeg", "whipsaw", "whipsaw_share"]


@dataclass(frozen=True, slots=True)
class WhipsawLeg:
    """One leg of a whipsaw.

    Attributes:
        side: Side of the liquidated positions.
        start_price: Price before the leg, quote currency.
        shock: Size of the move that starts it, a fraction of the mark.
        stop_price: Price after the leg.
        liquidated: USD forced to close.
        depth_exhausted: Whether the flow exceeds the known depth.
    """

    side: Side
    start_price: float
    shock: float
    stop_price: float
    liquidated: float
    depth_exhausted: bool


def whipsaw(
    of: MapLike,
    shock: float,
    depth: Law | None = None,
    *,
    permanent: float = 2 / 3,
    reversion: float = 0.0,
    multiplier: float = 1.0,
) -> tuple[WhipsawLeg, ...]:
    """Follow alternating legs, each to its least fixed point, until a leg triggers no level.

    Forced orders of longs and of shorts move the price in opposite directions, so both sides together have no least
    fixed point and the order of the legs matters. After a leg the price returns by ``(1 − permanent)`` of its forced
    part and by ``reversion`` of the whole leg; the next leg starts from there.

    Args:
        of: The map; both sides need levels.
        shock: Signed fraction of the mark: the first leg.
        depth: A book or another law; ``None`` is the labelled fallback.
        permanent: Share of the forced part that is permanent.
        reversion: Additional return, as a share of the whole leg; an input, not an estimate.
        multiplier: Factor on the depth.

    Raises:
        InputError: A share out of range, and as for :func:`liqmap.stress.cascade.cascade`.
    """
    first = triggered_side(shock)
    other: Side = "short" if first == "long" else "long"
    away, back = directional_levels(of, first), directional_levels(of, other)
    law = law_or_fallback(of, depth)
    legs = _core.whipsaw(
        (away.distance, away.notional),
        (back.distance, back.notional),
        (core_market(away, law), core_market(back, law)),
        away.ticks(shock),
        permanent=permanent,
        reversion=reversion,
        multiplier=multiplier,
    )
    return tuple(
        WhipsawLeg(
            side=first if forward else other,
            start_price=away.price(start),
            shock=size / away.mark,
            stop_price=away.price(stop),
            liquidated=liquidated,
            depth_exhausted=exhausted,
        )
        for forward, start, size, stop, liquidated, exhausted in legs
    )


def whipsaw_share(
    of: MapLike,
    shocks: Iterable[float],
    depth: Law | None = None,
    *,
    permanent: float = 2 / 3,
    reversion: float = 0.0,
) -> float:
    """Return the share of shocks after which both sides are liquidated: at least two legs that trigger levels.

    Raises:
        InputError: No shock is given, and as for :func:`whipsaw`.
    """
    found = [
        sum(leg.liquidated > 0 for leg in whipsaw(of, s, depth, permanent=permanent, reversion=reversion)) > 1
        for s in shocks
    ]
    if not found:
        raise InputError("whipsaw", "shocks", "none", "at least one shock", "nothing computed")
    return sum(found) / len(found)
