"""How the maps that were issued have done, beside what knows no map and maps that know nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from liqmap._base.instruments import slug
from liqmap._base.number_format import usd
from liqmap._base.timestamps import iso
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.vega_data import complete
from liqmap.maps.export import csv_text
from liqmap.report.page import Page, PageContent
from liqmap.report.text import scorecard, sentences
from liqmap.report.vega.static_svg import StaticSvg, static_svg
from liqmap.score.issued_scorecard import DAYS, IssuedCard, issued_card
from liqmap.score.issued_skill import needed

if TYPE_CHECKING:
    from liqmap.public import History
    from liqmap.report.facts import Facts

__all__ = ["PAGE"]

_MIN_BAND_CLUSTERS = 50
"""Clusters in a band below which its figures say little."""


def _read(history: History, facts: Facts) -> IssuedCard:
    return issued_card(history, facts.map.instrument, facts.map.at, facts.every)


def _build(facts: Facts, card: IssuedCard) -> PageContent:
    text = json.dumps(card.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return PageContent(
        heading=scorecard.heading(card),
        lede=_lede(card),
        values={
            "card": card,
            "sides": (("long", card.long), ("short", card.short)),
            "skill": scorecard,
            "least": needed(card.per_day),
            "days": DAYS,
            "few": _MIN_BAND_CLUSTERS,
            "drawings": _drawings(card, slug(facts.map.instrument)),
            "alt": _alt_texts(card),
        },
        files={"scorecard.json": f"{text}\n".encode(), "scorecard.csv": _csv(card).encode()},
    )


def _lede(card: IssuedCard) -> str:
    hold = "until the next one" if card.horizon == card.every else "for a day"
    span = f"{sentences.day(card.first)} to {sentences.day(card.last)}"
    return (
        f"{card.maps} maps, {span}, each as it was issued and held to what it said {hold}. "
        "Scored where the price went that it had not been since the map."
    )


def _drawings(card: IssuedCard, name: str) -> dict[str, dict[str, StaticSvg]]:
    """By drawing and frame; a drawing without anything to show is left out."""
    from liqmap.charts.scorecard import chart  # noqa: PLC0415 - Altair loads only when drawn

    frames = {"narrow": chart.NARROW, "medium wide": chart.MEDIUM}
    wanted: dict[str, Any] = {}
    if card.long.skill or card.short.skill:
        wanted["skill"] = (chart.skill_drawing, chart.skill_data)
    if card.long.deciles or card.short.deciles:
        wanted["reliability"] = (chart.reliability_drawing, chart.reliability_data)
    return {
        what: {
            key: static_svg(complete(drawing(COLOURS), data(card, frame)), f"{name}-{what}-{key.split()[0]}")
            for key, frame in frames.items()
        }
        for what, (drawing, data) in wanted.items()
    }


def _alt_texts(card: IssuedCard) -> dict[str, str]:
    """The drawings in sentences."""
    told, ends = [], []
    for name, of in (("longs", card.long), ("shorts", card.short)):
        if of.skill is not None:
            told += [f"{rival.name}, {name}: {scorecard.interval(rival.added)}" for rival in of.skill.rivals]
        if of.deciles:
            first, last = of.deciles[0], of.deciles[-1]
            ends.append(
                f"{name}: where the map said {usd(first.said)}, {usd(first.realised)} was liquidated; "
                f"where it said {usd(last.said)}, {usd(last.realised)}"
            )
    return {
        "skill": f"What each rival gains with the maps at its side. {'. '.join(told)}. The table gives the numbers.",
        "reliability": f"Said against liquidated, by tenths. {'. '.join(ends)}. The table gives the rest.",
    }


_Cell: TypeAlias = str | float | int | None


def _csv(card: IssuedCard) -> str:
    """Everything on the page, one line each; low and high are 90 % intervals of the last figure before them."""
    head = [*("instrument", "at", "feed", "part", "side", "name", "count"), "expected", "realised", "error", "gain"]
    lines: list[list[_Cell]] = []
    for side, of in (("long", card.long), ("short", card.short)):
        for r in of.skill.rivals if of.skill is not None else ():
            count = None if of.skill is None else of.skill.judged
            for what, gain in (("alone", r.alone), ("added", r.added)):
                if gain is not None:
                    told: list[_Cell] = [f"{r.kind}, map {what}", side, r.name, count, None, None, r.deviance]
                    lines.append([*told, gain.gain, gain.low, gain.high])
        for n, d in enumerate(of.deciles, 1):
            lines.append(["said, USD", side, str(n), d.sweeps, d.said, d.realised, None, None, d.low, d.high])
    for b in card.bands:
        lines.append(["clusters reached", None, b.band, b.clusters, b.expected, b.reached, None, None, b.low, b.high])
        lines.append(["clusters, USD", None, b.band, b.clusters, b.said, b.realised, None, None, None, None])
    same = (card.instrument, iso(card.at), card.feed)
    return csv_text([*head, "low", "high"], ([*same, *line] for line in lines))


PAGE = Page("scorecard", "Scorecard", _build, read=_read)
