"""Selection of the impact law and of the triggered side for a cascade."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap.stress.depth import Depth
from liqmap.stress.impact import Law, fallback_law

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.stress.directional_levels import DirectionalLevels, MapLike

__all__ = ["Kind", "core_market", "law_or_fallback", "triggered_side", "usable_law"]

Kind: TypeAlias = Literal["news", "flow"]
"""``news``: the book re-centres after the shock. ``flow``: the shock has consumed the book up to its own size."""


def law_or_fallback(of: MapLike, depth: Law | None) -> Law:
    """Return the given law, or the labelled fallback if it is ``None``.

    Raises:
        InputError: The mark lies outside the given book, or ``depth`` is neither a book nor an impact law.
    """
    if depth is None:
        return fallback_law(of.at)
    if not callable(getattr(depth, "curve", None)):
        expected = "an order book (liqmap.Depth) or an impact law such as liqmap.PowerLaw"
        raise InputError("cascade", "depth", f"a {type(depth).__name__}", expected, "nothing computed")
    if isinstance(depth, Depth) and not depth.covers(of.mark_price):
        raise InputError(
            "cascade",
            ", ".join(depth.instruments),
            f"a book around {depth.mid:,.2f}",
            f"a book that covers the mark {of.mark_price:,.2f}; Depth.moved shifts it",
            "nothing computed",
        )
    return depth


def usable_law(of: MapLike, depth: Law | None, side: Side) -> Law:
    """Return a law that never fails on an unsuitable book, for pages.

    A book around another price is moved to the mark. If the book has no orders on the side that absorbs the forced
    flow, the labelled fallback is used. Both are stated among the assumptions.

    Args:
        of: The map.
        depth: A book or another law; ``None`` is the labelled fallback.
        side: Side of the positions that are liquidated.
    """
    if not isinstance(depth, Depth):
        return law_or_fallback(of, depth)
    if depth.ladder("bid" if side == "long" else "ask").distance.size == 0:
        return fallback_law(of.at, f"the book of {', '.join(depth.instruments)} has no orders on this side")
    return depth if depth.covers(of.mark_price) else depth.moved(of.mark_price)


def triggered_side(shock: float) -> Side:
    """Return the side that a shock liquidates: longs if it is negative, shorts if it is positive.

    Raises:
        InputError: The shock is not a number, 0, or at least 100 %.
    """
    if not (math.isfinite(shock) and 0 < abs(shock) < 1):
        raise InputError(
            "cascade", "shock", f"{shock:g}", "a signed fraction between -1 and 1, such as -0.02", "nothing computed"
        )
    return "long" if shock < 0 else "short"


def core_market(levels: DirectionalLevels, law: Law, kind: Kind = "news") -> _core.Market:
    """Return the core's market for the forced flow of one side: bids absorb sales of longs, asks purchases of shorts.

    Raises:
        InputError: The book has no orders on that side, or the kind is unknown.
    """
    if kind not in get_args(Kind):
        raise InputError("cascade", "kind", repr(kind), f"one of {', '.join(get_args(Kind))}", "nothing computed")
    return _core.Market(
        law.curve("bid" if levels.side == "long" else "ask"),
        scale=levels.mark,
        limit=levels.limit,
        flow=kind == "flow",
    )
