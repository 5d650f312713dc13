"""Page registry, pages without data, and coverage calendars."""

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
def test_a_page_is_registered_under_its_module_name(name: str) -> None:
    found = find_page(name)
    assert found.name == name
    assert 2 < len(found.label) < 20


def test_a_page_without_data_states_reason_and_remedy(tmp_path: Path) -> None:
    issue = make_issue()
    issue.facts[0].page_data["data"] = MissingData("No <b>bars</b> here.", "Load some.")
    write_issue(issue, tmp_path / "s")
    (found,) = tmp_path.glob("s/latest/*/data.html")
    tree = html.fromstring(found.read_bytes())
    assert tree.xpath("string(//h1)") == "Data and method: no data"
    assert tree.xpath("string(//p[@class='lede'])") == "No <b>bars</b> here. Load some."
    assert not list(tmp_path.glob("s/*/*/data.csv"))


def test_pages_link_to_each_other(issue_site: Path) -> None:
    for name in PAGE_NAMES:
        (found,) = issue_site.glob(f"latest/*/{name}.html")
        tree = html.fromstring(found.read_bytes())
        assert tree.xpath("//nav[@aria-label='Pages']/a/@href") == [f"{other}.html" for other in PAGE_NAMES]
        assert tree.xpath("//nav/a[@aria-current='page']/@href") == [f"{name}.html"]


def test_a_report_lists_its_pages_in_navigation_order() -> None:
    issue = make_issue()
    assert replace(issue, report=Report(title="x", instruments=("a:b",), pages=("data", "map"))).report.pages == (
        "map",
        "data",
    )
    with pytest.raises(ValueError, match="map and data are required"):
        Report(title="x", instruments=("a:b",), pages=("map",))
    with pytest.raises(ValueError, match="map and data are required"):
        Report(title="x", instruments=("a:b",), pages=("map", "data", "horoscope"))


def test_coverage_is_shown_as_known_at_the_time_of_the_map() -> None:
    at = 20_000 * DAY
    all_of_it = Coverage(sample_spans("a:b", at))
    bars, events = (data.coverage_calendar(span) for span in coverage_as_of(all_of_it, at))
    assert bars.calendar is not None
    assert {shade: d.count("M") for shade, d in bars.calendar.paths.items()} == {0: 2, 4: 18}
    assert events.calendar is None
    for days_ago, full in ((17, 3), (16, 3)):  # inside the gap its length is not yet known
        bars, _ = coverage_as_of(all_of_it, at - days_ago * DAY)
        assert (bars.rows, bars.gaps) == (3 * 288, ())
        cells = data.coverage_calendar(bars).calendar
        assert cells is not None
        assert {shade: d.count("M") for shade, d in cells.paths.items()} == {4: full}


def test_a_report_without_a_required_page_gives_a_one_line_error(tmp_path: Path) -> None:
    from liqmap.report.config import read_report  # noqa: PLC0415

    (tmp_path / "r.toml").write_text('title = "x"\ninstruments = ["a:b"]\npages = ["map"]\n')
    with pytest.raises(InputError, match=r"r\.toml, pages: "):
        read_report(tmp_path / "r.toml")
