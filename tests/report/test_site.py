"""Sites: complete, deterministic, and safe against malicious instrument names."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html

from _helpers.sample_issue import HOSTILE_NAMES, make_issue
from liqmap._base.errors import InputError
from liqmap._base.instruments import slug
from liqmap._base.timestamps import parse_instant
from liqmap.report.page_names import PAGE_NAMES
from liqmap.report.site.site import write_issue
from liqmap.report.text import sentences

ALLOWED = {
    *("html", "head", "meta", "title", "link", "body", "a", "p", "strong", "header", "div", "nav", "main", "footer"),
    *("h1", "h2", "h3", "article", "section", "data", "span", "small", "svg", "path", "text", "line", "rect", "g"),
    *("table", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "figure", "figcaption", "ul", "li", "script"),
    *("defs", "clippath", "tspan", "details", "summary", "nav", "title", "circle", "image"),
}


def files(site: Path) -> dict[str, bytes]:
    return {p.relative_to(site).as_posix(): p.read_bytes() for p in sorted(site.rglob("*")) if p.is_file()}


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_no_name_becomes_markup_or_a_path(hostile_site: Path) -> None:
    # Dated and latest issue, front page and archive, and a history per instrument.
    assert len(pages(hostile_site)) == 2 * (1 + len(PAGE_NAMES) * len(HOSTILE_NAMES)) + 2 + len(HOSTILE_NAMES)
    for page in pages(hostile_site):
        tree = html.fromstring(page.read_bytes())
        assert {element.tag for element in tree.iter() if isinstance(element.tag, str)} <= ALLOWED
        assert not tree.xpath("//@*[starts-with(name(), 'on') or name() = 'style']")
        for script in tree.xpath("//script"):
            if script.get("src") is None:
                assert script.get("type") == "application/json"
                json.loads(script.text)
    for page in hostile_site.glob("latest/*/map.html"):
        title = html.fromstring(page.read_bytes()).xpath("string(//title)")
        assert any(title.startswith(name) for name in HOSTILE_NAMES), title
    inside = {path.resolve() for path in hostile_site.rglob("*")}
    assert all(hostile_site.resolve() in path.parents for path in inside)
    assert {path.name for path in (hostile_site / "latest").iterdir() if path.is_dir()} == {
        slug(name) for name in HOSTILE_NAMES
    }


def test_every_link_points_to_a_file_of_the_site(hostile_site: Path) -> None:
    for page in pages(hostile_site):
        tree = html.fromstring(page.read_bytes())
        for target in tree.xpath("//@href | //@src"):
            if target.startswith("data:image/png;base64,"):
                continue  # an embedded image
            if target.startswith("#"):
                assert tree.xpath("//*[@id=$id]", id=target[1:]), (page, target)
            else:
                assert not re.match(r"[a-z]+:|/", target), (page, target)
                assert (page.parent / target).resolve().is_file(), (page, target)
                assert hostile_site.resolve() in (page.parent / target).resolve().parents


def test_every_page_has_a_strict_content_security_policy(hostile_site: Path) -> None:
    for page in pages(hostile_site):
        tree = html.fromstring(page.read_bytes())
        (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", text)


def test_simulated_pages_carry_a_banner(hostile_site: Path) -> None:
    for page in pages(hostile_site):
        tree = html.fromstring(page.read_bytes())
        assert tree.xpath("string(//p[@class='simulated']/strong)") == "SIMULATED", page


def test_real_pages_are_not_marked_as_simulated(issue_site: Path) -> None:
    for page in pages(issue_site):
        text = page.read_text(encoding="utf-8")
        assert "SIMULATED" not in text
        assert "modelled" in text


def test_the_figures_of_the_page_equal_those_of_the_map(issue_site: Path) -> None:
    facts = make_issue().facts[0]
    folder = issue_site / "latest" / slug(facts.map.instrument)
    tree = html.fromstring((folder / "map.html").read_bytes())
    assert tree.xpath("string(//h1)") == sentences.finding(facts)
    ladder = [float(value) for value in tree.xpath("//table[contains(@class, 'ladder')]//tbody//th/@data-value")]
    assert ladder == sorted(ladder, reverse=True)
    assert facts.map.mark_price in ladder
    assert {*ladder} - {facts.map.mark_price} <= {cluster.peak for cluster in facts.clusters}
    assert json.loads((folder / "map.json").read_text("utf-8")) == facts.map.to_dict()
    rows = list(csv.DictReader(io.StringIO((folder / "clusters.csv").read_text("utf-8"))))
    assert [float(row["notional"]) for row in rows] == [cluster.notional for cluster in facts.clusters]


def test_static_charts_contain_marks_and_only_drawing_elements(issue_site: Path) -> None:
    (page,) = (issue_site / "latest").glob("*/map.html")
    tree = html.fromstring(page.read_bytes())
    stills = tree.xpath("//div[contains(@class, 'still ')]/svg")
    assert len(stills) == 3
    for still in stills:
        assert (
            len(still.xpath(".//path[starts-with(@fill, 'var(--longs') or starts-with(@fill, 'var(--shorts')]")) > 100
        )
        assert {e.tag for e in still.iter()} <= {
            "svg",
            "g",
            "path",
            "rect",
            "line",
            "text",
            "tspan",
            "defs",
            "clippath",
        }
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_csv_cells_cannot_be_formulas(hostile_site: Path) -> None:
    cells = [
        cell
        for path in hostile_site.rglob("*.csv")
        for row in csv.reader(io.StringIO(path.read_text("utf-8")))
        for cell in row
    ]
    # Instrument names start with the venue, so no cell of these tables needs the quote that disarms a formula.
    assert len(cells) > 1000
    assert not [cell for cell in cells if cell[:1] in "=+@\t\r\0" and cell and not _number(cell)]


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_manifests_list_every_file_with_its_hash(hostile_site: Path) -> None:
    for manifest in (hostile_site / "manifest.json", *hostile_site.glob("2*/*/manifest.json")):
        entries = json.loads(manifest.read_text("utf-8"))["files"]
        there = {name: content for name, content in files(manifest.parent).items() if name != "manifest.json"}
        assert set(entries) == set(there)
        for name, content in there.items():
            assert entries[name] == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    for asset in (hostile_site / "assets").iterdir():
        assert hashlib.sha256(asset.read_bytes()).hexdigest()[:16] in asset.name


def test_archive_previous_and_latest_follow_the_issue_times(tmp_path: Path) -> None:
    out = tmp_path / "s"
    times = ["2026-06-11T12:00Z", "2026-06-12T00:00Z", "2026-06-11T00:00Z"]
    written = [write_issue(make_issue(at=parse_instant(time)), out) for time in times]
    assert [path.parent.relative_to(out).as_posix() for path in written] == [
        "2026-06-11/1200",
        "2026-06-12/0000",
        "2026-06-11/0000",
    ]
    # The issue written last is not the newest: it joins the archive and does not change the front page.
    assert "12 June 2026" in (out / "index.html").read_text("utf-8")
    tree = html.fromstring((out / "archive.html").read_bytes())
    assert tree.xpath("//tbody/tr/th/a/@href") == [
        "2026-06-12/0000/index.html",
        "2026-06-11/1200/index.html",
        "2026-06-11/0000/index.html",
    ]
    newest = html.fromstring((out / "index.html").read_bytes())
    assert newest.xpath("//nav/a[@rel='prev']/@href") == ["2026-06-11/1200/index.html"]


def test_writing_an_issue_is_idempotent(issue_site: Path) -> None:
    before = files(issue_site)
    write_issue(make_issue(), issue_site)
    assert files(issue_site) == before


def test_the_same_inputs_give_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    here = Path(__file__).resolve().parent
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from _helpers.sample_issue import make_issue\n"
        "from liqmap.report.site.site import write_issue\n"
        "write_issue(make_issue('binance:BTCUSDT', 'okx:ETH'), sys.argv[1])\n"
    )
    sites = []
    for folder, zone, seed in (("one", "Asia/Kathmandu", "1"), ("two/deeper", "America/St_Johns", "77")):
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C", "RAYON_NUM_THREADS": seed[:1]}
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / folder), str(here), str(here.parent)],
            check=True,
            env=environment,
            cwd=tmp_path,
        )
        sites.append(files(tmp_path / folder))
    assert sites[0] == sites[1]


@pytest.mark.parametrize("kind", ["file", "foreign folder"])
def test_other_files_are_not_overwritten(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "s"
    if kind == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="nothing written"):
        write_issue(make_issue(), out)
    assert list(files(tmp_path).values()) == [b"mine"]


def test_a_failed_issue_leaves_the_site_unchanged(issue_site: Path) -> None:
    before = files(issue_site)
    good = make_issue(at=parse_instant("2026-06-13T00:00Z"))
    facts = good.facts[0]
    broken = facts.map.long.copy()
    broken[3, 1400] = float("nan")
    # Clusters are computed from the valid map, so the invalid bin is detected when the pages are built.
    object.__setattr__(facts, "map", replace(facts.map, long=broken))
    with pytest.raises(InputError, match=r"(?i)nan"):
        write_issue(good, issue_site)
    assert files(issue_site) == before
