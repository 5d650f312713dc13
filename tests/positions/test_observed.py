"""Observed positions: the latest snapshot of each account; reported prices take precedence over the formula."""

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


def load_positions(store: Store, folder: Path, *rows: str) -> None:
    file = folder / f"book{len(rows)}-{abs(hash(rows))}.csv"
    file.write_text("\n".join([HEAD, *rows]) + "\n")
    store.load(file, table="positions", instrument=NAME)


def row(account: str, *, ts: int = AT, side: str = "long", leverage: str = "100", price: str = "", **more: str) -> str:
    mark, mode, liquidation = more.get("mark", "65000"), more.get("mode", "isolated"), more.get("liquidation", "")
    return f"{ts},{account},{side},0.5,65000,{leverage},{mode},,{mark},{liquidation},{price},book"


def test_positions_without_a_reported_price_are_priced_by_formula(store: Store, tmp_path: Path) -> None:
    load_positions(
        store, tmp_path, row("a"), row("b", side="short"), row("c", price="64608.4"), row("d", price="60000")
    )
    found = read_observed(store, NAME, AT)
    assert found is not None
    assert len(found) == 4
    order = np.argsort(found.price)
    assert found.price[order] == pytest.approx([60_000, 64_608.4, 64_608.43, 65_388.45], abs=0.01)
    assert found.reported[order].tolist() == [True, True, False, False]
    assert found.differs[order].tolist() == [True, False, False, False]
    assert found.side[order].tolist() == [1, 1, 1, -1]
    assert found.mark_price == 65_000
    assert not found.due.any()
    assert any(n.startswith("1 of 4 observed have a reported price that differs from the formula") for n in found.notes)


def test_a_reported_absence_of_a_price_takes_precedence_over_the_formula(store: Store, tmp_path: Path) -> None:
    load_positions(store, tmp_path, row("a", liquidation="none"))
    found = read_observed(store, NAME, AT)
    assert found is not None
    assert np.isnan(found.price[0])
    assert np.isfinite(found.formula_price[0])
    assert "1 of 1 observed have no reported price but one by formula: collateral outside the account is likely" in (
        found.notes
    )


def test_only_the_latest_snapshot_not_after_the_as_of_time_is_used(store: Store, tmp_path: Path) -> None:
    load_positions(store, tmp_path, row("a", ts=AT - 2 * HOUR), row("a", ts=AT - 2 * HOUR, side="short"))
    load_positions(store, tmp_path, row("a", ts=AT - HOUR), row("a", ts=AT + 1, side="short"), row("b", ts=AT + 1))
    found = read_observed(store, NAME, AT)
    assert found is not None
    assert (len(found), found.side.tolist(), found.as_of) == (1, [1], AT - HOUR)
    assert read_observed(store, NAME, AT - 3 * HOUR) is None


def test_snapshots_older_than_a_day_are_counted_but_not_used(store: Store, tmp_path: Path) -> None:
    load_positions(store, tmp_path, row("a", ts=AT - MAX_AGE), row("b", ts=AT - MAX_AGE - 1))
    found = read_observed(store, NAME, AT)
    assert found is not None
    assert len(found) == 1
    assert "1 account not used: last snapshot more than 24 h old" in found.notes
    assert read_observed(store, NAME, AT + 1) is None


def test_a_price_that_the_mark_has_passed_is_kept_and_flagged(store: Store, tmp_path: Path) -> None:
    load_positions(store, tmp_path, row("a", price="65010", mark="65000"))
    found = read_observed(store, NAME, AT)
    assert found is not None
    assert (found.price.tolist(), found.due.tolist()) == ([65_010.0], [True])
    assert any("mark has already passed" in note for note in found.notes)


def test_leverage_above_the_maximum_has_no_price_and_portfolio_margin_no_formula(store: Store, tmp_path: Path) -> None:
    load_positions(store, tmp_path, row("a", leverage="200"), row("b", mode="portfolio"))
    found = read_observed(store, NAME, AT)
    assert found is not None
    assert np.isnan(found.price).all()
    assert "2 of 2 observed have no liquidation price" in found.notes


def test_an_unknown_instrument_is_an_error(store: Store) -> None:
    with pytest.raises(NotFoundError):
        read_observed(store, "binance:NOSUCH", AT)
