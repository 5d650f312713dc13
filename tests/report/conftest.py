"""Sites shared by several tests; tests do not modify them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from _helpers.sample_issue import DAY, HOSTILE_NAMES, make_issue
from liqmap._base.timestamps import parse_instant
from liqmap.report.site.site import write_issue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def issue_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one issue of one instrument."""
    out = tmp_path_factory.mktemp("single_issue") / "site"
    write_issue(make_issue(), out)
    return out


@pytest.fixture(scope="session")
def archive_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with four issues of one instrument and a base URL."""
    out = tmp_path_factory.mktemp("four_issues") / "site"
    for day in range(4):
        write_issue(
            make_issue(at=parse_instant("2026-06-12T00:00Z") + day * DAY, seed=7 + day, base="https://example.org/m"),
            out,
        )
    return out


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one simulated issue of instruments with malicious names."""
    out = tmp_path_factory.mktemp("hostile") / "site"
    write_issue(make_issue(*HOSTILE_NAMES, simulated=True), out)
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        message = "no chromium on PATH (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - skipped where there is no browser

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()
