"""``liqmap publish``: publish a site."""

from __future__ import annotations

import sys
from pathlib import Path

from liqmap.publish.site_copy import Retention
from liqmap.publish.target import MAX_BYTES
from liqmap.publish.target import publish as put

__all__ = ["publish"]


def publish(site: Path, /, *, to: str, keep: str | None = None, most: float = MAX_BYTES / 1e6) -> None:
    """Verify a site against its manifest and publish it to a directory, a git branch or an object store.

    Args:
        site: Folder written by liqmap report; not modified.
        to: A directory, git:REMOTE#BRANCH, or an object store such as s3://bucket/prefix (needs liqmap[publish]).
        keep: Number (400) or time span (90d) of newest issues to publish; all by default.
        most: Maximum size of the published site, MB.
    """
    count, changed = put(site, to, keep=Retention.parse(keep), most=round(most * 1e6))
    sys.stdout.write(f"{count} issue{'s' if count != 1 else ''} at {to}{'' if changed else ', unchanged'}\n")
