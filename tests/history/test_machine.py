"""The state of the machine: a wrong clock (fault 17), little memory and little temporary disk space (fault 64)."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import START, bars, count
from liqmap._base.errors import InputError, StorageError
from liqmap._base.timestamps import parse_instant
from liqmap.history import Store, open_store, resource_limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"


@pytest.mark.parametrize("clock", ["1970-01-01T00:00:00Z", "2020-02-03T04:05:06Z", "2026-05-30T23:59:59Z"])
def test_fault_17_a_time_after_the_clock_names_the_clock_and_its_time(
    store: Store, write: Write, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    now = 0 if clock.startswith("1970") else parse_instant(clock)
    file = write("bars.csv", bars(5))
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: now * 1000)
        with pytest.raises(InputError) as caught:
            store.load(file, instrument=BTC)
    line = str(caught.value)
    assert "\n" not in line
    assert f"bars.csv:2, ts: '{START}'" in line
    assert f"this machine's clock, which shows {clock}" in line
    assert line.endswith("nothing stored; 4 more invalid rows")
    store.load(file, instrument=BTC)
    assert count(store, "bars") == 5


def test_fault_17_a_time_before_the_first_market_does_not_name_the_clock(store: Store, write: Write) -> None:
    with pytest.raises(InputError, match="a time from 2009") as caught:
        store.load(write("bars.csv", bars(5, start=1_100_000_000_000)), instrument=BTC)
    assert "clock" not in str(caught.value)


SETTINGS = ("memory_limit", "temp_directory", "max_temp_directory_size")
LARGE = (
    "CREATE TEMP TABLE large AS SELECT md5(range::VARCHAR) AS x, md5((range + 1)::VARCHAR) AS y FROM range(2_000_000)"
)


def settings_in_force(store: Store) -> tuple[str, ...]:
    with store.reading() as connection:
        row = connection.execute(f"SELECT {', '.join(f'current_setting({s!r})' for s in SETTINGS)}").fetchone()
    assert row is not None
    return tuple(map(str, row))


@pytest.mark.parametrize(("machine_mib", "limit"), [(2000, "1000.0 MiB"), (64_000, "4.0 GiB")])
def test_fault_64_memory_and_temporary_files_are_bounded_by_default(
    path: Path, monkeypatch: pytest.MonkeyPatch, machine_mib: int, limit: str
) -> None:
    for name in (resource_limits.MEMORY_LIMIT, resource_limits.TEMP_DIRECTORY, resource_limits.MAX_TEMP_SIZE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(resource_limits, "_memory_mib", lambda: machine_mib)
    with open_store(path, "w") as store, open_store(path, "w") as second:
        assert settings_in_force(store) == settings_in_force(second) == (limit, f"{path}.tmp", "16.0 GiB")
    with open_store(":memory:", "w") as store:
        memory, folder, size = settings_in_force(store)
    assert (memory, size) == (limit, "16.0 GiB")
    assert folder.startswith(tempfile.gettempdir())


def test_fault_64_a_container_limit_is_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(resource_limits, "_CONTAINER_LIMIT", limit)
    machine = resource_limits._memory_mib()
    limit.write_text("max\n")
    assert resource_limits._memory_mib() == machine
    limit.write_text(f"{100 * 1024 * 1024}\n")
    assert resource_limits._memory_mib() == 100


def test_fault_64_environment_variables_override_the_limits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = path.parent / "spill"
    folder.mkdir()
    monkeypatch.setenv(resource_limits.MEMORY_LIMIT, "300MiB")
    monkeypatch.setenv(resource_limits.TEMP_DIRECTORY, str(folder))
    monkeypatch.setenv(resource_limits.MAX_TEMP_SIZE, "2GiB")
    with open_store(path, "w") as store:
        memory, temporary, size = settings_in_force(store)
    assert (memory, size) == ("300.0 MiB", "2.0 GiB")
    assert temporary.startswith(f"{folder}/liqmap-")


@pytest.mark.parametrize("name", ["MEMORY_LIMIT", "MAX_TEMP_SIZE", "TEMP_DIRECTORY"])
@pytest.mark.parametrize("value", ["much", "0GB", "-1GB", "80%", "1e400GB"])
def test_fault_64_an_invalid_limit_names_its_variable(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = getattr(resource_limits, name)
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=f"{variable}: '{value}'") as caught:
        open_store(path, "w")
    assert "\n" not in str(caught.value)


def test_fault_64_a_statement_above_the_limits_names_the_variables_and_keeps_the_history(
    path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(resource_limits.MEMORY_LIMIT, "60MiB")
    monkeypatch.setenv(resource_limits.MAX_TEMP_SIZE, "10MiB")
    with open_store(path, "w") as store:
        store.load(write("bars.csv", bars(5)), instrument=BTC)
        with pytest.raises(StorageError) as caught, store.transaction() as connection:
            connection.execute(LARGE)
        assert "\n" not in str(caught.value)
        assert resource_limits.MEMORY_LIMIT in str(caught.value)
        assert resource_limits.MAX_TEMP_SIZE in str(caught.value)
        assert "disk full" not in str(caught.value)
    with open_store(path) as store:
        assert count(store, "bars") == 5
    assert not path.with_name("history.duckdb.tmp").exists()
