"""The calibrated recipe: shares of traded volume that open positions at each distance to liquidation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.errors import InputError, NotFoundError
from liqmap.positions.engine.oi_quality import is_frozen, oi_warnings
from liqmap.positions.engine.opening_flow import EngineBars, forward_fill, taker_imbalance
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
"""Distances of the brackets of a calibration: 24, from 30 % down to 0.2 % of the entry price, equal in ratio."""

_TRAILING_HOURS = 24


@dataclass(frozen=True, slots=True)
class CalibratedRecipe:
    """Shares of traded volume by distance from entry to liquidation, fitted to data instead of assumed by leverage.

    The form was chosen on realised liquidations (hourly BTC, 2025-11 to 2026-01): entries in proportion to traded
    volume, more of them on the side that trades with the move, free shares, and levels that last until price sweeps
    them.

    Attributes:
        distances: Fraction of the entry price, descending, so that leverage ascends.
        long: Coin of longs opened at each distance per coin traded.
        short: The same for shorts.
        half_life_hours: Time after which half of a bracket has been closed voluntarily.
        chase: Long flow × (1 + chase·c), short flow × (1 − chase·c), where c is the taker imbalance, from −1 to 1.
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
    def uniform(cls, share: float = 0.01, distances: tuple[float, ...] = DISTANCES) -> CalibratedRecipe:
        """Return a recipe with the same share at every distance; a calibration starts from it."""
        shares = (share,) * len(distances)
        return cls(distances, shares, shares)

    def brackets(self, tiers: Sequence[Tier], _instrument: str, _price: float) -> Brackets:
        """Return the brackets, labelled by leverage.

        The label of distance ``d`` is the leverage at which an isolated linear long in the smallest tier (maintenance
        margin rate ``m``) is liquidated at that distance, ``1 / (d (1 − m) + m)``, without terms of the venue's own
        formula. Labels of the nearest distances can exceed the venue's maximum leverage: they represent positions that
        had already lost part of their margin.
        """
        m = min(tiers, key=lambda tier: tier.notional_floor).mmr
        return Brackets(tuple(1 / (d * (1 - m) + m) for d in self.distances), self.rows())

    def rows(self) -> Column:
        """Return rows for :class:`liqmap._core.Cohorts`; shares refer to the flow of :meth:`engine_bars`."""
        long, short = np.asarray(self.long), np.asarray(self.short)
        distance = np.asarray(self.distances)
        half_life = np.full(len(distance), self.half_life_hours)
        columns = [distance, distance, long / max(long.sum(), 1e-300), short / max(short.sum(), 1e-300), half_life]
        return np.ascontiguousarray(np.column_stack(columns))

    def engine_bars(self, bars: MarketBars, *, instrument: str) -> EngineBars:
        """Return the input of the cohort engine: opening flow in proportion to traded volume.

        A bar without volume gets its trailing volume. Bars before the first known open interest get that first value:
        the levels built up before it matter more than an exact ledger of that time.

        Raises:
            NotFoundError: No bar has volume, or no bar has open interest.
        """
        known = np.isfinite(bars.oi_base) & (bars.oi_base > 0)
        if not known.any():
            raise NotFoundError("map", instrument, "no open interest", "open interest for the bars", "no map made")
        oi = np.where(known, bars.oi_base, bars.oi_base[np.argmax(known)])
        known[: int(np.argmax(known))] = True
        notes: list[str] = []
        if (early := int(np.argmax(np.isfinite(bars.oi_base)))) > 0:
            notes.append(f"{early} bars before the first open interest use that first value")
        volume = np.where(np.isfinite(bars.volume_base), bars.volume_base, trailing_volume(bars, instrument=instrument))
        shift = self.chase * taker_imbalance(
            bars.taker_buy_base, bars.volume_base, bars.low, bars.high, bars.close, notes
        )
        end, interest = bars.end, forward_fill(oi, known)
        hours = np.diff(end, prepend=end[0] - bars.interval_s * 1_000_000) / 3.6e9
        active = np.ones(len(end))
        active[early:] -= is_frozen(end[early:], interest[early:])
        return EngineBars(
            end=end,
            hours=hours * active,
            low=bars.low,
            high=bars.high,
            close=bars.close,
            open_interest=interest,
            long_flow=sum(self.long) * volume * (1 + shift) * active,
            short_flow=sum(self.short) * volume * (1 - shift) * active,
            assumptions=(
                *notes,
                "positions open in proportion to traded volume and stay open until price sweeps their level",
                *oi_warnings(end[early:], interest[early:], bars.oi_age_us[early:]),
            ),
        )

    def to_dict(self) -> dict[str, JSON]:
        """Return every parameter as plain data."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> CalibratedRecipe:
        """Restore a recipe from the result of :meth:`to_dict`."""
        made: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()}
        return cls(**made)


def prior_shape(distances: tuple[float, ...]) -> Column:
    """Return the relative size of the shares under the prior: ``distance ** -½``.

    Reported leverage of open positions (the stock of :class:`liqmap.positions.engine.recipe.Recipe`) gives a mapped
    notional per bracket that grows about as distance to the power 1.5. A level at distance ``d`` lasts for about
    ``d² / σ²`` before price sweeps it. The opening rate is the open amount divided by that time.

    Example:
        >>> prior_shape((0.16, 0.01)).tolist()
        [2.5, 10.0]
    """
    return np.asarray(np.asarray(distances) ** -0.5, dtype=np.float64)


def trailing_volume(bars: MarketBars, *, instrument: str) -> Column:
    """Return the expected volume of each bar in coin: the mean over the bars of the preceding 24 hours with volume.

    A bar's own volume is not known when it begins. The first bars get the volume of the first bar that has one.

    Raises:
        NotFoundError: No bar has volume.
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
    has_mean = np.isfinite(mean)
    first = bars.volume_base[np.argmax(known)]
    any_before = np.maximum.accumulate(has_mean)
    return forward_fill(np.where(any_before, mean, first), has_mean | ~any_before)


def _invalid(field: str, found: str, expected: str) -> InputError:
    return InputError("recipe", "kernel", found, expected, "nothing modelled", field=field)
