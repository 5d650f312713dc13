"""The registry of pages, what a missing page says, and how full a day is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html

from _helpers.sample_issue import DAY, make_issue, sample_spans
from liqmap._base.errors import InputError
from liqmap.history.coverage import Coverage
from liqmap.report.config import Report
from liqmap.report.facts import coverage_as_of
from liqmap.report.page import MissingData
from liqmap.report.page_names import PAGE_NAMES
from liqmap.report.pages import data, find_page
from liqmap.report.site.site import write_issue


@pytest.mark.parametrize("name", PAGE_NAMES)
def test_a_page_is_what_its_file_says(name: str) -> None:
    found = find_page(name)
    assert found.name == name
    assert 2 < len(found.label) < 20


def test_a_page_without_its_data_says_why_and_what_would_fill_it(tmp_path: Path) -> None:
    issue = make_issue()
    issue.facts[0].page_data["data"] = MissingData("No <b>bars</b> here.", "Load some.")
    write_issue(issue, tmp_path / "s")
    (found,) = tmp_path.glob("s/latest/*/data.html")
    tree = html.fromstring(found.read_bytes())
    assert tree.xpath("string(//h1)") == "Data and method: nothing to show"
    assert tree.xpath("string(//p[@class='lede'])") == "No <b>bars</b> here. Load some."
    assert not list(tmp_path.glob("s/*/*/data.csv"))


def test_pages_lead_to_each_other(plain: Path) -> None:
    for name in PAGE_NAMES:
        (found,) = plain.glob(f"latest/*/{name}.html")
        tree = html.fromstring(found.read_bytes())
        assert tree.xpath("//nav[@aria-label='Pages']/a/@href") == [f"{other}.html" for other in PAGE_NAMES]
        assert tree.xpath("//nav/a[@aria-current='page']/@href") == [f"{name}.html"]


def test_a_report_names_its_pages() -> None:
    issue = make_issue()
    assert replace(issue, report=Report(title="x", instruments=("a:b",), pages=("data", "map"))).report.pages == (
        "map",
        "data",
    )
    with pytest.raises(ValueError, match="map and data are always there"):
        Report(title="x", instruments=("a:b",), pages=("map",))
    with pytest.raises(ValueError, match="map and data are always there"):
        Report(title="x", instruments=("a:b",), pages=("map", "data", "horoscope"))


def test_days_are_as_full_as_they_were_when_the_map_was_made() -> None:
    at = 20_000 * DAY
    all_of_it = Coverage(sample_spans("a:b", at))
    bars, events = (data.coverage_calendar(span) for span in coverage_as_of(all_of_it, at))
    assert bars.calendar is not None
    assert {shade: d.count("M") for shade, d in bars.calendar.paths.items()} == {0: 2, 4: 18}
    assert events.calendar is None
    for days_ago, full in ((17, 3), (16, 3)):  # inside the hole nobody knows yet how long it is
        bars, _ = coverage_as_of(all_of_it, at - days_ago * DAY)
        assert (bars.rows, bars.gaps) == (3 * 288, ())
        cells = data.coverage_calendar(bars).calendar
        assert cells is not None
        assert {shade: d.count("M") for shade, d in cells.paths.items()} == {4: full}


def test_a_report_that_forgets_a_page_reads_as_one_line(tmp_path: Path) -> None:
    from liqmap.report.config import read_report  # noqa: PLC0415

    (tmp_path / "r.toml").write_text('title = "x"\ninstruments = ["a:b"]\npages = ["map"]\n')
    with pytest.raises(InputError, match=r"r\.toml, pages: "):
        read_report(tmp_path / "r.toml")
