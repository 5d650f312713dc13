"""One short simulated market, lived through once for all tests that only look at it."""

from __future__ import annotations

import pytest

from liqmap.demo.simulate import Simulation, simulate


@pytest.fixture(scope="session")
def record() -> Simulation:
    return simulate(seed=11, days=8, truth_every_days=4)
