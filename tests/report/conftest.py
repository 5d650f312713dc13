"""Sites that several tests read; none of them changes what is in one."""

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
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One issue about one instrument."""
    out = tmp_path_factory.mktemp("plain") / "site"
    write_issue(make_issue(), out)
    return out


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a past: four issues about one instrument, published at an address."""
    out = tmp_path_factory.mktemp("lived") / "site"
    for day in range(4):
        write_issue(
            make_issue(at=parse_instant("2026-06-12T00:00Z") + day * DAY, seed=7 + day, base="https://example.org/m"),
            out,
        )
    return out


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One issue about instruments whose names would rather be code; simulated."""
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
