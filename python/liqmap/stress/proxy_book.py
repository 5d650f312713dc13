"""Proxy book: an order book of another date, rescaled by open interest and moved to the present mark."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.stress.book_side import SideDepth
from liqmap.stress.impact import REACH

if TYPE_CHECKING:
    from liqmap.stress.depth import Depth

__all__ = ["make_proxy_book"]


def make_proxy_book(book: Depth, mark: float, *, then_usd: float, now_usd: float) -> Depth:
    """Make a proxy from a book of another date or venue, for a market without a stored book.

    Orders keep their relative distance from the mid, and their USD are scaled with open interest: ``D(x)·now / then``.
    This assumes that depth is a constant share of open interest, which has not been verified across years; the result
    is labelled as a proxy among its assumptions. Orders more than 25 % from the mid are excluded, because such old
    orders may be stale.

    Args:
        book: The other book.
        mark: The present mark price, quote currency.
        then_usd: Open interest of the book's contracts at its time, USD, one-sided.
        now_usd: Present open interest, USD, one-sided.

    Raises:
        InputError: A price or open interest that is not a finite number above 0.

    Example:
        >>> from liqmap.stress.depth import Depth
        >>> old = Depth.of_bands("bitmex:XBTUSD", 0, 32_000.0, {-1: 20e6, 1: 20e6})
        >>> round(make_proxy_book(old, 64_000.0, then_usd=0.5e9, now_usd=5e9).within("bid", 0.01))
        200000000
    """
    for name, value in (("mark", mark), ("then_usd", then_usd), ("now_usd", now_usd)):
        if not (math.isfinite(value) and value > 0):
            raise InputError("depth", name, repr(value), "a finite number above 0", "nothing computed")
    reason = f"scaled by open interest, ${then_usd / 1e6:,.0f}M then and ${now_usd / 1e6:,.0f}M now"
    trimmed = replace(book, bid=_trim_to_reach(book.bid), ask=_trim_to_reach(book.ask))
    return replace(trimmed.scaled(now_usd / then_usd).moved(mark), scaled_by=reason)


def _trim_to_reach(side: SideDepth) -> SideDepth:
    kept = side.distance <= REACH
    return SideDepth(side.distance[kept], side.notional[kept])
