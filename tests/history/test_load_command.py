"""The commands ``liqmap load`` and ``liqmap coverage``."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import bars
from _helpers.venue_payloads import binance_position_risk, write_json
from liqmap.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, str | bytes], Path]
    Liqmap = Callable[..., "Done"]

pytestmark = pytest.mark.filterwarnings("ignore:Cyclopts application invoked without tokens")

BTC = "binance:BTCUSDT"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def liqmap(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Liqmap:
    def liqmap(*words: object) -> Done:
        monkeypatch.setattr("sys.argv", ["liqmap", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            status = 0 if end.code is None else int(end.code)
        else:
            status = 0
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return liqmap


def test_loading_twice_and_coverage_print_their_results(liqmap: Liqmap, path: Path, write: Write, shared: Path) -> None:
    perp = shared / "data" / "binance_btcusdt_perp_5m_20260525_20260614.csv"
    mine = write("more.csv", bars(3))
    done = liqmap("load", perp, "--db", path, "--instrument", BTC)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].endswith("binance-perp-5m")
    assert lines[1].startswith("  bars binance:BTCUSDT: 5,749 rows 2026-05-25T15:55:00Z … 2026-06-14T14:55:00Z")
    again = liqmap("load", perp, "--db", path, "--instrument", BTC)
    assert again.returncode == 0
    assert "already loaded (load 1); nothing changed" in again.stdout
    coverage = liqmap("coverage", "--db", path)
    assert "open_interest: 5,749 rows" in coverage.stdout
    plain = liqmap("coverage", "--db", path, "--instrument", BTC, "--json")
    assert {s["table"] for s in json.loads(plain.stdout)["spans"]} == {"bars", "open_interest", "funding"}
    clash = liqmap("load", mine, "--db", path, "--instrument", BTC)
    assert clash.returncode == 1
    assert clash.stdout == ""
    assert clash.stderr.count("\n") == 1
    assert f"liqmap: load: {mine}:2: bars" in clash.stderr


def test_invalid_files_end_with_one_line_and_status_1(liqmap: Liqmap, path: Path, write: Write) -> None:
    bad = write("bad.csv", bars(3).replace("70001.0", "inf", 1))
    for words in (
        ("load", bad, "--db", path, "--instrument", BTC),
        ("load", path.with_name("nowhere.csv"), "--db", path, "--instrument", BTC),
        ("load", bad, "--db", path, "--instrument", BTC, "--table", "barz"),
        ("load", bad, "--db", path, "--instrument", BTC, "--mapping", "nowhere.toml"),
        ("coverage", "--db", path.with_name("nowhere.duckdb")),
        ("coverage", "--db", bad),
        ("coverage", "--db", path, "--instrument", BTC),
    ):
        done = liqmap(*words)
        assert done.returncode == 1, words
        assert done.stderr.startswith("liqmap: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stdout == ""
    assert not path.with_name("nowhere.duckdb").exists()


def test_allow_rejects_and_replace_work_from_the_command_line(liqmap: Liqmap, path: Path, write: Write) -> None:
    lines = bars(5).splitlines()
    lines[3] = lines[3].replace("70002.0", "x", 1)
    file = write("b.csv", "\n".join(lines) + "\n")
    done = liqmap("load", file, "--db", path, "--instrument", BTC, "--allow-rejects", 1)
    assert "4 rows" in done.stdout
    assert "1 rejected" in done.stdout
    file.write_text(bars(5))
    assert liqmap("load", file, "--db", path, "--instrument", BTC, "--replace").returncode == 0
    span = json.loads(liqmap("coverage", "--db", path, "--json").stdout)["spans"][0]
    assert (span["rows"], span["missing"], span["first"]) == (5, 0, "2026-06-01T00:00:00Z")


def test_account_and_time_of_venue_json_come_from_options(liqmap: Liqmap, tmp_path: Path) -> None:
    file = write_json(tmp_path, [binance_position_risk()])
    db = tmp_path / "btc.duckdb"
    assert "no account" in liqmap("load", file, "--db", db, "--at", "2026-09-01").stderr
    done = liqmap("load", file, "--db", db, "--account", "desk", "--at", "2026-09-01")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{file}: binance positionRisk",
        "  positions binance:BTCUSDT: 1 rows 2026-09-01T00:00:00Z … 2026-09-01T00:00:00Z",
    ]


def test_the_command_line_does_not_import_pandas(liqmap: Liqmap, write: Write, tmp_path: Path) -> None:
    db = tmp_path / "market.duckdb"
    assert liqmap("load", write("b.csv", bars(3)), "--db", db, "--instrument", BTC).returncode == 0
    program = (
        "import sys\nfrom liqmap.cli import main\ntry:\n    main()\n"
        "finally:\n    print({name.partition('.')[0] for name in sys.modules} & {'duckdb', 'pandas'})\n"
    )
    command = [sys.executable, "-c", program, "coverage", "--db", str(db), "--instrument", BTC]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "{'duckdb'}"
