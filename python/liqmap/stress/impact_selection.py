"""What every question about a cascade starts with: whose levels, which law, which kind of shock."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap.stress.depth import Depth
from liqmap.stress.impact import Law, fallback_law

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.stress.directional_levels import DirectionalLevels, MapLike

__all__ = ["Kind", "core_market", "law_or_fallback", "triggered_side", "usable_law"]

Kind: TypeAlias = Literal["news", "flow"]
"""``news``: the book re-centres after the shock. ``flow``: the shock has eaten the book up to its own size."""


def law_or_fallback(of: MapLike, depth: Law | None) -> Law:
    """The law given, or the labelled fallback.

    Raises:
        InputError: A book of another price: the mark lies outside it.
    """
    if depth is None:
        return fallback_law(of.at)
    if isinstance(depth, Depth) and not depth.holds(of.mark_price):
        raise InputError(
            "cascade",
            ", ".join(depth.instruments),
            f"a book around {depth.mid:,.2f}",
            f"one that holds the mark {of.mark_price:,.2f}; Depth.moved shifts it",
            "nothing computed",
        )
    return depth


def usable_law(of: MapLike, depth: Law | None, side: Side) -> Law:
    """The law for what must not fail on a bad book, such as a page: as much of the book as speaks of this side.

    A book of another price is moved to the mark; where it lacks the side that would take the flow, the labelled
    fallback stands in. Both say so among their assumptions.
    """
    if not isinstance(depth, Depth):
        return law_or_fallback(of, depth)
    if depth.ladder("bid" if side == "long" else "ask").distance.size == 0:
        return fallback_law(of.at, f"the book of {', '.join(depth.instruments)} lacks this side")
    return depth if depth.holds(of.mark_price) else depth.moved(of.mark_price)


def triggered_side(shock: float) -> Side:
    """Whose positions a shock forces: longs on the way down, shorts on the way up.

    Raises:
        InputError: Not a number, 0, or 100 % and more.
    """
    if not (math.isfinite(shock) and 0 < abs(shock) < 1):
        raise InputError(
            "cascade", "shock", f"{shock:g}", "a signed fraction between -1 and 1, such as -0.02", "nothing computed"
        )
    return "long" if shock < 0 else "short"


def core_market(levels: DirectionalLevels, law: Law, kind: Kind = "news") -> _core.Market:
    """The core's market for forced flow of one side: bids take sales of longs, asks purchases of shorts.

    Raises:
        InputError: A book without that side.
    """
    return _core.Market(
        law.curve("bid" if levels.side == "long" else "ask"),
        scale=levels.mark,
        limit=levels.limit,
        flow=kind == "flow",
    )
