"""Observed accounts on pages: real accounts of a venue without bars, and simulated accounts with modelled positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import html

import liqmap
from liqmap._base.timestamps import parse_instant
from liqmap.demo.run_demo import run_demo
from liqmap.report.collect import collect_issue
from liqmap.report.config import read_report
from liqmap.report.site.site import write_issue

if TYPE_CHECKING:
    from pathlib import Path

NAME = "hyperliquid:BTC"
SEEN_AT = parse_instant("2026-10-03T22:32:18Z")


def text_of(site: Path) -> str:
    page = next((site / "latest").glob("*/map.html"))
    return " ".join(html.fromstring(page.read_bytes()).xpath("string(//main)").split())


def test_real_accounts_are_loaded_mapped_and_shown(shared: Path, tmp_path: Path) -> None:
    accounts = shared / "data/positions/xyz1367487_accounts_excerpt.json"
    report = tmp_path / "r.toml"
    report.write_text(f'title = "Observed"\ninstruments = ["{NAME}"]\n')
    with liqmap.open(tmp_path / "h.duckdb", mode="w") as history:
        loaded = history.load(accounts, table="positions")
        assert loaded.stored == 3
        made = history.map(NAME)
        issue = collect_issue(history, read_report(report))
    # Two longs of whole accounts are covered; the 20x short is liquidated at 1,002,896.6, beyond the price axis.
    assert (made.at, round(made.mark_price)) == (SEEN_AT, 84_721)
    assert made.ledger.long.open == pytest.approx(3.83271 + 1.18327)
    assert (made.ledger.long.mapped, made.ledger.short.mapped) == (0.0, 0.45822)
    assert made.ledger.error(made.open_interest) <= 1e-9
    assert made.outside["short"] == pytest.approx(0.45822 * 1_002_896.6155477638, abs=1e-3)
    assert made.observed is not None
    assert made.observed.coverage["long"] == 1
    write_issue(issue, tmp_path / "site")
    text = text_of(tmp_path / "site")
    assert "hyperliquid:BTC · linear perpetual · observed" in text
    assert "100.0 % of longs" in text.replace("\u202f", " ")
    assert "no liquidation levels for a shock" in text


def test_observed_accounts_label_the_modelled_map(tmp_path: Path) -> None:
    done = run_demo(tmp_path / "demo", seed=5, days=3)
    with liqmap.open(done.database) as history:
        made = history.map("sim:BTCUSDT", done.record.end)
    assert made.observed is not None
    assert 0 < made.provenance.observed_share < 1
    # The observed part equals the simulated truth: every eighth account at its exact price.
    truth = done.record.truth[-1]
    for side, sign in (("long", 1), ("short", -1)):
        mine = (truth.side == sign) & (truth.account % 8 == 0)
        share = truth.lots[mine].sum() * done.record.settings.lot / made.open_interest
        assert made.observed.coverage[side] == pytest.approx(share)  # type: ignore[index]
    text = text_of(tmp_path / "demo" / "site")
    assert "partly observed" in text
    assert "The narrow inner bar is observed positions" in text
    assert done.map.observed is None
