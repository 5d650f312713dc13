"""A calibrated recipe: how much of what is traded opens a position that is liquidated at each distance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.errors import InputError, NotFoundError
from liqmap.positions.engine.inputs import EngineBars, forward_fill, taker_imbalance
from liqmap.positions.engine.oi_quality import is_frozen, oi_warnings
from liqmap.positions.liquidation_distance import Brackets

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import MarketBars
    from liqmap.venues.catalogue import Tier

    Column = npt.NDArray[np.float64]

__all__ = ["DISTANCES", "CalibratedRecipe", "prior_shape", "trailing_volume"]

DISTANCES: tuple[float, ...] = tuple(float(x) for x in np.geomspace(0.30, 0.002, 24).round(5))
"""Brackets of a calibration: 24, from 30 % down to 0.2 % from the entry, equal in ratio."""

_TRAILING_HOURS = 24


@dataclass(frozen=True, slots=True)
class CalibratedRecipe:
    """Shares of traded volume by distance from entry to liquidation; the data decide them, not a table of leverages.

    What worked on real liquidations (hourly BTC, 2025-11 to 2026-01): entries in proportion to traded volume, the side
    that chases levered more, brackets free, levels that live until price sweeps them.

    Attributes:
        distances: Fraction of the entry, descending, so that leverage ascends.
        long: Coin of longs opened at each distance per coin traded.
        short: The same for shorts.
        half_life_hours: Time after which half of a bracket has been closed by choice.
        chase: Long flow × (1 + chase·c), short flow × (1 − chase·c), c from −1 to 1.
        step: Width of the engine's bins in log price.
    """

    distances: tuple[float, ...]
    long: tuple[float, ...]
    short: tuple[float, ...]
    half_life_hours: float = 8_000
    chase: float = 0.6
    step: float = 2.5e-4

    def __post_init__(self) -> None:
        lengths = [len(self.distances), len(self.long), len(self.short)]
        if not 1 <= lengths[0] <= 256 or len(set(lengths)) != 1:  # noqa: PLR2004
            raise _invalid("distances", f"{lengths} values", "1 to 256 of each of three")
        if list(self.distances) != sorted(set(self.distances), reverse=True) or not 0 < self.distances[-1] < 1:
            raise _invalid("distances", str(self.distances), "descending fractions")
        if not all(0 <= share < 1 for share in (*self.long, *self.short)) or max(sum(self.long), sum(self.short)) > 1:
            found = f"shares that sum to {sum(self.long):.6g} and {sum(self.short):.6g}"
            raise _invalid("shares", found, "shares of 0 or more that sum to at most 1")
        if not (self.half_life_hours > 0 and 0 <= self.chase <= 1):
            found = f"half_life_hours {self.half_life_hours}, chase {self.chase}"
            raise _invalid("half_life_hours", found, "a time above 0 and a share")

    @classmethod
    def even(cls, share: float = 0.01, distances: tuple[float, ...] = DISTANCES) -> CalibratedRecipe:
        """The same share everywhere: what a calibration starts from."""
        shares = (share,) * len(distances)
        return cls(distances, shares, shares)

    def brackets(self, tiers: Sequence[Tier], _instrument: str, _price: float) -> Brackets:
        """What the engine needs to know of each bracket, named by leverage.

        The leverage is that of an isolated linear long which the smallest tier liquidates that far away,
        ``1 / (d (1 − m) + m)``: a name, whatever the venue's own formula adds. The nearest ones can exceed what the
        venue offers: they stand for positions that had lost part of their margin already.
        """
        m = min(tiers, key=lambda tier: tier.notional_floor).mmr
        return Brackets(tuple(1 / (d * (1 - m) + m) for d in self.distances), self.rows())

    def rows(self) -> Column:
        """Rows for :class:`liqmap._core.Cohorts`; shares are of the flow of :meth:`feed`."""
        long, short = np.asarray(self.long), np.asarray(self.short)
        distance = np.asarray(self.distances)
        life = np.full(len(distance), self.half_life_hours)
        columns = [distance, distance, long / max(long.sum(), 1e-300), short / max(short.sum(), 1e-300), life]
        return np.ascontiguousarray(np.column_stack(columns))

    def feed(self, bars: MarketBars, *, instrument: str) -> EngineBars:
        """What the cohort engine is fed: flow in proportion to traded volume.

        A bar without volume counts as usual. Before the first known open interest that one is taken: the levels that
        were built up earlier matter more than the account of that time.

        Raises:
            NotFoundError: No volume is known, or no open interest.
        """
        known = np.isfinite(bars.oi_base) & (bars.oi_base > 0)
        if not known.any():
            raise NotFoundError("map", instrument, "no open interest", "open interest beside the bars", "no map made")
        oi = np.where(known, bars.oi_base, bars.oi_base[np.argmax(known)])
        known[: int(np.argmax(known))] = True
        notes: list[str] = []
        if (early := int(np.argmax(np.isfinite(bars.oi_base)))) > 0:
            notes.append(f"for {early} bars before the first open interest, that one is taken")
        volume = np.where(np.isfinite(bars.volume_base), bars.volume_base, trailing_volume(bars, instrument=instrument))
        chased = self.chase * taker_imbalance(
            bars.taker_buy_base, bars.volume_base, bars.low, bars.high, bars.close, notes
        )
        end, interest = bars.end, forward_fill(oi, known)
        hours = np.diff(end, prepend=end[0] - bars.interval_s * 1_000_000) / 3.6e9
        live = np.ones(len(end))
        live[early:] -= is_frozen(end[early:], interest[early:])
        return EngineBars(
            end=end,
            hours=hours * live,
            low=bars.low,
            high=bars.high,
            close=bars.close,
            open_interest=interest,
            long_flow=sum(self.long) * volume * (1 + chased) * live,
            short_flow=sum(self.short) * volume * (1 - chased) * live,
            assumptions=(
                *notes,
                "positions open in proportion to traded volume and live until price sweeps them",
                *oi_warnings(end[early:], interest[early:], bars.oi_age_us[early:]),
            ),
        )

    def to_dict(self) -> dict[str, JSON]:
        """Every parameter as plain data."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> CalibratedRecipe:
        """What :meth:`to_dict` gave."""
        made: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()}
        return cls(**made)


def prior_shape(distances: tuple[float, ...]) -> Column:
    """Relative size of the shares before anything was observed: ``distance ** -½``.

    From the reported leverage of open positions (the stock of :class:`liqmap.positions.engine.recipe.Recipe`): mapped
    mass per bracket grows about as distance to the power 1.5, and a level at distance d stands for about d² / σ² before
    price sweeps it. What opens is what stands over how long it stands.

    Example:
        >>> prior_shape((0.16, 0.01)).tolist()
        [2.5, 10.0]
    """
    return np.asarray(np.asarray(distances) ** -0.5, dtype=np.float64)


def trailing_volume(bars: MarketBars, *, instrument: str) -> Column:
    """Coin that a bar is expected to trade: the mean of the known bars of the 24 hours before it.

    A bar's own volume is not known when it begins. The first bars take what the first known bar traded.

    Raises:
        NotFoundError: No volume is known.
    """
    known = np.isfinite(bars.volume_base)
    if not known.any():
        raise NotFoundError("map", instrument, "no traded volume", "bars with volume, or a recipe", "no map made")
    since = np.searchsorted(bars.ts, bars.ts - _TRAILING_HOURS * 3_600_000_000)
    traded = np.concatenate([[0.0], np.cumsum(np.where(known, bars.volume_base, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    here = np.arange(len(bars))
    bars_before = count[here] - count[since]
    mean = np.divide(traded[here] - traded[since], bars_before, out=np.full(len(bars), np.nan), where=bars_before > 0)
    seen = np.isfinite(mean)
    first = bars.volume_base[np.argmax(known)]
    return forward_fill(np.where(np.maximum.accumulate(seen), mean, first), seen | ~np.maximum.accumulate(seen))


def _invalid(field: str, found: str, expected: str) -> InputError:
    return InputError("recipe", "kernel", found, expected, "nothing modelled", field=field)
