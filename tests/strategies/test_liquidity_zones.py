"""Zones, voids and whale traps on a hand-made order book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from _helpers.hand_made_map import CALM, MARK, hand_map, map_context
from liqmap.strategies.context import MapContext
from liqmap.strategies.liquidity_zones import provision_zones, voids
from liqmap.strategies.overlay import Overlay
from liqmap.strategies.whale_traps import whale_traps
from liqmap.stress.book_side import RestingOrders
from liqmap.stress.depth import Depth
from liqmap.stress.impact import PowerLaw

if TYPE_CHECKING:
    from liqmap.maps.map import LiquidationMap

BLOCK = (98_000, 98_400, 60e6)


def book(*holes: tuple[float, float, float], usd: float = 5e6) -> Depth:
    """$5M every ten dollars out to 3,000 on both sides, reduced to a share in the holes ``(low, high, share)``."""
    away = np.arange(10, 3000, 10.0)

    def side(price: np.ndarray) -> np.ndarray:
        held = np.full(price.size, usd)
        for low, high, share in holes:
            held[(price > low) & (price < high)] *= share
        return held

    bid, ask = MARK - away, MARK + away
    return Depth.of_orders("sim:HAND", 1_780_574_400_000_000, RestingOrders(bid, side(bid), ask, side(ask)))


def on(of: LiquidationMap, depth: Depth) -> MapContext:
    return MapContext(of, depth, CALM)


def test_the_overlay_sums_orders_and_liquidations_per_bin() -> None:
    depth = book((98_100, 98_300, 0.1))
    of = on(hand_map(BLOCK), depth)
    overlay = Overlay.of(of, "long")
    assert overlay.edge[0] == MARK
    assert overlay.edge[-1] == pytest.approx(MARK * (1 - depth.bid.edge), abs=20)
    assert overlay.depth.sum() == pytest.approx(depth.within("bid", 1 - overlay.edge[-1] / MARK))
    assert overlay.forced.sum() == pytest.approx(60e6)
    assert np.all(np.diff(overlay.edge) == -20)
    above = Overlay.of(of, "short")
    assert (above.forced.sum(), above.edge[0]) == (0, MARK)
    assert np.all(np.diff(above.edge) == 20)


def test_price_falls_through_a_void_below_a_cluster() -> None:
    """The cluster has $3M per bin; the hole leaves $1M of orders there and $10M elsewhere."""
    result = voids(on(hand_map(BLOCK), book((98_100, 98_300, 0.1), (101_000, 101_200, 0.1))))
    unstable, stable = (next(r for r in result.rows if r.falls_through is flag) for flag in (True, False))
    assert result.rows[0] is unstable
    assert (unstable.side, stable.side) == ("long", "short")
    assert (unstable.low, unstable.high) == pytest.approx((98_100, 98_300), abs=20)
    assert (stable.low, stable.high) == pytest.approx((101_000, 101_200), abs=20)
    assert unstable.ratio == pytest.approx(3, rel=0.1)
    assert unstable.amplification is None
    assert stable.amplification == 1
    assert unstable.forced > unstable.depth


def test_an_impact_law_has_no_voids() -> None:
    result = voids(map_context(BLOCK, law=PowerLaw()))
    assert not result.rows
    assert result.none == "no measured order book at that time; an impact law has no voids"


def test_zones_are_deep_calm_and_outside_clusters() -> None:
    hole = (101_000, 102_000, 0.1)
    of = on(hand_map(BLOCK), book(hole))
    result = provision_zones(of)
    (cluster,) = of.of.clusters()
    for row in result.rows:
        assert row.depth > 10 * row.forced
        assert row.ratio == pytest.approx(row.forced / row.depth)
        assert row.amplification is not None
        assert row.amplification >= 1
        assert row.high <= cluster.low or row.low >= cluster.high
        assert row.high <= hole[0] + 20 or row.low >= hole[1] - 20
    covered = sum(row.high - row.low for row in result.rows)
    assert covered > 2000, "the even stretches are found"


def test_no_zones_on_a_map_as_dense_as_the_book() -> None:
    """Liquidations equal the orders everywhere on both sides."""
    everywhere = hand_map((97_000, 100_000, 1500e6), (100_000, 103_000, 1500e6))
    result = provision_zones(on(everywhere, book()))
    assert not result.rows
    assert result.none == "no stretch of the book is both deep and free of liquidations"


def test_the_whale_trap_index_is_notional_per_dollar_of_cost() -> None:
    """$10M per bin from the mark: reaching the near edge at 1,600 dollars costs $800M."""
    of = on(hand_map(BLOCK), book())
    (row,) = whale_traps(of).rows
    assert row.cost == pytest.approx(of.laws["long"].curve("bid").notional(np.array([-row.distance]))[0])
    assert row.cost == pytest.approx(800e6, rel=0.05)
    assert row.index == row.notional / row.cost
    assert not row.flagged
    assert whale_traps(of).none == f"no cluster is flagged; the highest index is {row.index:.2f}"


@pytest.mark.parametrize(
    ("usd", "exit_share", "larger", "flagged"),
    [
        (900e6, 10.0, False, True),
        (100e6, 10.0, False, False),  # index below 1
        (900e6, 0.5, False, False),  # too few orders in the exit zone
        (900e6, 10.0, True, False),  # not among the largest
    ],
)
def test_a_flag_needs_index_rank_and_exit(usd: float, exit_share: float, larger: bool, flagged: bool) -> None:
    blocks = [(98_000, 98_400, usd)] + ([(102_000, 102_400, 2 * usd)] if larger else [])
    rows = whale_traps(on(hand_map(*blocks), book((97_400, 98_000, exit_share), usd=4e6))).rows
    trap = next(row for row in rows if row.side == "long")
    assert trap.flagged is flagged


def test_orders_beyond_the_visible_book_are_no_exit() -> None:
    row = whale_traps(on(hand_map((97_000, 97_300, 900e6)), book())).rows[0]
    assert row.exit is None
    assert not row.flagged
