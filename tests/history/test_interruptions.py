"""The history file under killed processes, full disks and locks (faults 52 to 56 and 58)."""

from __future__ import annotations

import json
import random
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import START, bars, count
from _helpers.history_processes import LOADER, bar_files, python
from liqmap._base.errors import StorageError
from liqmap.history import connection, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"


HOLDER = """
import sys
from liqmap.history import open_store
with open_store(sys.argv[1], sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.storm
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_fault_52_a_killed_process_loses_no_committed_load(path: Path, write: Write, kills: int) -> None:
    number = 7 * kills
    made = bar_files(write, number, rows=50)
    rng = random.Random(52)
    acknowledged: set[int] = set()
    for _ in range(kills):
        process = python(LOADER, path, *made)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(rng.randrange(1, 6))]
        time.sleep(rng.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        acknowledged |= {int(n) for n in re.findall(r"\d+", "".join(lines) + rest)}
        with open_store(path, "w") as store:
            loads = {n for (n,) in store._connection.execute("SELECT load_id FROM loads").fetchall()}
            assert acknowledged <= loads
            assert count(store, "bars") == 50 * len(loads)
    python(LOADER, path, *made).communicate()
    with open_store(path) as store:
        assert (count(store, "loads"), count(store, "bars")) == (number, 50 * number)
        assert count(store, "(SELECT DISTINCT instrument, ts FROM bars)") == 50 * number
    assert not list(path.parent.glob(".*.tmp*"))


@pytest.mark.parametrize(
    "content", [b"", b"DUCK", b"\0" * 8 + b"DUCK", b"\0" * 4096, b"SQLite format 3\0" + b"\0" * 100]
)
def test_fault_53_an_incomplete_file_is_reported_and_unchanged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for mode in ("r", "w"):
        with pytest.raises(StorageError) as caught:
            open_store(path, mode)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "file unchanged" in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.storm
def test_fault_53_a_history_is_created_atomically(path: Path, write: Write) -> None:
    makers = [python(LOADER, path, file) for file in bar_files(write, 4, rows=5)]
    for process in makers:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    with open_store(path) as store:
        assert count(store, "bars") == 20
    assert not list(path.parent.glob(".*"))


def test_fault_53_without_hard_links_a_new_history_never_replaces_a_loaded_one(
    path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = bar_files(write, 2, rows=5)

    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    def load_first(draft: Path) -> None:
        # Another writer creates the history and loads a file after this writer has found the path free.
        if draft.name.endswith(".tmp"):
            monkeypatch.setattr(connection, "fsync", fsync)
            with open_store(path, "w") as store:
                store.load(first, instrument=BTC)
        fsync(draft)

    fsync = connection.fsync
    monkeypatch.setattr("os.link", no_links)
    monkeypatch.setattr(connection, "fsync", load_first)
    with open_store(path, "w") as store:
        store.load(second, instrument=BTC)
    with open_store(path) as store:
        assert (count(store, "loads"), count(store, "bars")) == (2, 10)
    assert not list(path.parent.glob(".*"))


LOADER_WITHOUT_LINKS = (
    """
import os
def link(*arguments):
    raise PermissionError(1, "Operation not permitted")
os.link = link
"""
    + LOADER
)


@pytest.mark.storm
def test_fault_53_without_hard_links_several_first_loads_lose_nothing(path: Path, write: Write) -> None:
    makers = [python(LOADER_WITHOUT_LINKS, path, file) for file in bar_files(write, 4, rows=5)]
    for process in makers:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    with open_store(path) as store:
        assert (count(store, "loads"), count(store, "bars")) == (4, 20)
    assert not list(path.parent.glob(".*"))


FULL = """
import resource, sys
from liqmap._base.errors import StorageError
from liqmap.history import open_store
path, *files = sys.argv[1:]
with open_store(path, "w") as store:
    store.load(files[0], instrument="binance:BTCUSDT")
    print("first", flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
    try:
        for file in files[1:]:
            store.load(file, instrument="binance:BTCUSDT")
            print("more", flush=True)
    except StorageError as error:
        print(error, flush=True)
"""


@pytest.mark.storm
@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit to simulate a full disk")
def test_fault_54_a_full_disk_loses_no_committed_load(path: Path, write: Write) -> None:
    made = [write(f"{i}.csv", bars(20_000, start=START - (i + 1) * 1_200_000_000, step=60_000)) for i in range(8)]
    out, errors = python(FULL, path, *made).communicate()
    lines = out.splitlines()
    assert lines[0] == "first", errors
    assert "disk full" in lines[-1], (out, errors)
    assert "bytes free" in lines[-1]
    with open_store(path, "w") as store:
        assert count(store, "loads") >= len(lines) - 1
        assert count(store, "bars") == 20_000 * count(store, "loads")
        for file in made:
            store.load(file, instrument=BTC)
        assert count(store, "bars") == 160_000


@pytest.mark.storm
@pytest.mark.parametrize(("theirs", "ours"), [("w", "r"), ("w", "w"), ("r", "w")])
def test_fault_55_the_error_names_the_process_that_locks_the_file(path: Path, theirs: str, ours: str) -> None:
    open_store(path, "w").close()
    holder = python(HOLDER, path, theirs)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    started = time.monotonic()
    with pytest.raises(StorageError, match=f"PID {holder.pid}"):
        open_store(path, ours, patience=0.3)  # type: ignore[arg-type]
    assert time.monotonic() - started >= 0.3
    holder.communicate("")
    open_store(path, ours, patience=5).close()  # type: ignore[arg-type]


@pytest.mark.storm
def test_fault_55_several_readers_can_open_the_file(path: Path) -> None:
    open_store(path, "w").close()
    holder = python(HOLDER, path, "r")
    assert holder.stdout is not None
    holder.stdout.readline()
    open_store(path, patience=0).close()
    holder.communicate("")


@pytest.mark.storm
def test_fault_55_two_writers_take_turns(path: Path, write: Write) -> None:
    made = bar_files(write, 12, rows=10)
    writers = [python(LOADER, path, *made[i::2], *made[1 - i :: 2]) for i in (0, 1)]
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    with open_store(path) as store:
        assert (count(store, "loads"), count(store, "bars")) == (12, 120)


def test_fault_56_a_second_mode_in_the_same_process_is_an_error(path: Path) -> None:
    with open_store(path, "w"), pytest.raises(StorageError, match="already open in this process"):
        open_store(path, patience=0)


KILLED = """
import os, signal, sys
from liqmap.history import open_store
store = open_store(sys.argv[1], "w")
store._connection.execute("SET checkpoint_threshold = '1GB'")
for file in sys.argv[2:]:
    store.load(file, instrument="binance:BTCUSDT")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.storm
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.6, 0.9])
def test_fault_58_a_truncated_write_ahead_log_is_detected(path: Path, write: Write, keep: float) -> None:
    python(KILLED, path, *bar_files(write, 5)).communicate()
    log = Path(f"{path}.wal")
    content = log.read_bytes()
    log.write_bytes(content[: int(len(content) * keep)])
    if not keep:
        log.unlink()
    for mode in ("r", "w"):
        with pytest.raises(StorageError, match=r"missing although committed") as caught:
            open_store(path, mode)
    assert "history.duckdb.loads" in str(caught.value)
    Path(f"{path}.loads").unlink()
    with open_store(path, "w") as store:
        for file in bar_files(write, 5):
            store.load(file, instrument=BTC)
        assert count(store, "bars") == 1000


@pytest.mark.storm
def test_fault_58_a_complete_write_ahead_log_is_replayed(path: Path, write: Write) -> None:
    python(KILLED, path, *bar_files(write, 3)).communicate()
    assert Path(f"{path}.wal").exists()
    with open_store(path) as store:
        assert count(store, "bars") == 600


def test_fault_58_the_load_journal_survives_truncation(path: Path, write: Write) -> None:
    made = bar_files(write, 2)
    journal = Path(f"{path}.loads")
    with open_store(path, "w") as store:
        store.load(made[0], instrument=BTC)
    with journal.open("a") as file:
        file.write('{"history": "0123456789')
    with open_store(path, "w") as store:
        store.load(made[1], instrument=BTC)
    assert [json.loads(s)["load_id"] for s in journal.read_text().splitlines() if s.endswith("}")] == [1, 2]
    open_store(path).close()
