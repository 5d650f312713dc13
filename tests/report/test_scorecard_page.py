"""The scorecard page and the banner: demonstrated skill, missing skill and missing data."""

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
from liqmap.score.issued_scorecard import IssuedScorecard

INSTRUMENT = "binance:BTCUSDT"


def facts_with(card: IssuedScorecard | MissingData | None) -> Facts:
    facts = make_issue().facts[0]
    facts.page_data["scorecard"] = card
    return facts


def shown(card: IssuedScorecard) -> PageContent:
    made = find_page("scorecard").build(facts_with(card), card)
    assert isinstance(made, PageContent)
    return made


@pytest.fixture(scope="module")
def card() -> IssuedScorecard:
    return sample_card()


def test_the_banner_gives_the_skill_with_its_interval(card: IssuedScorecard) -> None:
    assert card.long.skill is not None
    assert card.short.skill is not None
    assert card.long.skill.is_significant
    assert not card.short.skill.is_significant
    text = scorecard.banner(facts_with(card))
    assert text.count("\n") == 0
    assert scorecard.interval(card.long.skill.skill) in text
    assert text.endswith(", no demonstrated skill yet.")
    assert "longs" in text.split("no demonstrated skill")[0]


def test_with_too_few_maps_the_banner_states_how_many_are_needed(tmp_path: Path) -> None:
    few = sample_card(maps=9)
    assert few.long.skill is None
    text = scorecard.banner(facts_with(few))
    assert text.startswith("Not scored yet: the price reached a new extreme after 9 maps; ")
    assert text.endswith("30 are needed.")
    assert scorecard.heading(few) == "Too few maps to score yet"
    assert set(shown(few).values["drawings"]) == {"reliability"}
    issue = make_issue()
    issue.facts[0].page_data["scorecard"] = few
    write_issue(issue, tmp_path / "s")
    (found,) = tmp_path.glob("s/latest/*/scorecard.html")
    tree = html.fromstring(found.read_bytes())
    assert len(tree.xpath("//figure")) == 1
    assert tree.text_content().count("30 are needed") == 1  # once for both sides


def test_without_a_scorecard_the_banner_states_the_reason() -> None:
    text = scorecard.banner(facts_with(MissingData("No liquidations known.", "Load some.")))
    assert text == "Not scored yet: no liquidations known."
    assert scorecard.banner(facts_with(None)) == "Not scored: this report has no scorecard."


def test_the_heading_claims_only_demonstrated_skill(card: IssuedScorecard) -> None:
    improve = "Maps improve on the price-only baseline"
    assert scorecard.heading(card) == f"{improve} for longs; no demonstrated skill yet for shorts"
    assert scorecard.heading(replace(card, long=card.short)) == "No demonstrated skill yet"
    assert scorecard.heading(replace(card, short=card.long)) == f"{improve} for longs and shorts"


def test_the_downloads_contain_every_figure_of_the_page(card: IssuedScorecard) -> None:
    made = shown(card)
    plain = json.loads(made.files["scorecard.json"])
    assert plain == json.loads(json.dumps(card.to_dict()))
    lines = list(csv.DictReader(io.StringIO(made.files["scorecard.csv"].decode())))
    rivals = [line for line in lines if line["part"].endswith("map added")]
    assert len(rivals) == 2 * 6
    assert card.long.skill is not None
    assert float(rivals[0]["gain"]) == card.long.skill.rivals[0].added.gain
    assert sum(line["part"] == "predicted, USD" for line in lines) == 20
    assert sum(line["part"] == "clusters reached" for line in lines) == len(card.bands)


def test_regressions_that_did_not_converge_are_reported_on_the_page(card: IssuedScorecard, tmp_path: Path) -> None:
    assert scorecard.convergence_warnings(card) == ()
    assert card.long.skill is not None
    move, *others = card.long.skill.rivals
    skill = replace(card.long.skill, rivals=(replace(move, converged=False), *others))
    cut = replace(card, long=replace(card.long, skill=skill))
    warning = "Longs: a regression did not converge, figures are approximate (move)."
    assert scorecard.convergence_warnings(cut) == (warning,)
    issue = make_issue()
    issue.facts[0].page_data["scorecard"] = cut
    write_issue(issue, tmp_path / "s")
    (found,) = tmp_path.glob("s/latest/*/scorecard.html")
    assert warning in html.fromstring(found.read_bytes()).xpath("//p[@class='note']/text()")


def test_charts_have_tables_and_alternative_texts(tmp_path: Path) -> None:
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


def test_charts_have_a_mark_for_each_figure(card: IssuedScorecard) -> None:
    drawings: dict[str, Any] = shown(card).values["drawings"]
    for still in drawings["skill"].values():
        # Six baselines with a name each, a rule and a point for both sides, and the zero line.
        assert still.marks == 6 + 2 * 2 * 6 + 1
    for still in drawings["reliability"].values():
        assert still.marks == 1 + 2 * 2 * 10


def test_a_real_report_scores_its_maps_and_states_missing_data(shared: Path, tmp_path: Path) -> None:
    report = Report(title="x", instruments=(INSTRUMENT,), every="12h")
    with liqmap.open(tmp_path / "r.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=INSTRUMENT)
        (bare,) = collect_issue(history, report, parse_instant("2026-06-08T12:00Z")).facts
        history.load(shared / "data/coinglass/regime_30m_20260521_20260608.csv")
        (full,) = collect_issue(history, report, parse_instant("2026-06-08T12:00Z")).facts
    missing = bare.page_data["scorecard"]
    assert isinstance(missing, MissingData)
    assert "no realised liquidations" in missing.reason
    card = full.page_data["scorecard"]
    assert (card.feed, card.maps, card.every) == ("coinglass:BTC", 20, 12 * 3_600_000_000)
    assert scorecard.banner(full).startswith("Not scored yet: the price reached a new extreme after 20 maps; ")
    assert scorecard.banner(full).endswith("; 60 are needed.")
