"""Maps of a small simulated market, compared with its true levels with and without calibration."""

from __future__ import annotations

import pytest

from liqmap.demo.truth_scorecard import score_against_truth, truth_scorecard


@pytest.mark.slow
def test_maps_are_near_the_truth_with_and_without_calibration() -> None:
    scores = score_against_truth(5, days=40, warm_up_days=5, fitted_days=30, every_days=10)
    names = [score.recipe for score in scores]
    assert names == ["default", "calibrated, 24 free distances", "calibrated, the default's leverages"]
    for score in scores:
        for fit in score.fits:
            assert fit.within_25bp > 0.6
            assert fit.w1_bp < 200
            assert 0.2 < fit.mapped_usd / fit.true_usd < 3
    text = truth_scorecard(scores, "Comparison")
    assert "Means over 1 maps of 1 markets" in text
    assert text.count("\n| ") == 4
