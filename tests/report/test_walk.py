"""From issue to issue: pages never change, and still lead on to what came after them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import html

from _helpers.browser_page import opened
from liqmap.report.site.issue import INNER, relocate_links
from liqmap.report.site.site import issues, rebuild_site_files

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.browser
def test_a_reader_walks_through_all_issues_and_back(browser: Browser, lived: Path) -> None:
    paths = issues(lived)
    (first,) = (lived / paths[0]).glob("*/map.html")
    with opened(browser, first) as page:
        for path in paths[1:]:
            page.get_by_role("link", name="Next").click()
            page.wait_for_url(f"**/{path}/{first.parent.name}/map.html")
            page.wait_for_selector(".live svg")
        assert page.get_by_role("link", name="Next").count() == 0
        assert page.get_by_role("link", name="Newest").count() == 0
        for path in paths[-2::-1]:
            page.get_by_role("link", name="Previous").click()
            page.wait_for_url(f"**/{path}/{first.parent.name}/map.html")
            page.wait_for_selector(".live svg")
        assert page.get_by_role("link", name="Previous").count() == 0


@pytest.mark.browser
def test_without_scripts_the_newest_and_the_archive_are_there(browser: Browser, lived: Path) -> None:
    front = lived / issues(lived)[0] / "index.html"
    with opened(browser, front, script=False) as page:
        assert page.get_by_role("link", name="Next").count() == 0
        page.get_by_role("link", name="Newest").click()
        page.wait_for_url("**/latest/index.html")
        page.get_by_role("link", name="Archive").first.click()
        page.wait_for_url("**/archive.html")


@pytest.mark.browser
def test_an_issue_that_was_not_kept_is_not_led_to(browser: Browser, lived: Path, tmp_path: Path) -> None:
    fewer = shutil.copytree(lived, tmp_path / "fewer")
    shutil.rmtree(fewer / issues(fewer)[0])
    rebuild_site_files(fewer)
    with opened(browser, fewer / issues(fewer)[0] / "index.html") as page:
        assert page.get_by_role("link", name="Previous").count() == 0
        assert page.get_by_role("link", name="Next").count() == 1


def test_the_front_page_has_a_cell_for_each_day(lived: Path) -> None:
    tree = html.fromstring((lived / "index.html").read_bytes())
    cells = tree.xpath("//section[@class='calendar']/svg/a/@href")
    assert cells == [f"{path}/index.html" for path in issues(lived)]
    assert not html.fromstring((lived / "latest" / "index.html").read_bytes()).xpath("//section[@class='calendar']")


def test_latest_is_the_newest_issue_at_another_place(lived: Path) -> None:
    newest = lived / issues(lived)[-1]
    for found in sorted(newest.rglob("*")):
        if found.is_file() and found.parent != newest:
            content = found.read_bytes()
            wanted = relocate_links(content, INNER, "../../") if found.suffix == ".html" else content
            assert (lived / "latest" / found.relative_to(newest)).read_bytes() == wanted


def test_refreshing_changes_nothing(lived: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in lived.rglob("*") if path.is_file()}
    rebuild_site_files(lived)
    assert {path: path.stat().st_mtime_ns for path in lived.rglob("*") if path.is_file()} == before
