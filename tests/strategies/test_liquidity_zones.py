"""Zones, voids and traps on a book that is laid out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from _helpers.hand_made_map import CALM, MARK, hand_map, setting
from liqmap.strategies.context import Setting
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
    """$5M every ten dollars out to 3,000 on both sides; in a hole ``(low, high, share)`` only a share of it."""
    away = np.arange(10, 3000, 10.0)

    def side(price: np.ndarray) -> np.ndarray:
        held = np.full(price.size, usd)
        for low, high, share in holes:
            held[(price > low) & (price < high)] *= share
        return held

    bid, ask = MARK - away, MARK + away
    return Depth.of_orders("sim:HAND", 1_780_574_400_000_000, RestingOrders(bid, side(bid), ask, side(ask)))


def on(of: LiquidationMap, depth: Depth) -> Setting:
    return Setting(of, depth, CALM)


def test_the_overlay_counts_what_it_covers() -> None:
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


def test_a_hole_under_a_cluster_falls_through() -> None:
    """The cluster has $3M a bin; the hole leaves $1M of orders there and $10M elsewhere."""
    use = voids(on(hand_map(BLOCK), book((98_100, 98_300, 0.1), (101_000, 101_200, 0.1))))
    deadly, bare = (next(r for r in use.rows if r.falls_through is flag) for flag in (True, False))
    assert use.rows[0] is deadly
    assert (deadly.side, bare.side) == ("long", "short")
    assert (deadly.low, deadly.high) == pytest.approx((98_100, 98_300), abs=20)
    assert (bare.low, bare.high) == pytest.approx((101_000, 101_200), abs=20)
    assert deadly.ratio == pytest.approx(3, rel=0.1)
    assert deadly.amplification is None
    assert bare.amplification == 1
    assert deadly.forced > deadly.depth


def test_a_law_has_no_holes() -> None:
    use = voids(setting(BLOCK, law=PowerLaw()))
    assert not use.rows
    assert use.none == "there is no measured book at that time: a stated law has no holes"


def test_zones_are_deep_calm_and_clear_of_clusters() -> None:
    hole = (101_000, 102_000, 0.1)
    of = on(hand_map(BLOCK), book(hole))
    use = provision_zones(of)
    (cluster,) = of.of.clusters()
    for row in use.rows:
        assert row.depth > 10 * row.forced
        assert row.ratio == pytest.approx(row.forced / row.depth)
        assert row.amplification is not None
        assert row.amplification >= 1
        assert row.high <= cluster.low or row.low >= cluster.high
        assert row.high <= hole[0] + 20 or row.low >= hole[1] - 20
    covered = sum(row.high - row.low for row in use.rows)
    assert covered > 2000, "the even stretches are there"


def test_nowhere_to_provide() -> None:
    """Liquidations as dense as the orders on both sides, all the way."""
    everywhere = hand_map((97_000, 100_000, 1500e6), (100_000, 103_000, 1500e6))
    use = provision_zones(on(everywhere, book()))
    assert not use.rows
    assert use.none == "no stretch of the book is both deep and free of liquidations"


def test_the_index_is_flow_for_a_dollar() -> None:
    """$10M a bin from the mark: the near edge at 1,600 dollars costs $800M."""
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
        (900e6, 0.5, False, False),  # no way out
        (900e6, 10.0, True, False),  # not among the largest
    ],
)
def test_a_trap_needs_all_three(usd: float, exit_share: float, larger: bool, flagged: bool) -> None:
    blocks = [(98_000, 98_400, usd)] + ([(102_000, 102_400, 2 * usd)] if larger else [])
    rows = whale_traps(on(hand_map(*blocks), book((97_400, 98_000, exit_share), usd=4e6))).rows
    trap = next(row for row in rows if row.side == "long")
    assert trap.flagged is flagged


def test_orders_that_nobody_sees_are_no_exit() -> None:
    row = whale_traps(on(hand_map((97_000, 97_300, 900e6)), book())).rows[0]
    assert row.exit is None
    assert not row.flagged
