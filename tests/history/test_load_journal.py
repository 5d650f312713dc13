"""The load journal: interrupted and failed writes, damaged and foreign journals, histories that vanished (fault 58)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import START, bars, count
from liqmap._base.errors import StorageError
from liqmap.history import load_journal, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"

KILLED_BEFORE_JOURNAL = """
import os, signal, sys
from liqmap.history import load_journal, open_store
load_journal.append_loads = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
store = open_store(sys.argv[1], "w")
store._connection.execute("SET checkpoint_threshold = '1GB'")
store.load(sys.argv[2], instrument="binance:BTCUSDT")
"""

KILLED_AFTER_LOAD = """
import os, signal, sys
from liqmap.history import open_store
store = open_store(sys.argv[1], "w")
store._connection.execute("SET checkpoint_threshold = '1GB'")
for file in sys.argv[2:]:
    print(store.load(file, instrument="binance:BTCUSDT").lines[0], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def journal_of(path: Path) -> Path:
    return Path(f"{path}.loads")


def journal_ids(path: Path) -> list[int]:
    return [entry.load_id for entry in load_journal.read_journal(path)]


def history_with_one_load(path: Path, write: Write) -> Path:
    file = write("first.csv", bars(20))
    with open_store(path, "w") as store:
        store.load(file, instrument=BTC)
    return file


def require_one_line(error: StorageError, *parts: str) -> None:
    line = str(error)
    assert "\n" not in line
    assert line.startswith("liqmap: ")
    for part in parts:
        assert part in line


@pytest.mark.storm
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_fault_58_a_load_killed_before_the_journal_is_listed_when_it_is_repeated(path: Path, write: Write) -> None:
    file = write("first.csv", bars(20))
    assert python(KILLED_BEFORE_JOURNAL, path, file).returncode == -signal.SIGKILL
    assert not journal_of(path).exists()
    repeated = python(KILLED_AFTER_LOAD, path, file)
    assert "already loaded" in repeated.stdout, repeated.stderr
    assert journal_ids(path) == [1]
    Path(f"{path}.wal").unlink()
    for mode in ("r", "w"):
        with pytest.raises(StorageError, match="load 1 missing although committed"):
            open_store(path, mode)


def test_fault_58_a_repeated_load_completes_the_journal(path: Path, write: Write) -> None:
    file = history_with_one_load(path, write)
    journal_of(path).unlink()
    with open_store(path, "w") as store:
        assert store.load(file, instrument=BTC).already
    assert journal_ids(path) == [1]


@pytest.mark.parametrize("repeated", [False, True])
def test_fault_58_a_journal_that_cannot_be_written_is_one_line_after_the_commit(
    path: Path, write: Write, repeated: bool
) -> None:
    file = write("first.csv", bars(20))
    with open_store(path, "w") as store:
        if repeated:
            store.load(file, instrument=BTC)
            journal_of(path).unlink()
        journal_of(path).mkdir()
        with pytest.raises(StorageError) as caught:
            store.load(file, instrument=BTC)
        require_one_line(caught.value, "a directory", "the rows of load 1 are stored", "repeat this load")
        assert count(store, "bars") == 20
        journal_of(path).rmdir()
        assert store.load(file, instrument=BTC).already
    assert journal_ids(path) == [1]


@pytest.mark.parametrize("failing", ["open", "fsync", "lost"])
def test_fault_54_a_full_disk_at_the_journal_is_one_line(
    path: Path, write: Write, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("first.csv", bars(20))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def fail_to_append(file: Path, mode: str = "r", *arguments: object, **options: object) -> object:
        return fail() if "a" in mode else real_open(file, mode, *arguments, **options)  # type: ignore[call-overload]

    real_open = Path.open
    with open_store(path, "w") as store:
        with monkeypatch.context() as patch:
            if failing == "open":
                patch.setattr(Path, "open", fail_to_append)
            elif failing == "fsync":
                patch.setattr(os, "fsync", fail)
            else:
                patch.setattr(load_journal, "_append", lambda *_: None)
            with pytest.raises(StorageError) as caught:
                store.load(file, instrument=BTC)
        expected = "entries are missing" if failing == "lost" else "No space left on device"
        require_one_line(caught.value, "liqmap: load: ", "history.duckdb.loads", expected, "load 1 are stored")
        assert store.load(file, instrument=BTC).already
    assert journal_ids(path) == [1]


@pytest.mark.parametrize("damage", ["bad byte", "flipped bit", "not an entry", "deep nesting", "directory", "pipe"])
def test_fault_58_a_damaged_journal_is_one_line_with_the_remedy(path: Path, write: Write, damage: str) -> None:
    file = history_with_one_load(path, write)
    journal = journal_of(path)
    content = journal.read_bytes()
    if damage == "directory":
        journal.unlink()
        journal.mkdir()
    elif damage == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes")
        journal.unlink()
        os.mkfifo(journal)
    else:
        damaged = {
            "bad byte": content[:30] + b"\xff" + content[31:],
            "flipped bit": content.replace(b'"load_id"', b'"loae_id"'),
            "not an entry": content + b"7\n",
            "deep nesting": content + b"[" * 100_000 + b"\n",
        }
        journal.write_bytes(damaged[damage])
    for mode in ("r", "w"):
        with pytest.raises(StorageError) as caught:
            open_store(path, mode)
        require_one_line(caught.value, "history.duckdb.loads", "history unchanged", "move history.duckdb.loads away")
    journal.rename(path.with_name("moved"))
    with open_store(path, "w") as store:
        assert store.load(file, instrument=BTC).already
    assert journal_ids(path) == [1]


@pytest.mark.storm
@pytest.mark.parametrize("verb", ["load", "coverage", "map", "levels"])
@pytest.mark.parametrize("damage", ["bad byte", "directory"])
def test_fault_58_every_command_reports_a_damaged_journal_in_one_line(
    path: Path, write: Write, verb: str, damage: str
) -> None:
    file = history_with_one_load(path, write)
    journal_of(path).unlink()
    if damage == "directory":
        journal_of(path).mkdir()
    else:
        journal_of(path).write_bytes(b"\xff\n")
    arguments = {
        "load": [file, "--instrument", BTC, "--db", path],
        "coverage": ["--db", path],
        "map": [BTC, "--db", path],
        "levels": [BTC, "--db", path],
    }[verb]
    done = python("from liqmap.cli import main; main()", verb, *arguments)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stderr.count("\n") == 1, done.stderr
    assert "history.duckdb.loads" in done.stderr
    assert "move history.duckdb.loads away" in done.stderr


@pytest.mark.parametrize("kept", range(1, 130, 8))
def test_fault_58_an_entry_that_a_crash_truncated_is_no_damage(path: Path, write: Write, kept: int) -> None:
    history_with_one_load(path, write)
    journal = journal_of(path)
    line = journal.read_bytes()
    journal.write_bytes(line + line.replace(b'"load_id": 1', b'"load_id": 2')[:kept])
    second = write("second.csv", bars(20, start=START + 20 * 300_000))
    with open_store(path, "w") as store:
        store.load(second, instrument=BTC)
    assert journal_ids(path) == [1, 2]
    open_store(path).close()


def test_fault_58_a_deleted_history_beside_its_journal_is_not_replaced_by_an_empty_one(
    path: Path, write: Write
) -> None:
    file = history_with_one_load(path, write)
    path.unlink()
    for mode in ("r", "w"):
        with pytest.raises(StorageError) as caught:
            open_store(path, mode)
        require_one_line(
            caught.value, "lists 1 load", "nothing created", "database snapshot", "delete history.duckdb.loads"
        )
    assert not path.exists()
    journal_of(path).unlink()
    with open_store(path, "w") as store:
        store.load(file, instrument=BTC)
    assert journal_ids(path) == [1]


def test_fault_58_an_empty_journal_does_not_prevent_a_new_history(path: Path) -> None:
    journal_of(path).write_bytes(b"\n")
    open_store(path, "w").close()


def test_fault_58_a_journal_of_another_history_is_an_error(path: Path, write: Write) -> None:
    history_with_one_load(path, write)
    other = path.with_name("other.duckdb")
    second = write("second.csv", bars(20, start=START + 20 * 300_000))
    with open_store(other, "w") as store:
        store.load(second, instrument=BTC)
    foreign = json.loads(journal_of(other).read_text())["history"]
    with journal_of(path).open("a") as file:
        file.write(journal_of(other).read_text())
    for mode in ("r", "w"):
        with pytest.raises(StorageError) as caught:
            open_store(path, mode)
        require_one_line(caught.value, "1 of 2 loads for another history", foreign, "move history.duckdb.loads away")
    other.replace(path)
    with pytest.raises(StorageError, match="another history"):
        open_store(path)
