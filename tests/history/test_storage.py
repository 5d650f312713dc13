"""The history file: readers, snapshots, damage, other versions and hostile names (faults 48, 57, 59 to 63, 66, 68)."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from _helpers.history_files import bars, count, fingerprint
from _helpers.history_processes import bar_files, python
from liqmap._base.errors import InputError, NotFoundError, StorageError
from liqmap.history import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"


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
    (file,) = bar_files(write, 1)
    open_store(path, "w").close()
    with open_store(path) as store:
        for change in (lambda: store.load(file, instrument=BTC), lambda: store.snapshot(path.with_name("s.duckdb"))):
            with pytest.raises(StorageError, match="read-only"):
                change()


def test_fault_57_a_snapshot_contains_data_that_a_copied_file_lacks(path: Path, write: Write) -> None:
    with open_store(path, "w") as store:
        store._connection.execute("SET checkpoint_threshold = '1GB'")
        for file in bar_files(write, 2):
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


def test_fault_59_the_schema_has_no_index_and_no_key(store: Store) -> None:
    with store.reading() as connection:
        assert connection.execute("SELECT * FROM duckdb_indexes()").fetchall() == []
        kinds = connection.execute("SELECT DISTINCT constraint_type FROM duckdb_constraints()").fetchall()
    assert {k for (k,) in kinds} == {"NOT NULL", "CHECK"}


def test_fault_61_a_damaged_file_raises_an_error_or_returns_correct_data(path: Path, write: Write) -> None:
    with open_store(path, "w") as store:
        for file in bar_files(write, 2, rows=2000):
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
