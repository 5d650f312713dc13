"""Comparison of a map with the true liquidation levels of the simulated market."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap.score.stats.rank import spearman

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON
    from liqmap.demo.isolated_margin import Floats
    from liqmap.demo.open_positions import OpenPositions
    from liqmap.maps.map import LiquidationMap

__all__ = ["TruthFit", "compare_with_truth", "matched_share", "rank_correlation", "wasserstein_bp"]

_BASIS_POINTS = 1e4
_MATCH_DISTANCE_BP = 25.0


@dataclass(frozen=True, slots=True)
class TruthFit:
    """Comparison of one side of a map with the true levels, within ``reach`` of the mark.

    Attributes:
        side: Side of the liquidated positions.
        reach: Largest distance from the mark of the compared levels, a fraction.
        true_usd: Notional of the true levels within reach, USD.
        mapped_usd: Notional of the map within reach, USD.
        w1_bp: Mean distance that the map's notional has to move to match the true levels, basis points of price.
        rank_correlation: Spearman's ρ over bins.
        within_25bp: Share of notional that can be paired with true notional at most 25 bp away.
    """

    side: Side
    reach: float
    true_usd: float
    mapped_usd: float
    w1_bp: float
    rank_correlation: float
    within_25bp: float

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
        return dict(asdict(self))


def compare_with_truth(
    of: LiquidationMap, truth: OpenPositions, *, lot: float = 0.001, reach: float = 0.1
) -> tuple[TruthFit, TruthFit]:
    """Compare a map with the positions that were open at the same time, long and short.

    Both are notional at liquidation prices in the map's bins, within ``reach`` of the mark: beyond about 10 % public
    data cannot separate one prior from another. Locations (``w1_bp``, ``within_25bp``) are compared after scaling both
    distributions to one; ``true_usd`` and ``mapped_usd`` compare their sizes.

    Raises:
        InputError: The times differ.
    """
    if of.at != truth.ts:
        raise InputError("demo", "truth", f"time {truth.ts}", f"the time of the map, {of.at}", "not compared")
    edges, centres = of.grid.edges(), of.grid.centres()
    near = np.abs(np.log(centres / of.mark_price)) <= reach
    log_price = np.log(centres[near])
    fits = []
    for side, sign in (("long", 1), ("short", -1)):
        chosen = (truth.side == sign) & np.isfinite(truth.liquidation_price)
        price = truth.liquidation_price[chosen]
        true = np.histogram(price, edges, weights=price * truth.lots[chosen] * lot)[0][near]
        mapped = of.side("long" if sign > 0 else "short")[near]
        fits.append(
            TruthFit(
                side="long" if side == "long" else "short",
                reach=reach,
                true_usd=float(true.sum()),
                mapped_usd=float(mapped.sum()),
                w1_bp=wasserstein_bp(log_price, mapped, true),
                rank_correlation=rank_correlation(mapped, true),
                within_25bp=matched_share(log_price, mapped, true, _MATCH_DISTANCE_BP),
            )
        )
    return fits[0], fits[1]


def wasserstein_bp(log_price: Floats, mapped: Floats, true: Floats) -> float:
    """``W1 = ∫ |F(x) − G(x)| dx`` between two distributions on one axis of log price, in basis points.

    Example:
        >>> wasserstein_bp(np.array([0.0, 0.01]), np.array([1.0, 0.0]), np.array([0.0, 2.0]))
        100.0
    """
    if not (mapped.sum() > 0 and true.sum() > 0):
        return float("nan")
    gap = np.cumsum(mapped / mapped.sum() - true / true.sum())[:-1]
    return float(np.sum(np.abs(gap) * np.diff(log_price)) * _BASIS_POINTS)


def rank_correlation(mapped: Floats, true: Floats) -> float:
    """Spearman's ρ over the bins in which either is positive; ties share their mean rank.

    Example:
        >>> rank_correlation(np.array([1.0, 2.0, 5.0, 0.0]), np.array([10.0, 20.0, 30.0, 0.0]))
        1.0
    """
    filled = (mapped > 0) | (true > 0)
    if filled.sum() <= 1:
        return float("nan")
    return spearman(mapped[filled], true[filled])


def matched_share(log_price: Floats, mapped: Floats, true: Floats, near_bp: float) -> float:
    """Largest share of mapped notional that can be paired with true notional within ``near_bp``, both scaled to one.

    In one dimension, pairing from the left with the remaining notional in reach is optimal (exchange argument), so one
    pass with two pointers is enough.

    Example:
        >>> line = np.array([0.0, 0.001, 0.01])
        >>> matched_share(line, np.array([1.0, 0.0, 1.0]), np.array([0.0, 2.0, 0.0]), 25)
        0.5
    """
    if not (mapped.sum() > 0 and true.sum() > 0):
        return float("nan")
    left_mapped, left_true = (mapped / mapped.sum()).tolist(), (true / true.sum()).tolist()
    x, near = log_price.tolist(), near_bp / _BASIS_POINTS
    i = j = 0
    matched = 0.0
    while i < len(x) and j < len(x):
        if left_mapped[i] == 0 or x[i] < x[j] - near:
            i += 1
        elif left_true[j] == 0 or x[j] < x[i] - near:
            j += 1
        else:
            pair = min(left_mapped[i], left_true[j])
            matched += pair
            left_mapped[i] -= pair
            left_true[j] -= pair
    return min(matched, 1.0)
