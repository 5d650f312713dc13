"""Open pages from disk in a real browser and collect their errors."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

LIVE = {"map.html", "heatmap.html"}
"""Pages with an interactive chart."""


def until(page: Page, expression: str, seconds: float = 10.0) -> None:
    """Poll until an expression is true; the content security policy blocks Playwright's own wait function."""
    end = monotonic() + seconds
    while not page.evaluate(expression):
        assert monotonic() < end, expression
        page.wait_for_timeout(50)


@contextmanager
def opened(
    browser: Browser, path: Path, *, width: int = 1440, scheme: str = "light", script: bool = True
) -> Iterator[Page]:
    """Open a page from disk; the block fails at its end on console errors or requests other than to files."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=script,
        device_scale_factor=2 if width < 600 else 1,
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors: list[str] = []
    page.errors = errors  # for tests that provoke errors
    requests: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    if script and path.name in LIVE:
        page.wait_for_selector(".live svg")
    yield page
    assert errors == []
    assert all(url.startswith("file://") for url in requests), requests
    context.close()
