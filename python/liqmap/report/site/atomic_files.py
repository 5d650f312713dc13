"""Atomic writes of files and folders, and manifests that list their hashes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

from liqmap.report.site.folder_exchange import exchange

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "MANIFEST",
    "is_draft",
    "json_bytes",
    "manifest_bytes",
    "manifest_entry",
    "manifest_matches",
    "replace_folder",
    "sweep_drafts",
    "write_file",
]

MANIFEST = "manifest.json"
_DRAFT = re.compile(r"\.(.+)-\d+\.(new|old)")


def is_draft(name: str) -> bool:
    """Whether a name is that of a draft or of a replaced folder, which an interrupted run leaves.

    Example:
        >>> is_draft(".latest-4711.new"), is_draft("latest")
        (True, False)
    """
    return _DRAFT.fullmatch(name) is not None


def sweep_drafts(site: Path) -> None:
    """Remove what interrupted runs left in a site; the caller holds the site's write lock.

    A folder that was moved away and not yet replaced is moved back.
    """
    for found in [*site.glob(".*"), *site.glob("*/.*")]:
        match = _DRAFT.fullmatch(found.name)
        if match is None:
            continue
        target = found.with_name(match[1])
        if match[2] == "old" and not target.exists():
            found.rename(target)
        elif found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink()


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


def manifest_matches(folder: Path, *, ignore_drafts: bool = False) -> bool:
    """Whether a folder contains exactly the files of its manifest, with matching hashes.

    Args:
        folder: The folder with the manifest.
        ignore_drafts: Whether to disregard the drafts of interrupted runs.
    """
    try:
        entries = json.loads((folder / MANIFEST).read_bytes())["files"]
        found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        present = {path.as_posix() for path in found if not (ignore_drafts and any(map(is_draft, path.parts)))}
        return present == {*entries, MANIFEST} and all(
            manifest_entry((folder / name).read_bytes()) == expected for name, expected in entries.items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Encode plain data as indented JSON, identical on every machine."""
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()
