"""A cascade in time: the engine's rate and latency, books that refill, impact that decays."""

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
"""Half-lives of refill to try: no measured one for BTC books was found, so a sensitivity instead of a number."""


@dataclass(frozen=True, eq=False, slots=True)
class CascadeReplay:
    """What happened, second by second.

    Attributes:
        side: Whose positions are forced to close.
        seconds: Time after each step.
        price: Price after each step, quote currency.
        sent: USD sent in each step.
        worst_price: The furthest price, the shock included.
        last_price: Where it stood after the last order.
        liquidated: USD forced to close.
        depth_exhausted: The flow asked for more than the book is known to hold.
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

    Each step sends ``min(queue, rate)`` into a book with a hole; the hole and the transient part of the impact decay.
    With an infinite half-life, rate and no latency it ends at :func:`liqmap.stress.cascade.cascade`'s stop; a book that
    refills makes it end sooner where depth is concave (every measured book).

    Args:
        of: The map.
        shock: Signed fraction of the mark.
        depth: A book or another law; ``None`` is the labelled fallback.
        half_life_s: Of refill and of transient impact, seconds; see :data:`HALF_LIVES_S`.
        permanent: Share of the impact that stays (equities: 2/3 at the end of the day, Bucci et al., arXiv 1901.05332).
        usd_per_s: Most that the venue's engine sends.
        latency_s: From trigger to order.
        step_s: Length of a step.

    Raises:
        InputError: A time, rate or share out of range, and as for :func:`liqmap.stress.cascade.cascade`.
    """
    for name, value in (("half_life_s", half_life_s), ("step_s", step_s)):
        if not value > 0:
            raise InputError("replay", name, repr(value), "a number above 0", "nothing computed")
    if not (math.isfinite(latency_s) and latency_s >= 0):
        raise InputError("replay", "latency_s", repr(latency_s), "a finite number from 0 on", "nothing computed")
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
