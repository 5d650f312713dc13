"""Publish into a directory: a symbolic link that is switched atomically from the old version to the new one."""

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


def publish_directory(source: SiteCopy, target: Path) -> bool:
    """Publish a site at ``target``: the files go to ``.<name>-<version>`` beside it and ``target`` links to them.

    Readers see either the old site or the new one, even if the process is killed. The previous version is kept for
    readers who have it open; older versions and partial copies of interrupted runs are removed.

    Returns:
        Whether anything changed.

    Raises:
        InputError: ``target`` is a file or a non-empty folder rather than a link; it is not changed.
        StorageError: The target cannot be written.
    """
    if target.exists() and not target.is_symlink() and (target.is_file() or any(target.iterdir())):
        expected = "an unused path or the link of an earlier publication (move the existing files away)"
        raise InputError("publish", str(target), "a file or a non-empty folder", expected, "nothing published")
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
        os.sync()  # the files must reach the disk before the link to them
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
        raise StorageError(
            "publish",
            str(target),
            str(error),
            "a writable directory with free space",
            "the published site is unchanged",
        ) from error
    return True


def _switch_link(target: Path, version: Path) -> None:
    link = target.with_name(f".{target.name}.{os.getpid()}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(version.name, target_is_directory=True)
    if target.is_dir() and not target.is_symlink():
        target.rmdir()  # an empty folder can be replaced by the link
    link.replace(target)


def _remove_old_versions(target: Path, kept: set[Path | None]) -> None:
    """Remove older versions and the leftovers of interrupted runs."""
    for found in target.parent.glob(f".{target.name}-*"):
        if found not in kept and found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
    _remove_leftovers(target)


def _remove_leftovers(target: Path) -> None:
    """Remove the leftovers of interrupted runs; complete versions are kept."""
    for found in target.parent.glob(f".{target.name}-*.new"):
        shutil.rmtree(found, ignore_errors=True)
    for found in target.parent.glob(f".{target.name}.*.link"):
        found.unlink(missing_ok=True)
