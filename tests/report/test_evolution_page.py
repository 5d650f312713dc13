"""The evolution page: notional changes balance over a week, and migrations match the cluster coupling."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import duckdb
import pytest
from lxml import html

import liqmap
from _helpers.browser_page import opened
from liqmap._base.timestamps import parse_instant
from liqmap.report.collect import collect_issue
from liqmap.report.config import Report
from liqmap.report.pages.evolution import PAGE
from liqmap.report.site.site import write_issue
from liqmap.report.tracks_data import TracksData

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from liqmap.report.facts import Facts

NAME = "binance:BTCUSDT"
AT = "2026-06-08T12:00Z"


def page_of(site: Path) -> Path:
    return next((site / "latest").glob("*/evolution.html"))


def text_of(path: Path) -> str:
    return " ".join(html.fromstring(path.read_bytes()).xpath("string(//main)").split()).replace("\u202f", " ")


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Facts, Path]:
    folder = tmp_path_factory.mktemp("real")
    with liqmap.open(folder / "h.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=NAME)
        report = Report(title="Real", instruments=(NAME,), pages=("map", "evolution", "data"))
        issue = collect_issue(history, report, parse_instant(AT))
    write_issue(issue, folder / "site")
    return issue.facts[0], folder / "site"


def test_notional_changes_of_a_real_week_balance(real: tuple[Facts, Path]) -> None:
    facts, site = real
    read = facts.page_data["evolution"]
    assert isinstance(read, TracksData)
    of = read.tracks
    made = of.notional[0] + (of.opened - of.closed - of.liquidated)[1:].sum(axis=0)
    assert made == pytest.approx(of.notional[-1], rel=1e-9)
    text = text_of(page_of(site))
    swept = [life for life in json.loads(page_of(site).with_name("tracks.json").read_text()) if life["end"] == "swept"]
    assert len(swept) >= 15
    assert "Price swept " in text
    for life in swept:
        # The price touched every swept cluster: no swept long lies below the lowest price of the week.
        low, high = float(read.path.low.min()), float(read.path.high.max())
        assert life["last_peak"] >= low if life["side"] == "long" else life["last_peak"] <= high


def test_migrations_are_shown_only_for_migrating_tracks(real: tuple[Facts, Path]) -> None:
    facts, site = real
    moved = [t for t in facts.page_data["evolution"].tracks.tracks if any(step.migrating for step in t.steps)]
    assert moved
    for row in html.fromstring(page_of(site).read_bytes()).xpath("//tbody/tr"):
        number = int(row.xpath("string(td[last()])"))
        shown = "migrating" in row.xpath("string()")
        assert shown == (number in {t.number for t in moved})
        assert ("% newly opened" in row.xpath("string()").replace("\u202f", " ")) == shown


def test_all_steps_are_published(real: tuple[Facts, Path]) -> None:
    facts, site = real
    of = facts.page_data["evolution"].tracks
    path = page_of(site).with_name("steps.parquet")
    row = duckdb.sql(f"SELECT count(*), sum(opened) FROM '{path}'").fetchone()
    assert row is not None
    assert row[0] == sum(len(track.steps) for track in of.tracks)
    assert row[1] == pytest.approx(sum(step.opened for track in of.tracks for step in track.steps))


def test_the_page_is_small_and_deterministic(real: tuple[Facts, Path]) -> None:
    assert len(gzip.compress(page_of(real[1]).read_bytes())) < 100_000
    one, two = (PAGE.build(real[0], real[0].page_data["evolution"]) for _ in range(2))
    assert one.files == two.files  # type: ignore[union-attr]
    assert one.values["stills"] == two.values["stills"]  # type: ignore[union-attr]


def test_a_short_history_gives_a_notice(tmp_path: Path, shared: Path) -> None:
    with liqmap.open(tmp_path / "h.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=NAME)
        issue = collect_issue(history, Report(title="Short", instruments=(NAME,)), parse_instant("2026-05-25T18:00Z"))
    write_issue(issue, tmp_path / "site")
    assert "less than 6 hours before this issue" in text_of(page_of(tmp_path / "site"))


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(("width", "frame"), [(1440, "wide"), (390, "narrow")])
def test_tracks_and_turnover_bars_are_drawn(
    browser: Browser, issue_site: Path, width: int, frame: str, script: bool
) -> None:
    with opened(browser, page_of(issue_site), width=width, script=script, scheme="dark") as page:
        assert page.locator(f".still.{frame} svg path:visible").count() > 10
        assert page.locator(".still:visible").count() == 1
        assert page.locator(".turnover path:visible").count() == 6


@pytest.mark.browser
def test_tables_are_sortable(browser: Browser, issue_site: Path) -> None:
    with opened(browser, page_of(issue_site)) as page:
        page.get_by_role("button", name="Notional").click()
        values = (
            page.locator("table")
            .first.locator("tbody tr td:nth-child(3)")
            .evaluate_all("cells => cells.map(cell => Number(cell.dataset.value))")
        )
        assert values == sorted(values, reverse=True)
        assert len(values) == 4
