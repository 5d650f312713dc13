"""How near a map comes to the true levels: the simulated market knows them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError

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
    """One side of a map beside the truth, within ``reach`` of the mark.

    Attributes:
        side: Whose levels.
        reach: How far from the mark levels are compared, a fraction.
        true_usd: Notional of the true levels within reach.
        mapped_usd: Notional of the map within reach.
        w1_bp: Mean distance, in basis points of price, that the map's mass has to move to become the truth's.
        rank_correlation: Spearman's, over bins.
        within_25bp: Share of mass that finds its counterpart without moving more than 25 bp.
    """

    side: Side
    reach: float
    true_usd: float
    mapped_usd: float
    w1_bp: float
    rank_correlation: float
    within_25bp: float

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as plain data."""
        return dict(asdict(self))


def compare_with_truth(
    of: LiquidationMap, truth: OpenPositions, *, lot: float = 0.001, reach: float = 0.1
) -> tuple[TruthFit, TruthFit]:
    """Compare a map with the positions that were open at the same instant, long and short.

    Both are taken as notional at the level's price in the map's bins, within ``reach`` of the mark: beyond about 10 %
    no public record can tell one prior from another. Location (``w1_bp``, ``within_25bp``) is compared with both sides'
    mass scaled to one; the size is told apart, by ``true_usd`` and ``mapped_usd``.

    Raises:
        InputError: The instants differ.
    """
    if of.at != truth.ts:
        raise InputError("demo", "truth", f"instant {truth.ts}", f"the map's, {of.at}", "not compared")
    edges, centres = of.grid.edges(), of.grid.centres()
    near = np.abs(np.log(centres / of.mark_price)) <= reach
    log_price = np.log(centres[near])
    fits = []
    for side, sign in (("long", 1), ("short", -1)):
        mine = (truth.side == sign) & np.isfinite(truth.liquidation_price)
        price = truth.liquidation_price[mine]
        true = np.histogram(price, edges, weights=price * truth.lots[mine] * lot)[0][near]
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
    """Spearman's ρ over the bins in which either has something; ties share their mean rank.

    Example:
        >>> rank_correlation(np.array([1.0, 2.0, 5.0, 0.0]), np.array([10.0, 20.0, 30.0, 0.0]))
        1.0
    """
    filled = (mapped > 0) | (true > 0)
    if filled.sum() <= 1:
        return float("nan")
    a, b = _ranks(mapped[filled]), _ranks(true[filled])
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else float("nan")


def matched_share(log_price: Floats, mapped: Floats, true: Floats, near_bp: float) -> float:
    """Largest share of the mapped mass that can be paired with true mass at most ``near_bp`` away, both scaled to one.

    On a line, pairing from the left with whatever is still in reach is the best there is (an exchange argument), so one
    pass with two pointers finds it.

    Example:
        >>> line = np.array([0.0, 0.001, 0.01])
        >>> matched_share(line, np.array([1.0, 0.0, 1.0]), np.array([0.0, 2.0, 0.0]), 25)
        0.5
    """
    if not (mapped.sum() > 0 and true.sum() > 0):
        return float("nan")
    have, want = (mapped / mapped.sum()).tolist(), (true / true.sum()).tolist()
    x, near = log_price.tolist(), near_bp / _BASIS_POINTS
    i = j = 0
    matched = 0.0
    while i < len(x) and j < len(x):
        if have[i] == 0 or x[i] < x[j] - near:
            i += 1
        elif want[j] == 0 or x[j] < x[i] - near:
            j += 1
        else:
            pair = min(have[i], want[j])
            matched += pair
            have[i] -= pair
            want[j] -= pair
    return min(matched, 1.0)


def _ranks(values: Floats) -> Floats:
    _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[inverse], dtype=np.float64)
