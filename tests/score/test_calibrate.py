"""Calibrations are dated, kept, and used by later maps only."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import liqmap
from _helpers.scoring_market import HOUR, walk, windows
from liqmap import InputError, NotFoundError
from liqmap._base.timestamps import parse_instant
from liqmap.history.registry import calibrations
from liqmap.positions.engine.calibrated_recipe import DISTANCES, CalibratedRecipe
from liqmap.positions.engine.calibration import Calibration
from liqmap.score.calibrate import calibrate
from liqmap.score.engine_predictions import unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from liqmap.public import History

BTC = "binance:BTCUSDT"
TRUTH = np.array(DISTANCES) ** -0.5 * 2e-4
TRUTH[16:20] *= 4


@pytest.fixture(scope="module")
def made() -> tuple[Calibration, np.ndarray]:
    bars = walk(24 * 120, seed=4)
    swept = unit(bars)
    usd = (swept.standing + swept.born) @ TRUTH
    return calibrate(
        bars, windows(bars, usd), feed="sim:BTC", start=30 * 24 * HOUR, end=120 * 24 * HOUR, resamples=20
    ), usd


def test_a_calibration_finds_where_the_mass_is(made: tuple[Calibration, np.ndarray]) -> None:
    found = made[0]
    near = np.array(DISTANCES) < 0.02
    for shares in (found.kernel.long, found.kernel.short):
        # Neighbours are told apart but roughly; what opens nearby comes out right in sum, and the bulge is seen.
        raised = np.array(shares) / (np.array(DISTANCES) ** -0.5)
        assert raised[16:20].mean() > 1.3 * raised[near & (TRUTH < 3e-3)].mean()
        assert np.sum(np.array(shares)[near]) == pytest.approx(TRUTH[near].sum(), rel=0.15)


def test_it_survives_being_written_down(made: tuple[Calibration, np.ndarray]) -> None:
    text = json.dumps(made[0].to_dict(), allow_nan=False)
    assert Calibration.from_dict(json.loads(text)) == made[0]


def test_it_cannot_be_issued_before_its_data_end() -> None:
    bars = walk(240)
    with pytest.raises(InputError, match="when its data end"):
        calibrate(bars, windows(bars, np.ones((240, 2))), feed="x", start=0, end=240 * HOUR, issued_at=239 * HOUR)


def test_a_kernel_refuses_what_is_none() -> None:
    for bad in ((0.1, 0.1), (0.01, 0.1), (0.1, 0.0)):
        with pytest.raises(InputError, match="descending fractions"):
            CalibratedRecipe(bad, (0.1, 0.1), (0.1, 0.1))
    with pytest.raises(InputError, match="sum to at most 1"):
        CalibratedRecipe((0.1, 0.01), (0.6, 0.6), (0.1, 0.1))


@pytest.fixture(scope="module")
def history(shared: Path) -> Iterator[History]:
    with liqmap.open(":memory:", "w") as history:
        for name in ("btc_spot_1h_20250101_20260131.csv", "btc_1h_20251204_20260131.csv"):
            history.load(shared / "data" / name, instrument=BTC)
        yield history


def test_later_maps_use_it_and_earlier_ones_never(history: History) -> None:
    before = history.map(BTC, "2026-01-20")
    fitted = history.calibrate(BTC, "2025-12-18", "2026-01-08", feed="coinglass:BTC", issued_at="2026-01-09")
    assert history.map(BTC, "2026-01-08T23:00Z").brackets == before.brackets
    after = history.map(BTC, "2026-01-09")
    assert len(after.brackets) == len(DISTANCES)
    assert any("coinglass:BTC, 2025-12-18 to 2026-01-08" in note for note in after.provenance.assumptions)
    asked = history.map(BTC, "2026-01-09", recipe=fitted.kernel)
    assert (asked.long == after.long).all()
    # The map is no larger than what was seen to be liquidated: some per cent of open interest, and the ledger balances.
    assert after.ledger.error(after.open_interest) < 1e-9
    for side in (after.ledger.long, after.ledger.short):
        assert 0.03 < side.mapped / after.open_interest < 0.15
    # Bars of another series are not what it was fitted on.
    assert (
        calibrations.calibration_in_force(
            history, BTC, parse_instant("2026-02-01"), interval_s=300, price_source="last"
        )
        is None
    )


def test_a_heatmap_columns_equals_the_map(history: History) -> None:
    history.calibrate(BTC, "2025-12-18", "2026-01-08", feed="coinglass:BTC", issued_at="2026-01-09")
    heat = history.heatmap(BTC, "2026-01-12", "2026-01-14", step="1d")
    single = history.map(BTC, "2026-01-14")
    whole = single.long.sum() + single.outside["long"]
    assert heat.long[-1].sum() + heat.outside[-1, 0] == pytest.approx(whole, rel=1e-6)


def test_the_same_calibration_twice_is_there_once(history: History) -> None:
    with history.reading() as connection:
        (before,) = connection.execute("SELECT count(*) FROM calibrations").fetchone()
        history.calibrate(BTC, "2025-12-18", "2026-01-08", feed="coinglass:BTC", issued_at="2026-01-09")
        (after,) = connection.execute("SELECT count(*) FROM calibrations").fetchone()
    assert after == max(before, 1)


def test_no_volume_no_calibration() -> None:
    bars = walk(240)
    silent = replace(bars, volume_base=np.full(240, np.nan))
    with pytest.raises(NotFoundError, match="no traded volume"):
        calibrate(silent, windows(bars, np.ones((240, 2))), feed="x", start=0, end=240 * HOUR)
