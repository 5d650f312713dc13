"""What was seen, beside what is modelled: observed positions enter a map as they are, the model fills the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.ledger import Ledger, SideLedger
from liqmap._base.timestamps import iso
from liqmap.positions.engine.population import level_table

if TYPE_CHECKING:
    import arro3.core
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import MarketBars
    from liqmap.positions.observed import ObservedPositions

__all__ = [
    "NONE_OBSERVED",
    "ObservedModelledSplit",
    "ObservedPart",
    "OpenObserved",
    "open_observed",
    "split_open_interest",
]


@dataclass(frozen=True, eq=False)
class ObservedPart:
    """The part of a map that was observed.

    Attributes:
        long: USD notional at the level's price, shape ``(brackets, bins)``: of the map's ``long``, what was seen.
        short: The same for shorts.
        coverage: Share of open interest that was seen, by side; the positions without liquidation price count too.
        positions: How many are on the map or without price.
        as_of: Time of the newest snapshot, UTC microseconds.
    """

    long: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]
    coverage: dict[Side, float]
    positions: int
    as_of: Instant

    def side(self, side: Side) -> npt.NDArray[np.float64]:
        """Notional per bin of one side, all brackets together, USD."""
        return np.asarray((self.long if side == "long" else self.short).sum(axis=0), dtype=np.float64)

    def to_dict(self) -> dict[str, JSON]:
        """Plain data; bins as sums over the brackets."""
        return {
            "as_of": iso(self.as_of),
            "positions": self.positions,
            "coverage": dict(self.coverage),
            "long": self.side("long").tolist(),
            "short": self.side("short").tolist(),
        }


@dataclass(frozen=True, eq=False)
class OpenObserved:
    """Observed positions that are still open at the map's time; one entry each.

    Attributes:
        price: Liquidation price; NaN where there is none.
        coin: Size.
        side: 1 long, −1 short.
        bracket: The bracket of the map nearest to its leverage.
        notes: One sentence each.
    """

    price: npt.NDArray[np.float64]
    coin: npt.NDArray[np.float64]
    side: npt.NDArray[np.int8]
    bracket: npt.NDArray[np.uint8]
    notes: tuple[str, ...]

    def coin_held(self, side: int, *, priced: bool) -> float:
        """Coin of one side, of the positions with or without a liquidation price."""
        # Summed exactly: accounts come in the order of their salted hashes, which differs from history to history.
        return math.fsum(self.coin[(self.side == side) & (np.isfinite(self.price) == priced)].tolist())

    def levels(self) -> arro3.core.Table:
        """Those with a price, as an Arrow table for :func:`liqmap.histogram`."""
        on = np.isfinite(self.price)
        return level_table(self.price[on], (self.coin * self.price)[on], self.side[on], self.bracket[on])


NONE_OBSERVED = OpenObserved(np.empty(0), np.empty(0), np.empty(0, np.int8), np.empty(0, np.uint8), ())
"""Nothing was observed."""


@dataclass(frozen=True, slots=True)
class ObservedModelledSplit:
    """How observed and modelled positions make up open interest.

    Attributes:
        open_interest: Coin a side; more than was recorded where more was seen.
        ledger: Of both together: it balances as the model's own does.
        share: What is left of every modelled position, longs and shorts.
        notes: One sentence each.
    """

    open_interest: float
    ledger: Ledger
    share: tuple[float, float]
    notes: tuple[str, ...]


def open_observed(
    seen: ObservedPositions, brackets: tuple[float, ...], bars: MarketBars | None, mark: float
) -> OpenObserved:
    """What of the observed is still open: a position whose price was passed since it was seen has been taken.

    Its leverage is as set at the venue; where unknown, that of its distance from the entry, ``E / |E − L|``.
    """
    low = high = np.full(len(seen), mark)
    if bars is not None:
        low, high = _since(bars, seen.ts)
    with np.errstate(invalid="ignore"):
        taken = np.where(seen.side > 0, seen.price >= low, seen.price <= high)
        implied = seen.entry_price / np.abs(seen.entry_price - seen.price)
    leverage = np.where(np.isfinite(seen.leverage), seen.leverage, implied)
    leverage = np.clip(np.where(np.isfinite(leverage), leverage, brackets[0]), brackets[0], brackets[-1])
    nearest = np.abs(np.log(leverage)[:, None] - np.log(np.asarray(brackets))).argmin(axis=1)
    kept = ~taken
    gone = f"{int(taken.sum()):,} observed positions are left out: the price has passed their level since"
    return OpenObserved(
        price=seen.price[kept],
        coin=seen.size_base[kept],
        side=seen.side[kept],
        bracket=nearest[kept].astype(np.uint8),
        notes=(*seen.notes, *((gone,) if taken.any() else ())),
    )


def split_open_interest(
    open_interest: float | None, modelled: Ledger | None, seen: OpenObserved
) -> ObservedModelledSplit:
    """Observed positions enter whole; every modelled one is cut by the same factor, so that open interest is met.

    Without a model the rest is unmapped. Without a recorded open interest the larger observed side stands for it.
    """
    if not len(seen.coin) and modelled is not None and open_interest is not None:
        return ObservedModelledSplit(
            open_interest, modelled, (1.0, 1.0), (*seen.notes, "every position is modelled; none is observed")
        )
    held = [seen.coin_held(side, priced=True) + seen.coin_held(side, priced=False) for side in (1, -1)]
    notes: list[str] = []
    total = max(held) if open_interest is None else max(open_interest, *held)
    if open_interest is None:
        notes.append("open interest is not known: the larger side of what was observed stands for it, and it is more")
    elif total > open_interest:
        notes.append(
            f"more was observed ({total:,.1f} coin) than the open interest on record ({open_interest:,.1f}): "
            "what was observed is taken"
        )
    if modelled is None:
        empty = SideLedger(opened=total, closed=0.0, liquidated=0.0, mapped=0.0, unmapped=total)
        modelled = Ledger(long=empty, short=empty)
        notes.append("nothing is modelled: what was not observed is on no level")
    sides, shares = [], []
    for side, account, coin in ((1, modelled.long, held[0]), (-1, modelled.short, held[1])):
        share = (total - coin) / account.open if account.open > 0 else 0.0
        priced = seen.coin_held(side, priced=True)
        sides.append(
            SideLedger(
                opened=share * account.opened + coin,
                closed=share * account.closed,
                liquidated=share * account.liquidated,
                mapped=share * account.mapped + priced,
                unmapped=share * account.unmapped + coin - priced,
            )
        )
        shares.append(share)
    if total > 0:
        long, short = (f"{coin / total:.2%}" for coin in held)
        notes.append(f"{long} of the longs' and {short} of the shorts' open interest is observed")
    return ObservedModelledSplit(
        total, Ledger(long=sides[0], short=sides[1]), (shares[0], shares[1]), (*seen.notes, *notes)
    )


def _since(bars: MarketBars, ts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lowest and highest price in the bars that began at or after each time; the last close where there is none."""
    low = np.append(np.minimum.accumulate(bars.low[::-1])[::-1], bars.close[-1])
    high = np.append(np.maximum.accumulate(bars.high[::-1])[::-1], bars.close[-1])
    first = np.searchsorted(bars.ts, ts, side="left")
    return np.minimum(low[first], bars.close[-1]), np.maximum(high[first], bars.close[-1])
