"""Plans, backtests, tables and the command, on a small market whose liquidations follow from its levels."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

import liqmap
import liqmap.public
from _helpers.scoring_market import walk
from liqmap import InputError, NotFoundError
from liqmap._base.timestamps import iso
from liqmap.cli.calibrate import calibrate
from liqmap.history import open_store
from liqmap.positions.engine.calibrated_recipe import DISTANCES
from liqmap.score.backtest import run_backtests
from liqmap.score.calibrate import calibrate as fit_calibration
from liqmap.score.engine_predictions import predict_unit_shares
from liqmap.score.evaluation import Evaluation, score_tables
from liqmap.score.markdown_tables import BEGIN, END, format_backtests, write_between_markers
from liqmap.score.periods import match_periods
from liqmap.score.plan import read_plan, suggest_plan

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 40
START = 1_750_000_000_000_000 // 3_600_000_000 * 3_600_000_000
BTC = "binance:BTCUSDT"
WHOLE = """[[test]]
title = "x"
instrument = "a:B"
feed = "a:B"
fitted = ["2026-01-01", "2026-01-02"]
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of hourly bars, open interest and realised liquidations, loaded from CSV files."""
    folder = tmp_path_factory.mktemp("market")
    bars = walk(24 * DAYS, seed=11)
    swept = predict_unit_shares(bars)
    noise = np.random.default_rng(1).gamma(2.0, 0.5, (24 * DAYS, 2))
    usd = ((swept.existing + swept.opened) @ (np.array(DISTANCES) ** -0.5 * 1e-3) + 1e4) * noise
    rows: dict[str, list[list[object]]] = {"bars": [], "open_interest": [], "liquidations": []}
    for i in range(24 * DAYS):
        ts = iso(START + int(bars.ts[i]))
        figures = [bars.open[i], bars.high[i], bars.low[i], bars.close[i], bars.volume_base[i]]
        rows["bars"].append([BTC, ts, 3600, *(repr(float(f)) for f in figures), "last"])
        rows["open_interest"].append([BTC, iso(START + int(bars.end[i])), "50000"])
        for s, side in enumerate(("long", "short")):
            rows["liquidations"].append([BTC, ts, 3600, side, repr(float(usd[i, s])), "complete"])
    heads = {
        "bars": ["instrument", "ts", "interval_s", "open", "high", "low", "close", "volume_base", "price_source"],
        "open_interest": ["instrument", "ts", "oi_base"],
        "liquidations": ["instrument", "ts", "window_s", "side", "usd", "feed"],
    }
    path = folder / "market.duckdb"
    with open_store(path, "w") as store:
        for table, lines in rows.items():
            file = folder / f"{table}.csv"
            with file.open("w", newline="") as handle:
                csv.writer(handle).writerows([heads[table], *lines])
            store.load(file, table=table)
    return path


def test_a_plan_is_derived_from_the_history(market: Path) -> None:
    with open_store(market) as store:
        (test,) = suggest_plan(store).test
        (card,) = run_backtests(store, [test])
    assert (test.instrument, test.feed, test.recipe, test.interval) == (BTC, BTC, "calibrated", "3600s")
    assert test.fitted[1] == test.judged[0]
    assert card.warm_up_days == pytest.approx(3)
    assert card.periods == (444, 444)
    # The liquidations of this market follow from the levels, so the map must improve on price.
    assert card.demonstrated == (True, True)
    rows = {row.name: row for row in card.tables["skill"]}
    assert min(rows["map alone"].gain) > 0.3
    assert card.mapped is not None
    assert card.calibration is not None
    text = format_backtests([card, card])
    assert text.count("**Fitted shares") == 1
    assert "Longs: the map improves on price alone." in text


def test_fits_that_did_not_converge_are_reported_in_the_tables(market: Path) -> None:
    with open_store(market) as store:
        (test,) = suggest_plan(store).test
        (card,) = run_backtests(store, [test])
        start, end = test.span("fitted")
        bars = store.market_bars(test.instrument, test.span("judged")[1], interval_s=3600)
        liquidations = store.liquidations(test.feed, start, test.span("judged")[1])
        periods = match_periods(bars, liquidations)
        fitted, judged = periods.between(start, end), periods.between(*test.span("judged"))
        cut = Evaluation(bars, periods, fitted, judged, em_iterations=2)
        unfitted = replace(cut, newton_iterations=1)
        calibration = fit_calibration(bars, liquidations, feed=BTC, start=start, end=end, resamples=0, max_iterations=2)
    assert "Warning" not in format_backtests([card])
    rows = {row.name: row for row in score_tables(cut, placebos=False)["skill"]}
    assert rows["price alone"].converged == (True, True)
    assert rows["map alone"].converged == (False, False)
    assert rows["map alone"].to_dict()["long"]["converged"] is False  # type: ignore[call-overload,index]
    assert not any(any(row.converged) for row in score_tables(unfitted, placebos=False)["skill"])
    text = format_backtests([replace(card, tables={"skill": tuple(rows.values())}, calibration=calibration)])
    assert "\n\nWarning: a fit of map alone for longs did not converge; its figures are approximate.\n" in text
    assert "Warning: a fit of price alone for" not in text
    assert "Warning: the fit of longs did not converge in 2 iterations: shares are approximate." in text


def test_the_command_prints_json_and_fills_the_page(market: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    command = [sys.executable, "-c", "from liqmap.cli import main; main()", "score", "--db", str(market)]
    done = subprocess.run([*command, "--json", "--docs", str(page)], capture_output=True, text=True, check=True)
    (plain,) = json.loads(done.stdout)["tests"]
    names = [row["name"] for row in plain["tables"]["skill"]]
    assert names[:3] == ["price alone", "map alone", "price + map"]
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n\n### {plain['test']['title']}\n")
    assert text.endswith(f"\n{END}\nafter\n")
    deviance = plain["tables"]["skill"][1]["long"]["deviance"]
    assert f"{deviance:,.0f}" in next(line for line in text.splitlines() if line.startswith("| map alone "))


def test_calibrating_from_the_command_line_changes_later_maps(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in market.parent.glob("market.duckdb*"):
        shutil.copy(file, tmp_path)
    copy = tmp_path / market.name
    day = 86_400_000_000
    start, end = iso(START + 10 * day), iso(START + 30 * day)
    calibrate(BTC, db=copy, start=start, end=end)
    printed = capsys.readouterr().out
    assert f"valid from {end}" in printed
    assert "\n\nassumed: fitted on " in printed
    assert "warning: " not in printed
    calibrate(BTC, db=copy, start=start, end=end, json=True)
    assert len(json.loads(capsys.readouterr().out)["kernel"]["long"]) == len(DISTANCES)
    with liqmap.open(copy) as history:
        assert len(history.map(BTC, START + 30 * day).brackets) == len(DISTANCES)
        assert len(history.map(BTC, START + 29 * day).brackets) < len(DISTANCES)


def test_the_command_line_warns_of_a_calibration_that_did_not_converge(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in market.parent.glob("market.duckdb*"):
        shutil.copy(file, tmp_path)
    day = 86_400_000_000
    monkeypatch.setattr(liqmap.public, "calibrate", partial(fit_calibration, resamples=0, max_iterations=2))
    calibrate(BTC, db=tmp_path / market.name, start=iso(START + 10 * day), end=iso(START + 30 * day))
    printed = capsys.readouterr().out
    assert "\n\nwarning: the fit of longs did not converge in 2 iterations: shares are approximate\n" in printed


def test_a_page_without_markers_is_unchanged(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    with pytest.raises(InputError, match="no markers for the tables"):
        write_between_markers("new", page)
    assert page.read_text() == "nothing here\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[test]\n", "TOML"),
        ("", "test"),
        (WHOLE + 'judged = ["2026-01-02", "2026-01-03"]\nwidth = 3\n', "width"),
        (WHOLE + 'judged = ["2026-01-02", "2026-01-01"]\n', "not before the end"),
    ],
)
def test_an_invalid_plan_is_a_one_line_error(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        read_plan(path)
    assert str(caught.value).startswith(f"liqmap: score: {path}")
    assert "\n" not in str(caught.value)


def test_an_empty_history_cannot_be_scored(tmp_path: Path) -> None:
    with open_store(":memory:", "w") as store, pytest.raises(NotFoundError, match="nothing scored"):
        suggest_plan(store)
    with pytest.raises(InputError, match="a plan file"):
        read_plan(tmp_path / "none.toml")


def test_the_documentation_contains_the_tables_of_the_plan(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs" / "skill.md").read_text("utf-8")
    plan = read_plan(pytestconfig.rootpath / "reports" / "skill.toml")
    for test in (*plan.test, *plan.simulated):
        assert f"### {test.title}\n" in page
