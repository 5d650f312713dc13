"""Tables of a map hold the map in every format, without cells that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import polars as pl
import pytest

from _helpers.sample_map import sample_map
from liqmap.maps.export import csv_text, to_csv, to_parquet

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "sim:=cmd|' /C calc'!A0"


def test_arrow_holds_every_filled_bin_once() -> None:
    sample = sample_map()
    table = pl.DataFrame(sample.to_arrow())
    assert table.columns == ["price_low", "price_high", "side", "leverage", "notional_usd", "observed_usd"]
    assert table.height == (sample.long > 0).sum() + (sample.short > 0).sum()
    for side in ("long", "short"):
        rows = table.filter(pl.col("side") == side)
        assert rows["notional_usd"].sum() == pytest.approx(sample.side(side).sum(), rel=1e-12)
    assert ((table["price_high"] - table["price_low"]).round(6) == sample.grid.width).all()


def test_csv_and_parquet_equal_arrow(tmp_path: Path) -> None:
    sample = sample_map()
    table = pl.DataFrame(sample.to_arrow())
    read = pl.read_csv(io.StringIO(to_csv(sample)))
    assert read.drop("instrument", "at").equals(table)
    assert read["instrument"].unique().to_list() == [sample.instrument]
    to_parquet(sample, tmp_path / "map.parquet")
    assert pl.read_parquet(tmp_path / "map.parquet").equals(table)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0"])
def test_text_cells_are_no_formulas_and_numbers_remain_numbers(start: str) -> None:
    text = csv_text(["name", "x"], [[f"{start}1+1", -2.5], ["plain", None]])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[1][0].startswith("'")
    assert rows[1][1] == "-2.5"
    assert rows[2] == ["plain", ""]


def test_line_ends_and_order_do_not_depend_on_the_machine() -> None:
    text = to_csv(sample_map())
    assert "\r" not in text
    assert text == to_csv(sample_map())
