"""The state of the machine: a wrong clock (fault 17)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import START, bars, count
from liqmap._base.errors import InputError
from liqmap._base.timestamps import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"


@pytest.mark.parametrize("clock", ["1970-01-01T00:00:00Z", "2020-02-03T04:05:06Z", "2026-05-30T23:59:59Z"])
def test_fault_17_a_time_after_the_clock_names_the_clock_and_its_time(
    store: Store, write: Write, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    now = 0 if clock.startswith("1970") else parse_instant(clock)
    file = write("bars.csv", bars(5))
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: now * 1000)
        with pytest.raises(InputError) as caught:
            store.load(file, instrument=BTC)
    line = str(caught.value)
    assert "\n" not in line
    assert f"bars.csv:2, ts: '{START}'" in line
    assert f"this machine's clock, which shows {clock}" in line
    assert line.endswith("nothing stored; 4 more invalid rows")
    store.load(file, instrument=BTC)
    assert count(store, "bars") == 5


def test_fault_17_a_time_before_the_first_market_does_not_name_the_clock(store: Store, write: Write) -> None:
    with pytest.raises(InputError, match="a time from 2009") as caught:
        store.load(write("bars.csv", bars(5, start=1_100_000_000_000)), instrument=BTC)
    assert "clock" not in str(caught.value)
