"""Heatmaps, and the max pain of a map."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

import liqmap
from _helpers.hourly_market import write_hourly_market
from liqmap import InputError, NotFoundError

NAME = "sim:BTCUSDT"
HOUR = 3_600_000_000
START = 1_735_689_600_000_000


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of synthetic hourly bars with open interest."""
    return write_hourly_market(tmp_path_factory.mktemp("heat"), NAME, seed=3)


def test_each_column_equals_the_map_at_its_time(db: Path) -> None:
    with liqmap.open(db) as history:
        heat = history.heatmap(NAME, "2025-01-05", "2025-01-06", step="6h", groups=((2, 20), (20, 1000)))
        for i, at in enumerate(heat.at):
            m = history.map(NAME, at=int(at))
            for side, cells, k in (("long", heat.long, 0), ("short", heat.short, 1)):
                want = m.side(side).sum() + m.outside[side]  # type: ignore[arg-type,index]
                assert cells[i].sum() + heat.outside[i, k] == pytest.approx(want, rel=1e-6)
            assert heat.ledgers[i] == m.ledger
            assert heat.ledgers[i].error(m.open_interest) <= 1e-9
            # Longs lie below the price, shorts above.
            assert not heat.long[i][:, heat.edges[1:] > heat.close[i] * (1 + 1.1e-3)].any()
            assert not heat.short[i][:, heat.edges[:-1] < heat.close[i] * (1 - 1.1e-3)].any()


def test_predicted_liquidations_sum_over_columns(db: Path) -> None:
    with liqmap.open(db) as history:
        fine = history.heatmap(NAME, "2025-01-03", "2025-01-08", step="1h")
        coarse = history.heatmap(NAME, "2025-01-03", "2025-01-08", step="12h")
    first = int(np.searchsorted(fine.at, coarse.at[0])) + 1
    assert fine.predicted[first:].sum() == pytest.approx(coarse.predicted[1:].sum(), rel=1e-12)
    assert fine.predicted.sum() > 0


@pytest.mark.parametrize(
    ("arguments", "error", "what"),
    [
        (("2025-01-06", "2025-01-05", "1h"), InputError, "before"),
        (("2025-01-05", "2025-01-06", "5m"), InputError, "at least one bar"),
        (("2025-01-05", "2025-01-06", "often"), InputError, "'often'"),
        (("2025-01-05", "2045-01-06", "1h"), InputError, "at most 20000"),
        (("2026-01-05", "2026-01-06", "1h"), NotFoundError, "no data from"),
    ],
)
def test_an_invalid_span_is_rejected(
    db: Path, arguments: tuple[str, str, str], error: type[Exception], what: str
) -> None:
    with liqmap.open(db) as history, pytest.raises(error, match=what):
        history.heatmap(NAME, *arguments)


def test_the_command_writes_the_heatmap_and_the_tracks(db: Path, tmp_path: Path) -> None:
    cells = tmp_path / "heat.parquet"
    span = ["--start", "2025-01-05", "--end", "2025-01-06", "--step", "6h"]
    tracks = tmp_path / "tracks.csv"
    arguments = ["heatmap", NAME, "--db", str(db), *span, "--csv", "--parquet", str(cells), "--tracks", str(tracks)]
    done = subprocess.run(
        [sys.executable, "-c", "from liqmap.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + 5
    long_usd = float(lines[-1].split(",")[4])
    row = duckdb.execute(
        "SELECT sum(notional_usd) FROM read_parquet($1) WHERE side = 'long' AND at_us = $2",
        [str(cells), START + 120 * HOUR],
    ).fetchone()
    assert row is not None
    assert row[0] == pytest.approx(long_usd, rel=1e-3)
    with liqmap.open(db) as history:
        assert tracks.read_text() == history.tracks(NAME, "2025-01-05", "2025-01-06", "6h").to_csv()


def test_max_pain_maximises_notional_per_distance(db: Path) -> None:
    with liqmap.open(db) as history:
        m = history.map(NAME)
    sums, edges = m.cumulative(), m.grid.edges()
    for side, reached, at in (("long", sums.long, edges[:-1]), ("short", sums.short, edges[1:])):
        pain = m.max_pain(side)  # type: ignore[arg-type]
        assert pain is not None
        away = np.abs(at / m.mark_price - 1)
        notional_per_distance = np.where(away >= 0.005, reached / np.maximum(away, 0.005), 0)
        assert notional_per_distance[np.flatnonzero(at == pain)[0]] == pytest.approx(notional_per_distance.max())
        assert (pain < m.mark_price) == (side == "long")
