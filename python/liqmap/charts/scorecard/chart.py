"""Altair charts of a scorecard: the gain of adding maps to each baseline, and predicted against realised USD.

The specifications are equal for all scorecards. Data enters as rows, limits as parameters: ``low`` and ``high``, the
ends of both USD axes; ``rows``, the number of baselines and placebos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from liqmap._base.lazy_import import lazy_import
from liqmap.charts import expressions
from liqmap.charts.spec_cache import cached_spec
from liqmap.charts.vega_data import Row, plain_rows

if TYPE_CHECKING:
    import altair as alt

    from liqmap.charts.theme import Theme
    from liqmap.score.issued_scorecard import IssuedScorecard, SideScorecard

if not TYPE_CHECKING:
    alt = lazy_import("altair")

__all__ = ["MEDIUM", "NARROW", "ScorecardChartSize", "reliability_data", "reliability_spec", "skill_data", "skill_spec"]

_ROW_HEIGHT = 50
_MAX_GAIN = 1.0
_AXIS_RANGE = 1e-4


@dataclass(frozen=True, slots=True)
class ScorecardChartSize:
    """Size of a chart in pixels, without axes."""

    width: int
    height: int


MEDIUM = ScorecardChartSize(width=460, height=380)
NARROW = ScorecardChartSize(width=272, height=272)


@cache
def reliability_spec(theme: Theme) -> dict[str, Any]:
    """The specification of realised against predicted USD by decile, on logarithmic axes."""
    return cached_spec(f"reliability {theme}", lambda: _reliability(theme))


def reliability_data(card: IssuedScorecard, frame: ScorecardChartSize) -> dict[str, Any]:
    """The data that a scorecard adds to :func:`reliability_spec`."""
    made = [(side, d) for side, of in enumerate((card.long, card.short)) for d in of.deciles]
    top = max((max(d.predicted, d.high) for _, d in made), default=1e6)
    high = 10.0 ** math.ceil(math.log10(max(top, 1e4)))
    least = min((value for _, d in made for value in (d.predicted, d.realised) if value > 0), default=high)
    low = 10.0 ** math.floor(math.log10(max(least, high * _AXIS_RANGE)))
    points: list[Row] = [
        {
            "side": side,
            "predicted": max(d.predicted, low),
            "realised": max(d.realised, low),
            "low": max(d.low, low),
            "high": max(d.high, low),
        }
        for side, d in made
    ]
    ends: list[Row] = [{"at": low}, {"at": high}]
    return {
        "width": frame.width,
        "height": frame.height,
        "datasets": {"deciles": plain_rows("reliability", points), "even": ends},
        "params": [{"name": "low", "value": low}, {"name": "high", "value": high}],
    }


@cache
def skill_spec(theme: Theme) -> dict[str, Any]:
    """The specification of each baseline's gain from the maps, with 90 % intervals, and of the placebos' gains."""
    return cached_spec(f"skill {theme}", lambda: _skill(theme))


def skill_data(card: IssuedScorecard, frame: ScorecardChartSize) -> dict[str, Any]:
    """The data that a scorecard adds to :func:`skill_spec`."""
    sides: tuple[SideScorecard, SideScorecard] = (card.long, card.short)
    names = next((of.skill.rivals for of in sides if of.skill is not None), ())
    gains: list[Row] = []
    for side, of in enumerate(sides):
        for place, rival in enumerate(of.skill.rivals if of.skill is not None else ()):
            gain = rival.added
            gains.append(
                {
                    "y": place + 0.52 + 0.2 * side,
                    "side": side,
                    "gain": _clipped_gain(gain.gain),
                    "low": _clipped_gain(gain.low),
                    "high": _clipped_gain(gain.high),
                    "kind": rival.kind,
                }
            )
    labels: list[Row] = [{"y": place + 0.2, "name": _label(r.name, r.kind)} for place, r in enumerate(names)]
    return {
        "width": frame.width,
        "height": _ROW_HEIGHT * max(1, len(names)),
        "datasets": {"gains": plain_rows("skill", gains), "names": plain_rows("skill", labels), "zero": [{"at": 0}]},
        "params": [{"name": "rows", "value": max(1, len(names))}],
    }


def _label(name: str, kind: str) -> str:
    return f"placebo: {name}" if kind == "placebo" else f"{name} + map"


def _clipped_gain(gain: float) -> float:
    return min(max(gain, -_MAX_GAIN), _MAX_GAIN)


def _colour(theme: Theme) -> alt.Color:
    return alt.Color("side:O", scale=alt.Scale(domain=[0, 1], range=[theme.longs[2], theme.shorts[2]]), legend=None)


def _shape() -> alt.Shape:
    return alt.Shape("side:O", scale=alt.Scale(domain=[0, 1], range=["circle", "diamond"]), legend=None)


def _reliability(theme: Theme) -> dict[str, Any]:
    limits = alt.Scale(type="log", domain=[alt.ExprRef(expr="low"), alt.ExprRef(expr="high")], nice=False)
    # Every layer needs the same axis: a layer without one would remove it from all.
    style: dict[str, Any] = {
        "labelExpr": expressions.usd("datum.value", 2),
        "tickCount": 4,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
    }

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=limits, axis=alt.Axis(title="predicted by the map", **style))

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=limits, axis=alt.Axis(title="liquidated", **style))

    even = alt.Chart(alt.NamedData("even")).encode(x=x("at"), y=y("at"))
    deciles = alt.Chart(alt.NamedData("deciles")).encode(x=x("predicted"), color=_colour(theme))
    chart = alt.layer(
        even.mark_line(color=theme.quiet, strokeDash=[4, 3], strokeWidth=1),
        deciles.mark_rule(strokeWidth=1.5, opacity=0.6).encode(y=y("low"), y2="high:Q"),
        deciles.mark_point(filled=True, size=70, opacity=1).encode(y=y("realised"), shape=_shape()),
    )
    return {"params": [], **chart.configure(**theme.altair()).to_dict()}


def _skill(theme: Theme) -> dict[str, Any]:
    def x(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            scale=alt.Scale(domain=[-_MAX_GAIN, _MAX_GAIN], nice=False),
            axis=alt.Axis(
                title=None,
                values=[-1, -0.5, 0, 0.5, 1],
                labelExpr="abs(datum.value) == 1 ? '' : "
                "datum.value ? replace(format(100 * datum.value, '+'), '-', '−') + ' %' : '0'",
                domain=False,
                ticks=False,
                labelPadding=6,
            ),
        )

    y = alt.Y("y:Q", scale=alt.Scale(domain=[alt.ExprRef(expr="rows"), 0], nice=False), axis=None)
    gains = alt.Chart(alt.NamedData("gains")).encode(y=y, color=_colour(theme))
    chart = alt.layer(
        alt.Chart(alt.NamedData("zero")).mark_rule(color=theme.quiet, strokeWidth=1).encode(x=x("at")),
        alt.Chart(alt.NamedData("names"))
        .mark_text(align="left", color=theme.ink, fontSize=12)
        .encode(x=alt.value(0), y=y, text="name:N"),
        gains.mark_rule(strokeWidth=2).encode(x=x("low"), x2="high:Q"),
        gains.transform_filter("datum.kind == 'baseline'")
        .mark_point(filled=True, size=70, opacity=1)
        .encode(x=x("gain"), shape=_shape()),
        gains.transform_filter("datum.kind == 'placebo'")
        .mark_point(fill=theme.paper, size=60, opacity=1, strokeWidth=2)
        .encode(x=x("gain"), shape=_shape()),
    )
    return {"params": [], **chart.configure(**theme.altair()).to_dict()}
