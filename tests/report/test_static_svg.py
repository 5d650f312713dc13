"""Static charts: never empty, restricted to drawing elements; the Vega bundle is verified by its hash."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import vl_convert

from _helpers.sample_map import sample_map
from liqmap._base.errors import InternalError
from liqmap.charts.map.chart import map_data, map_spec
from liqmap.charts.map.layout import NARROW
from liqmap.charts.theme import LIGHT, PAGE
from liqmap.charts.vega_data import with_data
from liqmap.report.vega import static_svg, vega_bundle, vega_engine

if TYPE_CHECKING:
    from pathlib import Path


def test_a_chart_without_data_marks_is_rejected() -> None:
    unreachable = {
        "data": {"url": "https://example.invalid/rows.json"},
        "mark": "bar",
        "encoding": {"x": {"field": "x", "type": "quantitative"}},
    }
    with pytest.raises(InternalError, match="no marks drawn"):
        static_svg.static_svg(unreachable, "none")


def test_a_static_chart_has_prefixed_ids_and_no_styles() -> None:
    spec = with_data(map_spec(PAGE), map_data(sample_map(), frame=NARROW, everything=False))
    first, second = static_svg.static_svg(spec, "a"), static_svg.static_svg(spec, "b")
    assert first.marks == second.marks > 100
    assert first.svg != second.svg
    assert first.svg.replace('"a-', '"b-').replace("#a-", "#b-") == second.svg
    assert static_svg.static_svg(spec, "a") == first
    for word in ("style=", "class=", "<style", "<script", "href", "font-family"):
        assert word not in first.svg
    assert first.width < 400


def test_a_specification_compiled_without_rows_gives_the_same_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in (7, 8):
        spec = with_data(map_spec(PAGE), map_data(sample_map(seed=seed), frame=NARROW, everything=False))
        filled = static_svg.static_svg(spec, "a")
        whole = json.dumps(vl_convert.vegalite_to_vega(spec))
        with monkeypatch.context() as patched:
            patched.setattr(static_svg, "_draw_spec", lambda _, name: vega_engine.draw(name, whole))  # noqa: B023 - used before the next one
            assert static_svg.static_svg(spec, "a") == filled


def test_a_chart_in_hexadecimal_colours_needs_no_css_variables() -> None:
    spec = with_data(map_spec(LIGHT), map_data(sample_map(), frame=NARROW, everything=False))
    assert "var(" not in static_svg.static_svg(spec, "a").svg


def test_a_damaged_cache_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    vega_bundle.vega_bundle.cache_clear()
    good = vega_bundle.vega_bundle()
    assert b"vegaEmbed" in good
    (kept,) = (tmp_path / "liqmap").iterdir()
    kept.write_bytes(good[:-100])
    vega_bundle.vega_bundle.cache_clear()
    assert vega_bundle.vega_bundle() == good
    assert kept.read_bytes() == good
    vega_bundle.vega_bundle.cache_clear()


def test_a_process_that_drew_a_chart_exits() -> None:
    script = (
        "from liqmap.report.vega.vega_engine import draw, warm_up; "
        "warm_up(); assert draw('a', '{\"marks\": []}')[0].startswith('<svg')"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_an_invalid_specification_gives_a_one_line_error() -> None:
    with pytest.raises(InternalError, match="a valid Vega specification") as caught:
        vega_engine.draw("a", '{"marks": [{"type": "blob"}]}')
    assert "\n" not in str(caught.value)


def test_charts_can_be_drawn_in_a_notebook() -> None:
    """Notebooks run an event loop in the drawing thread when the engine is started."""
    code = (
        "import asyncio\nfrom liqmap.report.vega.vega_engine import draw\n"
        "async def cell(): return draw('one', '{\"marks\": []}')\nprint(asyncio.run(cell())[0][:4])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "<svg\n", done.stderr


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<script>alert(1)</script>", "<script > in the chart"),
        ('<rect onload="alert(1)"/>', "<rect onload> in the chart"),
        ('<a href="https://example.invalid"><rect/></a>', "<a > in the chart"),
        ('<image href="https://example.invalid/x.png"/>', "an external image"),
        ('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>', "an external image"),
        ("<g>", "mismatched tag"),
    ],
)
def test_elements_other_than_drawing_elements_are_rejected(
    inside: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    svg = f'<svg viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg"><rect/>{inside}</svg>'
    monkeypatch.setattr(static_svg, "draw", lambda *_: (svg, 1))
    spec = with_data(map_spec(PAGE), map_data(sample_map(), frame=NARROW, everything=False))
    with pytest.raises(InternalError, match=found):
        static_svg.static_svg(spec, "a")


def test_a_missing_extra_gives_an_install_hint() -> None:
    script = (
        "import sys; sys.modules['py_mini_racer'] = None\n"
        "from liqmap.report.vega import vega_engine\nvega_engine.warm_up().join()\n"
        "try:\n    vega_engine.draw('a', '{}')\nexcept Exception as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout.startswith("liqmap: report: mini-racer: not installed (expected pip install")
    assert done.stderr == ""
