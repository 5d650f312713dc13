"""The history file under killed processes, full disks, locks, damage and other versions (faults 52 to 63, 66, 68)."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from _helpers.history_files import START, bars, count, fingerprint
from liqmap._base.errors import InputError, NotFoundError, StorageError
from liqmap.history import Store, connection, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"

LOADER = """
import sys
from liqmap.history import open_store
for file in sys.argv[2:]:
    with open_store(sys.argv[1], "w", patience=60) as store:
        print(store.load(file, instrument="binance:BTCUSDT").load_id, flush=True)
"""

HOLDER = """
import sys
from liqmap.history import open_store
with open_store(sys.argv[1], sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def files(write: Write, number: int, rows: int = 200) -> list[Path]:
    return [write(f"{i}.csv", bars(rows, start=START + i * rows * 300_000)) for i in range(number)]


def test_a_reader_never_creates_a_file(path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        open_store(path)
    assert not path.exists()
    with pytest.raises(StorageError, match="no folder"):
        open_store(path / "deeper.duckdb", "w")
    with pytest.raises(StorageError, match="a directory"):
        open_store(path.parent, "w")
    with pytest.raises(StorageError, match="memory"):
        open_store(":memory:")


def test_a_reader_changes_nothing(path: Path, write: Write) -> None:
    (file,) = files(write, 1)
    open_store(path, "w").close()
    with open_store(path) as store:
        for change in (lambda: store.load(file, instrument=BTC), lambda: store.snapshot(path.with_name("s.duckdb"))):
            with pytest.raises(StorageError, match="read-only"):
                change()


@pytest.mark.storm
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_fault_52_a_killed_process_loses_no_committed_load(path: Path, write: Write, kills: int) -> None:
    number = 7 * kills
    made = files(write, number, rows=50)
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
    makers = [python(LOADER, path, file) for file in files(write, 4, rows=5)]
    for process in makers:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    with open_store(path) as store:
        assert count(store, "bars") == 20
    assert not list(path.parent.glob(".*"))


def test_fault_53_without_hard_links_a_new_history_never_replaces_a_loaded_one(
    path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = files(write, 2, rows=5)

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
    makers = [python(LOADER_WITHOUT_LINKS, path, file) for file in files(write, 4, rows=5)]
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
    made = files(write, 12, rows=10)
    writers = [python(LOADER, path, *made[i::2], *made[1 - i :: 2]) for i in (0, 1)]
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    with open_store(path) as store:
        assert (count(store, "loads"), count(store, "bars")) == (12, 120)


def test_fault_56_a_second_mode_in_the_same_process_is_an_error(path: Path) -> None:
    with open_store(path, "w"), pytest.raises(StorageError, match="already open in this process"):
        open_store(path, patience=0)


def test_fault_57_a_snapshot_contains_data_that_a_copied_file_lacks(path: Path, write: Write) -> None:
    with open_store(path, "w") as store:
        store._connection.execute("SET checkpoint_threshold = '1GB'")
        for file in files(write, 2):
            store.load(file, instrument=BTC)
        copied, target = path.with_name("copied.duckdb"), path.with_name("snapshot.duckdb")
        shutil.copyfile(path, copied)
        store.snapshot(target)
        store.snapshot(target)
        with pytest.raises(StorageError, match="the history itself"):
            store.snapshot(path)
        before = fingerprint(store)
        assert len(store.instruments()) == 1
    with open_store(target) as store:
        assert fingerprint(store) == before
        assert count(store, "loads") == 2
    with open_store(copied) as store:
        assert count(store, "loads") == 0
    assert {p.suffix for p in path.parent.iterdir() if "snapshot" in p.name} == {".duckdb"}


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
    python(KILLED, path, *files(write, 5)).communicate()
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
        for file in files(write, 5):
            store.load(file, instrument=BTC)
        assert count(store, "bars") == 1000


@pytest.mark.storm
def test_fault_58_a_complete_write_ahead_log_is_replayed(path: Path, write: Write) -> None:
    python(KILLED, path, *files(write, 3)).communicate()
    assert Path(f"{path}.wal").exists()
    with open_store(path) as store:
        assert count(store, "bars") == 600


def test_fault_58_the_load_journal_survives_truncation(path: Path, write: Write) -> None:
    made = files(write, 2)
    journal = Path(f"{path}.loads")
    with open_store(path, "w") as store:
        store.load(made[0], instrument=BTC)
    with journal.open("a") as file:
        file.write('{"history": "0123456789')
    with open_store(path, "w") as store:
        store.load(made[1], instrument=BTC)
    assert [json.loads(s)["load_id"] for s in journal.read_text().splitlines() if s.endswith("}")] == [1, 2]
    open_store(path).close()


def test_fault_59_the_schema_has_no_index_and_no_key(store: Store) -> None:
    with store.reading() as connection:
        assert connection.execute("SELECT * FROM duckdb_indexes()").fetchall() == []
        kinds = connection.execute("SELECT DISTINCT constraint_type FROM duckdb_constraints()").fetchall()
    assert {k for (k,) in kinds} == {"NOT NULL", "CHECK"}


def test_fault_61_a_damaged_file_raises_an_error_or_returns_correct_data(path: Path, write: Write) -> None:
    with open_store(path, "w") as store:
        for file in files(write, 2, rows=2000):
            store.load(file, instrument=BTC)
        truth = fingerprint(store)
    content = path.read_bytes()
    rng = random.Random(61)
    refused = []
    for _ in range(25):
        at = rng.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :])
        try:
            with open_store(path) as store:
                seen = fingerprint(store)
        except StorageError as error:
            refused.append(str(error))
        else:
            assert seen == truth, at
    assert refused
    assert not any("\n" in line for line in refused)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(StorageError, match=r"snapshot|not a DuckDB file"), open_store(path) as store:
        fingerprint(store)


def test_fault_62_other_schema_versions_and_foreign_files_are_not_opened(path: Path) -> None:
    with open_store(path, "w") as store, store.transaction() as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
        connection.execute("UPDATE meta SET value = '7.1.0' WHERE key = 'liqmap_version'")
    with pytest.raises(StorageError, match=r"schema 99, written by liqmap 7\.1\.0.*upgrade liqmap"):
        open_store(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    with pytest.raises(StorageError, match=r"schema 1, .*load its files into a new history"):
        open_store(path)
    foreign = path.with_name("foreign.duckdb")
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("CREATE TABLE mine (x INTEGER)")
    for mode in ("r", "w"):
        with pytest.raises(StorageError, match="without liqmap's tables"):
            open_store(foreign, mode)


def test_fault_62_the_storage_version_is_fixed(path: Path) -> None:
    with open_store(path, "w") as store, store.reading() as connection:
        rows = connection.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert "v1.5.0" in str(rows)


def test_fault_63_a_failed_statement_stores_nothing(path: Path) -> None:
    with open_store(path, "w") as store:
        with pytest.raises(StorageError), store.transaction() as connection:
            connection.execute("INSERT INTO funding VALUES ('x:Y', 1, 0.1, 8, NULL)")
            connection.execute("SELECT nonsense")
        with pytest.raises(ZeroDivisionError), store.transaction() as connection:
            connection.execute("INSERT INTO funding VALUES ('x:Y', 1, 0.1, 8, NULL)")
            raise ZeroDivisionError
        # A failure that is caught inside the block still ends the transaction, and COMMIT would raise no error.
        with pytest.raises(StorageError), store.transaction() as connection:
            connection.execute("INSERT INTO funding VALUES ('x:Y', 1, 0.1, 8, NULL)")
            with pytest.raises(duckdb.Error):
                connection.execute("INSERT INTO funding VALUES ('x:Y', 1, 5, 8, NULL)")
        assert count(store, "funding") == 0
        with store.transaction() as connection:
            connection.execute("INSERT INTO funding VALUES ('x:Y', 1, 0.1, 8, NULL)")
    with open_store(path) as store:
        assert count(store, "funding") == 1


@pytest.mark.parametrize("value", ["'nan'", "'inf'", "-1", "0"])
def test_fault_48_the_schema_rejects_invalid_prices(store: Store, value: str) -> None:
    with pytest.raises(StorageError, match="CHECK"), store.transaction() as connection:
        connection.execute(f"INSERT INTO bars VALUES ('x:Y', 1, 60, {value}, 1, 1, 1, 1, 1, 1, 'last', NULL)")
    assert count(store, "bars") == 0


NOTEBOOK = """
import sys, types
sys.modules["ipywidgets"] = None if sys.argv[2] == "without ipywidgets" else types.ModuleType("ipywidgets")
class Kernel:
    config = {"IPKernelApp": {}}
ipython = types.ModuleType("IPython")
ipython.get_ipython = Kernel
sys.modules["IPython"] = ipython
import liqmap
for mode in ("w", "r"):
    with liqmap.open(sys.argv[1], mode) as history, history.reading() as connection:
        print(connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()[0], flush=True)
with liqmap.open(":memory:", "w") as history:
    history.instruments()
"""


@pytest.mark.parametrize("package", ["without ipywidgets", "with ipywidgets"])
def test_issue_14_a_notebook_opens_a_history_without_a_progress_bar(path: Path, package: str) -> None:
    # The kernel is simulated: DuckDB takes an interpreter with these modules for a notebook.
    done = python(NOTEBOOK, path, package)
    out, errors = done.communicate()
    assert (done.returncode, out) == (0, "False\nFalse\n"), errors


def test_fault_66_no_column_needs_a_time_zone(store: Store) -> None:
    with store.reading() as connection:
        kinds = connection.execute("SELECT DISTINCT data_type FROM duckdb_columns() WHERE NOT internal").fetchall()
    assert {k for (k,) in kinds} == {"VARCHAR", "BIGINT", "INTEGER", "DOUBLE"}


def test_fault_68_a_reader_has_access_to_its_own_file_only(path: Path, write: Write) -> None:
    secret = write("secret.csv", "a\n1\n")
    with open_store(path, "w"):
        pass
    frame = {"a": [1]}
    assert frame
    with open_store(path) as store:
        for query in (
            f"SELECT * FROM read_csv('{secret}')",
            f"COPY meta TO '{secret}'",
            f"ATTACH '{path.with_name('other.duckdb')}'",
            "SET enable_external_access = true",
            "SELECT * FROM frame",
            "INSTALL httpfs",
        ):
            with pytest.raises(StorageError), store.reading() as connection:
                connection.execute(query).fetchall()
    assert secret.read_text() == "a\n1\n"


def test_fault_68_hostile_names_are_never_executed(path: Path) -> None:
    with open_store(path, "w") as store:
        for name in ("x'; DROP TABLE bars; --", 'x"; --', "x:\0", ""):
            with pytest.raises(NotFoundError):
                store.market_bars(name)
            with pytest.raises(NotFoundError):
                store.coverage(name)
        assert count(store, "bars") == 0


def test_an_invalid_file_leaves_the_history_unchanged(path: Path, write: Write) -> None:
    good, bad = write("good.csv", bars(100)), write("bad.csv", bars(100, price=1.0).replace("6.0", "nan"))
    with open_store(path, "w") as store:
        store.load(good, instrument=BTC)
    with open_store(path) as store:
        before = fingerprint(store)
    with open_store(path, "w") as store, pytest.raises(InputError):
        store.load(bad, instrument=BTC)
    with open_store(path) as store:
        assert fingerprint(store) == before
        assert count(store, "loads") == 1
