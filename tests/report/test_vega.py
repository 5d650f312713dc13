"""Drawings at build time: never empty, never more than a drawing; the script is what its name says."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import vl_convert

from liqmap.charts.data import complete
from liqmap.charts.theme import LIGHT, PAGE
from liqmap.errors import InternalError
from liqmap.maps.chart import map_data, map_drawing
from liqmap.maps.scene import NARROW
from liqmap.report import vega
from sample_map import sample_map

if TYPE_CHECKING:
    from pathlib import Path


def test_a_chart_whose_data_did_not_arrive_is_refused() -> None:
    unreachable = {
        "data": {"url": "https://example.invalid/rows.json"},
        "mark": "bar",
        "encoding": {"x": {"field": "x", "type": "quantitative"}},
    }
    with pytest.raises(InternalError, match="no marks drawn"):
        vega.still(unreachable, "none")


def test_a_still_has_its_own_ids_and_no_more_digits_than_show() -> None:
    spec = complete(map_drawing(PAGE), map_data(sample_map(), frame=NARROW, everything=False))
    first, second = vega.still(spec, "a"), vega.still(spec, "b")
    assert first.marks == second.marks > 100
    assert first.svg != second.svg
    assert first.svg.replace('"a-', '"b-').replace("#a-", "#b-") == second.svg
    assert vega.still(spec, "a") == first
    for word in ("style=", "class=", "<style", "<script", "href", "font-family"):
        assert word not in first.svg
    assert first.width < 400


def test_a_drawing_compiled_without_its_rows_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in (7, 8):
        spec = complete(map_drawing(PAGE), map_data(sample_map(seed=seed), frame=NARROW, everything=False))
        quick = vega.still(spec, "a")
        with monkeypatch.context() as whole:
            whole.setattr(vega, "_filled", vl_convert.vegalite_to_vega)
            assert vega.still(spec, "a") == quick


def test_a_still_in_hexadecimal_needs_no_page() -> None:
    spec = complete(map_drawing(LIGHT), map_data(sample_map(), frame=NARROW, everything=False))
    assert "var(" not in vega.still(spec, "a").svg


def test_a_damaged_cache_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = vega.bundle()
    assert b"vegaEmbed" in good
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    vega.made.cache_clear()
    folder = tmp_path / "liqmap"
    folder.mkdir()
    version = vega.version()
    name = f"vega-{version}-{hashlib.sha256(good).hexdigest()}.js"
    (folder / name).write_bytes(good[:-100])
    assert vega.bundle() == good
    assert (folder / name).read_bytes() == good
    vega.made.cache_clear()
    assert vega.bundle() == good
