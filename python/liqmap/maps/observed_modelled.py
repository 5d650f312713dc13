"""Combine observed and modelled positions: observed ones enter a map exactly, modelled ones fill open interest."""

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
    """The observed part of a map.

    Attributes:
        long: USD notional at the level's price, shape ``(brackets, bins)``: the observed part of the map's ``long``.
        short: The same for shorts.
        coverage: Observed share of open interest, by side, including positions without a liquidation price.
        positions: Number of open observed positions, with or without a liquidation price.
        as_of: Time of the newest account snapshot, UTC microseconds.
    """

    long: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]
    coverage: dict[Side, float]
    positions: int
    as_of: Instant

    def side(self, side: Side) -> npt.NDArray[np.float64]:
        """Notional per bin of one side, summed over brackets, USD."""
        return np.asarray((self.long if side == "long" else self.short).sum(axis=0), dtype=np.float64)

    def to_dict(self) -> dict[str, JSON]:
        """Plain data; bins are summed over brackets."""
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
        price: Liquidation price; NaN if missing.
        coin: Size, coin.
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
        """Coin of one side, in the positions with or without a liquidation price."""
        # Summed exactly, since accounts are ordered by salted hashes that differ between histories.
        return math.fsum(self.coin[(self.side == side) & (np.isfinite(self.price) == priced)].tolist())

    def levels(self) -> arro3.core.Table:
        """Positions with a liquidation price, as an Arrow table for :func:`liqmap.histogram`."""
        on = np.isfinite(self.price)
        return level_table(self.price[on], (self.coin * self.price)[on], self.side[on], self.bracket[on])


NONE_OBSERVED = OpenObserved(np.empty(0), np.empty(0), np.empty(0, np.int8), np.empty(0, np.uint8), ())
"""No position was observed."""


@dataclass(frozen=True, slots=True)
class ObservedModelledSplit:
    """How observed and modelled positions make up open interest.

    Attributes:
        open_interest: Coin, one-sided; the observed amount if that exceeds the stored open interest.
        ledger: Ledger of observed and modelled positions together; it balances.
        share: Factor by which modelled positions are scaled, longs and shorts.
        notes: One sentence each.
    """

    open_interest: float
    ledger: Ledger
    share: tuple[float, float]
    notes: tuple[str, ...]


def open_observed(
    observed: ObservedPositions, brackets: tuple[float, ...], bars: MarketBars | None, mark: float
) -> OpenObserved:
    """Observed positions that are still open; a position is swept if price has passed its level since the snapshot.

    Leverage is the setting at the venue; if missing, it is implied by the distance from the entry, ``E / |E − L|``.
    """
    low = high = np.full(len(observed), mark)
    if bars is not None:
        low, high = _since(bars, observed.ts)
    with np.errstate(invalid="ignore"):
        swept = np.where(observed.side > 0, observed.price >= low, observed.price <= high)
        implied = observed.entry_price / np.abs(observed.entry_price - observed.price)
    leverage = np.where(np.isfinite(observed.leverage), observed.leverage, implied)
    leverage = np.clip(np.where(np.isfinite(leverage), leverage, brackets[0]), brackets[0], brackets[-1])
    nearest = np.abs(np.log(leverage)[:, None] - np.log(np.asarray(brackets))).argmin(axis=1)
    is_open = ~swept
    swept_note = (
        f"{int(swept.sum()):,} observed positions are left out: price has swept their levels since the snapshot"
    )
    return OpenObserved(
        price=observed.price[is_open],
        coin=observed.size_base[is_open],
        side=observed.side[is_open],
        bracket=nearest[is_open].astype(np.uint8),
        notes=(*observed.notes, *((swept_note,) if swept.any() else ())),
    )


def split_open_interest(
    open_interest: float | None, modelled: Ledger | None, observed: OpenObserved
) -> ObservedModelledSplit:
    """Scale modelled positions by one factor per side, so that they and the observed ones sum to open interest.

    Without a model the rest is unmapped. Without stored open interest the larger observed side is used as a fallback.
    """
    if not len(observed.coin) and modelled is not None and open_interest is not None:
        return ObservedModelledSplit(
            open_interest, modelled, (1.0, 1.0), (*observed.notes, "every position is modelled; none is observed")
        )
    held = [observed.coin_held(side, priced=True) + observed.coin_held(side, priced=False) for side in (1, -1)]
    notes: list[str] = []
    total = max(held) if open_interest is None else max(open_interest, *held)
    if open_interest is None:
        notes.append("open interest is not known: the larger observed side is used, a lower bound")
    elif total > open_interest:
        notes.append(
            f"more was observed ({total:,.1f} coin) than the stored open interest ({open_interest:,.1f}): "
            "the observed amount is used"
        )
    if modelled is None:
        empty = SideLedger(opened=total, closed=0.0, liquidated=0.0, mapped=0.0, unmapped=total)
        modelled = Ledger(long=empty, short=empty)
        notes.append("no position is modelled: open interest that was not observed has no level")
    sides, shares = [], []
    for side, account, coin in ((1, modelled.long, held[0]), (-1, modelled.short, held[1])):
        share = (total - coin) / account.open if account.open > 0 else 0.0
        priced = observed.coin_held(side, priced=True)
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
        total, Ledger(long=sides[0], short=sides[1]), (shares[0], shares[1]), (*observed.notes, *notes)
    )


def _since(bars: MarketBars, ts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lowest and highest price in the bars from each time on; the last close if there is no such bar."""
    low = np.append(np.minimum.accumulate(bars.low[::-1])[::-1], bars.close[-1])
    high = np.append(np.maximum.accumulate(bars.high[::-1])[::-1], bars.close[-1])
    first = np.searchsorted(bars.ts, ts, side="left")
    return np.minimum(low[first], bars.close[-1]), np.maximum(high[first], bars.close[-1])
