"""The preview image of a page for social media, 1200 × 630 px: headline and small map."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from markupsafe import escape

from liqmap._base.number_format import price
from liqmap.charts.theme import LIGHT, SANS
from liqmap.report.svg.thumbnail import HEIGHT, WIDTH, thumbnail
from liqmap.report.text import sentences
from liqmap.report.vega.static_svg import svg_to_png

if TYPE_CHECKING:
    from liqmap.report.facts import Facts

__all__ = ["social_card"]

_LINE_LENGTH = 46
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 1130, 330, 530


def social_card(facts: Facts) -> bytes:
    """Draw the preview image of an instrument as PNG."""
    colours, small = LIGHT.tokens(), thumbnail(facts.map, ())
    across, down = (_RIGHT - _LEFT) / WIDTH, (_BOTTOM - _TOP) / HEIGHT
    bars = "".join(f'<path fill="{colours[name]}" d="{d}"/>' for name, d in small.paths.items())
    tick, mark = facts.map.grid.tick, _LEFT + small.mark * across
    lines = textwrap.wrap(sentences.finding(facts).replace("\u202f", "\u00a0"), _LINE_LENGTH)[:3]
    kind = "SIMULATED · " if facts.map.provenance.simulated else ""
    head = textwrap.shorten(f"{kind}{facts.map.instrument}", 60, placeholder="…")
    texts = [
        (_LEFT, 96, "start", 28, 400, colours["quiet"], f"{head} · {sentences.stamp(facts.map.at)}"),
        *((_LEFT, 160 + 56 * i, "start", 44, 700, colours["ink"], line) for i, line in enumerate(lines)),
        (mark, _BOTTOM + 40, "middle", 26, 700, colours["ink"], price(facts.map.mark_price, tick)),
        (_LEFT, _BOTTOM + 40, "start", 26, 400, colours["quiet"], price(small.low, tick)),
        (_RIGHT, _BOTTOM + 40, "end", 26, 400, colours["quiet"], price(small.high, tick)),
    ]
    words_drawn = "".join(
        f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{fill}">'
        f"{escape(text)}</text>"
        for x, y, anchor, size, weight, fill, text in texts
    )
    rules = f"M{_LEFT} {_BOTTOM}H{_RIGHT}M{mark:.1f} {_TOP}V{_BOTTOM}"
    return svg_to_png(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="630" font-family="{escape(SANS)}">'
        f'<rect width="1200" height="630" fill="{colours["paper"]}"/>'
        f'<g transform="translate({_LEFT} {_TOP}) scale({across:.5f} {down:.5f})">{bars}</g>'
        f'<path stroke="{colours["ink"]}" stroke-width="2" d="{rules}"/>'
        f"{words_drawn}</svg>"
    )
