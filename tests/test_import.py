"""``import liqmap`` is fast and gives access to all public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import liqmap


def test_every_public_name_can_be_imported() -> None:
    assert sorted(liqmap.__all__) == dir(liqmap)
    for name in liqmap.__all__:
        assert getattr(liqmap, name) is not None
    with pytest.raises(AttributeError, match="close"):
        _ = liqmap.close


def test_importing_liqmap_loads_neither_numpy_nor_the_database() -> None:
    program = "import sys, liqmap; print(*{m.partition('.')[0] for m in sys.modules})"
    loaded = set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"numpy", "duckdb", "altair", "arro3", "pydantic", "rich", "vl_convert", "pandas"}


def test_former_names_are_still_there() -> None:
    assert liqmap.levels_to_use is liqmap.trading_levels
    assert liqmap.History.levels is not liqmap.History.trading_levels
