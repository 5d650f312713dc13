"""Files and folders that appear whole or not at all, and the manifests that vouch for them."""

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
    """Write a file whole: a reader sees the old one or the new one. One that is already so is left alone."""
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{os.getpid()}.new")
    draft.write_bytes(content)
    draft.replace(path)


def replace_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Replace a folder by a complete new one.

    The new folder is written beside the target and exchanged with it in one step, so that a reader finds the old folder
    or the new one at every moment. On Windows, and on file systems without such an exchange, two renames do it: between
    them the folder is missing for an instant, and a reader has to try again.
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
    """What a manifest says of a file."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def manifest_bytes(files: Mapping[str, bytes]) -> bytes:
    """sha256 and size of every file, by path."""
    return json_bytes({"files": {name: manifest_entry(content) for name, content in sorted(files.items())}})


def manifest_matches(folder: Path) -> bool:
    """Whether a folder holds what its manifest says, byte for byte, and nothing else."""
    try:
        told = json.loads((folder / MANIFEST).read_bytes())["files"]
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        return there == {*told, MANIFEST} and all(
            manifest_entry((folder / name).read_bytes()) == said for name, said in told.items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Plain data as a file that people can read and that comes out alike everywhere."""
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()
