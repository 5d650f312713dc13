"""Insurance fund and auto-deleveraging: who pays when a forced order fills beyond bankruptcy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap.stress.directional_levels import MapLike, directional_levels
from liqmap.stress.impact_selection import core_market, law_or_fallback, triggered_side

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.stress.impact import Law
    from liqmap.stress.impact_selection import Kind

__all__ = ["Deleveraging", "deleveraging"]


@dataclass(frozen=True, slots=True)
class Deleveraging:
    """A cascade in which losses are paid by a fund while it lasts.

    Attributes:
        side: Whose positions are forced to close; winners of the other side are deleveraged.
        stop_price: Quote currency.
        displacement: ``|stop / mark − 1|``.
        sold: USD closed in the book.
        handed: USD closed against winners at bankruptcy prices, without an order: it moves no price.
        paid: USD the fund paid.
        first: Price of the first level of which part was handed over, or ``None``.
        depth_exhausted: The flow asked for more than the book is known to hold.
    """

    side: Side
    stop_price: float
    displacement: float
    sold: float
    handed: float
    paid: float
    first: float | None
    depth_exhausted: bool


def deleveraging(
    of: MapLike, shock: float, depth: Law | None = None, *, fund: float, gap: float = 0.004, kind: Kind = "news"
) -> Deleveraging:
    """Follow a shock with an insurance fund: levels execute in order, nearest first.

    A level's flow fills at its mean displacement; what lies beyond its bankruptcy price is paid by the fund. Once the
    fund is spent a level sells only as much as loses nothing more, and the rest is handed to winners. Fewer orders
    reach the book, so the price goes less far than without: deleveraging stops cascades.

    Args:
        of: The map.
        shock: Signed fraction of the mark.
        depth: A book or another law; ``None`` is the labelled fallback.
        fund: USD in the fund.
        gap: From liquidation to bankruptcy, a fraction of the mark: the maintenance margin rate of the positions
            (0.4 % in the first tier of BTC perpetuals).
        kind: ``news`` or ``flow``.

    Raises:
        InputError: A gap or fund that is negative or not a number, and as for :func:`liqmap.stress.cascade.cascade`.
    """
    if not (math.isfinite(gap) and gap >= 0):
        raise InputError("cascade", "gap", repr(gap), "a fraction from 0 on", "nothing computed")
    levels = directional_levels(of, triggered_side(shock))
    market = core_market(levels, law_or_fallback(of, depth), kind)
    bankruptcy = levels.distance / levels.mark + gap
    stop, sold, handed, paid, exhausted = _core.deleverage(
        levels.distance, levels.notional, bankruptcy, market, levels.ticks(shock), fund
    )
    passed_on = np.flatnonzero(handed > 0)
    return Deleveraging(
        side=levels.side,
        stop_price=levels.price(stop),
        displacement=stop / levels.mark,
        sold=float(sold.sum()),
        handed=float(handed.sum()),
        paid=paid,
        first=float(levels.prices[passed_on[0]]) if passed_on.size else None,
        depth_exhausted=exhausted,
    )
