"""Where to: a directory, a branch of a git remote, a store of objects; told apart by how they are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.publish.directory import publish_directory
from liqmap.publish.git import publish_git
from liqmap.publish.object_store import open_object_store, publish_object_store
from liqmap.publish.site_copy import checked_copy

if TYPE_CHECKING:
    from liqmap.publish.site_copy import Retention

__all__ = ["MAX_BYTES", "publish"]

MAX_BYTES = 1_000_000_000
"""What GitHub Pages takes."""


def publish(site: Path, to: str, *, keep: Retention, most: int = MAX_BYTES) -> tuple[int, bool]:
    """Publish a site.

    Args:
        site: Its folder; left as it is.
        to: A path, ``git:REMOTE#BRANCH``, or the address of a store (``s3://bucket/prefix``).
        keep: Which issues.
        most: Bytes the published site may have.

    Returns:
        How many issues are published, and whether anything changed.

    Raises:
        InputError: No sound site, too large, or a target that makes no sense.
        StorageError: The target cannot be written; it shows what it showed before.
    """
    with checked_copy(site, keep, most=most) as ready:
        if to.startswith("git:"):
            remote, mark, branch = to.removeprefix("git:").rpartition("#")
            if not mark:
                raise InputError("publish", to, "no branch", "git:REMOTE#BRANCH", "nothing published")
            return ready.issues, publish_git(ready, remote, branch)
        if "://" in to:
            return ready.issues, publish_object_store(ready, open_object_store(to), to)
        return ready.issues, publish_directory(ready, Path(to))
