"""The heatmap page: figures match engine and feed, the chart can be moved and read, and missing data is stated."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import pytest
from lxml import html

import liqmap
from _helpers.browser_page import opened, until
from _helpers.sample_heatmap import sample_heat, sample_realised
from _helpers.sample_issue import DAY, make_issue
from liqmap._base.timestamps import parse_instant
from liqmap.report.collect import collect_issue
from liqmap.report.config import Report
from liqmap.report.page import PageContent
from liqmap.report.pages.heatmap import PAGE, HeatmapPageData, timeline
from liqmap.report.site.site import write_issue

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from liqmap.report.facts import Facts

NAME = "binance:BTCUSDT"
AT = "2026-06-08T12:00Z"


def page_of(site: Path, name: str = "heatmap") -> Path:
    return next((site / "latest").glob(f"*/{name}.html"))


def text_of(path: Path) -> str:
    return " ".join(html.fromstring(path.read_bytes()).xpath("string(//main)").split()).replace("\u202f", " ")


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Facts, Path]:
    """A real week: bars and open interest of one venue, realised liquidations of several."""
    folder = tmp_path_factory.mktemp("real")
    with liqmap.open(folder / "h.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=NAME)
        history.load(shared / "data/coinglass/regime_30m_20260521_20260608.csv")
        issue = collect_issue(history, Report(title="Real", instruments=(NAME,)), parse_instant(AT))
    write_issue(issue, folder / "site")
    return issue.facts[0], folder / "site"


def test_the_page_shows_predicted_and_reported_liquidations(real: tuple[Facts, Path], shared: Path) -> None:
    facts, site = real
    past = facts.page_data["heatmap"]
    assert isinstance(past, HeatmapPageData)
    assert past.realised is not None
    assert past.realised.feed == "coinglass:BTC"
    # Reference: the same week in the vendor's file.
    week = duckdb.sql(
        "SELECT sum(liquidation_long_usd), sum(liquidation_short_usd) "
        f"FROM '{shared}/data/coinglass/regime_30m_20260521_20260608.csv' "
        "WHERE make_timestamp(1000 * timestamp) >= '2026-06-01 12:00' "
        "AND make_timestamp(1000 * timestamp) < '2026-06-08 12:00'"
    ).fetchone()
    assert week is not None
    reported = past.realised.between(parse_instant("2026-06-01T12:00Z"), parse_instant(AT))
    assert reported == pytest.approx(week, rel=1e-9)
    text = text_of(page_of(site))
    assert "Price fell 12.4 % in 7 days, liquidating $741M of longs in the model" in text
    assert "Reported over the same period (coinglass:BTC, a sum over venues): $1.11B and $380M" in text
    # A column uses only data up to its time: a separately built map is identical.
    with liqmap.open(site.parent / "h.duckdb") as history:
        alone = history.heatmap(NAME, "2026-06-05T12:00Z", "2026-06-05T12:00Z", "1h")
    column = past.heat.at.tolist().index(parse_instant("2026-06-05T12:00Z"))
    assert past.heat.long[column].sum() == pytest.approx(alone.long[0].sum(), rel=1e-6)


def test_timeline_rows_add_up_to_the_predicted_total(real: tuple[Facts, Path]) -> None:
    content = json.loads(page_of(real[1]).with_name("heatmap.json").read_text())
    longs = sum(line["liquidated"][0] for line in content["lines"])
    past = real[0].page_data["heatmap"]
    assert longs == pytest.approx(past.heat.predicted[past.heat.at > parse_instant("2026-06-01T12:00Z"), 0].sum())
    assert [line["at"][:10] for line in content["lines"]] == [f"2026-06-0{day}" for day in range(1, 9)]
    largest = max((c for c in real[0].clusters if c.side == "short" and c.peak < 78_000), key=lambda c: c.notional)
    assert content["lines"][-1]["largest"][1] == pytest.approx([largest.peak, largest.notional])


def test_cells_are_published_as_parquet(real: tuple[Facts, Path]) -> None:
    path = page_of(real[1]).with_name("heatmap.parquet")
    rows = duckdb.sql(f"SELECT count(*), min(side), max(side), min(at_us), max(at_us) FROM '{path}'").fetchone()
    assert rows is not None
    assert rows[0] > 10_000
    assert rows[1:] == (-1, 1, parse_instant("2026-06-01T12:00Z"), parse_instant(AT))


def test_the_page_is_small_and_deterministic(real: tuple[Facts, Path]) -> None:
    content = page_of(real[1]).read_bytes()
    assert len(gzip.compress(content)) < 150_000
    shown = [PAGE.build(real[0], real[0].page_data["heatmap"]) for _ in range(2)]
    assert shown[0].files == shown[1].files  # type: ignore[union-attr]
    assert shown[0].values["stills"] == shown[1].values["stills"]  # type: ignore[union-attr]


def test_a_page_without_data_states_the_reason(tmp_path: Path, shared: Path) -> None:
    accounts = shared / "data/positions/xyz1367487_accounts_excerpt.json"
    with liqmap.open(tmp_path / "h.duckdb", mode="w") as history:
        history.load(accounts, table="positions")
        issue = collect_issue(history, Report(title="Observed", instruments=("hyperliquid:BTC",)))
    write_issue(issue, tmp_path / "site")
    text = text_of(page_of(tmp_path / "site"))
    assert "Heatmap: no data" in text
    assert "Load bars and open interest of the instrument" in text


def test_a_short_history_gives_a_notice_and_a_day_is_enough(tmp_path: Path, shared: Path) -> None:
    with liqmap.open(tmp_path / "h.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=NAME)
        report = Report(title="Short", instruments=(NAME,))
        young, older = (
            collect_issue(history, report, parse_instant(at)) for at in ("2026-05-25T18:00Z", "2026-05-26T06:00Z")
        )
    write_issue(young, tmp_path / "site")
    assert "less than four hours" in text_of(page_of(tmp_path / "site"))
    write_issue(older, tmp_path / "site")
    assert "in 14 hours" in text_of(page_of(tmp_path / "site"))
    assert "No realised liquidations are loaded" in text_of(page_of(tmp_path / "site"))


def test_a_market_without_a_move_or_a_feed_has_a_page() -> None:
    facts = make_issue().facts[0]
    heat = sample_heat(facts.map)
    shown = PAGE.build(facts, HeatmapPageData(replace(heat, close=heat.close * 0 + facts.map.mark_price), None))
    assert "unchanged," in shown.heading  # type: ignore[union-attr]
    quiet = PAGE.build(facts, HeatmapPageData(replace(heat, predicted=heat.predicted * 0), sample_realised(facts.map)))
    assert "reached no significant level" in quiet.heading  # type: ignore[union-attr]
    assert timeline(quiet.values["layout"])[-1].predicted == (0, 0)  # type: ignore[union-attr]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_image_of_the_colour_scheme_is_shown(browser: Browser, issue_site: Path, scheme: str, script: bool) -> None:
    with opened(browser, page_of(issue_site), width=390, scheme=scheme, script=script) as page:
        where = ".live" if script else ".still.narrow"
        assert page.locator(f"{where} .{scheme}_marks image:visible").count() == (3 if script else 2)
        other = {"light": "dark", "dark": "light"}[scheme]
        assert page.locator(f"{where} .{other}_marks image:visible").count() == 0
        size = page.locator(f"{where} .{scheme}_marks image").last.evaluate(
            "async (image) => { const loaded = new Image(); loaded.src = image.href.baseVal; await loaded.decode();"
            " return [loaded.width, loaded.height] }"
        )
        assert size[0] == 97
        assert page.locator(f"{where} svg *").count() < 600


@pytest.mark.browser
def test_ranges_dragging_and_keys_move_the_view(browser: Browser, issue_site: Path) -> None:
    with opened(browser, page_of(issue_site)) as page:
        view = "document.getElementById('heatmap').dataset.view.split(' ').map(Number)"
        page.wait_for_selector("#heatmap[data-view]")
        first = page.evaluate(view)
        page.get_by_role("button", name="24 hours").click()
        page.get_by_role("button", name="24 hours", pressed=True).wait_for()
        day = page.evaluate(view)
        assert day[1] - day[0] == 86_400_000
        page.get_by_role("button", name="7 days").click()
        page.get_by_role("button", name="7 days", pressed=True).wait_for()
        page.locator(".live").scroll_into_view_if_needed()
        plot = page.locator(".live svg .background").first.bounding_box()
        assert plot is not None
        x, y = plot["x"] + plot["width"] * 0.43, plot["y"] + plot["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + plot["width"] * 0.86 / 7, y, steps=5)
        page.mouse.up()
        # Dragged to the right by a seventh of the week: one day back.
        until(page, f"Math.abs(({view})[0] - {first[0] - 86_400_000}) < 1_200_000")
        page.locator(".live").focus()
        page.keyboard.press("+")
        until(page, f"({view})[1] - ({view})[0] < 0.9 * {first[1] - first[0]}")
        page.keyboard.press("0")
        until(page, f"JSON.stringify({view}) == '{json.dumps(first, separators=(',', ':'))}'")


@pytest.mark.browser
def test_a_cell_can_be_read(browser: Browser, issue_site: Path) -> None:
    with opened(browser, page_of(issue_site)) as page:
        page.locator(".live").scroll_into_view_if_needed()
        plot = page.locator(".live svg .background").first.bounding_box()
        assert plot is not None
        for share, side in ((0.04, "shorts"), (0.97, "longs")):
            page.mouse.move(plot["x"] + plot["width"] * 0.8, plot["y"] + plot["height"] * share)
            page.get_by_text(f"· {side}, ").wait_for()
            assert "$" in page.locator(".readout").inner_text()


@pytest.mark.browser
def test_panning_follows_the_pointer_without_lag(browser: Browser, issue_site: Path) -> None:
    with opened(browser, page_of(issue_site)) as page:
        times = page.evaluate(
            """async () => {
                const box = document.querySelector(".live");
                const plot = box.querySelector(".background").getBoundingClientRect();
                const at = (type, x) => box.dispatchEvent(new PointerEvent(type, {
                    pointerId: 1, clientX: plot.left + x, clientY: plot.top + 200, bubbles: true }));
                const frame = () => new Promise(requestAnimationFrame);
                at("pointerdown", 100);
                const times = [];
                for (let step = 1; step <= 40; step++) {
                    const begin = performance.now();
                    at("pointermove", 100 + 4 * step);
                    await frame(); await frame();
                    times.push(performance.now() - begin);
                }
                at("pointerup", 260);
                return times.sort((a, b) => a - b);
            }"""
        )
        # Two frames take 33 ms; delays above 0.1 s are noticeable.
        assert times[20] < 100
        assert times[-1] < 1000


def test_all_images_are_embedded(issue_site: Path) -> None:
    tree = html.parse(io.BytesIO(page_of(issue_site).read_bytes()))
    addresses = tree.xpath("//*[local-name()='image']/@*[name()='href']")
    assert len(addresses) == 12
    assert all(address.startswith("data:image/png;base64,") for address in addresses)


def test_a_feed_that_ended_is_shown_as_missing() -> None:
    issue = make_issue()
    facts = issue.facts[0]
    past = facts.page_data["heatmap"]
    ended = replace(past.realised, until=facts.map.at - 2 * DAY)
    assert ended.between(facts.map.at - 3 * DAY, facts.map.at - 2 * DAY) is not None
    assert ended.between(facts.map.at - 3 * DAY, facts.map.at - DAY) is None
    found = PAGE.build(facts, replace(past, realised=ended))
    assert isinstance(found, PageContent)
    assert " only (" in found.lede
    assert "predicted for that period: $" in found.lede
    assert found.values["timeline"][-1].reported is None
