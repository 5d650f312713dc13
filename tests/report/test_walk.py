"""Navigation between issues: immutable pages link to later issues through a script."""

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
def test_next_and_previous_lead_through_all_issues(browser: Browser, archive_site: Path) -> None:
    paths = issues(archive_site)
    (first,) = (archive_site / paths[0]).glob("*/map.html")
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
def test_without_scripts_newest_and_archive_are_linked(browser: Browser, archive_site: Path) -> None:
    front = archive_site / issues(archive_site)[0] / "index.html"
    with opened(browser, front, script=False) as page:
        assert page.get_by_role("link", name="Next").count() == 0
        page.get_by_role("link", name="Newest").click()
        page.wait_for_url("**/latest/index.html")
        page.get_by_role("link", name="Archive").first.click()
        page.wait_for_url("**/archive.html")


@pytest.mark.browser
def test_a_removed_issue_is_not_linked(browser: Browser, archive_site: Path, tmp_path: Path) -> None:
    fewer = shutil.copytree(archive_site, tmp_path / "fewer")
    shutil.rmtree(fewer / issues(fewer)[0])
    rebuild_site_files(fewer)
    with opened(browser, fewer / issues(fewer)[0] / "index.html") as page:
        assert page.get_by_role("link", name="Previous").count() == 0
        assert page.get_by_role("link", name="Next").count() == 1


def test_the_front_page_calendar_has_a_cell_per_day(archive_site: Path) -> None:
    tree = html.fromstring((archive_site / "index.html").read_bytes())
    cells = tree.xpath("//section[@class='calendar']/svg/a/@href")
    assert cells == [f"{path}/index.html" for path in issues(archive_site)]
    assert not html.fromstring((archive_site / "latest" / "index.html").read_bytes()).xpath(
        "//section[@class='calendar']"
    )


def test_latest_is_the_newest_issue_at_a_fixed_path(archive_site: Path) -> None:
    newest = archive_site / issues(archive_site)[-1]
    for found in sorted(newest.rglob("*")):
        if found.is_file() and found.parent != newest:
            content = found.read_bytes()
            wanted = relocate_links(content, INNER, "../../") if found.suffix == ".html" else content
            assert (archive_site / "latest" / found.relative_to(newest)).read_bytes() == wanted


def test_rebuilding_the_site_files_is_idempotent(archive_site: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in archive_site.rglob("*") if path.is_file()}
    rebuild_site_files(archive_site)
    assert {path: path.stat().st_mtime_ns for path in archive_site.rglob("*") if path.is_file()} == before
