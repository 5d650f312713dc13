"""``liqmap publish``: put a site where people read it."""

from __future__ import annotations

import sys
from pathlib import Path

from liqmap.publish.site_copy import Retention
from liqmap.publish.target import MAX_BYTES
from liqmap.publish.target import publish as put

__all__ = ["publish"]


def publish(site: Path, /, *, to: str, keep: str | None = None, most: float = MAX_BYTES / 1e6) -> None:
    """Check a site against its manifest and publish it: readers see the old one or the new one.

    Args:
        site: The folder that liqmap report wrote; it is left as it is.
        to: A directory, git:REMOTE#BRANCH, or a store such as s3://bucket/prefix (needs liqmap[publish]).
        keep: Publish the newest so many issues (400), or those of so long (90d); all if left out.
        most: Megabytes the published site may have.
    """
    count, changed = put(site, to, keep=Retention.of(keep), most=round(most * 1e6))
    sys.stdout.write(f"{count} issue{'s' if count != 1 else ''} at {to}{'' if changed else ', as before'}\n")
