"""Rows and layout of the charts of a cascade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.number_format import decimals, percent, price, usd
from liqmap.charts.vega_data import Row, plain_rows
from liqmap.stress.cascade_curve import LAWS

if TYPE_CHECKING:
    from liqmap.stress.cascade import Cascade, Estimate
    from liqmap.stress.cascade_curve import CascadeCurve, CurveLeg, LawName

__all__ = ["MEDIUM", "NARROW", "WIDE", "CascadeChartSize", "CascadeLayout", "chain_layout", "curve_layout"]

LAW_NAMES = {"calm": "calm book", "stressed": "stressed book", "square_root": "square-root law"}
_SHADES = 4
_MAX_SHOCK_MULTIPLE = 2.0
"""Maximum extent of a curve's price axis, as a multiple of its largest shock; beyond it only bounds are known."""


@dataclass(frozen=True, slots=True)
class CascadeChartSize:
    """Pixels between the axes."""

    width: int
    height: int


WIDE, MEDIUM, NARROW = CascadeChartSize(900, 420), CascadeChartSize(560, 380), CascadeChartSize(270, 320)


@dataclass(frozen=True, slots=True)
class CascadeLayout:
    """Size, parameters and rows by layer: the data of one chart."""

    size: CascadeChartSize
    parameters: dict[str, float]
    datasets: dict[str, list[Row]]


def curve_layout(of: CascadeCurve, size: CascadeChartSize = WIDE) -> CascadeLayout:
    """Lay out a cascade curve.

    If a law exhausts the order book, its line ends with a cross and the law range extends to the edge of the chart,
    since only a bound is known from there on.

    Raises:
        InputError: The curve holds NaN or an infinity.
    """
    shocks = np.concatenate([[0.0], *(leg.shock for leg in of.legs)])
    left, right = float(shocks.min()), float(shocks.max())
    bottom, top = (of.mark_price * (1 + end * _axis_multiple(of, end)) for end in (left, right))
    ends = {"long": bottom, "short": top}
    # Lines first, so that the error for an invalid number names the field it comes from.
    lines = {
        "band": plain_rows("curve/band", (row for leg in of.legs for row in _band(leg, ends[leg.side]))),
        "laws": plain_rows("curve/laws", (row for leg in of.legs for row in _laws(of, leg))),
        "ends": plain_rows("curve/ends", (row for leg in of.legs for row in _ends(leg, bottom, top))),
    }
    others: dict[str, list[Row]] = {
        "alone": [{"shock": end, "stop": of.mark_price * (1 + end)} for end in sorted({left, 0.0, right})],
        "mark": [{"at": of.mark_price, "text": f"mark {price(of.mark_price, of.tick)}"}],
        "tooltips": [row for leg in of.legs for row in _tooltip_rows(of, leg)],
    }
    return CascadeLayout(
        size,
        {"left": left, "right": right, "bottom": bottom, "top": top, "digits": decimals(of.mark_price, of.tick)},
        lines | {name: plain_rows(f"curve/{name}", values) for name, values in others.items()},
    )


def chain_layout(of: Cascade, size: CascadeChartSize = WIDE) -> CascadeLayout:
    """Lay out the chain of a cascade: steps away from the mark, each on top of the one before, and the stop prices.

    Raises:
        InputError: The cascade holds NaN or an infinity.
    """
    outer_edges = [step.low if of.side == "long" else step.high for step in of.chain]
    prices = [of.mark_price, of.start_price, of.stop_price, *outer_edges]
    margin = 0.04 * (max(prices) - min(prices))
    low, high = min(prices) - margin, max(prices) + margin
    sums = np.cumsum([step.notional for step in of.chain])
    layers: dict[str, list[Row]] = {
        "steps": [
            {
                "low": step.low,
                "high": step.high,
                "before": float(total) - step.notional,
                "after": float(total),
                "shade": min(step.round, _SHADES) - 1,
                "text": f"round {step.round}: {usd(step.notional)}",
                "where": f"{price(step.low)}–{price(step.high)}",
            }
            for step, total in zip(of.chain, sums, strict=True)
        ],
        "rules": _rules(of, low, high),
    }
    top = 1.3 * float(sums[-1]) if len(sums) else 1.0
    return CascadeLayout(
        size,
        {"low": low, "high": high, "top": top, "mark": of.mark_price, "digits": decimals(of.mark_price)},
        {name: plain_rows(f"chain/{name}", values) for name, values in layers.items()},
    )


def _axis_multiple(of: CascadeCurve, end: float) -> float:
    """Extent of the axis as a multiple of the largest shock: up to the last known stop price, at most twice."""
    furthest = 1.0
    for leg in of.legs:
        if end == 0 or leg.shock[0] * end < 0:
            continue
        for line in leg.lines.values():
            known = np.abs(line.stop_price[~line.exhausted] / of.mark_price - 1)
            furthest = max(furthest, float(known.max(initial=0.0)) / abs(end))
        if any(line.exhausted.any() for line in leg.lines.values()):
            furthest = max(furthest, 1.25)
    return min(1.04 * furthest, _MAX_SHOCK_MULTIPLE)


def _band(leg: CurveLeg, end: float) -> list[Row]:
    """Rows of the law range at each shock."""
    stops = np.stack([np.where(line.exhausted, end, line.stop_price) for line in leg.lines.values()])
    low, high = stops.min(axis=0), stops.max(axis=0)
    return [
        {"shock": float(s), "low": float(a), "high": float(z), "side": leg.side}
        for s, a, z in zip(leg.shock, low, high, strict=True)
    ]


def _laws(of: CascadeCurve, leg: CurveLeg) -> list[Row]:
    start: list[Row] = [{"shock": 0.0, "stop": of.mark_price, "law": law, "side": leg.side} for law in range(len(LAWS))]
    return start + [
        {"shock": float(shock), "stop": float(stop), "law": law, "side": leg.side}
        for law, name in enumerate(LAWS)
        for shock, stop, end in zip(leg.shock, leg.lines[name].stop_price, leg.lines[name].exhausted, strict=True)
        if not end
    ]


def _ends(leg: CurveLeg, bottom: float, top: float) -> list[Row]:
    """Ends of the lines of laws that exhaust the order book."""
    found: list[Row] = []
    for law, name in enumerate(LAWS):
        line = leg.lines[name]
        first = int(np.argmax(line.exhausted)) if line.exhausted.any() else 0
        if first and bottom <= line.stop_price[first - 1] <= top:
            at = {"shock": float(leg.shock[first - 1]), "stop": float(line.stop_price[first - 1])}
            found.append({**at, "law": law, "text": f"{LAW_NAMES[name]}: order book exhausted"})
    return found


def _tooltip_rows(of: CascadeCurve, leg: CurveLeg) -> list[Row]:
    """Texts of the tooltip at each shock."""
    return [
        {
            "shock": float(shock),
            "title": f"shock {percent(float(shock), 1, signed=True)}",
            **{name: _stop_text(of, leg, name, i) for name in LAWS},
        }
        for i, shock in enumerate(leg.shock)
    ]


def _stop_text(of: CascadeCurve, leg: CurveLeg, name: LawName, i: int) -> str:
    line = leg.lines[name]
    if line.exhausted[i]:
        return "order book exhausted"
    return f"{price(float(line.stop_price[i]), of.tick)}, {usd(float(line.liquidated[i]))}"


def _rules(of: Cascade, low: float, high: float) -> list[Row]:
    """Rules at the mark, the shock and the stop prices that lie within the chart."""
    laws: list[Estimate] = [of.base, of.stressed, of.square_root]
    found: list[Row] = [
        {"at": of.mark_price, "text": f"mark {price(of.mark_price)}"},
        {"at": of.start_price, "text": f"shock {percent(of.shock, 1, signed=True)}"},
    ]
    found += [
        Row(at=law.stop_price, text=f"{LAW_NAMES[law.law]} stops at {price(law.stop_price)}")
        for law in laws
        if not law.depth_exhausted
    ]
    inside = sorted((row for row in found if low <= float(row["at"]) <= high), key=lambda row: float(row["at"]))
    return [{**row, "line": i, "right": float(float(row["at"]) > (low + high) / 2)} for i, row in enumerate(inside)]
