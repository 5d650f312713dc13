"""Batches of issues: output independent of the number of processes, and resumable runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html

import liqmap
from _helpers.five_minute_market import NAME, write_market
from liqmap._base.errors import InputError
from liqmap._base.timestamps import iso, parse_instant
from liqmap.report.batch import due_times, write_issues
from liqmap.report.collect import collect_issue
from liqmap.report.config import Report
from liqmap.report.site.site import issues, write_issue

REPORT = Report(title="Small", instruments=(NAME,), every="6h", base_url="https://example.org/maps", shocks=(-0.02,))


def files(site: Path) -> dict[str, bytes]:
    return {p.relative_to(site).as_posix(): p.read_bytes() for p in sorted(site.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def due(market: Path) -> list[int]:
    with liqmap.open(market) as history:
        end = int(history.market_bars(NAME).end[-1])
    return due_times(end - 5 * 6 * 3_600_000_000, end, 6 * 3_600_000_000)


@pytest.fixture(scope="module")
def one_by_one(market: Path, due: list[int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("one") / "site"
    for at in due:
        with liqmap.open(market) as history:
            write_issue(collect_issue(history, REPORT, at), site)
    return site


@pytest.mark.parametrize("workers", [1, 2])
def test_a_batch_equals_separate_runs_at_each_time(
    market: Path, due: list[int], one_by_one: Path, tmp_path: Path, workers: int
) -> None:
    progress: list[int] = []
    # With two processes, some previous issues are written by the other process.
    done = write_issues(market, REPORT, tmp_path / "s", due, workers=workers, advance=progress.append)
    assert sum(progress) == len(done.written) == len(due)
    assert len(progress) > workers
    assert files(tmp_path / "s") == files(one_by_one)


def test_an_interrupted_batch_continues_where_it_stopped(
    market: Path, due: list[int], one_by_one: Path, tmp_path: Path
) -> None:
    site = tmp_path / "s"
    write_issues(market, REPORT, site, due[:4], workers=1)
    whole = site / issues(site)[0] / "index.html"
    damaged = site / issues(site)[2] / "index.html"
    before = whole.stat().st_mtime_ns
    damaged.write_bytes(damaged.read_bytes()[:-10])
    done = write_issues(market, REPORT, site, due, workers=1)
    assert (len(done.written), done.existing) == (3, 3)
    assert whole.stat().st_mtime_ns == before
    assert files(site) == files(one_by_one)


def test_times_without_data_are_reported_and_skipped(market: Path, due: list[int], tmp_path: Path) -> None:
    done = write_issues(market, REPORT, tmp_path / "s", [due[-1], due[-1] + 10**12, 10**15], workers=1)
    assert len(done.written) == 1
    assert [at for at, _ in done.skipped] == [10**15, due[-1] + 10**12]
    early, late = (message for _, message in done.skipped)
    assert "no bars known by 2001" in early
    assert "after the last bar ends" in late
    assert issues(tmp_path / "s") == list(done.written)


def test_pages_of_a_batch_link_to_the_previous_issue(one_by_one: Path) -> None:
    paths = issues(one_by_one)
    for before, path in zip([None, *paths], paths, strict=False):
        (page,) = (one_by_one / path).glob("*/map.html")
        tree = html.fromstring(page.read_bytes())
        links = tree.xpath("//nav/a[@rel='prev']/@href")
        assert links == ([f"../../../{before}/{page.parent.name}/map.html"] if before else [])
        assert bool(tree.xpath("//h2[text()='Changes since the previous issue']")) == bool(before)


def test_the_command_writes_all_issues_of_a_period(market: Path, due: list[int], tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(f'title = "Small"\ninstruments = ["{NAME}"]\nevery = "6h"\n')
    command = [str(Path(sys.executable).with_name("liqmap")), "report", "r.toml", "--db", str(market), "--out", "s"]
    span = ["--from", iso(due[-2]), "--workers", "1"]
    done = subprocess.run([*command, *span], cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "s/index.html\n"
    assert done.stderr == "2 issues written, 0 already present, 0 without data\n"
    late = subprocess.run(
        [*command, "--from", iso(due[-1]), "--to", iso(due[-1] + 86_400_000_000)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert late.returncode == 3, late.stderr
    assert "0 issues written, 1 already present, 4 without data" in late.stderr
    assert len(json.loads((tmp_path / "s" / "manifest.json").read_text())["files"]) > 10


def test_an_invalid_period_is_rejected() -> None:
    with pytest.raises(InputError, match="--to"):
        due_times(parse_instant("2026-06-02"), parse_instant("2026-06-01"), 10**9)
    with pytest.raises(InputError, match="issues"):
        due_times(0, 10**15, 10**9)
