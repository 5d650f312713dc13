"""One short simulated market, shared by all tests that only read it."""

from __future__ import annotations

import pytest

from liqmap.demo.simulate import Simulation, simulate


@pytest.fixture(scope="session")
def record() -> Simulation:
    return simulate(seed=11, days=8, truth_every_days=4)
