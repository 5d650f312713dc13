"""A page in a real browser, from disk; whoever opens it hears what it complained of."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

LIVE = {"map.html", "heatmap.html"}
"""Pages whose drawing comes alive."""


def until(page: Page, expression: str, seconds: float = 10.0) -> None:
    """Wait until an expression is true, asked from outside: a page's policy forbids Playwright's own waits."""
    end = monotonic() + seconds
    while not page.evaluate(expression):
        assert monotonic() < end, expression
        page.wait_for_timeout(50)


@contextmanager
def opened(
    browser: Browser, path: Path, *, width: int = 1440, scheme: str = "light", script: bool = True
) -> Iterator[Page]:
    """A page from disk; leaving the block fails if it complained or asked for anything that is not on the disk."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=script,
        device_scale_factor=2 if width < 600 else 1,
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.complaints = complaints  # for a test that provokes some
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    if script and path.name in LIVE:
        page.wait_for_selector(".live svg")
    yield page
    assert complaints == []
    assert all(url.startswith("file://") for url in requests), requests
    context.close()
