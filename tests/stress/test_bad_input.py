"""Invalid inputs of stress tests, through a stored history and the command line: rejected, or handled and reported."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import liqmap
from _helpers.five_minute_market import END, NAME, write_market
from _helpers.small_maps import FIVE, by_levels
from liqmap._base.errors import InputError
from liqmap.stress.cascade import cascade
from liqmap.stress.impact import Law, Linear, PowerLaw, SquareRoot

if TYPE_CHECKING:
    from pathlib import Path

BOOK_AT = END // 1000 - 60_000


def run(folder: Path, shock: str = "-2%", status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from liqmap.cli import main; main()", "cascade", NAME, "--shock", shock]
    command += ["--db", str(folder / "small.duckdb"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    if status:
        assert done.stderr.startswith("liqmap: ")
        assert done.stderr.count("\n") == 1
        assert not done.stdout
    return done


@pytest.fixture(scope="module")
def bookless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("bookless"), book_at=None).parent


def with_book(folder: Path, orders: list[tuple[str, float, object]], *, far: float = 1.0) -> Path:
    """A small market with a book of rows ``(side, price / last close, coin)``."""
    db = write_market(folder, book_at=None)
    with liqmap.open(db, mode="w") as history:
        last = float(history.market_bars(NAME).close[-1])
        rows = [f"{BOOK_AT},{side},{at * last * far:.1f},{size}" for side, at, size in orders]
        (folder / "book.csv").write_text("\n".join(["ts,side,price,size_base", *rows]) + "\n")
        history.load(folder / "book.csv", table="depth", instrument=NAME)
    return folder


BIDS = [("bid", 1 - i / 1000, 50.0) for i in range(1, 60)]
ASKS = [("ask", 1 + i / 1000, 50.0) for i in range(1, 60)]


def depth_assumption(done: subprocess.CompletedProcess[str]) -> str:
    found: dict[str, Any] = json.loads(done.stdout)
    return str(found["assumptions"][0])


def test_without_a_stored_book_the_fallback_law_is_used(bookless: Path) -> None:
    assert depth_assumption(run(bookless)).startswith("depth: none in the history at that time; fallback: power-law")


def test_a_stored_book_is_used(tmp_path: Path) -> None:
    assert depth_assumption(run(with_book(tmp_path, BIDS + ASKS))).startswith(f"depth: book of {NAME}; visible to")


def test_a_one_sided_book_absorbs_flow_of_one_side_only(tmp_path: Path) -> None:
    folder = with_book(tmp_path, ASKS)
    assert depth_assumption(run(folder, "+2%")).startswith(f"depth: book of {NAME}")
    assert "no bids (expected a book with both sides)" in run(folder, "-2%", status=1).stderr


def test_a_crossed_book_is_uncrossed_and_rejected_orders_are_counted(tmp_path: Path) -> None:
    crossed = [("bid", 1.004, 5.0), ("bid", 1.005, 5.0)]
    assert "rejected: 2 crossed" in depth_assumption(run(with_book(tmp_path, BIDS + ASKS + crossed)))


def test_asks_far_above_the_mid_are_rejected_and_counted(tmp_path: Path) -> None:
    assert "rejected: 1 far" in depth_assumption(run(with_book(tmp_path, [*BIDS, *ASKS, ("ask", 14.0, 1e6)])))


@pytest.mark.parametrize("size", ["nan", "-5", "inf", "much"])
def test_invalid_depth_is_not_stored(tmp_path: Path, size: str) -> None:
    with pytest.raises(InputError, match=r"book\.csv:61, size_base: "):
        with_book(tmp_path, [*BIDS, ("ask", 1.001, size)])
    with liqmap.open(tmp_path / "small.duckdb") as history:
        assert history.depth(NAME, END) is None, "no row of the file was stored"


def test_a_book_that_does_not_cover_the_mark_is_rejected(tmp_path: Path) -> None:
    folder = with_book(tmp_path, BIDS + ASKS, far=1.2)
    assert "(expected a book that covers the mark" in run(folder, status=1).stderr


def test_flow_beyond_the_known_depth_gives_bounds(tmp_path: Path) -> None:
    folder = with_book(tmp_path, [("bid", 0.9995, 0.1), ("bid", 0.998, 0.1), *ASKS])
    found = json.loads(run(folder, "-5%").stdout)
    assert found["depth_exhausted"]
    assert found["bracket"]["calm"]["marginal"] is None
    assert any("bounds" in sentence for sentence in found["assumptions"])


@pytest.mark.parametrize("shock", ["-100%", "150%", "0%", "nan", "-inf", "down"])
def test_an_invalid_shock_is_rejected(bookless: Path, shock: str) -> None:
    assert "cascade: shock: " in run(bookless, shock, status=1).stderr


def test_a_shock_towards_an_empty_side_is_rejected() -> None:
    longs_only = by_levels(FIVE)
    with pytest.raises(InputError, match=r"an empty map \(expected short levels above the mark\)"):
        cascade(longs_only, 0.01, Linear(1e11))
    with pytest.raises(InputError, match=r"an empty map \(expected short levels above the mark\)"):
        liqmap.scenarios(longs_only, Linear(1e11), [0.01, 0.02])


@pytest.mark.parametrize(
    "law",
    [
        *(Linear(depth) for depth in (math.nan, -1.0, 0.0, math.inf)),
        *(PowerLaw(bid=bid) for bid in ((math.nan, 0.7), (-1.0, 0.7), (1e8, 0.0), (1e8, math.nan))),
        *(SquareRoot(sigma=0.0), SquareRoot(volume=-1.0), SquareRoot(y=math.nan)),
        *(Linear(1e9, reach=reach) for reach in (0.0, 1.5, math.nan)),
    ],
    ids=str,
)
def test_an_invalid_law_is_rejected(law: Law) -> None:
    with pytest.raises(InputError, match=r"^liqmap: depth: "):
        cascade(by_levels(FIVE), -0.01, law)


def test_a_map_that_is_empty_on_both_sides_is_rejected() -> None:
    of = by_levels(FIVE)
    of.long[:] = 0
    for shock in (-0.01, 0.01):
        with pytest.raises(InputError, match="an empty map"):
            cascade(of, shock, Linear(1e11))
