"""The command ``liqmap demo``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import liqmap
from liqmap._base.timestamps import iso
from liqmap.demo.settings import Settings

LIQMAP = [sys.executable, "-c", "from liqmap.cli import main; main()"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LIQMAP, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("demo") / "out"
    done = run("demo", "--out", str(out), "--days", "3", "--seed", "9")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a progress bar without a terminal"
    return out, done.stdout


def test_the_last_line_is_the_path_of_a_page_labelled_simulated(made: tuple[Path, str]) -> None:
    out, printed = made
    page = Path(printed.splitlines()[-1])
    assert page == out / "site" / "index.html"
    assert "SIMULATED" in page.read_text("utf-8")
    assert all("SIMULATED" in p.read_text("utf-8") for p in (out / "site").rglob("*.html"))
    assert printed.startswith("SIMULATED")


def test_the_ledger_of_the_loaded_market_balances_and_equals_the_true_open_interest(made: tuple[Path, str]) -> None:
    out, _ = made
    end = Settings().start + 3 * 86_400_000_000
    with liqmap.open(out / "history.duckdb") as history:
        m = history.map("sim:BTCUSDT", end)
        assert len(history.market_bars("sim:BTCUSDT", until=end)) == 3 * 288
    assert m.provenance.simulated
    assert iso(m.at) == "2025-01-04T00:00:00Z"
    assert m.ledger.error(m.open_interest) < 1e-9
    # Open interest equals the sum of the true positions, to the lot.
    rows = [line.split(",") for line in (out / "truth" / "positions.csv").read_text("utf-8").splitlines()[1:]]
    for side in ("long", "short"):
        assert sum(round(float(row[4]) * 1000) for row in rows if row[3] == side) == round(m.open_interest * 1000)


def test_map_and_report_work_on_the_history_of_the_demo(made: tuple[Path, str]) -> None:
    out, _ = made
    done = run("map", "sim:BTCUSDT", "--db", str(out / "history.duckdb"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["provenance"]["simulated"] is True
    site = out.parent / "again"
    done = run("report", str(out / "report.toml"), "--db", str(out / "history.duckdb"), "--out", str(site))
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in Path(done.stdout.strip()).read_text("utf-8")


def test_a_folder_with_other_content_is_rejected_and_left_unchanged(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("text")
    done = run("demo", "--out", str(foreign), "--days", "1")
    assert done.returncode == 1
    assert done.stderr.startswith(f"liqmap: demo: {foreign}: a folder with other content (expected ")
    assert done.stderr.count("\n") == 1
    assert [p.name for p in foreign.iterdir()] == ["thesis.txt"]
    file = tmp_path / "file"
    file.write_text("x")
    assert "a file (expected a folder)" in run("demo", "--out", str(file), "--days", "1").stderr
    assert run("demo", "--out", str(tmp_path / "new"), "--days", "0").returncode == 1
    assert not (tmp_path / "new").exists(), "rejected before any file is written"


def test_an_earlier_demo_is_replaced(made: tuple[Path, str], tmp_path: Path) -> None:
    earlier = shutil.copytree(made[0], tmp_path / "out")
    assert run("demo", "--out", str(earlier), "--days", "1", "--seed", "2").returncode == 0
    assert [p.name for p in (earlier / "site").glob("20*")] == ["2025-01-02"]
    with liqmap.open(earlier / "history.duckdb") as history:
        assert len(history.market_bars("sim:BTCUSDT", until=Settings().start + 10 * 86_400_000_000)) == 288
