"""Calibrations are dated and immutable, and only later maps use them."""

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
from liqmap.score.engine_predictions import predict_unit_shares

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
    swept = predict_unit_shares(bars)
    usd = (swept.existing + swept.opened) @ TRUTH
    return calibrate(
        bars, windows(bars, usd), feed="sim:BTC", start=30 * 24 * HOUR, end=120 * 24 * HOUR, resamples=20
    ), usd


def test_a_calibration_recovers_the_distribution_of_distances(made: tuple[Calibration, np.ndarray]) -> None:
    found = made[0]
    near = np.array(DISTANCES) < 0.02
    for shares in (found.kernel.long, found.kernel.short):
        # Neighbouring brackets are nearly collinear: the sum of the near brackets and the raised ones are recovered.
        raised = np.array(shares) / (np.array(DISTANCES) ** -0.5)
        assert raised[16:20].mean() > 1.3 * raised[near & (TRUTH < 3e-3)].mean()
        assert np.sum(np.array(shares)[near]) == pytest.approx(TRUTH[near].sum(), rel=0.15)


def test_a_calibration_survives_serialisation(made: tuple[Calibration, np.ndarray]) -> None:
    text = json.dumps(made[0].to_dict(), allow_nan=False)
    assert Calibration.from_dict(json.loads(text)) == made[0]


def test_a_calibration_cannot_be_issued_before_its_data_end() -> None:
    bars = walk(240)
    with pytest.raises(InputError, match="when its data end"):
        calibrate(bars, windows(bars, np.ones((240, 2))), feed="x", start=0, end=240 * HOUR, issued_at=239 * HOUR)


def test_a_calibrated_recipe_rejects_invalid_distances_and_shares() -> None:
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


def test_only_maps_after_the_issue_time_use_a_calibration(history: History) -> None:
    before = history.map(BTC, "2026-01-20")
    fitted = history.calibrate(BTC, "2025-12-18", "2026-01-08", feed="coinglass:BTC", issued_at="2026-01-09")
    assert history.map(BTC, "2026-01-08T23:00Z").brackets == before.brackets
    after = history.map(BTC, "2026-01-09")
    assert len(after.brackets) == len(DISTANCES)
    assert any("coinglass:BTC, 2025-12-18 to 2026-01-08" in note for note in after.provenance.assumptions)
    asked = history.map(BTC, "2026-01-09", recipe=fitted.kernel)
    assert (asked.long == after.long).all()
    # The map holds some per cent of open interest, as much as was liquidated, and the ledger balances.
    assert after.ledger.error(after.open_interest) < 1e-9
    for side in (after.ledger.long, after.ledger.short):
        assert 0.03 < side.mapped / after.open_interest < 0.15
    # The calibration does not apply to bars of another series.
    assert (
        calibrations.calibration_in_force(
            history, BTC, parse_instant("2026-02-01"), interval_s=300, price_source="last"
        )
        is None
    )


def test_a_heatmap_column_equals_the_map_of_its_time(history: History) -> None:
    history.calibrate(BTC, "2025-12-18", "2026-01-08", feed="coinglass:BTC", issued_at="2026-01-09")
    heat = history.heatmap(BTC, "2026-01-12", "2026-01-14", step="1d")
    single = history.map(BTC, "2026-01-14")
    whole = single.long.sum() + single.outside["long"]
    assert heat.long[-1].sum() + heat.outside[-1, 0] == pytest.approx(whole, rel=1e-6)


def test_storing_a_calibration_is_idempotent(history: History) -> None:
    with history.reading() as connection:
        (before,) = connection.execute("SELECT count(*) FROM calibrations").fetchone()
        history.calibrate(BTC, "2025-12-18", "2026-01-08", feed="coinglass:BTC", issued_at="2026-01-09")
        (after,) = connection.execute("SELECT count(*) FROM calibrations").fetchone()
    assert after == max(before, 1)


def test_a_calibration_without_volume_is_rejected() -> None:
    bars = walk(240)
    without_volume = replace(bars, volume_base=np.full(240, np.nan))
    with pytest.raises(NotFoundError, match="no traded volume"):
        calibrate(without_volume, windows(bars, np.ones((240, 2))), feed="x", start=0, end=240 * HOUR)


def test_a_calibration_reports_fits_that_did_not_converge() -> None:
    bars = walk(24 * 10, seed=4)
    swept = predict_unit_shares(bars)
    realised = windows(bars, (swept.existing + swept.opened) @ TRUTH + 1e3)
    span = {"start": 24 * HOUR, "end": 240 * HOUR}
    cut = calibrate(bars, realised, feed="sim:BTC", **span, resamples=5, max_iterations=2)
    assert [note for note in cut.notes if "did not converge" in note] == [
        "the fit of longs did not converge in 2 iterations: shares are approximate",
        "5 of 5 resamples of longs did not converge: intervals are approximate",
        "the fit of shorts did not converge in 2 iterations: shares are approximate",
        "5 of 5 resamples of shorts did not converge: intervals are approximate",
    ]
    assert Calibration.from_dict(json.loads(json.dumps(cut.to_dict()))) == cut
    full = calibrate(bars, realised, feed="sim:BTC", **span, resamples=5)
    assert not any("did not converge" in note for note in full.notes)
