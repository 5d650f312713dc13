"""Colour shades of each side for the cells of a heatmap, from faint to strong."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from liqmap.charts.theme import DARK, LIGHT

if TYPE_CHECKING:
    from liqmap.charts.theme import Theme

__all__ = ["SHADES", "css", "shades"]

SHADES = 16
"""Shades per side: few enough to be distinguished and for equal neighbours to compress well."""

_FAINTEST = 0.10
"""Position of the faintest shade between paper (0) and the strongest colour (1)."""


@cache
def shades(theme: Theme) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The shades of longs and of shorts, faintest first, as ``#rrggbb``; the theme must be in hexadecimal.

    They interpolate the side's four colours, which are evenly spaced in lightness, so that the order remains visible
    in grey printing and with colour-vision deficiency.
    """
    return _interpolate(theme.paper, theme.longs), _interpolate(theme.paper, theme.shorts)


def css() -> str:
    """The shades as classes, ``heat-long-0`` … ``heat-short-15``, light by default and in print, dark on request."""

    def rules(theme: Theme) -> str:
        sides = zip(("long", "short"), shades(theme), strict=True)
        return "".join(f".heat-{side}-{i}{{fill:{colour}}}" for side, used in sides for i, colour in enumerate(used))

    return f"{rules(LIGHT)}\n@media screen and (prefers-color-scheme:dark){{{rules(DARK)}}}\n"


def _interpolate(paper: str, colours: tuple[str, ...]) -> tuple[str, ...]:
    stops = [_channels(colour) for colour in (paper, *colours)]
    last = len(stops) - 1
    found = []
    for step in range(SHADES):
        place = (_FAINTEST + (1 - _FAINTEST) * step / (SHADES - 1)) * last
        i = min(int(place), last - 1)
        mixed = (a + (b - a) * (place - i) for a, b in zip(stops[i], stops[i + 1], strict=True))
        found.append("#" + "".join(f"{round(channel):02x}" for channel in mixed))
    return tuple(found)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
