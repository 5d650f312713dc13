"""The recipe: the parameters of the modelled positions, with their sources."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap.positions.engine.opening_flow import engine_bars
from liqmap.positions.liquidation_distance import Brackets, liquidation_distances

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import MarketBars
    from liqmap.positions.engine.opening_flow import EngineBars
    from liqmap.venues.catalogue import Tier

__all__ = ["DEFAULT_RECIPE", "Recipe"]

_SUM_TOLERANCE = 1e-6
_MERGE_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Recipe:
    """Parameters of the modelled positions. All of them are assumptions and are labelled as such.

    Attributes:
        leverages: Leverage of each bracket, ascending.
        stock: Share of *open* mapped positions in each bracket; sums to 1. The default matches the leverage of
            Hyperliquid's open interest on 2025-12-15 (36 % at most 3x, 48 % at 3–7x, 16 % above), refined by hand.
        half_life_hours: Time after which half of a bracket has been closed voluntarily. An assumption: 30 days at
            2–3x down to 4 hours at 100x.
        sizes: Size classes: notional in USD, and the share of mapped positions in the class; shares sum to 1. Large
            positions fall into higher margin tiers, so they are liquidated sooner. An assumption: half in ordinary
            positions, a fifth in very large ones. A class that the venue does not offer at a leverage is merged into
            the next smaller one.
        mapped_share: Share of open interest with a liquidation level, per side. Calibrated against realised
            liquidations it was about 8 % (4–11 %); the rest is hedged, unlevered or well margined.
        chase: How far taker imbalance shifts the opening flow to the side that trades with the move: long flow ×
            (1 + chase·c), short flow × (1 − chase·c), where c is the taker imbalance, from −1 to 1. 0.6 fitted
            realised liquidations best.
        trailing_hours: Time constant of the trailing mean of volume.
        step: Width of the engine's bins in log price (2.5e-4: 2.5 bp).
    """

    leverages: tuple[float, ...] = (2, 3, 5, 7, 10, 20, 25, 50, 100, 125)
    stock: tuple[float, ...] = (0.20, 0.16, 0.33, 0.15, 0.08, 0.04, 0.02, 0.012, 0.006, 0.002)
    half_life_hours: tuple[float, ...] = (720, 720, 168, 168, 72, 24, 24, 8, 4, 4)
    sizes: tuple[tuple[float, float], ...] = ((50e3, 0.5), (1e6, 0.3), (10e6, 0.2))
    mapped_share: float = 0.08
    chase: float = 0.6
    trailing_hours: float = 168
    step: float = 2.5e-4

    def __post_init__(self) -> None:
        columns = (self.leverages, self.stock, self.half_life_hours)
        if not 1 <= len(self.leverages) <= 256 or len({len(c) for c in columns}) != 1:  # noqa: PLR2004
            raise _invalid("leverages", f"{[len(c) for c in columns]} values", "1 to 256 of each of three")
        if any(not (math.isfinite(x) and x > 0) for column in columns for x in column):
            raise _invalid("brackets", "a value that is not above 0", "finite numbers above 0")
        if list(self.leverages) != sorted(set(self.leverages)) or self.leverages[0] <= 1:
            raise _invalid("leverages", str(self.leverages), "ascending leverages above 1")
        if abs(sum(self.stock) - 1) > _SUM_TOLERANCE:
            raise _invalid("stock", f"shares that sum to {sum(self.stock):.6g}", "shares that sum to 1")
        if any(not (math.isfinite(usd) and usd > 0 and share > 0) for usd, share in self.sizes):
            raise _invalid("sizes", str(self.sizes), "sizes and shares above 0")
        if abs(sum(share for _, share in self.sizes) - 1) > _SUM_TOLERANCE:
            raise _invalid("sizes", f"shares that sum to {sum(s for _, s in self.sizes):.6g}", "shares that sum to 1")
        if not (0 < self.mapped_share <= 1 and 0 <= self.chase <= 1 and self.trailing_hours > 0):
            found = f"mapped_share {self.mapped_share}, chase {self.chase}, trailing_hours {self.trailing_hours}"
            raise _invalid("shares", found, "shares in (0, 1] and a span above 0")

    @property
    def decay_per_hour(self) -> npt.NDArray[np.float64]:
        """Closing rate of each bracket, 1/h: ``ln 2 / half-life``."""
        return np.asarray(math.log(2) / np.asarray(self.half_life_hours, dtype=np.float64), dtype=np.float64)

    @property
    def turnover_per_hour(self) -> float:
        """Share of mapped positions that is closed and reopened per hour at steady state."""
        return float(np.sum(np.asarray(self.stock) * self.decay_per_hour))

    @property
    def flow(self) -> npt.NDArray[np.float64]:
        """Share of *new* mapped positions in each bracket: stock ∝ flow × half-life, so flow ∝ stock / half-life.

        Example:
            >>> recipe = Recipe()
            >>> from_20x = [l >= 20 for l in recipe.leverages]
            >>> round(float(recipe.flow[from_20x].sum()), 2)  # Binance reported 60 % of trades in 2019
            0.57
        """
        rate = np.asarray(self.stock, dtype=np.float64) * self.decay_per_hour
        return np.asarray(rate / rate.sum(), dtype=np.float64)

    def brackets(self, tiers: Sequence[Tier], instrument: str, price: float) -> Brackets:
        """Return the brackets that the venue offers; the flow of the others is distributed among them.

        Args:
            tiers: The instrument's margin tiers.
            instrument: ``venue:SYMBOL``, for the venue's margin rule.
            price: Price of the last bar; see :func:`liquidation_distances`.

        Raises:
            NotFoundError: There is no tier.
        """
        of_class = np.stack(
            [
                liquidation_distances(self.leverages, tiers, instrument, size=usd, price=price)
                for usd, _ in sorted(self.sizes)
            ]
        )
        shares = [share for _, share in sorted(self.sizes)]
        rows = [
            (leverage, *distance, flow * share, flow * share, life)
            for leverage, by_class, flow, life in zip(
                self.leverages, of_class.swapaxes(0, 1), self.flow, self.half_life_hours, strict=True
            )
            for distance, share in _merge_size_classes(by_class, shares)
        ]
        if not rows:
            return Brackets((), np.empty((0, 5)))
        table = np.array(rows)
        table[:, 3:5] /= table[:, 3].sum()
        return Brackets(tuple(table[:, 0].tolist()), np.ascontiguousarray(table[:, 1:]))

    def engine_bars(self, bars: MarketBars, *, instrument: str) -> EngineBars:
        """Return the input of the cohort engine; see :func:`liqmap.positions.engine.opening_flow.engine_bars`.

        Raises:
            NotFoundError: No bar has open interest.
        """
        return engine_bars(bars, self, instrument=instrument)

    def to_dict(self) -> dict[str, JSON]:
        """Return every parameter as plain data."""
        plain = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
        return plain | {"sizes": [list(pair) for pair in self.sizes]}


def _merge_size_classes(
    by_class: npt.NDArray[np.float64], shares: Sequence[float]
) -> list[tuple[npt.NDArray[np.float64], float]]:
    """Return the distances of one leverage with their shares, from the smallest size class to the largest.

    A class that the venue does not offer is merged into the one before it, and so is a class with nearly the same
    distances: far from the entry, the difference between two tiers is smaller than the spread of entries. The result is
    empty if the venue does not offer even the smallest class.
    """
    merged: list[tuple[npt.NDArray[np.float64], float]] = []
    for distance, share in zip(by_class, shares, strict=True):
        unavailable = not np.isfinite(distance).all()
        if not merged:
            if unavailable:
                return []
            merged.append((distance, share))
            continue
        before, weight = merged[-1]
        if unavailable:
            merged[-1] = (before, weight + share)
        elif np.all(np.abs(distance - before) <= _MERGE_TOLERANCE * before):
            merged[-1] = ((before * weight + distance * share) / (weight + share), weight + share)
        else:
            merged.append((distance, share))
    return merged


def _invalid(field: str, found: str, expected: str) -> InputError:
    return InputError("recipe", "parameters", found, expected, "nothing modelled", field=field)


DEFAULT_RECIPE = Recipe()
"""The recipe of a map if neither a recipe nor a calibration is given."""
