"""The scorecard's page and the banner: what was shown, what was not, and what is still missing."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import html

import liqmap
from _helpers.sample_issue import make_issue
from _helpers.sample_scorecard import sample_card
from liqmap._base.timestamps import parse_instant
from liqmap.report.collect import collect_issue
from liqmap.report.config import Report
from liqmap.report.facts import Facts
from liqmap.report.page import MissingData, PageContent
from liqmap.report.pages import find_page
from liqmap.report.site.site import write_issue
from liqmap.report.text import scorecard
from liqmap.score.issued_scorecard import IssuedCard

INSTRUMENT = "binance:BTCUSDT"


def told(card: IssuedCard | MissingData | None) -> Facts:
    facts = make_issue().facts[0]
    facts.page_data["scorecard"] = card
    return facts


def shown(card: IssuedCard) -> PageContent:
    made = find_page("scorecard").show(told(card), card)
    assert isinstance(made, PageContent)
    return made


@pytest.fixture(scope="module")
def card() -> IssuedCard:
    return sample_card()


def test_the_banner_gives_the_skill_with_its_interval(card: IssuedCard) -> None:
    assert card.long.skill is not None
    assert card.short.skill is not None
    assert card.long.skill.shown
    assert not card.short.skill.shown
    text = scorecard.banner(told(card))
    assert text.count("\n") == 0
    assert scorecard.interval(card.long.skill.skill) in text
    assert text.endswith(", no demonstrated skill yet.")
    assert "longs" in text.split("no demonstrated skill")[0]


def test_too_few_maps_say_how_many_are_needed(tmp_path: Path) -> None:
    few = sample_card(maps=9)
    assert few.long.skill is None
    text = scorecard.banner(told(few))
    assert text.startswith("Not scored yet: 9 maps ")
    assert text.endswith("30 are needed.")
    assert scorecard.heading(few) == "Too few maps to score yet"
    assert set(shown(few).values["drawings"]) == {"reliability"}
    issue = make_issue()
    issue.facts[0].page_data["scorecard"] = few
    write_issue(issue, tmp_path / "s")
    (found,) = tmp_path.glob("s/latest/*/scorecard.html")
    tree = html.fromstring(found.read_bytes())
    assert len(tree.xpath("//figure")) == 1
    assert tree.text_content().count("30 are needed") == 1  # said once for both sides


def test_without_a_card_the_banner_says_why() -> None:
    said = scorecard.banner(told(MissingData("No liquidations known.", "Load some.")))
    assert said == "Not scored yet: no liquidations known."
    assert scorecard.banner(told(None)) == "Not scored: this report has no scorecard."


def test_the_heading_claims_no_more_than_was_shown(card: IssuedCard) -> None:
    assert scorecard.heading(card) == "The maps add to price alone on longs; no demonstrated skill yet on shorts"
    assert scorecard.heading(replace(card, long=card.short)) == "No demonstrated skill yet"
    assert scorecard.heading(replace(card, short=card.long)) == "The maps add to price alone, on longs and on shorts"


def test_every_figure_of_the_page_is_in_its_files(card: IssuedCard) -> None:
    made = shown(card)
    plain = json.loads(made.files["scorecard.json"])
    assert plain == json.loads(json.dumps(card.to_dict()))
    lines = list(csv.DictReader(io.StringIO(made.files["scorecard.csv"].decode())))
    rivals = [line for line in lines if line["part"].endswith("map added")]
    assert len(rivals) == 2 * 6
    assert card.long.skill is not None
    assert float(rivals[0]["gain"]) == card.long.skill.rivals[0].added.gain
    assert sum(line["part"] == "said, USD" for line in lines) == 20
    assert sum(line["part"] == "clusters reached" for line in lines) == len(card.bands)


def test_drawings_stand_beside_tables_and_words(tmp_path: Path) -> None:
    issue = make_issue()
    write_issue(issue, tmp_path / "s")
    (found,) = tmp_path.glob("s/latest/*/scorecard.html")
    tree = html.fromstring(found.read_bytes())
    assert len(tree.xpath("//div[@class='stills' and @role='img' and string-length(@aria-label) > 100]")) == 2
    assert len(tree.xpath("//div[starts-with(@class, 'still ')]/svg")) == 4
    assert len(tree.xpath("//table")) == 5
    front = html.fromstring((tmp_path / "s" / "index.html").read_bytes())
    banner = scorecard.banner(issue.facts[0])
    assert banner in front.text_content()
    (chart,) = tmp_path.glob("s/latest/*/map.html")
    assert banner in html.fromstring(chart.read_bytes()).text_content()


def test_drawings_have_a_mark_for_each_figure(card: IssuedCard) -> None:
    drawings: dict[str, Any] = shown(card).values["drawings"]
    for still in drawings["skill"].values():
        # Six rivals: a name each; a rule and a point each for both sides; the line at nothing.
        assert still.marks == 6 + 2 * 2 * 6 + 1
    for still in drawings["reliability"].values():
        assert still.marks == 1 + 2 * 2 * 10


def test_a_real_report_scores_its_maps_and_says_what_is_missing(shared: Path, tmp_path: Path) -> None:
    report = Report(title="x", instruments=(INSTRUMENT,), every="12h")
    with liqmap.open(tmp_path / "r.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=INSTRUMENT)
        (bare,) = collect_issue(history, report, parse_instant("2026-06-08T12:00Z")).facts
        history.load(shared / "data/coinglass/regime_30m_20260521_20260608.csv")
        (full,) = collect_issue(history, report, parse_instant("2026-06-08T12:00Z")).facts
    missing = bare.page_data["scorecard"]
    assert isinstance(missing, MissingData)
    assert "no realised liquidations" in missing.why
    card = full.page_data["scorecard"]
    assert (card.feed, card.maps, card.every) == ("coinglass:BTC", 20, 12 * 3_600_000_000)
    assert scorecard.banner(full).startswith("Not scored yet: 20 maps ")
    assert scorecard.banner(full).endswith("; 60 are needed.")
