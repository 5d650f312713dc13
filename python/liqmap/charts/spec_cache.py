"""What takes long to make and is the same every time, kept in the cache: specifications of charts, compiled ones.

Altair takes a second to load and to say what a chart looks like, and says the same for every map. What is kept hangs on
liqmap's own sources and Altair's version; it is checked by its hash when read, and made anew when anything is amiss.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cache_folder", "cached_spec"]

_MAX_VERSIONS = 6


def cached_spec(name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A value of plain data: read if it was kept under this name by these very sources, else made and kept."""
    path = cache_folder() / _source_digest() / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
    found = _read(path)
    if found is None:
        found = make()
        _write(path, json.dumps(found).encode())
    return found


def cache_folder() -> Path:
    """The user's cache of liqmap."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "liqmap" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "liqmap"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        digest, _, text = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    found: dict[str, Any] = json.loads(text)
    return found


def _write(path: Path, text: bytes) -> None:
    try:
        if not path.parent.is_dir():
            _remove_oldest(path.parent.parent)
            path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}-{os.getpid()}")
        draft.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
        draft.replace(path)
    except OSError:
        # A cache is a convenience: where it cannot be written, the next run makes the value again.
        return


def _remove_oldest(folder: Path) -> None:
    """Let go of what the oldest sources kept."""
    if folder.is_dir():
        old = sorted((found for found in folder.iterdir() if found.is_dir()), key=lambda found: found.stat().st_mtime)
        for stale in old[: 1 - _MAX_VERSIONS]:
            shutil.rmtree(stale, ignore_errors=True)


@cache
def _source_digest() -> str:
    """Sixteen digits that stand for every line of liqmap and the version of Altair."""
    digest = hashlib.sha256(importlib.metadata.version("altair").encode())
    package = Path(__file__).resolve().parent.parent
    for room in ("charts", "maps", "stress", "score", "strategies", "report"):
        for path in sorted((package / room).rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
