"""Invariants of the simulated market."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from liqmap._base.errors import InputError
from liqmap.demo.accounts import NO_TRIGGER_TICK
from liqmap.demo.settings import Settings
from liqmap.demo.simulate import Simulation, simulate
from liqmap.demo.simulated_market import SimulatedMarket
from liqmap.demo.write_files import write_market, write_truth

SMALL = Settings(accounts=4_000, entries_per_minute=2.0, burn_in_days=1, hedgers=20)
VOLATILE = replace(SMALL, volatility=3.0, depth_share=0.002, entries_per_minute=6.0)


@pytest.mark.parametrize("settings", [SMALL, VOLATILE], ids=["calm", "volatile"])
def test_longs_shorts_and_open_interest_agree_after_every_minute(settings: Settings) -> None:
    market = SimulatedMarket.new(seed=3, days=1, settings=settings)
    accounts, hedgers = market.accounts, market.hedgers
    for _ in range(1_440 * 2):
        market.step()
        held = np.array(hedgers.lots)
        assert int((accounts.lots * accounts.side).sum()) + int(held.sum()) == 0
        longs = int(accounts.lots[accounts.side > 0].sum()) + int(held[held > 0].sum())
        assert longs == accounts.long_lots + hedgers.long_lots == accounts.short_lots + hedgers.short_lots
        assert longs == market.open_interest
        # No position is open whose trigger the mark has reached.
        assert accounts.long_trigger_tick.max() < market.tick < accounts.short_trigger_tick.min()


def test_every_bar_has_the_open_interest_at_its_end(record: Simulation) -> None:
    bars = {bar.ts + 300_000_000: bar for bar in record.recorder.bars}
    for at in record.truth:
        longs, shorts = (int(at.lots[at.side == side].sum()) for side in (1, -1))
        assert longs == shorts == bars[at.ts].open_interest


def test_every_liquidation_fills_at_its_level_or_worse_and_within_its_bar(record: Simulation) -> None:
    ts, side, fill, lots, entry, level = np.concatenate(record.recorder.liquidations, axis=1)
    assert len(ts) > 500
    assert (lots > 0).all()
    assert (side * (level - fill) >= 0).all()
    assert (side * (entry - level) > 0).all()
    start = np.array([bar.ts for bar in record.recorder.bars])
    bar = np.searchsorted(start, ts, side="right") - 1
    assert (fill >= np.array([b.low for b in record.recorder.bars])[bar]).all()
    assert (fill <= np.array([b.high for b in record.recorder.bars])[bar]).all()
    assert (np.diff(ts) > 0).all()


def test_true_levels_lie_on_the_right_side_of_the_mark(record: Simulation) -> None:
    assert len(record.truth) == 2
    for at in record.truth:
        on_map = np.isfinite(at.liquidation_price)
        assert on_map.sum() > 5_000
        assert (at.side * (at.mark_price - at.liquidation_price))[on_map].min() > 0
        assert len(np.unique(at.account)) == len(at.account)


def test_bars_are_complete_and_consistent_with_liquidations(record: Simulation) -> None:
    bars = record.recorder.bars
    assert [bar.ts for bar in bars] == [record.start + 300_000_000 * i for i in range(8 * 288)]
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    assert all(0 < bar.taker_buy < bar.volume for bar in bars)
    assert all(a.close == b.open for a, b in pairwise(bars))
    ts, _, _, lots, _, _ = np.concatenate(record.recorder.liquidations, axis=1)
    bar = np.searchsorted([b.ts for b in bars], ts, side="right") - 1
    assert (np.bincount(bar, lots, len(bars)) <= [b.volume for b in bars]).all()


def test_returns_and_liquidations_have_the_statistics_of_a_real_market(record: Simulation) -> None:
    close = np.array([bar.close for bar in record.recorder.bars], dtype=np.float64)
    moves = np.diff(np.log(close))
    assert 0.15 < moves.std() * np.sqrt(365 * 288) < 1.2
    assert 4 < ((moves - moves.mean()) ** 4).mean() / moves.var() ** 2 < 80
    # Volatility clusters: the size of a move predicts the size of moves in the next hour.
    size = np.abs(moves)
    assert np.corrcoef(size[:-12], size[12:])[0, 1] > 0.05
    ts, side, fill, lots, _, _ = np.concatenate(record.recorder.liquidations, axis=1)
    usd = fill * lots * record.settings.usd_per_lot_tick
    assert 0.1 < (side > 0).mean() < 0.9
    assert 300 < np.median(usd) < 3_000
    assert 4_000 < usd.mean() < 25_000
    assert (np.diff(ts) < 1_000_000).mean() > 0.5
    by_hour = np.bincount((ts - record.start) // 3_600_000_000, usd, minlength=8 * 24)
    assert np.sort(by_hour)[-19:].sum() > 0.5 * by_hour.sum(), (
        "a tenth of the hours has more than half of the liquidations"
    )


def test_most_open_interest_has_no_liquidation_level(record: Simulation) -> None:
    at = record.truth[-1]
    on_map = np.isfinite(at.liquidation_price)
    for side in (1, -1):
        share = at.lots[on_map & (at.side == side)].sum() / at.lots[at.side == side].sum()
        assert 0.03 < share < 0.3


def test_forced_orders_move_the_price_more_in_a_thin_book() -> None:
    settings = replace(VOLATILE, burn_in_days=2)
    deep = simulate(5, 3, replace(settings, depth_share=10.0))
    thin = simulate(5, 3, settings)

    def excess(of: Simulation) -> float:
        """Distance of the fills beyond their liquidation levels, as a share of notional."""
        _, side, fill, lots, _, level = np.concatenate(of.recorder.liquidations, axis=1)
        return float((side * (level - fill) * lots).sum() / (level * lots).sum())

    assert 20 * excess(deep) < excess(thin)
    assert deep.recorder.bars[-1].close != thin.recorder.bars[-1].close


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_cascades_end_and_volatility_stays_bounded(seed: int) -> None:
    recorder = simulate(seed, 60).recorder
    close = np.array([bar.close for bar in recorder.bars], dtype=np.float64)
    moves = np.diff(np.log(close))
    assert 0.3 < moves.std() * np.sqrt(365 * 288) < 0.9
    assert np.abs(moves).max() < 0.1
    open_interest = np.array([bar.open_interest for bar in recorder.bars])
    assert open_interest.max() < 2 * open_interest.min()


def test_only_longs_have_long_triggers_and_only_shorts_short_triggers() -> None:
    market = SimulatedMarket.new(seed=8, days=1, settings=SMALL)
    for _ in range(600):
        market.step()
    a = market.accounts
    assert (a.long_trigger_tick[a.side <= 0] == 0).all()
    assert (a.short_trigger_tick[a.side >= 0] == NO_TRIGGER_TICK).all()


def _hash(seed: int, folder: Path) -> str:
    small = simulate(seed, 1, SMALL)
    files = [*write_market(small, folder).values(), write_truth(small, folder), folder / "README.md"]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()


def test_the_same_seed_gives_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    here = _hash(21, tmp_path / "here")
    assert here == _hash(21, tmp_path / "again")
    assert here != _hash(22, tmp_path / "other")
    program = f"import sys; sys.path[:0] = {[str(Path(__file__).parent)]!r}\n"
    program += "from test_simulated_market import _hash; from pathlib import Path; print(_hash(21, Path(sys.argv[1])))"
    for hash_seed in ("0", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / hash_seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


@pytest.mark.parametrize(("seed", "days", "field"), [(-1, 3, "seed"), (1, 0, "days"), (1, 501, "days")])
def test_arguments_out_of_range_are_rejected(seed: int, days: int, field: str) -> None:
    with pytest.raises(InputError, match=f"liqmap: demo: {field}: "):
        simulate(seed, days)


def test_the_files_are_labelled_simulated_and_contain_all_true_positions(record: Simulation, tmp_path: Path) -> None:
    files = write_market(record, tmp_path)
    assert "SIMULATED" in (tmp_path / "README.md").read_text("utf-8").splitlines()[0]
    for path in files.values():
        head, *rows = path.read_text("utf-8").splitlines()
        width = head.count(",")
        assert rows
        assert {len(row) for row in csv.reader(rows)} == {width + 1}
        assert all(row.startswith("sim:BTCUSDT,") for row in rows)
    truth = write_truth(record, tmp_path).read_text("utf-8").splitlines()
    assert len(truth) == 1 + sum(len(at.account) for at in record.truth)
