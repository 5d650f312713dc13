"""Opens and creates the history file: readers never create it, writers create it atomically."""

from __future__ import annotations

import os
import random
import re
import shutil
import time
import uuid
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import duckdb

from liqmap._base.errors import LiqmapError, StorageError
from liqmap.history.resource_limits import MAX_TEMP_SIZE, MEMORY_LIMIT, limit_settings, max_temp_size

if TYPE_CHECKING:
    from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = [
    "MEMORY",
    "SCHEMA_VERSION",
    "STORAGE_VERSION",
    "Mode",
    "fsync",
    "open_connection",
    "storage_errors",
    "translate_error",
]

Mode: TypeAlias = Literal["r", "w"]

SCHEMA_VERSION = 2
MEMORY = ":memory:"
STORAGE_VERSION = "v1.5.0"
_MAGIC = b"DUCK"
_MAGIC_OFFSET = 8
_LOCK_MESSAGE = "Could not set lock"
_PID = re.compile(r"PID (\d+)")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
_CREATION_PATIENCE = 10.0
_DISK_MARGIN_BYTES = 64 * 1024 * 1024


def open_connection(path: Path | str, mode: Mode, *, patience: float) -> duckdb.DuckDBPyConnection:
    """Open the history file.

    Args:
        path: The file, or ``:memory:`` (mode ``w`` only).
        mode: ``r`` opens an existing file without access to other files; ``w`` creates a missing file.
        patience: Seconds to wait while another process locks the file.

    Raises:
        StorageError: The file is missing, locked, damaged, not a liqmap history, or of another schema version.
    """
    if str(path) == MEMORY:
        return _open_in_memory(mode)
    path = Path(path)
    if mode == "w" and not path.exists():
        _create(path)
    _require_history_file(path)
    connection = _connect_with_retry(path, mode, patience)
    try:
        with storage_errors(path):
            _configure(connection, mode)
            _check_meta(connection, path)
            if mode == "r":
                connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_in_memory(mode: Mode) -> duckdb.DuckDBPyConnection:
    if mode != "w":
        raise StorageError("open", MEMORY, "nothing to read", 'mode "w" for a history in memory', "stopped")
    connection = duckdb.connect(MEMORY, config=_settings(MEMORY, "w"))
    _configure(connection, mode)
    _create_schema(connection)
    return connection


def _configure(connection: duckdb.DuckDBPyConnection, mode: Mode) -> None:
    if mode == "w":
        connection.execute(f"SET max_temp_directory_size = '{max_temp_size()}'")
    # DuckDB underestimates the rows of a filtered side and then uses a nested-loop join: the check of 17,000 rows of
    # open interest took 20 s instead of 0.3 s.
    connection.execute("SET asof_loop_join_threshold = 0")
    # A progress bar would corrupt JSON on standard output. In a notebook without ipywidgets it is already disabled, and
    # DuckDB then refuses every change of the setting.
    enabled = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()
    if enabled[0][0]:
        connection.execute("SET enable_progress_bar = false")


def _settings(path: Path | str, mode: Mode) -> dict[str, str | bool | int | float | list[str]]:
    # A reader has access to its own file only, and Python variables cannot be queried as tables.
    settings: dict[str, str | bool | int | float | list[str]] = {"python_enable_replacements": False}
    if mode == "r":
        settings["enable_external_access"] = False
    else:
        settings.update(limit_settings(None if str(path) == MEMORY else Path(path)))
    return settings


def _require_history_file(path: Path) -> None:
    where = str(path)
    if not path.exists():
        raise StorageError("open", where, "no such file", "a liqmap history; `liqmap load` creates one", "stopped")
    if path.is_dir():
        raise StorageError("open", where, "a directory", "a liqmap history file", "stopped")
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_OFFSET + len(_MAGIC))
    except OSError as error:
        raise StorageError("open", where, error.strerror or str(error), "a readable file", "stopped") from None
    if not head:
        raise StorageError(
            "open", where, "an empty file", "a liqmap history", "file unchanged; delete it to start over"
        )
    if head[_MAGIC_OFFSET:] != _MAGIC:
        raise StorageError("open", where, "not a DuckDB file", "a liqmap history", "file unchanged")


def _connect_with_retry(path: Path, mode: Mode, patience: float) -> duckdb.DuckDBPyConnection:
    """Connect; retry with random delays while another process locks the file."""
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        try:
            return duckdb.connect(str(path), read_only=mode == "r", config=_settings(path, mode))
        except duckdb.Error as error:
            if _LOCK_MESSAGE not in str(error) or time.monotonic() >= deadline:
                raise translate_error(error, path) from None
        time.sleep(random.uniform(0, pause))  # noqa: S311 - randomness only spreads the attempts of several processes
        pause = min(2 * pause, _LONGEST_PAUSE)


def _create(path: Path) -> None:
    """Create a history under a temporary name and link it to its path, so that no incomplete file is ever visible."""
    folder = path.parent
    if not folder.is_dir():
        raise StorageError("open", str(path), f"no folder {folder}", "an existing folder", "nothing created")
    draft = folder / f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        with storage_errors(path), duckdb.connect(MEMORY) as connection:
            name = str(draft).replace("'", "''")
            connection.execute(f"ATTACH '{name}' AS history (STORAGE_VERSION '{STORAGE_VERSION}')")
            connection.execute("USE history")
            _create_schema(connection)
            connection.execute("CHECKPOINT history")
            connection.execute("USE memory")
            connection.execute("DETACH history")
        fsync(draft)
        _link_into_place(draft, path)
        fsync(folder)
    except OSError as error:
        if isinstance(error, LiqmapError):
            raise
        raise StorageError(
            "open", str(path), error.strerror or str(error), "a writable folder", "nothing created"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
        Path(f"{draft}.wal").unlink(missing_ok=True)


def _link_into_place(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # Another writer created an equivalent file first.
    except OSError:
        _rename_into_place(draft, path)  # a file system without hard links


def _rename_into_place(draft: Path, path: Path) -> None:
    """Rename a new history to its path unless another writer created a history there first.

    A rename replaces an existing file, and with it the loads that another process has committed to it. A lock on the
    folder therefore admits one creator at a time; the operating system releases it when the process ends.
    """
    if os.name == "nt":
        with suppress(FileExistsError):
            draft.rename(path)  # on Windows, a rename never replaces a file
        return
    with _locked_folder(path.parent):
        if not path.exists():
            draft.replace(path)


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    import fcntl  # noqa: PLC0415 - not available on Windows

    handle = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + _CREATION_PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(_FIRST_PAUSE)
        yield
    finally:
        os.close(handle)


def fsync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _create_schema(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(resources.files(__package__).joinpath("schema.sql").read_text("utf-8"))
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [
            ("schema_version", str(SCHEMA_VERSION)),
            ("liqmap_version", metadata.version("liqmap")),
            ("history_id", uuid.uuid4().hex),
        ],
    )


def _check_meta(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    found = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'meta'").fetchone()
    rows = connection.execute("SELECT key, value FROM meta").fetchall() if found else []
    meta = {str(k): str(v) for k, v in rows}
    version = meta.get("schema_version", "")
    if not version.isdigit():
        raise StorageError(
            "open", str(path), "a DuckDB file without liqmap's tables", "a liqmap history", "file unchanged"
        )
    if int(version) != SCHEMA_VERSION:
        writer = meta.get("liqmap_version", "another liqmap")
        advice = "upgrade liqmap" if int(version) > SCHEMA_VERSION else "load its files into a new history"
        found_text = f"schema {version}, written by liqmap {writer}"
        raise StorageError("open", str(path), found_text, f"schema {SCHEMA_VERSION}", f"file unchanged; {advice}")


@contextmanager
def storage_errors(path: Path | str, stage: str = "open") -> Iterator[None]:
    """Convert errors of DuckDB to :class:`StorageError`."""
    try:
        yield
    except duckdb.Error as error:
        raise translate_error(error, path, stage) from error


def translate_error(error: duckdb.Error, path: Path | str, stage: str = "open") -> StorageError:
    """Return the :class:`StorageError` for an error of DuckDB about the history file."""
    text = str(error).strip()
    first = text.splitlines()[0] if text else type(error).__name__

    def has(*fragments: str) -> bool:
        return any(fragment in text for fragment in fragments)

    found, expected, done = first, "a liqmap history", "file unchanged"
    if _LOCK_MESSAGE in text and (holder := _PID.search(text)):
        found, expected = f"locked by another process (PID {holder[1]})", "one writer, or readers only"
        done = "timed out; nothing changed"
    elif has("different configuration", "file handle conflict"):
        found, expected = "already open in this process in another mode", "one mode at a time"
        done = "stopped; close the other connection first"
    elif has("No space left", "File too large", "not enough space", "Disk quota"):
        free = 0 if str(path) == MEMORY else shutil.disk_usage(Path(path).absolute().parent).free
        stage, found = "write", f"disk full ({free:,} bytes free)"
        expected, done = "free disk space", "nothing of this load stored, all earlier loads kept"
    elif isinstance(error, duckdb.OutOfMemoryException):
        stage = "write"
        expected = f"more memory or temporary disk space; {MEMORY_LIMIT} and {MAX_TEMP_SIZE} set the limits"
        done = "nothing of this load stored"
    elif has("WAL", "orrupt", "checksum", "Could not read enough bytes"):
        expected, done = "an undamaged history", "file unchanged; restore a database snapshot"
    elif has("version number", "older version", "newer version"):
        expected, done = "a file of a supported DuckDB version", "file unchanged; upgrade duckdb"
    return StorageError(stage, str(path), found, expected, done)


def require_disk_space(path: Path | str, incoming: int) -> None:
    """Require free disk space for a load: the incoming bytes, twice the write-ahead log, and a margin.

    Raises:
        StorageError: The free space is insufficient.
    """
    if str(path) == MEMORY:
        return
    path = Path(path)
    log = Path(f"{path}.wal")
    needed = incoming + 2 * (log.stat().st_size if log.exists() else 0) + _DISK_MARGIN_BYTES
    free = shutil.disk_usage(path.absolute().parent).free
    if free < needed:
        raise StorageError("load", str(path), f"{free:,} bytes free", f"{needed:,} for this file", "nothing stored")
