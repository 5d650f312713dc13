"""Facts → pages: one Jinja environment that escapes everything and forgives no missing name."""

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
from liqmap.maps.display_bars import GROUPS, IDENTIFIED
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
"""Nothing from elsewhere, nothing inline, no ``eval``; ``'self'`` also covers a folder opened from disk."""


def front_page(issue: Issue, place: PageLocation, changes: Mapping[str, IssueChanges | None]) -> str:
    """All instruments of an issue, a card each."""
    cards = [
        (facts, thumbnail(facts.map, sentences.largest_clusters(facts)), changes[facts.map.instrument])
        for facts in issue.facts
    ]
    return render("front.html", issue=issue, base=issue.report.base_url, place=place, cards=cards)


def instrument_page(
    issue: Issue,
    facts: Facts,
    name: str,
    shown: PageContent | MissingData,
    place: PageLocation,
    change: IssueChanges | None,
) -> str:
    """One page of one instrument, or the page that says why there is none."""
    given = {
        "issue": issue,
        "simulated": issue.simulated,
        "base": issue.report.base_url,
        "facts": facts,
        "tick": facts.map.grid.tick,
        "unit": facts.about.base,
        "seen": facts.map.observed,
        "place": place,
        "current": name,
        "listed": [find_page(other) for other in issue.report.pages],
        "change": change,
    }
    if isinstance(shown, MissingData):
        lede = sentences.format_times_and_percents(f"{shown.why} {shown.fill}")
        return render("missing.html", **given, heading=f"{find_page(name).label}: nothing to show", lede=lede, files=())
    own = {"heading": shown.heading, "lede": shown.lede, "files": tuple(shown.files)}
    return render(f"{name}.html", **{**shown.values, **given, **own})


def render(name: str, /, **values: object) -> str:
    """Fill a template; a name that is missing is an error."""
    return _environment().get_template(name).render(**values)


def _no_break(text: str) -> Markup:
    """A text whose price ranges stay on one line, and so do amounts in parentheses."""
    return Markup(_UNBREAKABLE.sub(_NO_BREAK_SPAN, str(escape(text))))  # noqa: S704 - escaped first


def _format_commands(text: str) -> Markup:
    """A text in which what stands between backticks is a command, whose words stay whole."""

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
        "clock": sentences.clock,
        "iso": iso,
        "slug": slug,
        "unbroken": _no_break,
        "coded": _format_commands,
        "drawing": lambda drawn: Markup(drawn.svg),  # noqa: S704 - checked element by element in vega.still
    }
    environment.globals |= {
        "POLICY": POLICY,
        "GROUPS": GROUPS,
        "IDENTIFIED": IDENTIFIED,
        "BANDS": ("low", "medium", "high", "extreme"),
        "words": sentences,
        "past": heatmap,
        "banner": scorecard.banner,
    }
    return environment


class _TemplateCache(FileSystemBytecodeCache):
    """Where templates stay compiled, each under a hash of its text: to compile them takes a quarter of a second."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one; a cache is a convenience, and where it cannot be written nothing is lost."""
        folder = Path(self.directory)
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            super().dump_bytecode(bucket)
