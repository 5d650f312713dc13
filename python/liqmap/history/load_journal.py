"""What was promised as stored, kept beside the history: DuckDB opens a file whose log was cut or lost without a word.

``<history>.loads`` has one JSON line per committed load. It is written after the commit, so it never promises too much;
a history that holds less than it says has lost data, and is not read as if it were whole.
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
    """Where the loads of a history are written down."""
    return Path(f"{path}.loads")


def append_loads(connection: duckdb.DuckDBPyConnection, path: Path | str) -> None:
    """Write down every load the history holds and the list does not, and flush it to the disk."""
    if str(path) == MEMORY:
        return
    known = {load_id for load_id, _ in _journal_entries(connection, path)}
    history = _history_id(connection)
    held = _stored_loads(connection)
    lines = [
        json.dumps({"history": history, "load_id": load_id, "sha256": sha256})
        for load_id, sha256 in sorted(held.items())
        if load_id not in known
    ]
    if lines:
        with journal_path(path).open("a", encoding="utf-8") as file:
            if file.tell():
                file.write("\n")  # ends a line that a crash may have cut
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


def check_loads(connection: duckdb.DuckDBPyConnection, path: Path | str) -> None:
    """Compare the history with the list.

    Raises:
        StorageError: Loads that were acknowledged are not in the history.
    """
    if str(path) == MEMORY or not journal_path(path).exists():
        return
    with storage_errors(path):
        held = _stored_loads(connection)
        lost = [load_id for load_id, sha256 in _journal_entries(connection, path) if held.get(load_id) != sha256]
    if lost:
        which = f"load {lost[0]}" if len(lost) == 1 else f"{len(lost)} loads ({min(lost)} to {max(lost)})"
        raise StorageError(
            "open",
            str(path),
            f"{which} missing that had been acknowledged",
            "all that was stored",
            f"left as it is; restore it from a snapshot, or delete {journal_path(path).name} "
            "and load those files again",
        )


def _history_id(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("SELECT value FROM meta WHERE key = 'history_id'").fetchone()
    return str(row[0]) if row else ""


def _stored_loads(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    rows = connection.execute("SELECT load_id, sha256 FROM loads ORDER BY load_id").fetchall()
    return {int(load_id): str(sha256) for load_id, sha256 in rows}


def _journal_entries(connection: duckdb.DuckDBPyConnection, path: Path | str) -> list[tuple[int, str]]:
    """The list's entries for this very history; those of another file of the same name are not ours to hold it to."""
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
            continue  # a line cut short by a crash promised nothing
    return entries
