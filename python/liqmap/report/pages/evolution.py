"""Evolution page: clusters over time with the notional opened, closed and liquidated in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.instruments import slug
from liqmap._base.timestamps import iso
from liqmap.charts.heatmap.layout import MEDIUM, NARROW, WIDE
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.tracks.chart import track_data, track_spec
from liqmap.charts.tracks.layout import TracksLayout
from liqmap.report.page import MissingData, Page, PageContent
from liqmap.report.site.downloads import parquet_bytes, table_files
from liqmap.report.svg.turnover import turnover
from liqmap.report.text import evolution as text
from liqmap.report.tracks_data import TracksData, read_tracks_data
from liqmap.report.vega.static_svg import static_svg

if TYPE_CHECKING:
    from liqmap.report.facts import Facts
    from liqmap.report.site.downloads import Cell

__all__ = ["PAGE"]

FRAMES = {"wide": WIDE, "medium": MEDIUM, "narrow": NARROW}
_MAX_OPEN, _MAX_ENDED = 14, 8


def _build(facts: Facts, data: TracksData) -> PageContent | MissingData:
    layout = TracksLayout.of_tracks(data.tracks, data.path, data.hourly_path, facts.map.grid.tick)
    if not layout.summaries:
        return MissingData("There was no cluster in this period.", "The page needs a market with open positions.")
    drawing, name = track_spec(COLOURS), slug(facts.map.instrument)
    return PageContent(
        heading=text.heading(layout),
        lede=text.lede(layout),
        values={
            "stills": {
                key: static_svg({**drawing, **track_data(layout, frame)}, f"{name}-{key}")
                for key, frame in FRAMES.items()
            },
            "layout": layout,
            "open_clusters": layout.open_tracks(_MAX_OPEN),
            "ended_clusters": layout.ended_tracks(_MAX_ENDED),
            "sides": turnover(data.tracks),
            "alt": text.alt_text(facts, layout),
            "text": text,
        },
        files={
            **table_files("tracks", _HEADER, _rows(facts, layout)),
            "steps.parquet": parquet_bytes(data.tracks.to_arrow()),
        },
    )


_HEADER = (
    *("instrument", "track", "side", "born", "born_seen", "until", "end", "parent", "heir", "born_peak", "last_peak"),
    *("notional", "largest", "opened", "closed", "liquidated", "migrated_at"),
)


def _rows(facts: Facts, layout: TracksLayout) -> list[list[Cell]]:
    """One row per track, including tracks too small to be drawn."""
    return [
        [
            *(facts.map.instrument, one.track.number, one.track.side, iso(one.born), str(one.known).lower()),
            *(iso(one.until), one.end, one.track.parent, one.track.heir, one.track.steps[0].peak, one.last.peak),
            *(one.track.steps[-1].notional, one.largest, one.opened, one.closed, one.liquidated),
            iso(one.migrated.at) if one.migrated else None,
        ]
        for one in layout.summaries
    ]


PAGE = Page("evolution", "Evolution", _build, read=read_tracks_data)
