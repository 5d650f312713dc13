"""Accessibility: axe reports no serious violations on any page, in light and dark mode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from _helpers.browser_page import opened
from liqmap.report.page_names import PAGE_NAMES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SERIOUS = ("serious", "critical")
SITE = ("index.html", "archive.html", "instruments/*.html")


def serious_violations(path: Path, browser: Browser, *, width: int, scheme: str) -> list[str]:
    with opened(browser, path, width=width, scheme=scheme) as page:
        # Without preload: axe would fetch the style sheet again, which the content security policy forbids.
        found = Axe().run(page, options={"preload": False}).response
    assert found["passes"], "axe did not run"
    return [
        f"{path.name} {violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes'][:3]]}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize("name", [*SITE, *(f"latest/*/{name}.html" for name in PAGE_NAMES)])
def test_axe_finds_no_serious_violations(
    browser: Browser, archive_site: Path, name: str, width: int, scheme: str
) -> None:
    path = next(iter(sorted(archive_site.glob(name))))
    assert serious_violations(path, browser, width=width, scheme=scheme) == []


def test_axe_detects_low_contrast(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><title>x</title><img src='data:,'><p style='color:#ddd;background:#fff'>pale</p>")
    with pytest.raises(AssertionError, match="color-contrast"):
        assert serious_violations(bad, browser, width=390, scheme="light") == []
