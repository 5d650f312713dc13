"""Page size and load time; the best of three runs, because other processes share the machine."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from _helpers.browser_page import opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MAX_BYTES = 250_000
MAX_PAINT_MS, MAX_INTERACTIVE_MS = 1500, 2500

_LARGEST = """() => new Promise((resolve) => {
    let last = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) last = entry.startTime; })
        .observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(() => resolve(last), 100);
})"""


def test_no_page_exceeds_the_size_limit(archive_site: Path) -> None:
    for path in archive_site.rglob("*.html"):
        assert len(gzip.compress(path.read_bytes())) < MAX_BYTES, path


@pytest.mark.browser
def test_a_map_page_is_painted_and_interactive_in_time(browser: Browser, archive_site: Path) -> None:
    (path,) = archive_site.glob("latest/*/map.html")
    times = []
    for _ in range(3):
        with opened(browser, path) as page:
            # The script adds the buttons last, once the chart is drawn.
            page.locator("[data-reach=first][aria-pressed=true]").wait_for()
            times.append((page.evaluate(_LARGEST), page.evaluate("performance.now()") - 100))
    painted, interactive = (min(column) for column in zip(*times, strict=True))
    assert 0 < painted < MAX_PAINT_MS
    assert painted < interactive < MAX_INTERACTIVE_MS


@pytest.mark.browser
def test_the_front_page_is_painted_in_time(browser: Browser, archive_site: Path) -> None:
    times = []
    for _ in range(3):
        with opened(browser, archive_site / "index.html") as page:
            times.append(page.evaluate(_LARGEST))
    assert 0 < min(times) < MAX_PAINT_MS
