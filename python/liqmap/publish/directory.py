"""Publish into a directory: a link that is turned, in one step, from the old version to the new one."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError, StorageError
from liqmap.publish.site_copy import copy_site
from liqmap.report.site.atomic_files import manifest_matches

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap.publish.site_copy import SiteCopy

__all__ = ["publish_directory"]

_KEPT = 2


def publish_directory(source: SiteCopy, target: Path) -> bool:
    """Make ``target`` show a site: the version lies beside it as ``.<name>-<version>``, ``target`` is a link to it.

    Whoever reads sees the old site or the new one, also if this is killed at any moment. The version before stays for
    those who have it open; older ones go. What was half-copied by a run that was killed is cleared away.

    Returns:
        Whether anything changed.

    Raises:
        InputError: ``target`` is a file or a folder that is no link: that is somebody's, and is left alone.
        StorageError: It cannot be written.
    """
    if target.exists() and not target.is_symlink() and (target.is_file() or any(target.iterdir())):
        expected = "nothing there yet, or an earlier publication's link (move what stands there away)"
        raise InputError("publish", str(target), "a file or folder with things in it", expected, "nothing published")
    version = target.with_name(f".{target.name}-{source.version}")
    current = target.resolve() if target.is_symlink() else None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if current == version.resolve() and manifest_matches(version):
            _remove_leftovers(target)
            return False
        draft = target.with_name(f"{version.name}.{os.getpid()}.new")
        shutil.rmtree(draft, ignore_errors=True)
        copy_site(source, draft)
        os.sync()  # the link must not reach the disk before the files it leads to
        if version.exists() and not manifest_matches(version):
            shutil.rmtree(version)
        if version.exists():
            shutil.rmtree(draft)
        else:
            draft.rename(version)
        _switch_link(target, version)
        _remove_old_versions(target, {version, current})
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError("publish", str(target), str(error), "room to write", "what stood there stays") from error
    return True


def _switch_link(target: Path, version: Path) -> None:
    link = target.with_name(f".{target.name}.{os.getpid()}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(version.name, target_is_directory=True)
    if target.is_dir() and not target.is_symlink():
        target.rmdir()  # an empty folder served nothing
    link.replace(target)


def _remove_old_versions(target: Path, kept: set[Path | None]) -> None:
    """Remove older versions and what runs that were killed left behind."""
    for found in target.parent.glob(f".{target.name}-*"):
        if found not in kept and found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
    _remove_leftovers(target)


def _remove_leftovers(target: Path) -> None:
    """Remove what runs that were killed left behind; versions stay."""
    for found in target.parent.glob(f".{target.name}-*.new"):
        shutil.rmtree(found, ignore_errors=True)
    for found in target.parent.glob(f".{target.name}.*.link"):
        found.unlink(missing_ok=True)
