"""Design tokens as data: colours of the light and the dark theme, and the Altair theme built from them.

The colours were chosen in OKLCH: within a side, leverage is an ordered step of lightness at one hue (about 208 for
longs, 58 for shorts); between sides, hue and lightness both differ, and longs stay the darker at every step on paper,
so that charts remain readable with colour-vision deficiency and in grey printing (``tests/charts/test_theme.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

__all__ = ["DARK", "LIGHT", "PAGE", "SANS", "Theme", "css"]

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif'


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of charts and pages.

    Attributes:
        paper: Background.
        ink: Text and the mark price.
        quiet: Secondary text; its contrast with paper is at least 4.5:1.
        rule: Hairlines.
        longs: Longs by leverage group, low to high.
        shorts: Shorts by leverage group, low to high.
    """

    paper: str
    ink: str
    quiet: str
    rule: str
    longs: tuple[str, str, str, str]
    shorts: tuple[str, str, str, str]

    def tokens(self) -> dict[str, str]:
        """Flat names for CSS: ``paper``, …, ``longs-0`` … ``shorts-3``."""
        flat: dict[str, str] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str):
                flat[field.name] = value
            else:
                flat |= {f"{field.name}-{step}": colour for step, colour in enumerate(value)}
        return flat

    def altair(self) -> dict[str, Any]:
        """The theme as a Vega-Lite ``config``."""
        text = {"labelColor": self.quiet, "titleColor": self.quiet, "labelFont": SANS, "titleFont": SANS}
        return {
            "background": self.paper,
            "font": SANS,
            "aria": False,
            "view": {"stroke": None},
            "axis": {
                **text,
                "domainColor": self.ink,
                "gridColor": self.rule,
                "labelFontSize": 12,
                "tickColor": self.ink,
                "tickSize": 4,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
            },
            "legend": {**text, "labelFontSize": 12, "titleFontSize": 12, "symbolType": "square", "orient": "top"},
            "title": {"color": self.ink, "font": SANS, "fontSize": 16, "anchor": "start", "subtitleColor": self.quiet},
            "text": {"color": self.ink, "font": SANS, "fontSize": 12},
            "rule": {"color": self.ink},
            "line": {"color": self.ink, "strokeWidth": 1.25},
        }


LIGHT = Theme(
    paper="#fbfaf7",
    ink="#16181a",
    quiet="#5c6166",
    rule="#dcdad3",
    longs=("#94c9cf", "#49a1ad", "#0d7380", "#024550"),
    shorts=("#f1bd7f", "#e0913f", "#bd6526", "#883b18"),
)
DARK = Theme(
    paper="#101315",
    ink="#ece9e2",
    quiet="#9aa0a6",
    rule="#2a2f33",
    longs=("#10454e", "#17707c", "#42a2ad", "#89dae2"),
    shorts=("#683b20", "#a45d25", "#da8e41", "#fece8c"),
)


def _css_variables(side: str) -> tuple[str, str, str, str]:
    return (f"var(--{side}-0)", f"var(--{side}-1)", f"var(--{side}-2)", f"var(--{side}-3)")


PAGE = Theme(
    paper="var(--paper)",
    ink="var(--ink)",
    quiet="var(--quiet)",
    rule="var(--rule)",
    longs=_css_variables("longs"),
    shorts=_css_variables("shorts"),
)
"""Colours as CSS variables, so that one chart follows the page's light or dark theme."""


def css() -> str:
    """The tokens as CSS custom properties: light by default and in print, dark if the reader prefers it."""

    def block(theme: Theme) -> str:
        return "".join(f"--{name}:{value};" for name, value in theme.tokens().items())

    return (
        f":root{{color-scheme:light dark;{block(LIGHT)}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{block(DARK)}}}}}\n"
    )
