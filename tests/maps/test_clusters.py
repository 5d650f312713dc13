"""Clusters: prominence equals scipy's, basins are disjoint, and percentiles use no later data."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks

import liqmap
from _helpers.sample_map import sample_map
from liqmap import _core
from liqmap.maps.cluster_history import STEP_HOURS
from liqmap.maps.clusters import BASIN_SHARE, MIN_PROMINENCE, basins
from liqmap.maps.heatmap import MAP_MERGE, MAP_SIGMA, price_axis
from liqmap.positions.engine.population import prepare_run
from liqmap.positions.engine.recipe import DEFAULT_RECIPE

NAME = "binance:BTCUSDT"
US_PER_HOUR = 3_600_000_000
AT = "2026-06-12T00:00Z"


def reference(density: np.ndarray, floor: float) -> dict[int, float]:
    """Peaks and prominences by scipy, with zeros added at both ends."""
    at, properties = find_peaks(np.concatenate([[0.0], density, [0.0]]), prominence=max(floor, 1e-300))
    return dict(zip((at - 1).tolist(), properties["prominences"].tolist(), strict=True))


@settings(max_examples=1_000, deadline=None)
@given(heights=st.lists(st.integers(0, 9), min_size=1, max_size=60), floor=st.sampled_from([0.0, 1.0, 3.0]))
def test_prominence_equals_scipy(heights: list[int], floor: float) -> None:
    density = np.array(heights, dtype=np.float64)
    computed = {at: prominence for at, prominence, *_ in _core.peaks(density, floor, BASIN_SHARE)}
    assert computed == reference(density, floor)


@pytest.mark.parametrize("seed", range(5))
def test_prominence_on_maps_equals_scipy(seed: int) -> None:
    m = sample_map(seed=seed)
    sigma = max(2.0, 1e-3 * m.mark_price / m.grid.width)
    for side in ("long", "short"):
        density = _core.smooth(m.side(side), sigma)  # type: ignore[arg-type]
        want = reference(density, MIN_PROMINENCE * float(density.max()))
        found = {c.peak: c.prominence for c in m.clusters() if c.side == side}
        assert len(want) > 3
        assert found == pytest.approx({float(m.grid.centres()[at]): high for at, high in want.items()})


@settings(max_examples=300, deadline=None)
@given(heights=st.lists(st.integers(0, 12), min_size=3, max_size=60))
def test_basins_are_disjoint_and_not_empty(heights: list[int]) -> None:
    mass = np.array(heights, dtype=np.float64)
    found = basins(mass, 0.8)
    for left, right in itertools.pairwise(found):
        assert left.bins.stop <= right.bins.start
    assert all(mass[basin.bins].sum() > 0 for basin in found)
    assert all(basin.bins.start <= basin.at < basin.bins.stop for basin in found)


def test_a_percentile_is_the_share_of_smaller_past_clusters() -> None:
    m = sample_map()
    largest, *_, least = m.clusters()
    assert largest.percentile is None
    past = np.sort([least.notional / 2, least.notional, least.notional, largest.notional / 2])
    ranked = replace(m, past=past).clusters()
    assert ranked[0].percentile == 100
    assert ranked[-1].percentile == 50
    assert replace(ranked[0], percentile=None) == largest


@pytest.fixture(scope="module")
def db(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two histories: one with all real bars, one with the bars known at the map's time."""
    folder = tmp_path_factory.mktemp("past")
    source = shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv"
    lines = source.read_text().splitlines()
    known = [line for line in lines[1:] if int(line.split(",")[0]) <= 1_781_222_400_000]
    (folder / "known.csv").write_text("\n".join([lines[0], *known]) + "\n")
    for name, file in (("whole", source), ("known", folder / "known.csv")):
        with liqmap.open(folder / f"{name}.duckdb", mode="w") as history:
            history.load(file, instrument=NAME)
    return folder


def test_percentiles_use_earlier_clusters_and_no_later_data(db: Path) -> None:
    with liqmap.open(db / "whole.duckdb") as history, liqmap.open(db / "known.duckdb") as cut:
        m, early = history.map(NAME, AT), cut.map(NAME, AT)
        bars, tiers = history.market_bars(NAME, m.at), history.tiers(NAME, m.at)
        too_soon = history.map(NAME, "2026-05-30")
    assert m.past is not None
    assert early.past is not None
    assert np.array_equal(m.past, early.past)
    assert m.clusters() == early.clusters()
    # Reference: a new engine run for each time.
    ends = prepare_run(bars, tiers, DEFAULT_RECIPE, instrument=NAME, at=m.at).bars.end
    want: list[float] = []
    for ago in itertools.count(STEP_HOURS, STEP_HOURS):
        if (at := ends[-1] - ago * US_PER_HOUR) < ends[0]:
            break
        engine_run = prepare_run(bars, tiers, DEFAULT_RECIPE, instrument=NAME, at=m.at)
        engine_run.advance(0, int((ends <= at).sum()))
        first, bins, _ = price_axis(engine_run, engine_run.step, MAP_MERGE)
        sides, _ = engine_run.engine.density([(0, len(engine_run.leverages))], first, MAP_MERGE, bins)
        want += [mass[basin.bins].sum() for (mass,) in sides for basin in basins(mass, MAP_SIGMA)]
    assert np.array_equal(m.past, np.sort(want))
    ranks = [c.percentile for c in m.clusters()]
    assert ranks == sorted(ranks, reverse=True, key=lambda rank: -1 if rank is None else rank)
    assert any("ranked among those of 17 days" in note for note in m.provenance.assumptions)
    assert too_soon.clusters()[0].percentile is None
    assert any("not ranked" in note for note in too_soon.provenance.assumptions)
