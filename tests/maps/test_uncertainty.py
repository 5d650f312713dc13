"""The uncertainty range of a map consists of the maps under all alternative recipes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import liqmap
from _helpers.hourly_market import write_hourly_market
from liqmap.history.registry import calibrations
from liqmap.positions.engine.calibrated_recipe import DISTANCES, CalibratedRecipe
from liqmap.positions.engine.calibration import Calibration
from liqmap.positions.engine.recipe import DEFAULT_RECIPE
from liqmap.positions.engine.recipe_alternatives import alternatives

NAME = "sim:BTCUSDT"
HOUR = 3_600_000_000
START = 1_735_689_600_000_000
N = 240


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of synthetic hourly bars with open interest."""
    return write_hourly_market(tmp_path_factory.mktemp("bands"), NAME, seed=12, bars=N)


def test_each_row_equals_the_map_under_its_recipe(db: Path) -> None:
    with liqmap.open(db) as history:
        uncertainty = history.uncertainty(NAME)
        m = history.map(NAME)
        assert uncertainty.grid == m.grid
        assert np.array_equal(uncertainty.long[0], m.side("long"))
        others = alternatives(DEFAULT_RECIPE)
        assert uncertainty.recipes == tuple(other.name for other in others)
        for row, other in enumerate(others):
            other_map = history.map(NAME, grid=m.grid, recipe=other.recipe)
            assert np.array_equal(uncertainty.long[row], other_map.side("long"))
            assert np.array_equal(uncertainty.short[row], other_map.side("short"))
    for side in ("long", "short"):
        low, high = uncertainty.band(side)  # type: ignore[arg-type]
        assert (low <= m.side(side)).all()  # type: ignore[arg-type]
        assert (high >= m.side(side)).all()  # type: ignore[arg-type]
        assert high.sum() > 1.2 * m.side(side).sum()  # type: ignore[arg-type]


def test_the_range_of_a_cluster_is_that_of_its_basin(db: Path) -> None:
    with liqmap.open(db) as history:
        uncertainty, clusters = history.uncertainty(NAME), history.map(NAME).clusters()
    assert [replace(band.cluster, percentile=None) for band in uncertainty.clusters] == [
        replace(cluster, percentile=None) for cluster in clusters
    ]
    edges = uncertainty.grid.edges()
    for band in uncertainty.clusters:
        at = slice(*np.searchsorted(edges, [band.cluster.low, band.cluster.high]))
        held = (uncertainty.long if band.cluster.side == "long" else uncertainty.short)[:, at].sum(axis=1)
        assert held[0] == pytest.approx(band.cluster.notional)
        assert (band.low, band.high) == pytest.approx((held.min(), held.max()))


def test_assumed_zones_lie_more_than_10_percent_from_the_mark(db: Path) -> None:
    with liqmap.open(db) as history:
        uncertainty, m = history.uncertainty(NAME), history.map(NAME)
    (low, near), (far, high) = uncertainty.assumed
    assert (low, high) == (m.grid.low, m.grid.high)
    assert (near, far) == pytest.approx((m.mark_price * 0.9, m.mark_price * 1.1))


def test_the_range_of_a_calibrated_map_uses_its_intervals(db: Path, tmp_path: Path) -> None:
    kernel = CalibratedRecipe.uniform(0.0004)
    bounds = tuple(tuple(tuple(x * f for x in side) for side in (kernel.long, kernel.short)) for f in (0.5, 2.0))
    fitted = Calibration(
        instrument=NAME,
        feed=NAME,
        interval_s=3600,
        price_source="mark",
        start=START,
        end=START + 100 * HOUR,
        issued_at=START + 100 * HOUR,
        kernel=kernel,
        low=bounds[0],  # type: ignore[arg-type]
        high=bounds[1],  # type: ignore[arg-type]
        prior_share=((0.5,) * len(DISTANCES),) * 2,
        background=(0.0, 0.0),
        notes=(),
    )
    copy = tmp_path / "copy.duckdb"
    with liqmap.open(db) as history:
        before = history.uncertainty(NAME, "2025-01-03")
    copy.write_bytes(db.read_bytes())
    with liqmap.open(copy, mode="w") as history:
        calibrations.record_calibration(
            history,
            NAME,
            fitted.to_dict(),
            issued_at=fitted.issued_at,
            data_cutoff=fitted.end,
            interval_s=3600,
            price_source="mark",
        )
        uncertainty = history.uncertainty(NAME)
        assert history.uncertainty(NAME, "2025-01-03").recipes == before.recipes
        assert len(history.uncertainty(NAME, recipe=kernel).recipes) == 3
    assert uncertainty.recipes[:4] == (
        "",
        "positions live a third as long",
        "positions live three times as long",
        "shares at 5 %",
    )
    # The engine is linear in its shares, unless positions are rescaled to open interest.
    assert uncertainty.long[3] == pytest.approx(uncertainty.long[0] / 2, abs=1)
    assert uncertainty.long[6] == pytest.approx(uncertainty.long[0] * 2, abs=1)


def test_the_command_adds_the_range(db: Path) -> None:
    def run(*words: str) -> str:
        command = [sys.executable, "-c", "from liqmap.cli import main; main()", "map", NAME, "--db", str(db), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    made = json.loads(run("--json", "--bands"))
    with liqmap.open(db) as history:
        assert made["uncertainty"] == history.uncertainty(NAME).to_dict()
    assert "uncertainty" not in json.loads(run("--json"))
    assert "under 6 recipes:" in run("--bands")
