"""Cascades of 2026-06-04 and of the last bar, on real bars and a proxy book as documented in docs/stress.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import liqmap
from liqmap._base.instruments import Instrument
from liqmap._base.timestamps import parse_instant
from liqmap.report.vega.static_svg import static_svg
from liqmap.stress.contribution import contributions
from liqmap.stress.depth import Depth
from liqmap.stress.proxy_book import make_proxy_book
from liqmap.stress.venue_order_books import read_recording

NAME = "binance:BTCUSDT"
XBT = Instrument("bitmex:XBTUSD", "perpetual", "inverse", "BTC", "USD", "BTC", 1, 0.5)
MOMENTS = ("2026-06-04T12:00Z", "2026-06-14T15:00Z")
DOCS = Path(__file__).resolve().parents[2] / "docs/stress.md"


@pytest.fixture(scope="module")
def maps(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[liqmap.LiquidationMap]:
    with liqmap.open(tmp_path_factory.mktemp("real") / "h.duckdb", mode="w") as history:
        history.load(shared / "data/binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=NAME)
        found = [history.map(NAME, at) for at in MOMENTS]
        assert history.map(NAME).at == found[1].at == parse_instant(MOMENTS[1]), "the last bar"
    return found


@pytest.fixture(scope="module")
def books(shared: Path, maps: list[liqmap.LiquidationMap]) -> list[Depth]:
    folder = shared / "data/books"
    book = read_recording(folder / "bitmex_XBTUSD_20210722.jsonl", XBT)
    listed: list[dict[str, Any]] = json.loads((folder / "bitmex_instruments_XBT_20210722.json").read_text())[
        "instruments"
    ]
    then = next(float(row["openInterest"]) for row in listed if row["symbol"] == "XBTUSD")
    assert then == 574_264_600, "one USD per contract"
    return [make_proxy_book(book, m.mark_price, then_usd=then, now_usd=m.open_interest * m.mark_price) for m in maps]


def lines(m: liqmap.LiquidationMap, book: Depth, shock: float) -> list[str]:
    """The lines printed in docs/stress.md."""
    found = m.cascade(shock, book)
    printed = [f"{liqmap._base.timestamps.iso(m.at)}  mark {m.mark_price:,.1f}  shock {shock:+.0%}"]
    for law in found.bracket:
        bound = "at or beyond" if law.depth_exhausted else "stops at"
        least = "at least " if law.depth_exhausted else ""
        printed.append(
            f"  {law.law:<11} {bound:>12} {law.stop_price:>10,.1f}  liquidated {least}${law.liquidated / 1e6:,.1f}M"
        )
    printed += [
        f"  round {c.round}  {c.low:,.0f} … {c.high:,.0f}  ${c.fired / 1e6:,.1f}M of ${c.notional / 1e6:,.1f}M"
        for c in contributions(m, m.clusters(), shock, book)
        if c.round
    ]
    return printed


_NUMBER = re.compile(r"[+-]?\d[\d,]*\.?\d*")


def alike(printed: list[str], run: list[str]) -> bool:
    """The same words, and numbers within 2 %, because parameters of the recipe may be refined."""

    def numbers(text: str) -> list[float]:
        return [float(n.replace(",", "")) for n in _NUMBER.findall(text)]

    one, other = "\n".join(printed), "\n".join(run)
    same_words = _NUMBER.sub("#", one).split() == _NUMBER.sub("#", other).split()
    return same_words and numbers(one) == pytest.approx(numbers(other), rel=0.02)


@pytest.mark.parametrize("which", [0, 1], ids=["2026-06-04", "last bar"])
@pytest.mark.parametrize("shock", [-0.05, 0.05])
def test_the_documented_cascades_are_reproduced(
    maps: list[liqmap.LiquidationMap], books: list[Depth], which: int, shock: float
) -> None:
    run = lines(maps[which], books[which], shock)
    blocks = re.findall(r"(?m)^    (\d{4}-.*\n(?:      .*\n)+)", DOCS.read_text())
    assert any(alike(block.rstrip("\n").split("\n"), run) for block in blocks), "\n".join(run)


@pytest.mark.parametrize("which", [0, 1], ids=["2026-06-04", "last bar"])
def test_json_and_charts_of_a_real_cascade_are_valid(
    maps: list[liqmap.LiquidationMap], books: list[Depth], which: int
) -> None:
    m, book = maps[which], books[which]
    found = m.cascade(-0.05, book)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert "scaled by open interest, $574M then and $6,4" in plain["assumptions"][0]
    assert "measured at 32,180.25, its relative shape moved to" in plain["assumptions"][0]
    assert plain["bracket"]["low"] != plain["bracket"]["high"]
    assert sum(step["notional"] for step in plain["chain"]) == pytest.approx(found.liquidated)
    assert [step["round"] for step in plain["chain"]] == sorted(step["round"] for step in plain["chain"])
    assert static_svg(found.chart().to_dict(), "chain").marks > 3
    curve = m.cascade_curve(book)
    at = next(i for i, shock in enumerate(curve.legs[0].shock) if shock == pytest.approx(-0.05))
    assert curve.legs[0].lines["calm"].stop_price[at] == pytest.approx(found.stop_price)
    assert static_svg(curve.chart().to_dict(), "curve").marks > 10
    json.dumps(curve.to_dict(), allow_nan=False)


def test_the_proxy_book_has_a_plausible_depth(books: list[Depth]) -> None:
    """Bids within 1 % are $275M; Binance's published depth of 2025 was $191M, the same order of magnitude."""
    for book in books:
        assert 150e6 < book.within("bid", 0.01) < 400e6
        assert book.dropped == {"far": 212}


def test_clusters_of_a_chain_are_in_order_of_triggering(maps: list[liqmap.LiquidationMap], books: list[Depth]) -> None:
    for m, book in zip(maps, books, strict=True):
        parts = contributions(m, m.clusters(), -0.05, book)
        fired = [part for part in parts if part.round]
        assert fired
        assert [part.peak for part in fired] == sorted((part.peak for part in fired), reverse=True)
        assert [part.round for part in fired] == sorted(part.round for part in fired)
        assert sum(part.fired for part in parts) <= m.cascade(-0.05, book).liquidated + 1
