"""How clusters came and went: each with what opened, closed and was liquidated in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.instruments import slug
from liqmap._base.timestamps import iso
from liqmap.charts.heatmap.layout import MEDIUM, NARROW, WIDE
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.tracks.chart import track_data, track_drawing
from liqmap.charts.tracks.layout import TrackScene
from liqmap.report.page import Missing, Page, Shown
from liqmap.report.site.downloads import parquet, table_files
from liqmap.report.svg.turnover import turnover
from liqmap.report.text import evolution as words
from liqmap.report.tracks_data import Evolved, evolved
from liqmap.report.vega.static_svg import still

if TYPE_CHECKING:
    from liqmap.report.facts import Facts
    from liqmap.report.site.downloads import Cell

__all__ = ["PAGE"]

FRAMES = {"wide": WIDE, "medium": MEDIUM, "narrow": NARROW}
_STANDING, _ENDED = 14, 8


def _show(facts: Facts, read: Evolved) -> Shown | Missing:
    scene = TrackScene.of_tracks(read.tracks, read.path, read.line, facts.map.grid.tick)
    if not scene.lives:
        return Missing("No cluster stood in this time.", "A market with open positions fills this page.")
    drawing, name = track_drawing(COLOURS), slug(facts.map.instrument)
    return Shown(
        heading=words.finding(scene),
        lede=words.lede(scene),
        values={
            "stills": {
                key: still({**drawing, **track_data(scene, frame)}, f"{name}-{key}") for key, frame in FRAMES.items()
            },
            "scene": scene,
            "standing": scene.standing(_STANDING),
            "ended": scene.ended(_ENDED),
            "sides": turnover(read.tracks),
            "alt": words.alt(facts, scene),
            "say": words,
        },
        files={
            **table_files("tracks", _HEAD, _lines(facts, scene)),
            "steps.parquet": parquet(read.tracks.to_arrow()),
        },
    )


_HEAD = (
    *("instrument", "track", "side", "born", "born_seen", "until", "end", "parent", "heir", "born_peak", "last_peak"),
    *("notional", "largest", "opened", "closed", "liquidated", "migrated_at"),
)


def _lines(facts: Facts, scene: TrackScene) -> list[list[Cell]]:
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


PAGE = Page("evolution", "Evolution", _show, read=evolved)
