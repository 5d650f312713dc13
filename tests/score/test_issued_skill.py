"""Issued maps are scored on later liquidations, with weights fitted on earlier ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from _helpers.sample_scorecard import sample_sweeps
from _helpers.scoring_market import HOUR, walk, windows
from liqmap._base.errors import NotFoundError
from liqmap._base.grid import Grid
from liqmap.maps.snapshots import MapSnapshot
from liqmap.score.issued_skill import PREVIOUS_MAP, Gain, issues_needed, measure_skill
from liqmap.score.periods import match_periods
from liqmap.score.price_baseline import new_extremes
from liqmap.score.reliability import band_outcomes, reliability_deciles
from liqmap.score.scored_sweeps import score_sweeps


def flat(at: int, mark: float, usd: float = 1e6) -> MapSnapshot:
    """A map with the same amount in every bin: longs below, shorts above."""
    axis = Grid.around(mark, 0.1)
    below = axis.edges()[1:] <= mark
    return MapSnapshot.of(at, mark, axis, np.where(below, usd, 0.0), np.where(below, 0.0, usd))


def test_skill_separates_informative_from_uninformative_maps() -> None:
    good, uninformative = measure_skill(sample_sweeps(worth=1.0), 1.0), measure_skill(sample_sweeps(worth=0.0), 1.0)
    assert good.skill.low > 0.5
    assert good.is_significant
    assert not uninformative.is_significant
    for found in (good, uninformative):
        assert found.best.name != PREVIOUS_MAP
        assert found.best.deviance == min(
            r.deviance for r in found.rivals if r.kind == "baseline" and r.name != PREVIOUS_MAP
        )
        assert all(r.added.low <= 0 for r in found.rivals if r.kind == "placebo")
        assert all(r.added.low <= r.added.gain <= r.added.high for r in found.rivals)


def test_later_liquidations_do_not_change_earlier_predictions() -> None:
    of = sample_sweeps(40)
    last = of.issue == of.issue.max()
    total = of.realised[last].sum() / 1e6

    def slope(times: float) -> list[float]:
        """Change of each deviance without the part that does not depend on the prediction."""
        changed = measure_skill(replace(of, realised=np.where(last, times * of.realised, of.realised)), 1.0)
        apart = (b.deviance - a.deviance for a, b in zip(before.rivals, changed.rivals, strict=True))
        return [(d - 2 * times * np.log(times) * total) / (times - 1) for d in apart]

    # With a fixed prediction the deviance is y ln y minus a term linear in y, so the slope is constant.
    before = measure_skill(of, 1.0)
    assert slope(3.0) == pytest.approx(slope(50.0), rel=1e-9)


def test_skill_is_not_significant_if_a_placebo_gains_as_much() -> None:
    good = measure_skill(sample_sweeps(), 1.0)
    fake = replace(good.rivals[-1], added=Gain(good.skill.gain, 0.0, 1.0))
    assert not replace(good, rivals=(*good.rivals[:-1], fake)).is_significant


@pytest.mark.parametrize("maps", [1, 29])
def test_too_few_maps_are_not_scored(maps: int) -> None:
    with pytest.raises(NotFoundError, match=rf"{maps} maps with a sweep .*at least 30"):
        measure_skill(sample_sweeps(maps), 1.0)
    assert measure_skill(sample_sweeps(30), 1.0).judged == 20
    assert [issues_needed(per_day) for per_day in (1 / 7, 1.0, 2.0, 6.0)] == [30, 30, 60, 180]


def test_only_new_extremes_after_the_issue_time_are_sweeps() -> None:
    bars = walk(240)
    usd = np.arange(480, dtype=float).reshape(240, 2)
    periods = match_periods(bars, windows(bars, usd))
    starts = [int(bars.ts[i]) for i in range(24, 240, 24)]
    maps = [flat(at, round(float(bars.open[i]), 1)) for at, i in zip(starts, range(24, 240, 24), strict=True)]
    for side, edge in ((0, bars.low), (1, bars.high)):
        found = score_sweeps(maps, 24 * HOUR, bars, periods, side)
        want = []
        for i in range(1, len(maps)):
            reached = maps[i].mark_price
            for bar in range(24 * (i + 1), 24 * (i + 2)):
                beyond = edge[bar] < reached if side == 0 else edge[bar] > reached
                if beyond:
                    predicted = abs(edge[bar] - reached) / (maps[i].edges[1] - maps[i].edges[0]) * 1e6
                    want.append((i, int(bars.ts[bar]), reached, edge[bar], usd[bar, side], predicted))
                    reached = edge[bar]
        columns = (found.issue, found.start, found.near, found.far, found.realised, found.predicted)
        assert len(found.start) == len(want) > 20
        for column, expected in zip(columns, zip(*want, strict=True), strict=True):
            np.testing.assert_allclose(column, expected, rtol=1e-9)
        assert (found.move > 0).all()
        assert (found.distance >= found.move - 1e-12).all()


def test_past_extremes_are_the_minima_of_their_spans() -> None:
    bars = walk(400)
    periods = match_periods(bars, windows(bars, np.ones((400, 2))))
    features = new_extremes(bars, periods, 0)
    for hours, column in ((4, 1), (72, 4)):
        for i in (1, 50, 399):
            before = np.log(bars.low)[max(0, i - hours) : i].min()
            assert features[i, column] == pytest.approx(max(before - np.log(bars.low[i]), 0.0), abs=1e-12)


def test_deciles_contain_every_sweep_once() -> None:
    of = sample_sweeps(20)
    parts = reliability_deciles(of, 2.0)
    assert len(parts) == 10
    assert sum(part.sweeps for part in parts) == len(of.predicted)
    assert sum(part.sweeps * part.realised for part in parts) == pytest.approx(of.realised.sum())
    assert [part.predicted for part in parts] == sorted(part.predicted for part in parts)
    assert all(part.low <= part.realised <= part.high for part in parts)
    few = replace(of, **{n: getattr(of, n)[:12] for n in of.__slots__})
    assert len(reliability_deciles(few, 2.0)) == 2
    assert reliability_deciles(replace(of, **{n: getattr(of, n)[:3] for n in of.__slots__}), 2.0) == ()


def test_a_driftless_price_reaches_clusters_as_often_as_expected() -> None:
    random = np.random.default_rng(5)
    bars = walk(24 * 200, seed=11, volatility=0.6)
    periods = match_periods(bars, windows(bars, np.ones((len(bars), 2)) * 1e5))
    maps = []
    for i in range(24 * 8, len(bars) - 24, 24):
        mark, axis = float(bars.open[i]), Grid.around(float(bars.open[i]), 0.1)
        long, short = np.zeros((2, axis.bins))
        here = int(np.searchsorted(axis.edges(), mark))
        for away in random.integers(10, 120, 3):
            long[here - away], short[here + away] = random.lognormal(14, 1, 2)
        maps.append(MapSnapshot.of(int(bars.ts[i]), mark, axis, long, short))
    both = (score_sweeps(maps, 24 * HOUR, bars, periods, 0), score_sweeps(maps, 24 * HOUR, bars, periods, 1))
    found = band_outcomes(maps, range(len(maps)), 24 * HOUR, bars, both, 1.0)
    assert sum(b.clusters for b in found) == sum(len(one.clusters) for one in maps)
    reached, expected = sum(b.reached for b in found), sum(b.expected for b in found)
    # Hourly bars reach slightly fewer levels than a continuously observed price; their wicks reach slightly more.
    assert reached == pytest.approx(expected, rel=0.15)
    for b in found:
        assert b.low <= b.reached <= b.high
        assert b.predicted > 0


def test_skill_reports_regressions_that_did_not_converge() -> None:
    of = sample_sweeps()
    assert measure_skill(of, 1.0).converged
    cut = measure_skill(of, 1.0, max_iterations=1)
    assert not cut.converged
    assert all(rival.to_dict()["converged"] is False for rival in cut.rivals)
