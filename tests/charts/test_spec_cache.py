"""Cached specifications equal computed ones, damaged entries are rebuilt, and a cached chart does not load Altair."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from liqmap.charts.spec_cache import cache_folder, cached_spec


def test_a_value_is_made_once_and_a_damaged_entry_is_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[str] = []

    def make() -> dict[str, object]:
        made.append("x")
        return {"mark": "bar", "größe": [1.5, None]}

    assert cached_spec("a chart", make) == cached_spec("a chart", make) == {"mark": "bar", "größe": [1.5, None]}
    assert len(made) == 1
    (path,) = cache_folder().rglob("*.json")
    path.write_bytes(path.read_bytes().replace(b"bar", b"tar"))
    assert cached_spec("a chart", make)["mark"] == "bar"
    assert len(made) == 2
    cached_spec("another", make)
    assert len(made) == 3


def test_an_unwritable_cache_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cached_spec("a chart", lambda: {"mark": "bar"}) == {"mark": "bar"}


def test_cached_specifications_do_not_load_altair() -> None:
    program = (
        "import sys\n"
        "from liqmap.charts.theme import PAGE\n"
        "from liqmap.charts.map.chart import map_spec\n"
        "from liqmap.report.page_names import PAGE_NAMES\n"
        "from liqmap.report.pages import find_page\n"
        "from liqmap.charts.scorecard.chart import reliability_spec, skill_spec\n"
        "from liqmap.charts.order_book_overlay.chart import overlay_spec\n"
        "from liqmap.charts.cascade.chart import curve_spec\n"
        "assert all(find_page(name) for name in PAGE_NAMES)\n"
        "for draw in (map_spec, curve_spec, overlay_spec, reliability_spec, skill_spec):\n"
        "    assert draw(PAGE)['layer']\n"
        "print('altair.vegalite' in sys.modules)\n"
    )
    altair_loaded = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert altair_loaded[1] == "False"


def test_a_cached_specification_equals_that_of_altair() -> None:
    from liqmap.charts.map import chart  # noqa: PLC0415
    from liqmap.charts.theme import PAGE  # noqa: PLC0415

    assert chart.map_spec(PAGE) == chart._build_chart(PAGE, legend=False, pick=False).to_dict()
