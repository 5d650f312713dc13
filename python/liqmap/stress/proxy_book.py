"""A book borrowed from another day: its relative shape at today's price, scaled by open interest."""

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
    """The book of another day or venue, for a market of which no book was kept.

    Orders keep their relative distance from the middle, and their USD grow with open interest: ``D(x)·now / then``.
    That takes depth for a constant share of open interest, which nobody measured across years; so it is a stand-in that
    says so, not a measurement. Orders further out than 25 % are left out: forgotten ones say nothing of today.

    Args:
        book: The other book.
        mark: Today's price, quote currency.
        then_usd: Open interest of the contracts behind the book at its time, USD, one-sided.
        now_usd: Today's, USD, one-sided.

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
    said = f"scaled by open interest, ${then_usd / 1e6:,.0f}M then and ${now_usd / 1e6:,.0f}M now"
    near = replace(book, bid=_trim_to_edge(book.bid), ask=_trim_to_edge(book.ask))
    return replace(near.scaled(now_usd / then_usd).moved(mark), scaled_by=said)


def _trim_to_edge(ladder: SideDepth) -> SideDepth:
    kept = ladder.distance <= REACH
    return SideDepth(ladder.distance[kept], ladder.notional[kept])
