"""Bounds on the memory and the temporary files of DuckDB while a history is open for writing.

DuckDB's own defaults are four fifths of the memory and nine tenths of the free disk space, which leaves too little for
other processes. Environment variables override the bounds; they are read when a history is opened.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from liqmap._base.errors import InputError

__all__ = ["MAX_TEMP_SIZE", "MEMORY_LIMIT", "TEMP_DIRECTORY", "limit_settings", "max_temp_size"]

MEMORY_LIMIT = "LIQMAP_MEMORY_LIMIT"
"""Environment variable: memory of DuckDB, such as ``2GiB``. Default: half of the memory, at most 4 GiB."""

TEMP_DIRECTORY = "LIQMAP_TEMP_DIRECTORY"
"""Environment variable: existing folder for temporary files. Default: the folder of the history."""

MAX_TEMP_SIZE = "LIQMAP_MAX_TEMP_SIZE"
"""Environment variable: size of the temporary files, such as ``64GiB``. Default: 16 GiB."""

_MIB = 1024 * 1024
_MOST_MEMORY_MIB = 4096
_UNKNOWN_MEMORY_MIB = 2048
_DEFAULT_TEMP_SIZE = "16GiB"
_SIZE = re.compile(r"0*[1-9]\d{0,8}(\.\d{1,3})? ?([kmgt]i?b)", re.IGNORECASE)
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def limit_settings(path: Path | None) -> dict[str, str]:
    """Return the settings of DuckDB that bound memory and choose the folder of temporary files.

    The settings are equal for every opening of a history by one process, because DuckDB refuses a second connection
    with other settings.

    Args:
        path: The history; ``None`` for a history in memory.

    Raises:
        InputError: An environment variable has an invalid value.
    """
    return {
        "memory_limit": _size(MEMORY_LIMIT) or f"{_default_memory_mib()}MiB",
        "temp_directory": str(_temp_directory(path)),
    }


def max_temp_size() -> str:
    """Return the maximum size of the temporary files.

    DuckDB 1.5.6 reports but does not enforce this limit if it is set when the file is opened; set it afterwards.

    Raises:
        InputError: The environment variable has an invalid value.
    """
    return _size(MAX_TEMP_SIZE) or _DEFAULT_TEMP_SIZE


def _size(variable: str) -> str | None:
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    if not _SIZE.fullmatch(text):
        raise InputError("open", variable, repr(text), "a size such as 2GiB or 500MB", "nothing opened")
    return text


def _temp_directory(path: Path | None) -> Path:
    """A folder for this history and process, which DuckDB creates at need and deletes when it closes the file."""
    chosen = os.environ.get(TEMP_DIRECTORY, "").strip()
    if not chosen and path is not None:
        return Path(f"{path.absolute()}.tmp")
    folder = Path(chosen or tempfile.gettempdir())
    if not folder.is_dir():
        raise InputError("open", TEMP_DIRECTORY, repr(chosen), "an existing folder", "nothing opened")
    key = hashlib.sha256(str(path and path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return folder.absolute() / f"liqmap-{key}-{os.getpid()}.tmp"


def _default_memory_mib() -> int:
    return max(1, min(_MOST_MEMORY_MIB, _memory_mib() // 2))


def _memory_mib() -> int:
    """The memory of the machine, or of the container if it has less."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN_MEMORY_MIB
    try:
        limit = _CONTAINER_LIMIT.read_text("ascii").strip()
    except (OSError, ValueError):
        limit = ""
    return min(memory, int(limit) if limit.isdigit() else memory) // _MIB
