"""Pages are quick: little to carry, soon seen, soon answering. The best of three: a machine does other things too."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from _helpers.browser_page import opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WEIGHT = 250_000
SEEN, ANSWERING = 1500, 2500

_LARGEST = """() => new Promise((resolve) => {
    let last = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) last = entry.startTime; })
        .observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(() => resolve(last), 100);
})"""


def test_no_page_weighs_more_than_it_may(lived: Path) -> None:
    for path in lived.rglob("*.html"):
        assert len(gzip.compress(path.read_bytes())) < WEIGHT, path


@pytest.mark.browser
def test_a_map_is_soon_seen_and_soon_answers(browser: Browser, lived: Path) -> None:
    (path,) = lived.glob("latest/*/map.html")
    times = []
    for _ in range(3):
        with opened(browser, path) as page:
            # What a reader can press is put in by the script, last of all once the chart stands.
            page.locator("[data-reach=first][aria-pressed=true]").wait_for()
            times.append((page.evaluate(_LARGEST), page.evaluate("performance.now()") - 100))
    seen, answering = (min(column) for column in zip(*times, strict=True))
    assert 0 < seen < SEEN
    assert seen < answering < ANSWERING


@pytest.mark.browser
def test_the_front_page_is_soon_seen(browser: Browser, lived: Path) -> None:
    times = []
    for _ in range(3):
        with opened(browser, lived / "index.html") as page:
            times.append(page.evaluate(_LARGEST))
    assert 0 < min(times) < SEEN
