"""The files of one issue: pages, downloads and a summary for later issues. Published issues are immutable.

Pages are written for the issue's own folder; :func:`relocate_links` rewrites their links for another location.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from liqmap._base.instruments import slug
from liqmap.report.page import MissingData, PageContent
from liqmap.report.pages import find_page
from liqmap.report.render import front_page, instrument_page
from liqmap.report.site.assets import asset_names
from liqmap.report.site.atomic_files import MANIFEST, json_bytes, manifest_bytes
from liqmap.report.site.changes import changes_since, clusters_near_mark
from liqmap.report.site.types import IssueSummary, PageLocation
from liqmap.report.svg.social_card import social_card
from liqmap.report.text import sentences

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.report.facts import Facts, Issue

__all__ = [
    "FRONT",
    "INNER",
    "issue_files",
    "issue_path",
    "issue_summary",
    "relocate_links",
]


FRONT, INNER = "../../", "../../../"
"""Relative path to the site folder from an issue's front page and from its instrument pages."""

_LINK = re.compile(rb'\b(href|src)="([^"#][^"]*)"')


def issue_path(at: Instant) -> str:
    """Path of an issue below the site folder.

    Example:
        >>> issue_path(1781222400000000)
        '2026-06-12/0000'
    """
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).strftime("%Y-%m-%d/%H%M")


def issue_files(issue: Issue, previous: IssueSummary | None) -> dict[str, bytes]:
    """All files of an issue by path below its folder; the summary and the manifest come last.

    Args:
        issue: Data of the issue.
        previous: Summary of the previous issue, for the comparison and the link to it.
    """
    path, before = issue_path(issue.at), None if previous is None else str(previous["path"])
    changes = {facts.map.instrument: changes_since(facts, issue.at, previous) for facts in issue.facts}
    files = {
        "index.html": front_page(issue, PageLocation(FRONT, "", asset_names(), path, before), changes).encode(),
    }
    inner = PageLocation(INNER, "../", asset_names(), path, before)
    for facts in issue.facts:
        folder, change = slug(facts.map.instrument), changes[facts.map.instrument]
        if issue.report.base_url is not None:
            files[f"{folder}/card.png"] = social_card(facts)
        for name in issue.report.pages:
            content = _page_content(facts, name)
            files[f"{folder}/{name}.html"] = instrument_page(issue, facts, name, content, inner, change).encode()
            if isinstance(content, PageContent):
                files |= {f"{folder}/{file}": data for file, data in content.files.items()}
    files["issue.json"] = json_bytes(issue_summary(issue))
    files[MANIFEST] = manifest_bytes(files)
    return files


def _page_content(facts: Facts, name: str) -> PageContent | MissingData:
    page_data = facts.page_data.get(name)
    return page_data if isinstance(page_data, MissingData) else find_page(name).build(facts, page_data)


def issue_summary(issue: Issue) -> IssueSummary:
    """Summary of an issue for later issues and the archive."""
    return {
        "path": issue_path(issue.at),
        "at": issue.at,
        "title": issue.report.title,
        "simulated": issue.simulated,
        "base_url": issue.report.base_url,
        "assets": sorted(asset_names().values()),
        "instruments": [
            {
                "instrument": facts.map.instrument,
                "slug": slug(facts.map.instrument),
                "mark_price": facts.map.mark_price,
                "tick": facts.map.grid.tick,
                "change": facts.change,
                "open_interest_usd": facts.open_interest_usd,
                "within_5": {"long": facts.within(0.05).long, "short": facts.within(0.05).short},
                "clusters": clusters_near_mark(facts),
                "finding": sentences.finding(facts),
                "balance": sentences.balance(facts),
            }
            for facts in issue.facts
        ],
    }


def relocate_links(text: bytes, up: str, root: str, issue: str = "") -> bytes:
    """Rewrite the relative links of a page for another location.

    Args:
        text: The page.
        up: Current relative path to the site folder: :data:`FRONT` or :data:`INNER`.
        root: Relative path to the site folder from the new location.
        issue: Relative path to the issue folder from the new location, for a front page.

    Example:
        >>> relocate_links(b'<a href="../../a.css"><a href="x/map.html"><a href="#top">', FRONT, "", "latest/")
        b'<a href="a.css"><a href="latest/x/map.html"><a href="#top">'
    """

    def lead(found: re.Match[bytes]) -> bytes:
        kind, target = found[1], found[2]
        if target.startswith(up.encode()):
            return b'%s="%s%s"' % (kind, root.encode(), target.removeprefix(up.encode()))
        if b":" in target.partition(b"/")[0]:
            return found[0]
        return b'%s="%s%s"' % (kind, issue.encode(), target)

    return _LINK.sub(lead, text)
