"""Atomic writes of files and folders, and manifests that list their hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from liqmap.report.site.exchange import exchange

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "MANIFEST",
    "json_bytes",
    "manifest_bytes",
    "manifest_entry",
    "manifest_matches",
    "replace_folder",
    "write_file",
]

MANIFEST = "manifest.json"


def write_file(path: Path, content: bytes) -> None:
    """Write a file atomically; a file with identical content is not touched."""
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{os.getpid()}.new")
    draft.write_bytes(content)
    draft.replace(path)


def replace_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Replace a folder by a complete new one.

    The new folder is written beside the target and exchanged with it atomically. On Windows and on file systems without
    an atomic exchange, two renames replace the folder; it is missing for a moment between them.
    """
    draft = target.with_name(f".{target.name}-{os.getpid()}.new")
    old = target.with_name(f".{target.name}-{os.getpid()}.old")
    for leftover in (draft, old):
        shutil.rmtree(leftover, ignore_errors=True)
    for name, content in files.items():
        path = draft / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if not target.exists():
        draft.rename(target)
    elif exchange(draft, target):
        shutil.rmtree(draft, ignore_errors=True)
    else:
        target.rename(old)
        draft.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def manifest_entry(content: bytes) -> dict[str, str | int]:
    """The manifest entry of a file."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def manifest_bytes(files: Mapping[str, bytes]) -> bytes:
    """Encode the SHA-256 and size of every file, by path."""
    return json_bytes({"files": {name: manifest_entry(content) for name, content in sorted(files.items())}})


def manifest_matches(folder: Path) -> bool:
    """Whether a folder contains exactly the files of its manifest, with matching hashes."""
    try:
        entries = json.loads((folder / MANIFEST).read_bytes())["files"]
        present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        return present == {*entries, MANIFEST} and all(
            manifest_entry((folder / name).read_bytes()) == expected for name, expected in entries.items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Encode plain data as indented JSON, identical on every machine."""
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()
