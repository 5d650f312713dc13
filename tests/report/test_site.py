"""A site: whole, the same bytes every time, and deaf to what labels would like it to do."""

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


def test_no_label_becomes_markup_or_a_path(hostile: Path) -> None:
    # Dated and latest; the front page and the archive; a history for each instrument.
    assert len(pages(hostile)) == 2 * (1 + len(PAGE_NAMES) * len(HOSTILE_NAMES)) + 2 + len(HOSTILE_NAMES)
    for page in pages(hostile):
        tree = html.fromstring(page.read_bytes())
        assert {element.tag for element in tree.iter() if isinstance(element.tag, str)} <= ALLOWED
        assert not tree.xpath("//@*[starts-with(name(), 'on') or name() = 'style']")
        for script in tree.xpath("//script"):
            if script.get("src") is None:
                assert script.get("type") == "application/json"
                json.loads(script.text)
    for page in hostile.glob("latest/*/map.html"):
        title = html.fromstring(page.read_bytes()).xpath("string(//title)")
        assert any(title.startswith(name) for name in HOSTILE_NAMES), title
    inside = {path.resolve() for path in hostile.rglob("*")}
    assert all(hostile.resolve() in path.parents for path in inside)
    assert {path.name for path in (hostile / "latest").iterdir() if path.is_dir()} == {
        slug(name) for name in HOSTILE_NAMES
    }


def test_every_link_leads_to_a_file_of_the_site(hostile: Path) -> None:
    for page in pages(hostile):
        tree = html.fromstring(page.read_bytes())
        for target in tree.xpath("//@href | //@src"):
            if target.startswith("data:image/png;base64,"):
                continue  # a picture that the page itself holds
            if target.startswith("#"):
                assert tree.xpath("//*[@id=$id]", id=target[1:]), (page, target)
            else:
                assert not re.match(r"[a-z]+:|/", target), (page, target)
                assert (page.parent / target).resolve().is_file(), (page, target)
                assert hostile.resolve() in (page.parent / target).resolve().parents


def test_pages_forbid_what_they_do_not_need(hostile: Path) -> None:
    for page in pages(hostile):
        tree = html.fromstring(page.read_bytes())
        (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", text)


def test_what_is_simulated_says_so_first(hostile: Path) -> None:
    for page in pages(hostile):
        tree = html.fromstring(page.read_bytes())
        assert tree.xpath("string(//p[@class='simulated']/strong)") == "SIMULATED", page


def test_what_is_real_does_not_say_simulated(plain: Path) -> None:
    for page in pages(plain):
        text = page.read_text(encoding="utf-8")
        assert "SIMULATED" not in text
        assert "modelled" in text


def test_numbers_of_the_page_are_the_maps(plain: Path) -> None:
    facts = make_issue().facts[0]
    folder = plain / "latest" / slug(facts.map.instrument)
    tree = html.fromstring((folder / "map.html").read_bytes())
    assert tree.xpath("string(//h1)") == sentences.finding(facts)
    ladder = [float(value) for value in tree.xpath("//table[contains(@class, 'ladder')]//tbody//th/@data-value")]
    assert ladder == sorted(ladder, reverse=True)
    assert facts.map.mark_price in ladder
    assert {*ladder} - {facts.map.mark_price} <= {cluster.peak for cluster in facts.clusters}
    assert json.loads((folder / "map.json").read_text("utf-8")) == facts.map.to_dict()
    rows = list(csv.DictReader(io.StringIO((folder / "clusters.csv").read_text("utf-8"))))
    assert [float(row["notional"]) for row in rows] == [cluster.notional for cluster in facts.clusters]


def test_stills_carry_marks_and_only_drawing(plain: Path) -> None:
    (page,) = (plain / "latest").glob("*/map.html")
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


def test_csv_cells_cannot_be_formulas(hostile: Path) -> None:
    found = 0
    for path in hostile.rglob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text("utf-8"))):
            found += any(cell.startswith("'") for cell in row)
            assert not any(cell[:1] in "=+@\t\r\0" and not _number(cell) for cell in row if cell), row
    assert found == 0  # every instrument begins with its venue, which no spreadsheet runs


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_manifests_name_every_file_and_its_hash(hostile: Path) -> None:
    for manifest in (hostile / "manifest.json", *hostile.glob("2*/*/manifest.json")):
        entries = json.loads(manifest.read_text("utf-8"))["files"]
        there = {name: content for name, content in files(manifest.parent).items() if name != "manifest.json"}
        assert set(entries) == set(there)
        for name, content in there.items():
            assert entries[name] == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    for asset in (hostile / "assets").iterdir():
        assert hashlib.sha256(asset.read_bytes()).hexdigest()[:16] in asset.name


def test_a_page_is_small_enough(plain: Path) -> None:
    import gzip  # noqa: PLC0415

    for page in pages(plain):
        assert len(gzip.compress(page.read_bytes())) < 250_000


def test_archive_previous_and_latest(tmp_path: Path) -> None:
    out = tmp_path / "s"
    times = ["2026-06-11T12:00Z", "2026-06-12T00:00Z", "2026-06-11T00:00Z"]
    written = [write_issue(make_issue(at=parse_instant(time)), out) for time in times]
    assert [path.parent.relative_to(out).as_posix() for path in written] == [
        "2026-06-11/1200",
        "2026-06-12/0000",
        "2026-06-11/0000",
    ]
    # The one written last is not the newest: it joins the archive and leaves the front page alone.
    assert "12 June 2026" in (out / "index.html").read_text("utf-8")
    tree = html.fromstring((out / "archive.html").read_bytes())
    assert tree.xpath("//tbody/tr/th/a/@href") == [
        "2026-06-12/0000/index.html",
        "2026-06-11/1200/index.html",
        "2026-06-11/0000/index.html",
    ]
    newest = html.fromstring((out / "index.html").read_bytes())
    assert newest.xpath("//nav/a[@rel='prev']/@href") == ["2026-06-11/1200/index.html"]


def test_writing_again_changes_nothing(plain: Path) -> None:
    before = files(plain)
    write_issue(make_issue(), plain)
    assert files(plain) == before


def test_the_same_inputs_give_the_same_bytes_wherever_they_are_built(tmp_path: Path) -> None:
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
def test_a_place_that_is_not_ours_is_left_alone(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "s"
    if kind == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="nothing written"):
        write_issue(make_issue(), out)
    assert list(files(tmp_path).values()) == [b"mine"]


def test_a_failed_issue_leaves_the_site_as_it_was(plain: Path) -> None:
    before = files(plain)
    good = make_issue(at=parse_instant("2026-06-13T00:00Z"))
    facts = good.facts[0]
    broken = facts.map.long.copy()
    broken[3, 1400] = float("nan")
    # The clusters are found while the map is whole: the fault comes to light when it is drawn.
    object.__setattr__(facts, "map", replace(facts.map, long=broken))
    with pytest.raises(InputError, match="chart: map/bars, usd: nan"):
        write_issue(good, plain)
    assert files(plain) == before
