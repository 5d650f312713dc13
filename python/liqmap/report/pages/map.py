"""Map page: the liquidation map of one instrument, its clusters and cascades."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Any

from liqmap._base.instruments import SIDES, slug
from liqmap._base.timestamps import iso
from liqmap.charts.map.chart import map_close_view, map_data, map_spec
from liqmap.charts.map.layout import MEDIUM, NARROW, WIDE
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.vega_data import with_data
from liqmap.maps.clusters import Cluster
from liqmap.maps.display_bars import display_bars
from liqmap.maps.export import to_csv
from liqmap.maps.map_registry import published_bytes
from liqmap.report.facts import REACHES
from liqmap.report.page import Page, PageContent
from liqmap.report.site.downloads import Cell, parquet_bytes, table_files
from liqmap.report.text import sentences
from liqmap.report.vega.static_svg import StaticSvg, static_svg

if TYPE_CHECKING:
    from liqmap.report.facts import Facts

__all__ = ["PAGE", "MapDrawings", "draw_map"]

FRAMES = {"wide": WIDE, "medium": MEDIUM, "narrow": NARROW}


@dataclass(frozen=True, slots=True)
class MapDrawings:
    """Charts of a map, built once for all locations of the page.

    Attributes:
        stills: Static charts by size.
        live: Interactive chart: ``drawing``, the specification shared by all sizes; ``frames``, the additions of each
            size; ``close``, finer data for views near the mark price.
    """

    stills: dict[str, StaticSvg]
    live: dict[str, Any]


def draw_map(facts: Facts) -> MapDrawings:
    """Draw a map in every size with the colours of the page."""
    name, drawing = slug(facts.map.instrument), map_spec(COLOURS)
    return MapDrawings(
        stills={
            key: static_svg(with_data(drawing, map_data(facts.map, frame=frame, everything=False)), f"{name}-{key}")
            for key, frame in FRAMES.items()
        },
        live={
            "drawing": drawing,
            "close": map_close_view(facts.map, FRAMES),
            "frames": {key: map_data(facts.map, frame=frame, everything=True) for key, frame in FRAMES.items()},
        },
    )


def _build(facts: Facts, _: None) -> PageContent:
    return PageContent(
        heading=sentences.finding(facts),
        lede=sentences.balance(facts),
        values={
            "drawings": draw_map(facts),
            "step": display_bars(facts.map, most=WIDE.most).step,
            "pain": {side: facts.map.max_pain(side) for side in SIDES},
            "reaches": [facts.within(reach) for reach in REACHES],
        },
        files={
            "map.csv": to_csv(facts.map).encode(),
            "map.json": published_bytes(facts.map),
            "map.parquet": parquet_bytes(facts.map.to_arrow()),
            **table_files("clusters", *_clusters(facts)),
        },
    )


def _clusters(facts: Facts) -> tuple[list[str], list[list[Cell]]]:
    head = ["instrument", "at", *(field.name for field in fields(Cluster))]
    at = iso(facts.map.at)
    return head, [[facts.map.instrument, at, *astuple(cluster)] for cluster in facts.clusters]


PAGE = Page("map", "Map", _build)
