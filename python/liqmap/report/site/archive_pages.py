"""What follows from the summaries of all issues: archive, calendar, history of each instrument, feed, sitemap."""

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
"""Moves of the mark at which a day's cell gets darker."""


def archive_files(summaries: list[IssueSummary]) -> dict[str, bytes]:
    """Files by path below the site's folder, and ``calendar.html``, a part of the front page.

    Args:
        summaries: Of all issues, oldest first.
    """
    if not summaries:
        return {}
    newest = summaries[-1]
    given: dict[str, Any] = {
        "title": newest["title"],
        "simulated": any(told["simulated"] for told in summaries),
        "summaries": summaries[::-1],
        "days": _calendar_days(summaries),
        "steps": _SHADE_STEPS,
        "base": newest["base_url"],
        "newest": newest,
    }
    top = PageLocation("", "latest/", asset_names(), newest["path"], None)
    names = {entry["slug"]: entry["instrument"] for told in summaries for entry in told["instruments"]}
    files = {
        "archive.html": render("archive.html", **given, place=top),
        "calendar.html": render("calendar.html", **given, place=top),
        "issues.js": _issues_script(summaries),
        "feed.xml": render("feed.xml", **given, id=_urn(newest["title"]), entries=_feed_entries(summaries)),
    }
    if newest["base_url"]:
        files["sitemap.xml"] = render("sitemap.xml", **given, slugs=sorted(names))
    for slug, name in sorted(names.items()):
        rows = [(told, entry) for told in summaries for entry in told["instruments"] if entry["slug"] == slug]
        place = PageLocation("../", "../latest/", asset_names(), newest["path"], None)
        files[f"instruments/{slug}.html"] = render(
            "history.html", **given, place=place, name=name, slug=slug, rows=rows[::-1], drawn=price_history(rows)
        )
    return {name: text.encode() for name, text in files.items()}


def _issues_script(summaries: list[IssueSummary]) -> str:
    """The issues there are, for pages that cannot know what came after them; a script, since a disk gives no JSON."""
    slugs = sorted({entry["slug"] for told in summaries for entry in told["instruments"]})
    listed = {told["path"]: [slugs.index(entry["slug"]) for entry in told["instruments"]] for told in summaries}
    return f"window.liqmapIssues={json.dumps({'slugs': slugs, 'issues': listed}, separators=(',', ':'))};\n"


def _feed_entries(summaries: list[IssueSummary]) -> list[dict[str, Any]]:
    """The newest issues, newest first."""
    return [
        {"told": told, "id": _urn(f"{told['title']}:{told['path']}")} for told in summaries[: -_FEED_LENGTH - 1 : -1]
    ]


def _urn(text: str) -> str:
    """A name that stays when the site moves."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"liqmap:{text}").urn


def _calendar_days(summaries: list[IssueSummary]) -> list[dict[str, Any]]:
    """A cell for each day with an issue: where, how dark, and its last issue."""
    last = {int(told["at"]) // DAY: told for told in summaries}
    shades = {day: _calendar_shade(told) for day, told in last.items()}
    drawn = calendar(shades)
    return (
        []
        if drawn is None
        else [{"x": x, "y": y, "shade": shades[day], "told": last[day]} for x, y, day in drawn.cells]
    )


def _calendar_shade(told: IssueSummary) -> int:
    moves: list[float] = [abs(entry["change"]) for entry in told["instruments"] if entry["change"] is not None]
    return 1 + sum(max(moves, default=0.0) >= step for step in _SHADE_STEPS)
