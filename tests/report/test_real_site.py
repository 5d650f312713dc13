"""A site of a real market: ten days of issues, twice a day, from the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import html

from _helpers.browser_page import opened
from liqmap.report.page_names import PAGE_NAMES
from liqmap.report.site.atomic_files import manifest_matches
from liqmap.report.site.site import issues

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "test-artifacts"
SPAN = ("--from", "2026-06-03T00:00Z", "--to", "2026-06-13T12:00Z", "--every", "12h")


def liqmap(*arguments: object, folder: Path, **environment: str) -> str:
    command = [str(Path(sys.executable).with_name("liqmap")), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def history(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    bars = shared / "data" / "binance_btcusdt_perp_5m_20260525_20260614.csv"
    liqmap("load", bars, "--db", "btc.duckdb", "--instrument", "binance:BTCUSDT", folder=folder)
    return folder / "btc.duckdb"


@pytest.fixture(scope="module")
def site(history: Path) -> Path:
    report = ROOT / "reports" / "daily.toml"
    liqmap("report", report, "--db", history, "--out", "site", *SPAN, folder=history.parent)
    return history.parent / "site"


def test_all_twenty_two_issues_match_their_manifests(site: Path) -> None:
    assert len(issues(site)) == 22
    assert manifest_matches(site)
    assert all(manifest_matches(site / path) for path in issues(site))
    tree = html.fromstring((site / "archive.html").read_bytes())
    assert len(tree.xpath("//tbody/tr")) == 22
    for path in issues(site):
        entry = json.loads((site / path / "issue.json").read_text("utf-8"))["instruments"][0]
        assert 55_000 < entry["mark_price"] < 80_000
        assert entry["clusters"]


def test_output_is_identical_with_other_processes_time_zone_and_seed(site: Path, history: Path, tmp_path: Path) -> None:
    shutil.copy(history, tmp_path / "copy.duckdb")
    (tmp_path / "deep").mkdir()
    report = ROOT / "reports" / "daily.toml"
    span = ("--from", "2026-06-03T00:00Z", "--to", "2026-06-05T00:00Z", "--every", "12h", "--workers", "1")
    elsewhere = {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "77", "RAYON_NUM_THREADS": "1", "LC_ALL": "C"}
    liqmap(
        *("report", report, "--db", tmp_path / "copy.duckdb", "--out", tmp_path / "deep" / "s", *span),
        folder=tmp_path,
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        **elsewhere,
    )
    for path in issues(tmp_path / "deep" / "s"):
        own = (tmp_path / "deep" / "s" / path / "manifest.json").read_bytes()
        assert own == (site / path / "manifest.json").read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_open_without_errors(browser: Browser, site: Path, width: int, scheme: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    found = [site / "index.html", site / "archive.html", *site.glob("instruments/*.html")]
    found += [next(site.glob(f"latest/*/{name}.html")) for name in PAGE_NAMES]
    for path in found:
        with opened(browser, path, width=width, scheme=scheme) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            page.screenshot(path=ARTIFACTS / f"real-{path.stem}-{width}-{scheme}.png", full_page=True)
