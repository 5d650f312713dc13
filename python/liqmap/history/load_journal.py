"""The load journal: a list of committed loads in a file next to the history, which reveals lost loads.

DuckDB opens a file whose write-ahead log was truncated or lost without an error. The journal ``<history>.loads`` has
one JSON line per committed load and is written after the commit, so every entry was stored. A history that lacks a load
of its journal has lost data and is not opened. The journal belongs to one history, which its entries name by id.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import StorageError
from liqmap.history.connection import MEMORY, fsync, storage_errors

if TYPE_CHECKING:
    import duckdb

__all__ = ["JournalEntry", "append_loads", "check_loads", "journal_path", "read_journal", "require_no_journal"]

_HEX = re.compile("[0-9a-f]")
_LOAD_ID = re.compile(r'(?<="load_id": )\d+')


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One committed load.

    Attributes:
        history: Id of the history (table ``meta``, key ``history_id``).
        load_id: Id in the table ``loads``.
        sha256: SHA-256 of the loaded file.
    """

    history: str
    load_id: int
    sha256: str

    @property
    def line(self) -> str:
        """The entry as a line of the journal, without the newline."""
        return json.dumps({"history": self.history, "load_id": self.load_id, "sha256": self.sha256})


def journal_path(path: Path | str) -> Path:
    """Return the path of the load journal of a history."""
    return Path(f"{path}.loads")


def read_journal(path: Path | str) -> tuple[JournalEntry, ...]:
    """Return the entries of the load journal of a history; none if the journal is missing.

    A line that is the beginning of an entry is ignored: a crash truncated it before the load was reported as stored.

    Raises:
        StorageError: The journal is not a readable file, or a line is damaged.
    """
    entries = []
    for number, line in enumerate(_read_bytes(path).split(b"\n"), 1):
        if line.strip() and (entry := _parse_line(path, number, line)) is not None:
            entries.append(entry)
    return tuple(entries)


def _read_bytes(path: Path | str) -> bytes:
    journal = journal_path(path)
    if not journal.exists():
        return b""
    # A pipe or a device would block, or would never end.
    if not journal.is_file():
        kind = "a directory" if journal.is_dir() else "not a regular file"
        raise _journal_error(path, kind, "the load journal, a text file")
    try:
        return journal.read_bytes()
    except OSError as error:
        raise _journal_error(path, error.strerror or str(error), "a readable load journal") from None


def _parse_line(path: Path | str, number: int, line: bytes) -> JournalEntry | None:
    try:
        text = line.decode("utf-8").strip()
        if _is_truncated(text):
            return None
        plain = json.loads(text)
        entry = JournalEntry(str(plain["history"]), int(plain["load_id"]), str(plain["sha256"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _journal_error(path, "a damaged line", "one JSON object per committed load", row=number) from None
    return entry


def _is_truncated(text: str) -> bool:
    """Return whether a line is the beginning of an entry, cut off before its end."""
    whole = JournalEntry("0" * 32, 0, "0" * 64).line
    start = _HEX.sub("0", _LOAD_ID.sub("0", text))
    return len(start) < len(whole) and _HEX.sub("0", whole).startswith(start)


def _journal_error(path: Path | str, found: str, expected: str, *, row: int | None = None) -> StorageError:
    name = journal_path(path).name
    done = (
        f"history unchanged; restore the journal from a backup, or move {name} away: "
        "the next load writes a new journal, and losses before it are not detected"
    )
    return StorageError("open", str(journal_path(path)), found, expected, done, row=row)


def require_no_journal(path: Path | str) -> None:
    """Require that a missing history has no load journal, before a new history is created at its path.

    Raises:
        StorageError: The history is missing and its load journal is not empty.
    """
    if str(path) == MEMORY or Path(path).exists() or not _read_bytes(path).strip():
        return
    loads = len(read_journal(path))
    # Another process may have created the history and loaded a file since the first look.
    if Path(path).exists():
        return
    journal = journal_path(path)
    raise StorageError(
        "open",
        str(path),
        f"no such file, although its load journal {journal.name} lists {loads} {'load' if loads == 1 else 'loads'}",
        "the history that belongs to the journal",
        f"nothing created; restore the history or a database snapshot, or delete {journal.name} to start a new history",
    )


def append_loads(connection: duckdb.DuckDBPyConnection, path: Path | str, load_id: int) -> None:
    """Append all loads of the history that the journal lacks, flush the journal to disk, and verify it.

    Args:
        connection: Connection to the history.
        path: The history.
        load_id: The committed load that is about to be reported as stored.

    Raises:
        StorageError: The journal cannot be written; the message states that the load is stored.
    """
    if str(path) == MEMORY:
        return
    history = _history_id(connection)
    stored = [JournalEntry(history, key, sha256) for key, sha256 in _stored_loads(connection).items()]
    try:
        if missing := _unlisted(path, stored):
            _append(path, missing)
            missing = _unlisted(path, missing)
        found = "entries are missing after they were written" if missing else None
    except OSError as error:
        found = error.found if isinstance(error, StorageError) else error.strerror or str(error)
    if found is not None:
        raise StorageError(
            "load",
            str(journal_path(path)),
            found,
            "a writable load journal",
            f"the rows of load {load_id} are stored in the history, but a later loss of them would not be detected; "
            "repair or move the journal, then repeat this load: it stores no row twice and completes the journal",
        )


def _unlisted(path: Path | str, stored: list[JournalEntry]) -> list[JournalEntry]:
    listed = set(read_journal(path))
    return [entry for entry in stored if entry not in listed]


def _append(path: Path | str, entries: list[JournalEntry]) -> None:
    journal = journal_path(path)
    content = _read_bytes(path)
    is_new = not journal.exists()
    # The first newline terminates a line that a crash truncated.
    start = "\n" if content and not content.endswith(b"\n") else ""
    with journal.open("ab") as file:
        file.write((start + "".join(f"{entry.line}\n" for entry in entries)).encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        fsync(journal.absolute().parent)


def check_loads(connection: duckdb.DuckDBPyConnection, path: Path | str) -> None:
    """Verify that the history contains all loads of its journal.

    Raises:
        StorageError: The history lacks a load of the journal, or the journal is damaged or belongs to another history.
    """
    if str(path) == MEMORY:
        return
    entries = read_journal(path)
    if not entries:
        return
    with storage_errors(path):
        history = _history_id(connection)
        stored = _stored_loads(connection)
    name = journal_path(path).name
    if foreign := [entry for entry in entries if entry.history != history]:
        raise StorageError(
            "open",
            str(path),
            f"the load journal {name} lists {len(foreign)} of {len(entries)} loads for another history "
            f"(id {foreign[0].history}; this one has id {history})",
            "a load journal of this history only",
            f"file unchanged; restore the history that belongs to the journal, or move {name} away to use this one",
        )
    lost = [entry.load_id for entry in entries if stored.get(entry.load_id) != entry.sha256]
    if lost:
        which = f"load {lost[0]}" if len(lost) == 1 else f"{len(lost)} loads ({min(lost)} to {max(lost)})"
        raise StorageError(
            "open",
            str(path),
            f"{which} missing although committed",
            "all loads of the load journal",
            f"file unchanged; restore a database snapshot, or delete {name} and repeat the loads",
        )


def _history_id(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("SELECT value FROM meta WHERE key = 'history_id'").fetchone()
    return str(row[0]) if row else ""


def _stored_loads(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    rows = connection.execute("SELECT load_id, sha256 FROM loads ORDER BY load_id").fetchall()
    return {int(load_id): str(sha256) for load_id, sha256 in rows}
