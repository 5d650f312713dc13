"""Drawings at build time: charts as SVG, for pages without JavaScript, for print and for pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

from liqmap.charts.kept import kept
from liqmap.errors import InternalError
from liqmap.report.bundle import converter, version
from liqmap.report.v8 import draw

__all__ = ["Still", "png", "still"]

_SVG = "{http://www.w3.org/2000/svg}"
_DRAWN = {"svg", "g", "path", "rect", "line", "text", "tspan", "defs", "clipPath", "image"}
_XLINK = "{http://www.w3.org/1999/xlink}href"
_PICTURE = "data:image/png;base64,"
_THEMED = {"light_marks", "dark_marks"}
_EMPTY_PATHS = ("", "M0,0h0v0h0Z")


@dataclass(frozen=True, slots=True)
class Still:
    """A drawing that needs no script.

    Attributes:
        svg: The ``<svg>`` element; safe to stand in a page as it is.
        marks: How many marks carry data: a chart whose data did not arrive draws none, without an error.
        width: Its natural width in pixels.
        height: Its natural height.
    """

    svg: str
    marks: int
    width: float
    height: float


def still(spec: dict[str, Any], name: str) -> Still:
    """Draw a Vega-Lite specification.

    The result holds drawing elements and pictures of its own only, no style attribute and no script, so that it stands
    under a strict content security policy; its ids begin with ``name``, so that several can stand in one page.

    Raises:
        LiqmapError: An extra is not installed.
        InternalError: The drawing came out empty, or with an element that is not for drawing.
    """
    root = ET.fromstring(_drawn(spec))  # noqa: S314 - made here a moment ago
    marks = sum(1 for group in root.iter(f"{_SVG}g") if "role-mark" in group.get("class", "") for _ in group)
    if not marks:
        raise InternalError("chart", name, "no marks drawn", "a chart of its data", "nothing written")
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    _clean(root, name)
    root.attrib = {"viewBox": f"0 0 {width:g} {height:g}", "xmlns": _SVG[1:-1], "aria-hidden": "true"}
    return Still(ET.tostring(root, encoding="unicode"), marks, width, height)


def png(svg: str) -> bytes:
    """A drawing as a picture, for those who show no SVG."""
    drawn: bytes = converter().svg_to_png(svg, scale=1)
    return drawn


def _drawn(spec: dict[str, Any]) -> str:
    """Drawn from what was compiled without rows and values, which is the same for every map."""
    rows = spec.get("datasets", {})
    values = {given["name"]: given["value"] for given in spec.get("params", ()) if "value" in given}
    bare = {
        **spec,
        "datasets": dict.fromkeys(rows, ()),
        "params": [{**given, "value": 0} if "value" in given else given for given in spec.get("params", ())],
    }
    return draw(_compiled(json.dumps(bare)), values, rows)


@lru_cache(maxsize=64)
def _compiled(spec: str) -> str:
    return json.dumps(kept(f"vega {version()} {spec}", lambda: dict(converter().vegalite_to_vega(spec))))


def _clean(root: ET.Element, name: str) -> None:
    """Keep what is drawn, with ids of its own: Vega numbers them on through all drawings of a process."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("display") == "none" or (child.tag == f"{_SVG}path" and child.get("d") in _EMPTY_PATHS):
                parent.remove(child)
    ids = {found: f"{name}-{i}" for i, found in enumerate(e.get("id", "") for e in root.iter() if e.get("id"))}
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        if element.tag not in _DRAWN:
            raise InternalError("chart", name, f"<{element.tag}> in the drawing", "shapes and text", "nothing written")
        address = element.attrib.pop(_XLINK, None)
        if address is not None:
            if not address.startswith(_PICTURE):
                raise InternalError("chart", name, "a picture from elsewhere", "one in the drawing", "nothing written")
            element.set("href", address)
        element.attrib = {key: _plain(key, value, ids) for key, value in element.attrib.items() if _kept(key, value)}


def _kept(key: str, value: str) -> bool:
    """What shows: not Vega's roles and classes (but those of a theme), the font (the page's), or what is default."""
    if key == "class":
        return not _THEMED.isdisjoint(value.split())
    if key in ("style", "role", "pointer-events", "font-family") or key.startswith(("aria-", "on")):
        return False
    return (key, value) not in (("opacity", "1"), ("stroke-width", "1"), ("fill-opacity", "1"))


def _plain(key: str, value: str, ids: dict[str, str]) -> str:
    if key == "id":
        return ids[value]
    if key == "href":
        return value
    if key == "class":
        return next(word for word in value.split() if word in _THEMED)
    if key == "clip-path":
        return f"url(#{ids[value.removeprefix('url(#').removesuffix(')')]})"
    return value
