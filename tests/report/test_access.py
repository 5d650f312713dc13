"""Everybody can read the pages: axe finds nothing serious in any of them, light or dark."""

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

GRAVE = ("serious", "critical")
SITE = ("index.html", "archive.html", "instruments/*.html")


def grave(path: Path, browser: Browser, *, width: int, scheme: str) -> list[str]:
    with opened(browser, path, width=width, scheme=scheme) as page:
        # axe would fetch the style sheet again, which the page's policy forbids: it does without.
        found = Axe().run(page, options={"preload": False}).response
    assert found["passes"], "axe did not run"
    return [
        f"{path.name} {fault['id']}: {fault['help']}: {[node['target'] for node in fault['nodes'][:3]]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize("name", [*SITE, *(f"latest/*/{name}.html" for name in PAGE_NAMES)])
def test_axe_finds_nothing_serious(browser: Browser, lived: Path, name: str, width: int, scheme: str) -> None:
    path = next(iter(sorted(lived.glob(name))))
    assert grave(path, browser, width=width, scheme=scheme) == []


def test_axe_would_find_something(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><title>x</title><img src='data:,'><p style='color:#ddd;background:#fff'>pale</p>")
    with pytest.raises(AssertionError, match="color-contrast"):
        assert grave(bad, browser, width=390, scheme="light") == []
