"""Static charts as SVG, for pages without JavaScript, for print and for images."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.parsers import expat

from liqmap._base.errors import InternalError
from liqmap.charts.spec_cache import cached_spec
from liqmap.report.vega.vega_bundle import load_vl_convert, vl_convert_version
from liqmap.report.vega.vega_engine import draw

__all__ = ["StaticSvg", "static_svg", "svg_to_png"]

_ALLOWED_TAGS = {"svg", "g", "path", "rect", "line", "text", "tspan", "defs", "clipPath", "image"}
_ALLOWED_ATTRIBUTES = {
    *("xmlns", "viewBox", "aria-hidden", "id", "class", "href", "clip-path", "transform", "preserveAspectRatio"),
    *("x", "y", "x2", "y2", "dx", "dy", "width", "height", "rx", "ry", "d", "fill", "fill-opacity", "opacity"),
    *("stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap"),
    *("stroke-linejoin", "stroke-miterlimit", "text-anchor", "font-size", "font-weight", "font-style"),
}
_PNG_DATA_URL = "data:image/png;base64,"


@dataclass(frozen=True, slots=True)
class StaticSvg:
    """A static chart.

    Attributes:
        svg: The ``<svg>`` element; validated, safe to embed in a page.
        marks: Number of data marks; 0 indicates that the data is missing.
        width: Natural width, pixels.
        height: Natural height, pixels.
    """

    svg: str
    marks: int
    width: float
    height: float


def static_svg(spec: dict[str, Any], name: str) -> StaticSvg:
    """Render a Vega-Lite specification.

    The SVG contains only shapes, text and embedded PNG images, without style attributes or scripts, so it satisfies a
    strict content security policy. Its ids start with ``name``, so several charts can share a page.

    Raises:
        LiqmapError: An optional dependency is not installed.
        InternalError: The chart has no data marks, or the SVG contains a disallowed element.
    """
    svg, marks = _draw_spec(spec, name)
    if not marks:
        raise InternalError("chart", name, "no marks drawn", "a chart of its data", "nothing written")
    size = _check_elements(svg, name)
    return StaticSvg(svg, marks, *size)


def svg_to_png(svg: str) -> bytes:
    """Convert an SVG to PNG."""
    drawn: bytes = load_vl_convert().svg_to_png(svg, scale=1)
    return drawn


def _draw_spec(spec: dict[str, Any], name: str) -> tuple[str, int]:
    """Render with a compiled specification that contains no rows or values and is therefore the same for every map."""
    rows = spec.get("datasets", {})
    values = {given["name"]: given["value"] for given in spec.get("params", ()) if "value" in given}
    bare = {
        **spec,
        "datasets": dict.fromkeys(rows, ()),
        "params": [{**given, "value": 0} if "value" in given else given for given in spec.get("params", ())],
    }
    return draw(name, _compiled(json.dumps(bare)), values, rows)


@lru_cache(maxsize=64)
def _compiled(spec: str) -> str:
    return json.dumps(
        cached_spec(f"vega {vl_convert_version()} {spec}", lambda: dict(load_vl_convert().vegalite_to_vega(spec)))
    )


def _check_elements(svg: str, name: str) -> tuple[float, float]:
    """Reject disallowed elements and attributes; returns width and height."""
    size: list[float] = []

    def element(tag: str, attributes: dict[str, str]) -> None:
        strange = attributes.keys() - _ALLOWED_ATTRIBUTES
        if tag not in _ALLOWED_TAGS or strange:
            found = f"<{tag} {' '.join(sorted(strange))}> in the chart"
            raise InternalError("chart", name, found, "shapes and text", "nothing written")
        if not attributes.get("href", _PNG_DATA_URL).startswith(_PNG_DATA_URL):
            raise InternalError("chart", name, "an external image", "an embedded PNG", "nothing written")
        if tag == "svg":
            size.extend(map(float, attributes["viewBox"].split()[2:]))

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    try:
        parser.Parse(svg, True)
    except expat.ExpatError as error:
        raise InternalError("chart", name, str(error), "well-formed XML", "nothing written") from None
    width, height = size
    return width, height
