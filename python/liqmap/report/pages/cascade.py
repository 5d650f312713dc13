"""Cascade page: stop price by shock, and the clusters triggered by the shocks of the report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liqmap._base.instruments import SIDES, slug
from liqmap._base.number_format import percent, price, share, usd
from liqmap.charts.cascade.chart import chain_spec, curve_spec, layout_data
from liqmap.charts.cascade.rows import NARROW, WIDE, chain_layout, curve_layout
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.vega_data import with_data
from liqmap.maps.export import csv_text
from liqmap.report.page import MissingData, Page, PageContent
from liqmap.report.vega.static_svg import StaticSvg, static_svg
from liqmap.stress.cascade_curve import cascade_curve
from liqmap.stress.contribution import contributions
from liqmap.stress.depth import Depth
from liqmap.stress.impact_selection import usable_law

if TYPE_CHECKING:
    from collections.abc import Callable

    from liqmap.charts.cascade.rows import CascadeChartSize, CascadeLayout
    from liqmap.public import History
    from liqmap.report.facts import Facts
    from liqmap.stress.cascade import Cascade
    from liqmap.stress.cascade_curve import CascadeCurve
    from liqmap.stress.contribution import Contribution

__all__ = ["PAGE", "ShockChain", "cascade_page_data"]

_CHART_SIZES = {"medium wide": WIDE, "narrow": NARROW}
"""CSS classes → chart size; two sizes suffice here, and rendering each chart takes time."""
_MIN_CHAIN_STEPS = 4
_AMPLIFIED = 1.1
"""Amplification from which the heading reports that shocks are amplified."""


@dataclass(frozen=True, eq=False, slots=True)
class ShockChain:
    """One shock of the report and its cascade.

    Attributes:
        of: The cascade.
        title: The shock and its stop price, as text.
        stills: Charts of the cascade steps by size; empty if there are too few steps.
        clusters: Triggered clusters, nearest first.
    """

    of: Cascade
    title: str
    stills: dict[str, StaticSvg]
    clusters: tuple[Contribution, ...]


@dataclass(frozen=True, eq=False, slots=True)
class CascadePageData:
    """The cascade curve and the contribution of each cluster per shock."""

    curve: CascadeCurve
    parts: tuple[tuple[Contribution, ...], ...]


def _read(history: History, facts: Facts) -> CascadePageData | MissingData:
    return cascade_page_data(facts, history.depth(facts.map.instrument, facts.map.at))


def cascade_page_data(facts: Facts, book: Depth | None) -> CascadePageData | MissingData:
    """Compute the data of the page from a map and its order book."""
    if not any(facts.map.side(side).any() for side in SIDES):
        fill = "Load bars and open interest, or observed positions near the mark price."
        return MissingData("The map contains no liquidation levels.", fill)
    parts = tuple(
        contributions(facts.map, facts.clusters, c.shock, usable_law(facts.map, book, c.side)) for c in facts.cascades
    )
    # The curve uses one impact law for both directions: if the book lacks a side, the fallback applies to both.
    laws = [usable_law(facts.map, book, side) for side in SIDES if facts.map.side(side).any()]
    law = next((one for one in laws if not isinstance(one, Depth)), laws[0])
    return CascadePageData(cascade_curve(facts.map, law), parts)


def _build(facts: Facts, found: CascadePageData | MissingData) -> PageContent | MissingData:
    if isinstance(found, MissingData):
        return found
    curve, name = found.curve, slug(facts.map.instrument)
    chains = [
        _chain(facts, cascade, parts, f"{name}-chain-{n}")
        for n, (cascade, parts) in enumerate(zip(facts.cascades, found.parts, strict=True))
    ]
    plain = {"curve": curve.to_dict(), "cascades": [chain.of.to_dict() for chain in chains]}
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return PageContent(
        heading=_heading(facts),
        lede=_lede(facts),
        values={
            "curve": curve,
            "stills": _static_svgs(curve_spec(COLOURS), lambda room: curve_layout(curve, room), f"{name}-curve"),
            "chains": chains,
        },
        files={"cascade.json": f"{text}\n".encode(), "cascade.csv": _csv(curve).encode()},
    )


def _chain(facts: Facts, cascade: Cascade, parts: tuple[Contribution, ...], name: str) -> ShockChain:
    stop = price(cascade.stop_price, facts.map.grid.tick)
    where = "at or beyond" if cascade.depth_exhausted else "at"
    drawn: dict[str, StaticSvg] = {}
    if len(cascade.chain) >= _MIN_CHAIN_STEPS:
        drawing = chain_spec(COLOURS, up=cascade.side == "short")
        drawn = _static_svgs(drawing, lambda room: chain_layout(cascade, room), name)
    return ShockChain(
        of=cascade,
        title=f"{percent(cascade.shock, signed=True)} stops {where} {stop}",
        stills=drawn,
        clusters=tuple(part for part in parts if part.fired > 0),
    )


def _static_svgs(
    spec: dict[str, Any], layout: Callable[[CascadeChartSize], CascadeLayout], name: str
) -> dict[str, StaticSvg]:
    charts = {}
    for key, size in _CHART_SIZES.items():
        data = layout_data(layout(size))
        # Static charts have no tooltips.
        datasets = {dataset: () if dataset == "tooltips" else rows for dataset, rows in data["datasets"].items()}
        charts[key] = static_svg(with_data(spec, {**data, "datasets": datasets}), f"{name}-{key.split()[-1]}")
    return charts


def _heading(facts: Facts) -> str:
    """Stop prices of the largest shock in each direction with the calm book, and the largest amplification."""
    ends = [(min, "long"), (max, "short")]
    stops, most = [], 1.0
    for pick, side in ends:
        found = [c for c in facts.cascades if c.side == side]
        if found:
            worst = pick(found, key=lambda c: c.shock)
            stop = price(worst.stop_price, facts.map.grid.tick)
            bound = "at or beyond" if worst.depth_exhausted else "at"
            stops.append(f"{percent(worst.shock, 0, signed=True)} stops {bound} {stop}")
            most = max(most, worst.amplification)
    if not stops:
        return "Cascade stop price by shock"
    amplified = "Shocks are hardly amplified" if most < _AMPLIFIED else f"Shocks are amplified up to {most:.1f} times"
    return f"{amplified}: {', '.join(stops)}"


def _lede(facts: Facts) -> str:
    """Notional liquidated by the largest cascade, and its share at high leverage."""
    if not facts.cascades:
        return "The curve below shows shocks of up to 10 % in both directions."
    worst = max(facts.cascades, key=lambda c: c.liquidated)
    least = "at least " if worst.depth_exhausted else ""
    exhausting = [percent(c.shock, 0, signed=True) for c in facts.cascades if c.stressed.depth_exhausted]
    stressed = f" In the stressed book, {' and '.join(exhausting)} would exhaust all orders." if exhausting else ""
    return (
        f"With the calm book, a shock of {percent(worst.shock, 0, signed=True)} liquidates "
        f"{least}{usd(worst.liquidated)} of {worst.side}s in {worst.rounds} rounds, {share(worst.share_20x)} of it "
        f"at leverage ≥ 20×, "
        f"and stops {percent(worst.stop_price / facts.map.mark_price - 1, signed=True)} from the mark.{stressed}"
    )


def _csv(curve: CascadeCurve) -> str:
    head = ["instrument", "at", "side", "shock", "law", "stop_price", "liquidated_usd"]
    plain = curve.to_dict()
    lines: list[list[str | float | None]] = []
    for leg in curve.legs:
        for law, line in leg.lines.items():
            lines += [
                [
                    *(curve.instrument, str(plain["at"]), leg.side, float(shock), law),
                    *((None, None) if end else (float(stop), float(out))),
                ]
                for shock, stop, out, end in zip(
                    leg.shock, line.stop_price, line.liquidated, line.exhausted, strict=True
                )
            ]
    return csv_text(head, lines)


PAGE = Page("cascade", "Cascade", _build, read=_read)
