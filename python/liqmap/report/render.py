"""Render pages with Jinja; all values are escaped and undefined variables are errors."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from liqmap._base import number_format
from liqmap._base.instruments import slug
from liqmap._base.timestamps import iso
from liqmap.charts.spec_cache import cache_folder
from liqmap.maps.display_bars import GROUPS, IDENTIFIED_DISTANCE
from liqmap.report.page import MissingData
from liqmap.report.pages import find_page
from liqmap.report.svg.thumbnail import thumbnail
from liqmap.report.text import heatmap, scorecard, sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2.bccache import Bucket

    from liqmap.report.facts import Facts, Issue
    from liqmap.report.page import PageContent
    from liqmap.report.site.types import IssueChanges, PageLocation

__all__ = ["front_page", "instrument_page", "render"]

_BACKTICKS = re.compile(r"`([^`]+)`")
_NO_BREAK_SPAN = r'<span class="unbroken">\g<0></span>'
_UNBREAKABLE = re.compile(r"[\d.,]*\d–[\d.,]*\d|\([^()]{1,12}\)")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
)
"""Content security policy without external or inline resources and ``eval``; ``'self'`` covers folders on disk."""


def front_page(issue: Issue, place: PageLocation, changes: Mapping[str, IssueChanges | None]) -> str:
    """The front page of an issue with one card per instrument."""
    cards = [
        (facts, thumbnail(facts.map, sentences.largest_clusters(facts)), changes[facts.map.instrument])
        for facts in issue.facts
    ]
    return render("front.html", issue=issue, base=issue.report.base_url, place=place, cards=cards)


def instrument_page(
    issue: Issue,
    facts: Facts,
    name: str,
    content: PageContent | MissingData,
    place: PageLocation,
    change: IssueChanges | None,
) -> str:
    """One page of one instrument, or a page that states which data is missing."""
    given = {
        "issue": issue,
        "simulated": issue.simulated,
        "base": issue.report.base_url,
        "facts": facts,
        "tick": facts.map.grid.tick,
        "unit": facts.about.base,
        "observed": facts.map.observed,
        "place": place,
        "current": name,
        "pages": [find_page(other) for other in issue.report.pages],
        "change": change,
    }
    if isinstance(content, MissingData):
        lede = sentences.format_times_and_percents(f"{content.reason} {content.remedy}")
        return render("missing.html", **given, heading=f"{find_page(name).label}: no data", lede=lede, files=())
    own = {"heading": content.heading, "lede": content.lede, "files": tuple(content.files)}
    return render(f"{name}.html", **{**content.values, **given, **own})


def render(name: str, /, **values: object) -> str:
    """Render a template; undefined variables are errors."""
    return _environment().get_template(name).render(**values)


def _no_break(text: str) -> Markup:
    """Prevent line breaks inside price ranges and short parentheses."""
    return Markup(_UNBREAKABLE.sub(_NO_BREAK_SPAN, str(escape(text))))  # noqa: S704 - escaped first


def _format_commands(text: str) -> Markup:
    """Format text between backticks as code without line breaks inside its words."""

    def command(found: re.Match[str]) -> str:
        return f"<code>{re.sub(r'[^ ]+', _NO_BREAK_SPAN, found[1])}</code>"

    return Markup(_BACKTICKS.sub(command, str(escape(text))))  # noqa: S704 - escaped first


def _price_range(ends: tuple[float, float], tick: float) -> str:
    return number_format.price_range(*ends, tick)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("liqmap.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_TemplateCache(str(cache_folder() / "templates")),
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "ensure_ascii": False, "separators": (",", ":")}
    environment.filters |= {
        "usd": number_format.usd,
        "change_usd": number_format.signed_usd,
        "coin": number_format.coin,
        "price": number_format.price,
        "price_range": _price_range,
        "percent": number_format.percent,
        "share": number_format.share,
        "leverage": number_format.leverage,
        "stamp": sentences.stamp,
        "day": sentences.day,
        "day_time": heatmap.day_and_time,
        "clock": sentences.clock,
        "iso": iso,
        "slug": slug,
        "unbroken": _no_break,
        "coded": _format_commands,
        "drawing": lambda drawn: Markup(drawn.svg),  # noqa: S704 - validated element by element in static_svg
    }
    environment.globals |= {
        "POLICY": POLICY,
        "GROUPS": GROUPS,
        "IDENTIFIED": IDENTIFIED_DISTANCE,
        "BANDS": ("low", "medium", "high", "extreme"),
        "words": sentences,
        "banner": scorecard.banner,
    }
    return environment


class _TemplateCache(FileSystemBytecodeCache):
    """Cache of compiled templates, keyed by content hash; compiling takes about 0.25 s."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store a compiled template; a cache that is not writable is ignored."""
        folder = Path(self.directory)
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            super().dump_bytecode(bucket)
