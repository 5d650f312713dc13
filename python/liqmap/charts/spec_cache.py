"""Disk cache of chart specifications and of their compiled form.

Altair takes a second to load and to build a specification, which is equal for all maps. The cache key contains a digest
of liqmap's sources and Altair's version; an entry is verified by its hash when read, and rebuilt if it is damaged.
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
    """A value of plain data, read from the cache if present for these sources, else made and cached."""
    path = cache_folder() / _source_digest() / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
    found = _read(path)
    if found is None:
        found = make()
        _write(path, json.dumps(found).encode())
    return found


def cache_folder() -> Path:
    """The user's cache folder of liqmap."""
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
        # The cache is optional: if it cannot be written, the next run makes the value again.
        return


def _remove_oldest(folder: Path) -> None:
    """Remove the entries of the oldest source versions."""
    if folder.is_dir():
        old = sorted((found for found in folder.iterdir() if found.is_dir()), key=lambda found: found.stat().st_mtime)
        for stale in old[: 1 - _MAX_VERSIONS]:
            shutil.rmtree(stale, ignore_errors=True)


@cache
def _source_digest() -> str:
    """Sixteen hexadecimal digits of a hash over liqmap's chart sources and Altair's version."""
    digest = hashlib.sha256(importlib.metadata.version("altair").encode())
    package = Path(__file__).resolve().parent.parent
    for subpackage in ("charts", "maps", "stress", "score", "strategies", "report"):
        for path in sorted((package / subpackage).rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
