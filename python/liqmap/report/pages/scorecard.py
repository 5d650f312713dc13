"""Scorecard page: skill of issued maps against price-only baselines and placebos."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from liqmap._base.instruments import slug
from liqmap._base.number_format import usd
from liqmap._base.timestamps import iso
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.vega_data import with_data
from liqmap.maps.export import csv_text
from liqmap.report.page import Page, PageContent
from liqmap.report.text import scorecard, sentences
from liqmap.report.vega.static_svg import StaticSvg, static_svg
from liqmap.score.issued_scorecard import DAYS, IssuedScorecard, issued_scorecard
from liqmap.score.issued_skill import issues_needed

if TYPE_CHECKING:
    from liqmap.public import History
    from liqmap.report.facts import Facts

__all__ = ["PAGE"]

_MIN_BAND_CLUSTERS = 50
"""Number of clusters below which the results of a band are not reliable."""


def _read(history: History, facts: Facts) -> IssuedScorecard:
    return issued_scorecard(history, facts.map.instrument, facts.map.at, facts.every)


def _build(facts: Facts, card: IssuedScorecard) -> PageContent:
    text = json.dumps(card.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return PageContent(
        heading=scorecard.heading(card),
        lede=_lede(card),
        values={
            "card": card,
            "sides": (("long", card.long), ("short", card.short)),
            "text": scorecard,
            "least": issues_needed(card.per_day),
            "days": DAYS,
            "few": _MIN_BAND_CLUSTERS,
            "drawings": _drawings(card, slug(facts.map.instrument)),
            "alt": _alt_texts(card),
        },
        files={"scorecard.json": f"{text}\n".encode(), "scorecard.csv": _csv(card).encode()},
    )


def _lede(card: IssuedScorecard) -> str:
    hold = "until the next map" if card.horizon == card.every else "over the following day"
    span = f"{sentences.day(card.first)} to {sentences.day(card.last)}"
    return (
        f"{card.maps} maps, {span}, each evaluated as issued {hold}. "
        "Scored only where price reached a new extreme after the map was issued."
    )


def _drawings(card: IssuedScorecard, name: str) -> dict[str, dict[str, StaticSvg]]:
    """Charts by name and size; charts without data are left out."""
    from liqmap.charts.scorecard import chart  # noqa: PLC0415 - load Altair only for drawing

    frames = {"narrow": chart.NARROW, "medium wide": chart.MEDIUM}
    wanted: dict[str, Any] = {}
    if card.long.skill or card.short.skill:
        wanted["skill"] = (chart.skill_spec, chart.skill_data)
    if card.long.deciles or card.short.deciles:
        wanted["reliability"] = (chart.reliability_spec, chart.reliability_data)
    return {
        what: {
            key: static_svg(with_data(drawing(COLOURS), data(card, frame)), f"{name}-{what}-{key.split()[0]}")
            for key, frame in frames.items()
        }
        for what, (drawing, data) in wanted.items()
    }


def _alt_texts(card: IssuedScorecard) -> dict[str, str]:
    """Alternative texts of the charts."""
    skills, ends = [], []
    for name, of in (("longs", card.long), ("shorts", card.short)):
        if of.skill is not None:
            skills += [f"{rival.name}, {name}: {scorecard.interval(rival.added)}" for rival in of.skill.rivals]
        if of.deciles:
            first, last = of.deciles[0], of.deciles[-1]
            ends.append(
                f"{name}, lowest group: predicted {usd(first.predicted)}, realised {usd(first.realised)}; "
                f"highest group: predicted {usd(last.predicted)}, realised {usd(last.realised)}"
            )
    return {
        "skill": f"Skill added by the map to each baseline. {'. '.join(skills)}. The table gives the numbers.",
        "reliability": (
            f"Predicted against realised liquidations by decile. {'. '.join(ends)}. The table gives all groups."
        ),
    }


_Cell: TypeAlias = str | float | int | None


def _csv(card: IssuedScorecard) -> str:
    """All figures of the page, one row each; low and high bound the 90 % interval of the figure before them."""
    head = [*("instrument", "at", "feed", "part", "side", "name", "count"), "expected", "realised", "error", "gain"]
    lines: list[list[_Cell]] = []
    for side, of in (("long", card.long), ("short", card.short)):
        for r in of.skill.rivals if of.skill is not None else ():
            count = None if of.skill is None else of.skill.judged
            for what, gain in (("alone", r.alone), ("added", r.added)):
                if gain is not None:
                    figures: list[_Cell] = [f"{r.kind}, map {what}", side, r.name, count, None, None, r.deviance]
                    lines.append([*figures, gain.gain, gain.low, gain.high])
        for n, d in enumerate(of.deciles, 1):
            lines.append(["predicted, USD", side, str(n), d.sweeps, d.predicted, d.realised, None, None, d.low, d.high])
    for b in card.bands:
        lines.append(["clusters reached", None, b.band, b.clusters, b.expected, b.reached, None, None, b.low, b.high])
        lines.append(["clusters, USD", None, b.band, b.clusters, b.predicted, b.realised, None, None, None, None])
    same = (card.instrument, iso(card.at), card.feed)
    return csv_text([*head, "low", "high"], ([*same, *line] for line in lines))


PAGE = Page("scorecard", "Scorecard", _build, read=_read)
