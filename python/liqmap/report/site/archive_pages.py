"""Pages derived from the summaries of all issues: archive, calendar, instrument histories, feed and sitemap."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from liqmap.report.render import render
from liqmap.report.site.assets import asset_names
from liqmap.report.site.types import PageLocation
from liqmap.report.svg.calendar import DAY, calendar
from liqmap.report.svg.price_history import price_history

if TYPE_CHECKING:
    from liqmap.report.site.types import IssueSummary

__all__ = ["archive_files"]

_FEED_LENGTH = 50
_SHADE_STEPS = (0.01, 0.02, 0.04)
"""Absolute 24 h moves of the mark, as fractions, at which the shade of a calendar cell increases."""


def archive_files(summaries: list[IssueSummary]) -> dict[str, bytes]:
    """Build the files by path below the site folder, including ``calendar.html``, a fragment of the front page.

    Args:
        summaries: Summaries of all issues, oldest first.
    """
    if not summaries:
        return {}
    newest = summaries[-1]
    given: dict[str, Any] = {
        "title": newest["title"],
        "simulated": any(summary["simulated"] for summary in summaries),
        "summaries": summaries[::-1],
        "days": _calendar_days(summaries),
        "steps": _SHADE_STEPS,
        "base": newest["base_url"],
        "newest": newest,
    }
    top = PageLocation("", "latest/", asset_names(), newest["path"], None)
    names = {entry["slug"]: entry["instrument"] for summary in summaries for entry in summary["instruments"]}
    files = {
        "archive.html": render("archive.html", **given, place=top),
        "calendar.html": render("calendar.html", **given, place=top),
        "issues.js": _issues_script(summaries),
        "feed.xml": render("feed.xml", **given, id=_urn(newest["title"]), entries=_feed_entries(summaries)),
    }
    if newest["base_url"]:
        files["sitemap.xml"] = render("sitemap.xml", **given, slugs=sorted(names))
    for slug, name in sorted(names.items()):
        rows = [(summary, entry) for summary in summaries for entry in summary["instruments"] if entry["slug"] == slug]
        place = PageLocation("../", "../latest/", asset_names(), newest["path"], None)
        files[f"instruments/{slug}.html"] = render(
            "history.html", **given, place=place, name=name, slug=slug, rows=rows[::-1], drawn=price_history(rows)
        )
    return {name: text.encode() for name, text in files.items()}


def _issues_script(summaries: list[IssueSummary]) -> str:
    """The list of issues for published pages, as a script because pages opened from disk cannot fetch JSON."""
    slugs = sorted({entry["slug"] for summary in summaries for entry in summary["instruments"]})
    listed = {
        summary["path"]: [slugs.index(entry["slug"]) for entry in summary["instruments"]] for summary in summaries
    }
    return f"window.liqmapIssues={json.dumps({'slugs': slugs, 'issues': listed}, separators=(',', ':'))};\n"


def _feed_entries(summaries: list[IssueSummary]) -> list[dict[str, Any]]:
    """Feed entries of the newest issues, newest first."""
    return [
        {"summary": summary, "id": _urn(f"{summary['title']}:{summary['path']}")}
        for summary in summaries[: -_FEED_LENGTH - 1 : -1]
    ]


def _urn(text: str) -> str:
    """An identifier that does not depend on the address of the site."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"liqmap:{text}").urn


def _calendar_days(summaries: list[IssueSummary]) -> list[dict[str, Any]]:
    """Calendar cells of days with issues: position, shade and the last issue of the day."""
    last = {int(summary["at"]) // DAY: summary for summary in summaries}
    shades = {day: _calendar_shade(summary) for day, summary in last.items()}
    drawn = calendar(shades)
    return (
        []
        if drawn is None
        else [{"x": x, "y": y, "shade": shades[day], "summary": last[day]} for x, y, day in drawn.cells]
    )


def _calendar_shade(summary: IssueSummary) -> int:
    moves: list[float] = [abs(entry["change"]) for entry in summary["instruments"] if entry["change"] is not None]
    return 1 + sum(max(moves, default=0.0) >= step for step in _SHADE_STEPS)
