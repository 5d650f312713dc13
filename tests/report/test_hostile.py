"""Malicious instrument names in the feed, sitemap, images, tables and every page in a browser."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from lxml import etree, html

from _helpers.browser_page import opened
from _helpers.sample_issue import DAY, HOSTILE_NAMES, make_issue
from liqmap._base.errors import InputError
from liqmap._base.instruments import slug
from liqmap._base.timestamps import parse_instant
from liqmap.report.config import read_report
from liqmap.report.page_names import PAGE_NAMES
from liqmap.report.site.single_file import single_file
from liqmap.report.site.site import write_issue

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TITLE = "Maps </title><script>alert(2)</script> & 'more'"
COIN = "<i>X</i>"
BASE = "https://example.org/maps/"
ATOM = "{http://www.w3.org/2005/Atom}"
PLACES = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("addressed") / "site"
    for turn in range(2):
        at = parse_instant("2026-06-12T00:00Z") + turn * DAY
        write_issue(make_issue(*HOSTILE_NAMES, title=TITLE, coin=COIN, base=BASE, at=at, simulated=True), out)
    return out


def test_the_feed_is_valid_atom_with_all_issues(site: Path) -> None:
    feed = etree.fromstring((site / "feed.xml").read_bytes())
    assert feed.findtext(f"{ATOM}title") == TITLE
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 2
    assert len({feed.findtext(f"{ATOM}id"), *(entry.findtext(f"{ATOM}id") for entry in entries)}) == 3
    for entry, path in zip(entries, ("2026-06-13/0000", "2026-06-12/0000"), strict=True):
        assert entry.find(f"{ATOM}link").get("href") == f"{BASE}{path}/index.html"
        assert entry.findtext(f"{ATOM}title").startswith(f"SIMULATED: {HOSTILE_NAMES[0]}: ")
        assert all(name in entry.findtext(f"{ATOM}summary") for name in HOSTILE_NAMES)
        assert entry.findtext(f"{ATOM}updated") == f"{path[:10]}T00:00:00Z"


def test_the_sitemap_lists_existing_pages(site: Path) -> None:
    found = [e.text for e in etree.fromstring((site / "sitemap.xml").read_bytes()).iter(f"{PLACES}loc")]
    assert len(found) == len(set(found)) == 2 + len(HOSTILE_NAMES) + 2 * (1 + len(HOSTILE_NAMES))
    for address in found:
        assert (site / address.removeprefix(BASE)).is_file()


def test_pages_have_a_canonical_url_and_a_preview_image(site: Path) -> None:
    for page in (site / "index.html", *site.glob("latest/*/*.html")):
        tree = html.fromstring(page.read_bytes())
        (address,) = tree.xpath("//link[@rel='canonical']/@href")
        assert address.startswith(f"{BASE}2026-06-13/0000/")
        assert (site / address.removeprefix(BASE)).is_file()
        (picture,) = tree.xpath("//meta[@property='og:image']/@content")
        content = (site / picture.removeprefix(BASE)).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (1200, 630)


def test_the_list_of_issues_contains_only_data(site: Path) -> None:
    text = (site / "issues.js").read_text("utf-8")
    listed = json.loads(text.removeprefix("window.liqmapIssues=").removesuffix(";\n"))
    assert sorted(listed["issues"]) == ["2026-06-12/0000", "2026-06-13/0000"]
    assert sorted(listed["slugs"]) == sorted(slug(name) for name in HOSTILE_NAMES)


def test_downloads_contain_the_names_unchanged(site: Path) -> None:
    for name in HOSTILE_NAMES:
        folder = site / "latest" / slug(name)
        rows = json.loads((folder / "clusters.json").read_text("utf-8"))
        columns = pl.read_parquet(io.BytesIO((folder / "clusters.parquet").read_bytes()))
        assert {row["instrument"] for row in rows} == set(columns["instrument"]) == {name}
        assert columns["notional"].to_list() == [row["notional"] for row in rows]
        assert pl.read_parquet(io.BytesIO((folder / "map.parquet").read_bytes())).height > 100


@pytest.mark.browser
def test_no_injected_script_runs_on_any_page(browser: Browser, site: Path) -> None:
    dialogs: list[str] = []
    seen = 0
    for path in (*site.glob("*.html"), *site.glob("instruments/*.html"), *site.glob("latest/*/*.html")):
        with opened(browser, path, width=390) as page:
            page.on("dialog", lambda dialog: dialogs.append(dialog.message))
            page.wait_for_timeout(20)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
            assert page.locator("img, iframe, object, b, i").count() == 0, path
            seen += 1
    assert seen == 2 + (len(PAGE_NAMES) + 1) * len(HOSTILE_NAMES)
    assert dialogs == []


@pytest.mark.browser
def test_a_single_file_runs_only_its_own_scripts(browser: Browser, tmp_path: Path) -> None:
    issue = make_issue(*HOSTILE_NAMES, title=TITLE, coin=COIN, simulated=True)
    alone = tmp_path / "map.html"
    alone.write_bytes(single_file(issue, "map", HOSTILE_NAMES[0]))
    with opened(browser, alone) as page:
        assert page.locator(".live svg path").count() > 100
        assert page.locator("h1").is_visible()
        hrefs = page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
        assert all(href.startswith(("#", "data:")) for href in hrefs)
        with page.expect_download() as given:
            page.get_by_role("link", name="clusters.csv").last.click()
        assert Path(given.value.path()).read_text("utf-8").startswith("instrument,at,side")
        # The content security policy rejects other scripts.
        page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; "
            "document.body.append(s); }"
        )
        assert page.evaluate("window.ran") is None
        page.wait_for_timeout(20)
        refused = page.errors.copy()
        page.errors.clear()
    assert any("Content Security Policy" in text for text in refused)


def test_a_single_file_of_an_unknown_page_is_rejected() -> None:
    for name, instrument in (("tea-leaves", None), ("map", "okx:NONE")):
        with pytest.raises(InputError, match="nothing written"):
            single_file(make_issue(), name, instrument)


def test_a_name_of_300_characters_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(f'title = "x"\ninstruments = ["a:{"W" * 300}"]\n')
    with pytest.raises(InputError, match="302 characters"):
        read_report(tmp_path / "r.toml")


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "//example.org", "https://", "https://u:p@x.org", 'https://x.org/"><b', "ftp://x"],
)
def test_an_invalid_base_url_is_rejected(tmp_path: Path, address: str) -> None:
    (tmp_path / "r.toml").write_text(f"title = 'x'\ninstruments = ['a:b']\nbase_url = '{address}'\n")
    with pytest.raises(InputError, match="base_url"):
        read_report(tmp_path / "r.toml")
