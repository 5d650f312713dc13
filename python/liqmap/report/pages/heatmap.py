"""Maps through time: what the price met on its way, and what it left standing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.instruments import slug
from liqmap._base.timestamps import iso
from liqmap.charts.heatmap.cell_table import cells_table
from liqmap.charts.heatmap.chart import heat_data, heat_drawing, heat_frame
from liqmap.charts.heatmap.layout import MEDIUM, NARROW, WIDE, HeatScene, Realised, columns
from liqmap.charts.heatmap.rows import palettes
from liqmap.charts.palette import SHADES
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.tracks.layout import TrackScene
from liqmap.maps.clusters import basins
from liqmap.maps.export import csv_text
from liqmap.maps.heatmap import MAP_MERGE, MAP_SIGMA, Heatmap, build_columns
from liqmap.report.page import MissingData, Page, PageContent
from liqmap.report.realised_data import realised
from liqmap.report.site.downloads import parquet_bytes
from liqmap.report.text import heatmap as words
from liqmap.report.tracks_data import TracksData, evolved
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
    """What the page reads: maps of earlier times, and what happened meanwhile."""

    heat: Heatmap
    realised: Realised | None
    evolved: TracksData | None = None


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A line of the table: a time, and what happened since the line before.

    Attributes:
        at: UTC microseconds.
        price: Last price.
        swept: USD of longs and of shorts that the model liquidated.
        told: USD that were reported; ``None`` where no feed covers it.
        peaks: Centre and USD of the largest cluster of longs and of shorts that stood then; ``None`` without one.
    """

    at: Instant
    price: float
    swept: tuple[float, float]
    told: tuple[float, float] | None
    peaks: tuple[tuple[float, float] | None, tuple[float, float] | None]


def _read(history: History, facts: Facts) -> HeatmapPageData | MissingData:
    name, at = facts.map.instrument, facts.map.at
    if "bars" not in facts.map.provenance.inputs:
        return MissingData(
            "This map was made of accounts seen at one time; nothing tells how it came about.",
            "Bars and open interest of the instrument fill this page from the next issue on.",
        )
    begin = int(history.market_bars(name, until=at).end[0])
    if at - begin < _MIN_HISTORY:
        return MissingData(
            "The history holds less than four hours before this issue.",
            "The page fills itself as time passes, or when older bars and open interest are loaded.",
        )
    heat = build_columns(history, name, columns(begin, at), merge=MAP_MERGE)
    followed = evolved(history, facts)
    told = realised(history, facts, int(heat.at[0]), at)
    return HeatmapPageData(heat, told, None if isinstance(followed, MissingData) else followed)


def _build(facts: Facts, past: HeatmapPageData) -> PageContent:
    tick, one = facts.map.grid.tick, past.evolved
    lives = () if one is None else TrackScene.of_tracks(one.tracks, one.path, one.line, tick).shown
    scene = HeatScene.of_heat(past.heat, facts.clusters, tick=tick, realised=past.realised, lives=lives)
    drawing, name = heat_drawing(COLOURS), slug(facts.map.instrument)
    frames = {key: heat_frame(scene, frame) for key, frame in FRAMES.items()}
    few = heat_data(scene, everything=False)
    lines = timeline(scene)
    return PageContent(
        heading=words.heatmap_heading(facts, scene),
        lede=words.heatmap_lede(scene),
        values={
            "stills": {key: static_svg({**drawing, **few, **frame}, f"{name}-{key}") for key, frame in frames.items()},
            "live": {"drawing": drawing, **heat_data(scene, everything=True), "frames": frames, **_script_data(scene)},
            "scene": scene,
            "lines": lines,
            "alt": words.heatmap_alt_text(facts, scene),
            "legend": _legend_ticks(scene),
        },
        files={
            "heatmap.csv": _csv(facts, past.heat).encode(),
            "heatmap.json": _json(facts, scene, lines).encode(),
            "heatmap.parquet": parquet_bytes(cells_table(scene)),
        },
    )


def timeline(scene: HeatScene) -> tuple[TimelineRow, ...]:
    """The first view in a few lines, oldest first; the first line is where it begins."""
    heat, end = scene.heat, scene.end
    hours = (end - scene.start) / 3_600_000_000
    step = next((h for h in _STEP_HOURS if hours / h <= _MAX_ROWS - 1), _STEP_HOURS[-1]) * 3_600_000_000
    times = np.arange(end - (end - scene.start) // step * step, end + 1, step)
    found, before = [], -1
    for at in times.tolist():
        i = int(np.searchsorted(heat.at, at, side="right")) - 1
        if i <= before:
            continue
        since = slice(before + 1, i + 1) if before >= 0 else slice(0, 0)
        swept = heat.predicted[since].sum(axis=(0, 2)).tolist()
        told = None
        if scene.realised is not None and before >= 0:
            told = scene.realised.between(int(heat.at[before]), int(heat.at[i]))
        if i == len(heat.at) - 1:
            # The clusters of the map itself, to the dollar.
            long, short = (
                _largest_of([(c.peak, c.notional) for c in scene.clusters if c.side == s and _in_view(c.peak, scene)])
                for s in SIDES
            )
        else:
            long, short = (_largest_cluster(side[i].sum(axis=0), heat.edges, scene) for side in (heat.long, heat.short))
        found.append(TimelineRow(int(heat.at[i]), float(heat.close[i]), (swept[0], swept[1]), told, (long, short)))
        before = i
    return tuple(found)


def _largest_cluster(mass: Floats, edges: Floats, scene: HeatScene) -> tuple[float, float] | None:
    """The largest cluster of a side whose peak is in the first view."""
    found = [(float(mass[b.bins].sum()), float(edges[b.at] + edges[b.at + 1]) / 2) for b in basins(mass, MAP_SIGMA)]
    return _largest_of([(peak, usd) for usd, peak in found if _in_view(peak, scene)])


def _in_view(peak: float, scene: HeatScene) -> bool:
    return scene.view[0] <= peak <= scene.view[1]


def _largest_of(found: list[tuple[float, float]]) -> tuple[float, float] | None:
    return max(found, key=lambda cluster: cluster[1], default=None)


def _script_data(scene: HeatScene) -> dict[str, Any]:
    """What the page's script has to know to move about and to say what lies under the pointer."""
    light, dark = palettes()
    return {
        "parts": [
            {"start": part.start // 1000, "step": part.step // 1000, "end": scene.end // 1000, "view": list(view)}
            for part, view in zip(scene.parts, scene.views, strict=True)
        ],
        "names": [words.range_name(days) for days in scene.days],
        "rows": {"low": scene.rows.low, "step": scene.rows.step, "high": scene.rows.high},
        "top": scene.scale.top,
        "shades": SHADES,
        "palettes": {"light": light, "dark": dark},
    }


def _legend_ticks(scene: HeatScene) -> list[float]:
    """Dollars at the ticks under the ramp."""
    return [scene.scale.top * share for share in (0, 0.25, 0.5, 0.75, 1)]


def _csv(facts: Facts, heat: Heatmap) -> str:
    """A line per column."""
    head = [
        *("instrument", "at", "low", "high", "close", "open_interest", "long_usd", "short_usd"),
        *("liquidated_long_usd", "liquidated_short_usd"),
    ]
    mass = [side.sum(axis=(1, 2)).round(2).tolist() for side in (heat.long, heat.short)]
    swept = heat.predicted.sum(axis=2).round(2).tolist()
    prices = (heat.low.tolist(), heat.high.tolist(), heat.close.tolist(), heat.open_interest.tolist())
    return csv_text(
        head,
        (
            [facts.map.instrument, iso(at), *(column[i] for column in (*prices, *mass)), *swept[i]]
            for i, at in enumerate(heat.at.tolist())
        ),
    )


def _json(facts: Facts, scene: HeatScene, lines: tuple[TimelineRow, ...]) -> str:
    """What the page says, with how it was made."""
    told = scene.realised
    content = {
        "instrument": facts.map.instrument,
        "at": iso(scene.end),
        "ranges_days": list(scene.days),
        "rows": {"low": scene.rows.low, "step": scene.rows.step, "count": scene.rows.count},
        "top_usd_per_row": scene.scale.top,
        "realised": None
        if told is None
        else {
            "feed": told.feed,
            "since": iso(told.since),
            "until": iso(told.until),
            "hours": [iso(t) for t in told.start.tolist()],
            "usd": told.usd.round(2).tolist(),
        },
        "lines": [
            {"at": iso(s.at), "price": s.price, "liquidated": s.swept, "realised": s.told, "largest": s.peaks}
            for s in lines
        ],
        "provenance": scene.heat.provenance.to_dict(),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


PAGE = Page("heatmap", "Heatmap", _build, read=_read)
