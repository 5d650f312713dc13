"""Observed positions: the latest snapshot of each account, the venue's price before the formula's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from liqmap import NotFoundError
from liqmap._base import timestamps
from liqmap.history import open_store
from liqmap.positions.observed import MAX_AGE, read_observed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from liqmap.history import Store

NAME = "binance:BTCUSDT"
AT = timestamps.parse_instant("2026-10-01T00:00Z")
HOUR = 3_600_000_000
HEAD = (
    "ts,account,side,size_base,entry_price,leverage,margin_mode,margin,mark_price,liquidation,liquidation_price,source"
)


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:", "w") as store:
        yield store


def put(store: Store, folder: Path, *rows: str) -> None:
    file = folder / f"book{len(rows)}-{abs(hash(rows))}.csv"
    file.write_text("\n".join([HEAD, *rows]) + "\n")
    store.load(file, table="positions", instrument=NAME)


def row(account: str, *, ts: int = AT, side: str = "long", leverage: str = "100", price: str = "", **more: str) -> str:
    mark, mode, said = more.get("mark", "65000"), more.get("mode", "isolated"), more.get("said", "")
    return f"{ts},{account},{side},0.5,65000,{leverage},{mode},,{mark},{said},{price},book"


def test_the_formula_fills_in_where_the_venue_says_nothing(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, row("a"), row("b", side="short"), row("c", price="64608.4"), row("d", price="60000"))
    seen = read_observed(store, NAME, AT)
    assert seen is not None
    assert len(seen) == 4
    order = np.argsort(seen.price)
    assert seen.price[order] == pytest.approx([60_000, 64_608.4, 64_608.43, 65_388.45], abs=0.01)
    assert seen.reported[order].tolist() == [True, True, False, False]
    assert seen.differs[order].tolist() == [True, False, False, False]
    assert seen.side[order].tolist() == [1, 1, 1, -1]
    assert seen.mark_price == 65_000
    assert not seen.due.any()
    assert any(n.startswith("1 of 4 observed have another price at their venue") for n in seen.notes)


def test_the_venue_saying_none_stands_before_the_formula(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, row("a", said="none"))
    seen = read_observed(store, NAME, AT)
    assert seen is not None
    assert np.isnan(seen.price[0])
    assert np.isfinite(seen.formula_price[0])
    assert (
        "1 of 1 observed have none at their venue although the formula gives one: collateral outside the account"
        in (seen.notes)
    )


def test_only_the_latest_snapshot_of_an_account_counts_and_never_a_later_one(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, row("a", ts=AT - 2 * HOUR), row("a", ts=AT - 2 * HOUR, side="short"))
    put(store, tmp_path, row("a", ts=AT - HOUR), row("a", ts=AT + 1, side="short"), row("b", ts=AT + 1))
    seen = read_observed(store, NAME, AT)
    assert seen is not None
    assert (len(seen), seen.side.tolist(), seen.as_of) == (1, [1], AT - HOUR)
    assert read_observed(store, NAME, AT - 3 * HOUR) is None


def test_an_account_seen_more_than_a_day_ago_is_counted_not_used(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, row("a", ts=AT - MAX_AGE), row("b", ts=AT - MAX_AGE - 1))
    seen = read_observed(store, NAME, AT)
    assert seen is not None
    assert len(seen) == 1
    assert "1 account last seen more than 24 h before is not used" in seen.notes
    assert read_observed(store, NAME, AT + 1) is None


def test_a_price_the_mark_has_passed_is_kept_and_flagged(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, row("a", price="65010", mark="65000"))
    seen = read_observed(store, NAME, AT)
    assert seen is not None
    assert (seen.price.tolist(), seen.due.tolist()) == ([65_010.0], [True])
    assert any("mark has passed" in note for note in seen.notes)


def test_leverage_above_the_maximum_has_no_price_and_portfolio_margin_no_formula(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, row("a", leverage="200"), row("b", mode="portfolio"))
    seen = read_observed(store, NAME, AT)
    assert seen is not None
    assert np.isnan(seen.price).all()
    assert "2 of 2 observed have no liquidation price" in seen.notes


def test_an_unknown_instrument_is_an_error(store: Store) -> None:
    with pytest.raises(NotFoundError):
        read_observed(store, "binance:NOSUCH", AT)
