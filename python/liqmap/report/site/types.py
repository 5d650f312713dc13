"""Values that the pages, the archive and later issues exchange: locations, summaries and changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liqmap._base.instruments import Side
    from liqmap._base.timestamps import Instant

__all__ = ["ClusterChange", "IssueChanges", "IssueSummary", "PageLocation"]

IssueSummary = dict[str, Any]
"""What later issues and the archive know of an issue: ``issue.json``."""


@dataclass(frozen=True, slots=True)
class PageLocation:
    """Where a page stands, so that its links work from any folder, a disk's too.

    Attributes:
        root: From the page to the site's folder: ``""``, ``"../"``, …
        issue: From the page to its issue's folder.
        assets: Stem → name of each shared file.
        permanent: The issue's own path below the site's folder.
        previous: The path of the issue before, if there is one.
    """

    root: str
    issue: str
    assets: Mapping[str, str]
    permanent: str
    previous: str | None


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """A cluster then and now.

    Attributes:
        side: Whose liquidations.
        peak: Price of its peak: now, or then if it is gone.
        then: Its notional in the issue before, USD; 0 if it is new.
        now: Its notional now; 0 if it is gone.
        word: ``new``, ``passed`` (the mark has gone through it), ``gone``, ``grown`` or ``thinner``.
    """

    side: Side
    peak: float
    then: float
    now: float
    word: str


@dataclass(frozen=True, slots=True)
class IssueChanges:
    """One instrument, against the issue before.

    Attributes:
        at: Time of that issue, UTC microseconds.
        span: How long ago that was, microseconds.
        move: Of the mark, a fraction.
        open_interest: Change of open interest, USD.
        clusters: What changed most, largest change first.
    """

    at: Instant
    span: Instant
    move: float
    open_interest: float
    clusters: tuple[ClusterChange, ...]
