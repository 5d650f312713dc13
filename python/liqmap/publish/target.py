"""Publication targets: a directory, a git branch or an object store, distinguished by the form of the address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.publish.directory import publish_directory
from liqmap.publish.git import publish_git
from liqmap.publish.object_store import open_object_store, publish_object_store
from liqmap.publish.site_copy import checked_copy
from liqmap.report.site.site_lock import read_lock

if TYPE_CHECKING:
    from liqmap.publish.site_copy import Retention

__all__ = ["MAX_BYTES", "publish"]

MAX_BYTES = 1_000_000_000
"""Maximum site size, bytes; the limit of GitHub Pages."""


def publish(site: Path, to: str, *, keep: Retention, most: int = MAX_BYTES) -> tuple[int, bool]:
    """Publish a site.

    Args:
        site: Folder of the site; not modified.
        to: A path, ``git:REMOTE#BRANCH``, or an object store address (``s3://bucket/prefix``).
        keep: Which issues to publish.
        most: Maximum size of the published site, bytes.

    Returns:
        Number of published issues, and whether anything changed.

    Raises:
        InputError: The site is invalid or too large, or the target address is invalid.
        StorageError: The target cannot be written; its previous contents are unchanged.
    """
    with read_lock(site), checked_copy(site, keep, most=most) as ready:
        if to.startswith("git:"):
            remote, mark, branch = to.removeprefix("git:").rpartition("#")
            if not mark:
                raise InputError("publish", to, "no branch", "git:REMOTE#BRANCH", "nothing published")
            return ready.issues, publish_git(ready, remote, branch)
        if "://" in to:
            return ready.issues, publish_object_store(ready, open_object_store(to), to)
        return ready.issues, publish_directory(ready, Path(to))
