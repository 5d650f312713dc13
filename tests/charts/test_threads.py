"""Charts can be drawn by several threads at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A new process, since the race is over who imports Altair first.
_DRAW = """
import threading
import numpy as np
from _helpers.sample_map import sample_map

liquidation_map = sample_map()
start, errors = threading.Barrier(4), []

def draw():
    start.wait()
    try:
        liquidation_map.chart()
    except Exception as error:
        errors.append(repr(error))

threads = [threading.Thread(target=draw) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not errors, errors
"""


@pytest.mark.parametrize("attempt", range(3))
def test_four_threads_draw_the_first_chart_at_once(attempt: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    # An empty cache, so that every thread needs Altair.
    environment = {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp(f"cache{attempt}")), "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", _DRAW], check=True, env=environment, timeout=120)
