"""Insurance fund and auto-deleveraging: losses of forced orders that fill beyond the bankruptcy price."""

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
    """A cascade with an insurance fund and auto-deleveraging.

    Attributes:
        side: Side of the liquidated positions; profitable positions of the other side are deleveraged.
        stop_price: Quote currency.
        displacement: ``|stop / mark − 1|``.
        executed: USD closed in the order book.
        deleveraged: USD closed against profitable positions at bankruptcy prices, without impact on the price.
        fund_paid: USD paid by the fund.
        first_deleveraged: Price of the first level that was deleveraged in part, or ``None``.
        depth_exhausted: Whether the flow exceeds the known depth.
    """

    side: Side
    stop_price: float
    displacement: float
    executed: float
    deleveraged: float
    fund_paid: float
    first_deleveraged: float | None
    depth_exhausted: bool


def deleveraging(
    of: MapLike, shock: float, depth: Law | None = None, *, fund: float, gap: float = 0.004, kind: Kind = "news"
) -> Deleveraging:
    """Follow a shock with an insurance fund: levels execute in order, nearest first.

    A level's flow fills at its mean displacement; the fund pays the loss beyond the bankruptcy price. Once the fund is
    exhausted, a level executes only the part that causes no further loss, and the rest is deleveraged. Fewer orders
    reach the book, so auto-deleveraging shortens the cascade.

    Args:
        of: The map.
        shock: Signed fraction of the mark.
        depth: A book or another law; ``None`` is the labelled fallback.
        fund: USD in the fund.
        gap: Distance from liquidation to bankruptcy, a fraction of the mark: the maintenance margin rate of the
            positions (0.4 % in the first tier of BTC perpetuals).
        kind: ``news`` or ``flow``.

    Raises:
        InputError: A negative or invalid gap or fund, and as for :func:`liqmap.stress.cascade.cascade`.
    """
    if not (math.isfinite(gap) and gap >= 0):
        raise InputError("cascade", "gap", repr(gap), "a fraction of at least 0", "nothing computed")
    levels = directional_levels(of, triggered_side(shock))
    market = core_market(levels, law_or_fallback(of, depth), kind)
    bankruptcy = levels.distance / levels.mark + gap
    stop, executed, deleveraged, fund_paid, exhausted = _core.deleverage(
        levels.distance, levels.notional, bankruptcy, market, levels.ticks(shock), fund
    )
    levels_deleveraged = np.flatnonzero(deleveraged > 0)
    return Deleveraging(
        side=levels.side,
        stop_price=levels.price(stop),
        displacement=stop / levels.mark,
        executed=float(executed.sum()),
        deleveraged=float(deleveraged.sum()),
        fund_paid=fund_paid,
        first_deleveraged=float(levels.prices[levels_deleveraged[0]]) if levels_deleveraged.size else None,
        depth_exhausted=exhausted,
    )
