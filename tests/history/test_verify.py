"""``liqmap verify``: it accepts every history that liqmap writes and names each disagreement (faults 58 and 60)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from _helpers.history_files import START, bars
from liqmap._base.provenance import digest
from liqmap.history import open_store
from liqmap.history.registry.calibrations import record_calibration

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"


def verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from liqmap.cli import main; main()", "verify", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def history(path: Path, write: Write) -> Path:
    """Three loads, the third of which replaces rows of the second; one calibration and one map."""
    provenance = {"inputs": {"bars": {"rows": 25}}, "parameters": {"share": 0.25}}
    map_row = ["m" * 64, BTC, 2, 1, 70_000.0, 5.0, 0.1, 0, 1, 10]
    with open_store(path, "w") as store:
        store.load(write("a.csv", bars(5)), instrument=BTC)
        store.load(write("b.csv", bars(10, start=START + 86_400_000)), instrument=BTC)
        store.load(write("c.csv", bars(3, start=START + 86_400_000, price=71_000.0)), instrument=BTC, replace=True)
        record_calibration(
            store, BTC, {"shares": [0.1, 0.9]}, issued_at=2, data_cutoff=1, interval_s=300, price_source="last"
        )
        with store.transaction() as connection:
            connection.execute(
                f"INSERT INTO maps VALUES ({', '.join('?' * 13)})",
                [
                    *map_row,
                    digest(provenance["parameters"]),  # type: ignore[arg-type]
                    digest(provenance["inputs"]),  # type: ignore[arg-type]
                    json.dumps(provenance),
                ],
            )
            connection.execute("INSERT INTO map_bins VALUES (?, 'long', 10, 9, 5000)", ["m" * 64])
    return path


def test_fault_60_a_consistent_history_is_verified(history: Path) -> None:
    done = verify("--db", history)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "consistent: 3 loads, 15 rows, 1 maps, 1 calibrations\n"
    done = verify("--db", history, "--json")
    assert json.loads(done.stdout) == {
        "consistent": True,
        "loads": 3,
        "rows": 15,
        "maps": 1,
        "calibrations": 1,
        "problems": [],
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("DELETE FROM bars WHERE load_id = 1 AND low < 69996", "a.csv): 4 rows stored, 5 recorded"),
        ("INSERT INTO bars SELECT * FROM bars WHERE load_id = 3", "c.csv): 6 rows stored, 3 recorded"),
        ("UPDATE bars SET load_id = 9 WHERE load_id = 3", "load 9: 3 rows stored, but the load is not recorded"),
        ("INSERT INTO loads SELECT * FROM loads WHERE load_id = 2", "load 2 is recorded 2 times"),
        ("UPDATE calibrations SET parameters = '{\"shares\":[0.2,0.8]}'", "differs from its content hash"),
        ("UPDATE calibrations SET parameters = '['", "differs from its content hash"),
        ("UPDATE maps SET provenance = replace(provenance, '0.25', '0.26')", "hash of its parameters differs"),
        ("UPDATE maps SET inputs_hash = 'x'", "hash of its inputs differs"),
        ("UPDATE map_bins SET bin = 10", "1 levels outside its 10 bins"),
        ("UPDATE map_bins SET map_id = 'other'", "map other: 1 bins stored, but the map is not recorded"),
    ],
)
def test_fault_60_a_change_of_the_history_is_named(history: Path, change: str, problem: str) -> None:
    with duckdb.connect(str(history)) as connection:
        connection.execute(change)
    done = verify("--db", history)
    assert (done.returncode, done.stderr) == (1, "")
    assert problem in done.stdout
    done = verify("--db", history, "--json")
    plain = json.loads(done.stdout)
    assert (done.returncode, plain["consistent"]) == (1, False)
    assert any(problem in found for found in plain["problems"])


def test_fault_58_a_load_without_journal_entry_is_named(history: Path) -> None:
    journal = Path(f"{history}.loads")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-1]))
    done = verify("--db", history)
    assert done.returncode == 1
    assert done.stdout.startswith("load 3 (")
    assert done.stdout.endswith("c.csv) is not in the load journal; repeat the load to add it\n")


def test_fault_58_a_journal_entry_without_load_is_one_line(history: Path) -> None:
    with duckdb.connect(str(history)) as connection:
        connection.execute("DELETE FROM loads WHERE load_id = 2")
    done = verify("--db", history)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "load 2 missing although committed" in done.stderr
