"""Maps of the days before, from one run: what they were when they were made one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import liqmap
from liqmap.clock import parse
from liqmap.maps.earlier import earlier_maps

if TYPE_CHECKING:
    from pathlib import Path

NAME = "binance:BTCUSDT"
AT = parse("2026-06-12T00:00Z")
DAY = 86_400_000_000


def test_one_run_gives_what_many_do(shared: Path, tmp_path: Path) -> None:
    with liqmap.open(tmp_path / "h.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=NAME)
        made = earlier_maps(history, NAME, AT, [AT - back * DAY for back in (1, 2, 7, 400)])
        assert [m.at for m in made] == [AT - back * DAY for back in (7, 2, 1)]
        for one in made:
            alone = history.map(NAME, one.at)
            assert (one.mark_price, one.grid, one.brackets) == (alone.mark_price, alone.grid, alone.brackets)
            assert one.ledger.error(one.open_interest) <= 1e-9
            for side in ("long", "short"):
                assert np.array_equal(one.side(side), alone.side(side))  # type: ignore[arg-type]
    assert made[0].side("long").sum() == pytest.approx(made[0].long.sum())
