"""Breakout levels, scalping zones and the table of clusters, against hand-computed values."""

from __future__ import annotations

import pytest

from _helpers.hand_made_map import CALM, MARK, MILLION_PER_DOLLAR, hand_map, map_context
from liqmap.strategies.breakout import breakouts
from liqmap.strategies.cluster_table import cluster_table
from liqmap.strategies.conditions import Conditions
from liqmap.strategies.context import MapContext
from liqmap.strategies.scalping import scalping_zones
from liqmap.stress.impact import Linear
from liqmap.stress.touch_probability import touch_probability

BELOW, ABOVE, SMALL = (98_800, 99_200, 300e6), (101_000, 101_400, 200e6), (99_600, 99_800, 20e6)


def test_the_run_on_is_the_displacement_by_the_cluster() -> None:
    result = breakouts(map_context(BELOW))
    (row,) = result.rows
    assert (row.side, row.through) == ("long", pytest.approx(98_800, abs=60))
    spilled = 300e6 - row.notional
    # 300 dollars beyond the far edge, scaled from 100,000 to 99,200; the rest of the block lies outside the basin.
    assert row.run_on.calm is not None
    assert row.run_on.stressed is not None
    assert row.run_on.calm * row.through == pytest.approx(300 * row.level / MARK, abs=1.5 * spilled / 1e6 + 1)
    assert row.run_on.stressed == pytest.approx(10 * row.run_on.calm, rel=0.02)
    assert row.stop_price == pytest.approx(row.through * (1 - row.run_on.calm))
    assert result.none is None


def test_a_cluster_behind_extends_the_run_on() -> None:
    alone, behind = map_context(BELOW), map_context(BELOW, (98_580, 98_700, 150e6))
    near, far = (next(r for r in breakouts(s).rows if r.level > 99_000) for s in (alone, behind))
    assert near.run_on.calm is not None
    assert far.run_on.calm is not None
    assert far.run_on.calm * far.through - near.run_on.calm * near.through == pytest.approx(150, abs=3)


def test_a_cluster_is_self_fuelled_only_on_a_thin_book() -> None:
    """Twenty bins of 20 dollars hold $15M each, which moves price over a bin at $0.5M a dollar, but not at $1M."""
    pushed, alone = (breakouts(map_context(BELOW, law=Linear(depth))).rows[0] for depth in (1e11, 0.5e11))
    assert not pushed.self_fuelled
    assert pushed.shock_needed is not None
    assert pushed.shock_through is not None
    assert abs(pushed.shock_through) > abs(pushed.shock_needed)
    assert alone.self_fuelled
    assert alone.shock_through == alone.shock_needed


def test_clusters_below_half_of_the_largest_are_no_breakout_levels() -> None:
    assert [row.side for row in breakouts(map_context(BELOW, ABOVE, SMALL)).rows] == ["long", "short"]


def test_shorts_mirror_longs() -> None:
    down = breakouts(map_context((98_800, 99_200, 300e6))).rows[0]
    up = breakouts(map_context((100_800, 101_200, 300e6))).rows[0]
    assert (up.level - MARK, up.through - MARK) == pytest.approx((MARK - down.level, MARK - down.through))
    assert up.distance > 0 > down.distance
    assert up.stop_price > up.through


def test_a_scalping_zone_is_small_near_and_calm() -> None:
    result = scalping_zones(map_context(BELOW, SMALL))
    (zone,) = result.rows
    assert zone.high == pytest.approx(99_800, abs=60)
    assert zone.touch["4h"] > 0.2
    assert zone.overshoot.calm is not None
    assert zone.overshoot.calm * MARK == pytest.approx(20, rel=0.01)
    assert zone.give_back == pytest.approx(zone.overshoot.calm / 3)
    assert not zone.covers_costs, "a third of 2 bp is less than 10 bp of costs"
    assert any("was not tested" in sentence for sentence in result.limits)


def test_an_overshoot_above_half_a_true_range_is_no_scalping_zone() -> None:
    assert scalping_zones(map_context((99_600, 99_800, 140e6))).rows, "140 dollars of 150"
    result = scalping_zones(map_context((99_600, 99_800, 165e6)))
    assert not result.rows
    assert result.none == "no small cluster is touched within 4 hours with a probability of 20% or more"


def test_the_table_gives_touch_probability_and_shock_separately() -> None:
    of = map_context(BELOW, ABOVE)
    for row in cluster_table(of).rows:
        near = row.high if row.side == "long" else row.low
        assert row.distance == pytest.approx(near / MARK - 1)
        for hours in (4, 12, 24):
            assert row.touch[f"{hours}h"] == touch_probability(row.distance, 0.5, hours)
        assert row.touch["4h"] < row.touch["12h"] < row.touch["24h"]
        assert row.shock_needed is not None
        # The first bin triggers at its centre, ten dollars inside the edge.
        assert row.shock_needed * MARK == pytest.approx(row.distance * MARK, abs=60)
    assert "never multiplied" in cluster_table(of).limits[0]


@pytest.mark.parametrize(
    ("usd", "band", "legacy"), [(150e6, "low", "low"), (300e6, "low", "medium"), (1200e6, "medium", "extreme")]
)
def test_the_table_gives_both_schemes_of_move_bands(usd: float, band: str, legacy: str) -> None:
    """At 100,000 and 50 % a σ of 12 hours is 1,851 dollars, so the dollar scheme gives higher bands."""
    row = cluster_table(map_context((98_800, 99_200, usd))).rows[0]
    assert (row.band, row.legacy_band) == (band, legacy)
    assert row.expected_usd == pytest.approx(usd / 1e6, rel=0.12)
    assert row.expected_sigma == pytest.approx(usd / 1e6 / 1851, rel=0.12)


def test_flow_that_exceeds_the_book_has_no_displacement() -> None:
    small = Linear(depth=1e9, reach=0.01)
    row = cluster_table(map_context(BELOW, law=small)).rows[0]
    assert row.expected.calm is None
    assert row.expected_usd is None
    assert (row.band, row.legacy_band) == ("extreme", "extreme")


def test_a_map_without_clusters_within_reach_gives_the_reason() -> None:
    far = map_context((85_000, 85_400, 300e6))
    for rule in (breakouts, scalping_zones, cluster_table):
        result = rule(far)
        assert not result.rows
        assert result.none == "no cluster lies within 7.9% of the mark (three standard deviations of 24 hours)"


def test_higher_volatility_extends_the_reach() -> None:
    far = MapContext(hand_map((85_000, 85_400, 300e6)), MILLION_PER_DOLLAR, Conditions(volatility=1.0, atr=CALM.atr))
    assert len(breakouts(far).rows) == 1
