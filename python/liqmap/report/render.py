"""Facts → pages: one Jinja environment that escapes everything and forgives no missing name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from liqmap.charts import numbers
from liqmap.charts.theme import PAGE
from liqmap.clock import iso
from liqmap.instruments import slug
from liqmap.maps.chart import complete, map_close, map_data, map_drawing
from liqmap.maps.scene import MEDIUM, NARROW, WIDE
from liqmap.maps.view import GROUPS, IDENTIFIED, bars
from liqmap.report import words
from liqmap.report.facts import REACHES
from liqmap.report.mini import mini
from liqmap.report.vega import Still, still

if TYPE_CHECKING:
    from liqmap.report.facts import Facts, Issue
    from liqmap.report.site import Place

__all__ = ["Drawings", "archive_page", "draw", "front_page", "map_page"]

_KEEP = re.compile(r"[\d.,]*\d–[\d.,]*\d|\([^()]{1,12}\)")
FRAMES = {"wide": WIDE, "medium": MEDIUM, "narrow": NARROW}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
)
"""Nothing from elsewhere, nothing inline, no ``eval``; ``'self'`` also covers a folder opened from disk."""


@dataclass(frozen=True, slots=True)
class Drawings:
    """The map of one instrument, drawn once for all its pages.

    Attributes:
        stills: By frame.
        live: ``drawing``, the specification that all frames share; ``frames``, what each adds to it; ``close``, what
            takes their place near the mark.
    """

    stills: dict[str, Still]
    live: dict[str, Any]


def draw(facts: Facts) -> Drawings:
    """Draw a map in every frame, in the page's own colours."""
    name, drawing = slug(facts.map.instrument), map_drawing(PAGE)
    return Drawings(
        stills={
            key: still(complete(drawing, map_data(facts.map, frame=frame, everything=False)), f"{name}-{key}")
            for key, frame in FRAMES.items()
        },
        live={
            "drawing": drawing,
            "close": map_close(facts.map, FRAMES),
            "frames": {key: map_data(facts.map, frame=frame, everything=True) for key, frame in FRAMES.items()},
        },
    )


def front_page(issue: Issue, place: Place) -> str:
    """All instruments of an issue, a card each."""
    cards = [(facts, mini(facts.map, words.heaviest(facts))) for facts in issue.facts]
    return _render("front.html", issue=issue, place=place, cards=cards)


def map_page(issue: Issue, facts: Facts, drawings: Drawings, place: Place) -> str:
    """One instrument's map with everything behind it."""
    return _render(
        "map.html",
        issue=issue,
        place=place,
        facts=facts,
        drawings=drawings,
        step=bars(facts.map, most=WIDE.most).step,
        reaches=[facts.within(reach) for reach in REACHES],
    )


def archive_page(title: str, summaries: list[dict[str, Any]], place: Place, *, simulated: bool) -> str:
    """All issues of a site, newest first."""
    return _render("archive.html", title=title, summaries=summaries, place=place, simulated=simulated)


def _render(name: str, **values: object) -> str:
    return _environment().get_template(name).render(**values)


def _unbroken(text: str) -> Markup:
    """A text whose price ranges stay on one line, and so do amounts in parentheses."""
    return Markup(_KEEP.sub(r'<span class="unbroken">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped first


def _range(ends: tuple[float, float], tick: float) -> str:
    return numbers.price_range(*ends, tick)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("liqmap.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "ensure_ascii": False, "separators": (",", ":")}
    environment.filters |= {
        "usd": numbers.usd,
        "coin": numbers.coin,
        "price": numbers.price,
        "price_range": _range,
        "percent": numbers.percent,
        "stamp": words.stamp,
        "day": words.day,
        "clock": words.clock,
        "iso": iso,
        "slug": slug,
        "unbroken": _unbroken,
        "drawing": lambda drawn: Markup(drawn.svg),  # noqa: S704 - checked element by element in vega.still
    }
    environment.globals |= {
        "POLICY": POLICY,
        "GROUPS": GROUPS,
        "IDENTIFIED": IDENTIFIED,
        "BANDS": ("low", "medium", "high", "extreme"),
        "words": words,
    }
    return environment
