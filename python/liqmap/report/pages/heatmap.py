"""Heatmap page: liquidation maps over time with predicted and reported liquidations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.instruments import slug
from liqmap._base.timestamps import iso
from liqmap.charts.heatmap.cell_table import cells_table
from liqmap.charts.heatmap.chart import heat_data, heat_frame, heat_spec
from liqmap.charts.heatmap.layout import MEDIUM, NARROW, WIDE, HeatmapLayout, RealisedLiquidations, column_times
from liqmap.charts.heatmap.rows import palettes
from liqmap.charts.shade_ramp import SHADES
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.tracks.layout import TracksLayout
from liqmap.maps.clusters import basins
from liqmap.maps.export import csv_text
from liqmap.maps.heatmap import MAP_MERGE, MAP_SIGMA, Heatmap, build_heatmap_at
from liqmap.report.page import MissingData, Page, PageContent
from liqmap.report.realised_data import read_realised
from liqmap.report.site.downloads import parquet_bytes
from liqmap.report.text import heatmap as text
from liqmap.report.tracks_data import TracksData, read_tracks_data
from liqmap.report.vega.static_svg import static_svg

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.public import History
    from liqmap.report.facts import Facts

    Floats = npt.NDArray[np.float64]

__all__ = ["PAGE", "HeatmapPageData", "TimelineRow", "timeline"]

FRAMES = {"wide": WIDE, "medium": MEDIUM, "narrow": NARROW}
_MIN_HISTORY = 4 * 3_600_000_000
_MAX_ROWS = 8
SIDES = ("long", "short")
_STEP_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 96)


@dataclass(frozen=True, eq=False, slots=True)
class HeatmapPageData:
    """Data of the page: earlier maps, realised liquidations and tracks."""

    heat: Heatmap
    realised: RealisedLiquidations | None
    tracks: TracksData | None = None


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A row of the timeline: a time, and the liquidations since the previous row.

    Attributes:
        at: UTC microseconds.
        price: Last price.
        predicted: Predicted liquidations of longs and shorts, USD.
        reported: Reported liquidations, USD; ``None`` if no feed covers the interval.
        largest: Price and notional (USD) of the largest open cluster of longs and of shorts; ``None`` without one.
    """

    at: Instant
    price: float
    predicted: tuple[float, float]
    reported: tuple[float, float] | None
    largest: tuple[tuple[float, float] | None, tuple[float, float] | None]


def _read(history: History, facts: Facts) -> HeatmapPageData | MissingData:
    name, at = facts.map.instrument, facts.map.at
    if "bars" not in facts.map.provenance.inputs:
        return MissingData(
            "This map is built from accounts observed at a single time, so it has no history.",
            "Load bars and open interest of the instrument to fill this page from the next issue.",
        )
    begin = int(history.market_bars(name, until=at).end[0])
    if at - begin < _MIN_HISTORY:
        return MissingData(
            "The history covers less than four hours before this issue.",
            "The page becomes available with more history, or when older bars and open interest are loaded.",
        )
    heat = build_heatmap_at(history, name, column_times(begin, at), merge=MAP_MERGE)
    tracks = read_tracks_data(history, facts)
    reported = read_realised(history, facts, int(heat.at[0]), at)
    return HeatmapPageData(heat, reported, None if isinstance(tracks, MissingData) else tracks)


def _build(facts: Facts, data: HeatmapPageData) -> PageContent:
    tick, week = facts.map.grid.tick, data.tracks
    summaries = () if week is None else TracksLayout.of_tracks(week.tracks, week.path, week.hourly_path, tick).shown
    layout = HeatmapLayout.of_heatmap(data.heat, facts.clusters, tick=tick, realised=data.realised, summaries=summaries)
    drawing, name = heat_spec(COLOURS), slug(facts.map.instrument)
    frames = {key: heat_frame(layout, frame) for key, frame in FRAMES.items()}
    static_data = heat_data(layout, everything=False)
    rows = timeline(layout)
    return PageContent(
        heading=text.heatmap_heading(facts, layout),
        lede=text.heatmap_lede(layout),
        values={
            "stills": {
                key: static_svg({**drawing, **static_data, **frame}, f"{name}-{key}") for key, frame in frames.items()
            },
            "live": {
                "drawing": drawing,
                **heat_data(layout, everything=True),
                "frames": frames,
                **_script_data(layout),
            },
            "layout": layout,
            "timeline": rows,
            "alt": text.heatmap_alt_text(facts, layout),
            "legend": _legend_ticks(layout),
        },
        files={
            "heatmap.csv": _csv(facts, data.heat).encode(),
            "heatmap.json": _json(facts, layout, rows).encode(),
            "heatmap.parquet": parquet_bytes(cells_table(layout)),
        },
    )


def timeline(layout: HeatmapLayout) -> tuple[TimelineRow, ...]:
    """The first time range in a few rows, oldest first; the first row is its start."""
    heat, end = layout.heat, layout.end
    hours = (end - layout.start) / 3_600_000_000
    step = next((h for h in _STEP_HOURS if hours / h <= _MAX_ROWS - 1), _STEP_HOURS[-1]) * 3_600_000_000
    times = np.arange(end - (end - layout.start) // step * step, end + 1, step)
    found, before = [], -1
    for at in times.tolist():
        i = int(np.searchsorted(heat.at, at, side="right")) - 1
        if i <= before:
            continue
        since = slice(before + 1, i + 1) if before >= 0 else slice(0, 0)
        predicted = heat.predicted[since].sum(axis=(0, 2)).tolist()
        reported = None
        if layout.realised is not None and before >= 0:
            reported = layout.realised.between(int(heat.at[before]), int(heat.at[i]))
        if i == len(heat.at) - 1:
            # The last row uses the exact clusters of the map.
            long, short = (
                _largest_of([(c.peak, c.notional) for c in layout.clusters if c.side == s and _in_view(c.peak, layout)])
                for s in SIDES
            )
        else:
            long, short = (
                _largest_cluster(side[i].sum(axis=0), heat.edges, layout) for side in (heat.long, heat.short)
            )
        found.append(
            TimelineRow(int(heat.at[i]), float(heat.close[i]), (predicted[0], predicted[1]), reported, (long, short))
        )
        before = i
    return tuple(found)


def _largest_cluster(notional: Floats, edges: Floats, layout: HeatmapLayout) -> tuple[float, float] | None:
    """The largest cluster of a side with its peak in the first price range."""
    found = [
        (float(notional[b.bins].sum()), float(edges[b.at] + edges[b.at + 1]) / 2) for b in basins(notional, MAP_SIGMA)
    ]
    return _largest_of([(peak, usd) for usd, peak in found if _in_view(peak, layout)])


def _in_view(peak: float, layout: HeatmapLayout) -> bool:
    return layout.view[0] <= peak <= layout.view[1]


def _largest_of(found: list[tuple[float, float]]) -> tuple[float, float] | None:
    return max(found, key=lambda cluster: cluster[1], default=None)


def _script_data(layout: HeatmapLayout) -> dict[str, Any]:
    """Parameters of the page script for zooming, panning and reading cells."""
    light, dark = palettes()
    return {
        "parts": [
            {"start": part.start // 1000, "step": part.step // 1000, "end": layout.end // 1000, "view": list(view)}
            for part, view in zip(layout.parts, layout.views, strict=True)
        ],
        "names": [text.range_name(days) for days in layout.days],
        "rows": {"low": layout.rows.low, "step": layout.rows.step, "high": layout.rows.high},
        "top": layout.scale.top,
        "shades": SHADES,
        "palettes": {"light": light, "dark": dark},
    }


def _legend_ticks(layout: HeatmapLayout) -> list[float]:
    """USD at the ticks of the colour scale."""
    return [layout.scale.top * share for share in (0, 0.25, 0.5, 0.75, 1)]


def _csv(facts: Facts, heat: Heatmap) -> str:
    """The columns as CSV, one row each."""
    head = [
        *("instrument", "at", "low", "high", "close", "open_interest", "long_usd", "short_usd"),
        *("liquidated_long_usd", "liquidated_short_usd"),
    ]
    notional = [side.sum(axis=(1, 2)).round(2).tolist() for side in (heat.long, heat.short)]
    predicted = heat.predicted.sum(axis=2).round(2).tolist()
    prices = (heat.low.tolist(), heat.high.tolist(), heat.close.tolist(), heat.open_interest.tolist())
    return csv_text(
        head,
        (
            [facts.map.instrument, iso(at), *(column[i] for column in (*prices, *notional)), *predicted[i]]
            for i, at in enumerate(heat.at.tolist())
        ),
    )


def _json(facts: Facts, layout: HeatmapLayout, rows: tuple[TimelineRow, ...]) -> str:
    """The content of the page as JSON, with provenance."""
    reported = layout.realised
    content = {
        "instrument": facts.map.instrument,
        "at": iso(layout.end),
        "ranges_days": list(layout.days),
        "rows": {"low": layout.rows.low, "step": layout.rows.step, "count": layout.rows.count},
        "top_usd_per_row": layout.scale.top,
        "realised": None
        if reported is None
        else {
            "feed": reported.feed,
            "since": iso(reported.since),
            "until": iso(reported.until),
            "hours": [iso(t) for t in reported.start.tolist()],
            "usd": reported.usd.round(2).tolist(),
        },
        "lines": [
            {"at": iso(r.at), "price": r.price, "liquidated": r.predicted, "realised": r.reported, "largest": r.largest}
            for r in rows
        ],
        "provenance": layout.heat.provenance.to_dict(),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


PAGE = Page("heatmap", "Heatmap", _build, read=_read)
