"""Replay of a cascade in time: order rate and latency of the venue, refill of the book, decay of the impact."""

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
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap.stress.impact import Law

__all__ = ["HALF_LIVES_S", "CascadeReplay", "replay"]

HALF_LIVES_S = (5.0, 30.0, 300.0, math.inf)
"""Half-lives of refill for a sensitivity analysis; no measured value for BTC order books was found."""


@dataclass(frozen=True, eq=False, slots=True)
class CascadeReplay:
    """The course of a cascade, step by step.

    Attributes:
        side: Side of the liquidated positions.
        seconds: Time at the end of each step.
        price: Price after each step, quote currency.
        sent: USD sent in each step.
        worst_price: The price farthest from the mark, the shock included.
        last_price: Price after the last order.
        liquidated: USD forced to close.
        depth_exhausted: Whether the flow exceeds the known depth.
    """

    side: Side
    seconds: npt.NDArray[np.float64]
    price: npt.NDArray[np.float64]
    sent: npt.NDArray[np.float64]
    worst_price: float
    last_price: float
    liquidated: float
    depth_exhausted: bool


def replay(
    of: MapLike,
    shock: float,
    depth: Law | None = None,
    *,
    half_life_s: float = 30.0,
    permanent: float = 2 / 3,
    usd_per_s: float = math.inf,
    latency_s: float = 0.0,
    step_s: float = 1.0,
) -> CascadeReplay:
    """Replay a news shock in steps of ``step_s``.

    Each step sends ``min(queue, rate)`` into a partly refilled book; the consumed depth and the transient part of the
    impact decay. With infinite half-life and rate and without latency the result is the stop price of
    :func:`liqmap.stress.cascade.cascade`. Refill ends the cascade sooner if depth is concave, as in all measured books.

    Args:
        of: The map.
        shock: Signed fraction of the mark.
        depth: A book or another law; ``None`` is the labelled fallback.
        half_life_s: Half-life of refill and of transient impact, seconds; see :data:`HALF_LIVES_S`.
        permanent: Permanent share of the impact (equities: 2/3 at the end of the day, Bucci et al., arXiv 1901.05332).
        usd_per_s: Maximum order rate of the venue's liquidation engine, USD per second.
        latency_s: Delay from trigger to order, seconds.
        step_s: Length of a step, seconds.

    Raises:
        InputError: A time, rate or share out of range, and as for :func:`liqmap.stress.cascade.cascade`.
    """
    for name, value in (("half_life_s", half_life_s), ("step_s", step_s)):
        if not value > 0:
            raise InputError("replay", name, repr(value), "a number above 0", "nothing computed")
    if not (math.isfinite(latency_s) and latency_s >= 0):
        raise InputError("replay", "latency_s", repr(latency_s), "a finite number of at least 0", "nothing computed")
    levels = directional_levels(of, triggered_side(shock))
    path, sent, fired, exhausted = _core.replay(
        levels.distance,
        levels.notional,
        core_market(levels, law_or_fallback(of, depth)),
        levels.ticks(shock),
        keep=0.5 ** (step_s / half_life_s),
        permanent=permanent,
        rate=usd_per_s * step_s,
        latency=round(latency_s / step_s),
    )
    start = levels.ticks(shock) / levels.mark
    price = of.mark_price * (1 + levels.sign * path)
    furthest = max(start, float(path.max(initial=0.0)))
    return CascadeReplay(
        side=levels.side,
        seconds=step_s * np.arange(1, path.size + 1, dtype=np.float64),
        price=np.asarray(price, dtype=np.float64),
        sent=sent,
        worst_price=of.mark_price * (1 + levels.sign * furthest),
        last_price=float(price[-1]) if path.size else of.mark_price * (1 + levels.sign * start),
        liquidated=float(levels.notional[:fired].sum()),
        depth_exhausted=exhausted,
    )
