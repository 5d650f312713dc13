"""Types shared by pages, archive and issues: locations, summaries and changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liqmap._base.instruments import Side
    from liqmap._base.timestamps import Instant

__all__ = ["ClusterChange", "IssueChanges", "IssueSummary", "PageLocation"]

IssueSummary = dict[str, Any]
"""Summary of an issue for later issues and the archive, stored as ``issue.json``."""


@dataclass(frozen=True, slots=True)
class PageLocation:
    """Location of a page, for relative links that also work from disk.

    Attributes:
        root: Relative path from the page to the site folder: ``""``, ``"../"``, …
        issue: Relative path from the page to the folder of its issue.
        assets: File stem → published name of each shared asset.
        permanent: Path of the issue below the site folder.
        previous: Path of the previous issue, if any.
    """

    root: str
    issue: str
    assets: Mapping[str, str]
    permanent: str
    previous: str | None


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """Change of a cluster between two issues.

    Attributes:
        side: Side of the liquidated positions.
        peak: Peak price in this issue, or in the previous issue if the cluster no longer exists.
        previous: Notional in the previous issue, USD; 0 for a new cluster.
        current: Notional in this issue, USD; 0 if the cluster no longer exists.
        status: ``new``, ``swept`` (the mark passed the peak), ``gone``, ``larger`` or ``smaller``.
    """

    side: Side
    peak: float
    previous: float
    current: float
    status: str


@dataclass(frozen=True, slots=True)
class IssueChanges:
    """Changes of one instrument since the previous issue.

    Attributes:
        at: Time of the previous issue, UTC microseconds.
        elapsed: Time between the issues, microseconds.
        mark_change: Move of the mark price, a fraction.
        open_interest_change: Change of open interest, USD.
        clusters: Clusters with the largest changes, largest first.
    """

    at: Instant
    elapsed: Instant
    mark_change: float
    open_interest_change: float
    clusters: tuple[ClusterChange, ...]
