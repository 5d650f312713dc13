"""The load journal: a list of committed loads in a file next to the history, which reveals lost loads.

DuckDB opens a file whose write-ahead log was truncated or lost without an error. The journal ``<history>.loads`` has
one JSON line per committed load and is written after the commit, so every entry was stored. A history that lacks a load
of its journal has lost data and is not opened.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import StorageError
from liqmap.history.connection import MEMORY, storage_errors

if TYPE_CHECKING:
    import duckdb

__all__ = ["append_loads", "check_loads", "journal_path"]


def journal_path(path: Path | str) -> Path:
    """Return the path of the load journal of a history."""
    return Path(f"{path}.loads")


def append_loads(connection: duckdb.DuckDBPyConnection, path: Path | str) -> None:
    """Append all loads of the history that the journal lacks, and flush the journal to disk."""
    if str(path) == MEMORY:
        return
    known = {load_id for load_id, _ in _journal_entries(connection, path)}
    history = _history_id(connection)
    stored = _stored_loads(connection)
    lines = [
        json.dumps({"history": history, "load_id": load_id, "sha256": sha256})
        for load_id, sha256 in sorted(stored.items())
        if load_id not in known
    ]
    if lines:
        with journal_path(path).open("a", encoding="utf-8") as file:
            if file.tell():
                file.write("\n")  # terminates a line that a crash may have truncated
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


def check_loads(connection: duckdb.DuckDBPyConnection, path: Path | str) -> None:
    """Verify that the history contains all loads of its journal.

    Raises:
        StorageError: The history lacks a load of the journal.
    """
    if str(path) == MEMORY or not journal_path(path).exists():
        return
    with storage_errors(path):
        stored = _stored_loads(connection)
        lost = [load_id for load_id, sha256 in _journal_entries(connection, path) if stored.get(load_id) != sha256]
    if lost:
        which = f"load {lost[0]}" if len(lost) == 1 else f"{len(lost)} loads ({min(lost)} to {max(lost)})"
        raise StorageError(
            "open",
            str(path),
            f"{which} missing although committed",
            "all loads of the load journal",
            f"file unchanged; restore a database snapshot, or delete {journal_path(path).name} and repeat the loads",
        )


def _history_id(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("SELECT value FROM meta WHERE key = 'history_id'").fetchone()
    return str(row[0]) if row else ""


def _stored_loads(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    rows = connection.execute("SELECT load_id, sha256 FROM loads ORDER BY load_id").fetchall()
    return {int(load_id): str(sha256) for load_id, sha256 in rows}


def _journal_entries(connection: duckdb.DuckDBPyConnection, path: Path | str) -> list[tuple[int, str]]:
    """Return the journal entries of this history; entries of another history with the same file name are ignored."""
    ledger = journal_path(path)
    if not ledger.exists():
        return []
    history = _history_id(connection)
    entries = []
    for line in ledger.read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
            if entry["history"] == history:
                entries.append((int(entry["load_id"]), str(entry["sha256"])))
        except (ValueError, KeyError, TypeError):
            continue  # a crash truncated this line before the load was reported as stored
    return entries
