"""How clusters came and went: each with what opened, closed and was liquidated in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.instruments import slug
from liqmap._base.timestamps import iso
from liqmap.charts.heatmap.layout import MEDIUM, NARROW, WIDE
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.tracks.chart import track_data, track_drawing
from liqmap.charts.tracks.layout import TrackScene
from liqmap.report.page import MissingData, Page, PageContent
from liqmap.report.site.downloads import parquet_bytes, table_files
from liqmap.report.svg.turnover import turnover
from liqmap.report.text import evolution as words
from liqmap.report.tracks_data import TracksData, evolved
from liqmap.report.vega.static_svg import static_svg

if TYPE_CHECKING:
    from liqmap.report.facts import Facts
    from liqmap.report.site.downloads import Cell

__all__ = ["PAGE"]

FRAMES = {"wide": WIDE, "medium": MEDIUM, "narrow": NARROW}
_STANDING, _ENDED = 14, 8


def _build(facts: Facts, read: TracksData) -> PageContent | MissingData:
    scene = TrackScene.of_tracks(read.tracks, read.path, read.line, facts.map.grid.tick)
    if not scene.lives:
        return MissingData("No cluster stood in this time.", "A market with open positions fills this page.")
    drawing, name = track_drawing(COLOURS), slug(facts.map.instrument)
    return PageContent(
        heading=words.heading(scene),
        lede=words.lede(scene),
        values={
            "stills": {
                key: static_svg({**drawing, **track_data(scene, frame)}, f"{name}-{key}")
                for key, frame in FRAMES.items()
            },
            "scene": scene,
            "standing": scene.standing(_STANDING),
            "ended": scene.ended(_ENDED),
            "sides": turnover(read.tracks),
            "alt": words.alt_text(facts, scene),
            "say": words,
        },
        files={
            **table_files("tracks", _HEADER, _rows(facts, scene)),
            "steps.parquet": parquet_bytes(read.tracks.to_arrow()),
        },
    )


_HEADER = (
    *("instrument", "track", "side", "born", "born_seen", "until", "end", "parent", "heir", "born_peak", "last_peak"),
    *("notional", "largest", "opened", "closed", "liquidated", "migrated_at"),
)


def _rows(facts: Facts, scene: TrackScene) -> list[list[Cell]]:
    """A line per track, those too small to be drawn among them."""
    return [
        [
            *(facts.map.instrument, one.track.number, one.track.side, iso(one.born), str(one.known).lower()),
            *(iso(one.until), one.end, one.track.parent, one.track.heir, one.track.steps[0].peak, one.last.peak),
            *(one.track.steps[-1].notional, one.largest, one.opened, one.closed, one.liquidated),
            iso(one.migrated.at) if one.migrated else None,
        ]
        for one in scene.lives
    ]


PAGE = Page("evolution", "Evolution", _build, read=evolved)
