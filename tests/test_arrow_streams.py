"""Arrow data that contradicts itself is rejected with one error; it never crashes the interpreter or gives a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import arro3.core as arro3
import numpy as np
import pyarrow as pa
import pytest

import liqmap
from liqmap import Grid, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRID = Grid.between(60_000, 70_000, 100, tick=0.1)
PRICES, NOTIONALS = pa.array([61_000.0, 62_000.0]), pa.array([1.0, 2.0])
TIERS = pa.table(
    {
        "instrument": ["binance:BTCUSDT"],
        "notional_floor": [0.0],
        "notional_cap": [1e12],
        "mmr": [0.004],
        "max_leverage": [125.0],
    }
)


def unchanged() -> None:
    """Leave the table as it is."""


def bin_levels(side: Any, corrupt: Callable[[], None] = unchanged) -> liqmap.Histogram:
    table = pa.table({"price": PRICES, "notional": NOTIONALS, "side": side})
    corrupt()
    return liqmap.histogram(table, GRID, brackets=1)


def price_positions(side: Any, corrupt: Callable[[], None] = unchanged) -> list[str | None]:
    positions = pa.table(
        {
            "instrument": pa.array(["binance:BTCUSDT"] * 2),
            "side": side,
            "size_base": [1.0, 1.0],
            "entry_price": [65_000.0, 65_000.0],
            "leverage": [10.0, 10.0],
        }
    )
    corrupt()
    found: list[str | None] = pa.table(liqmap.liquidation_prices(positions, TIERS))["reason"].to_pylist()
    return found


ENTRIES = (bin_levels, price_positions)


def words(*ends: int, width: int = 4) -> tuple[pa.Array, Callable[[], None]]:
    """Two words, and a function that gives them these offsets: pyarrow makes only valid ones."""

    def as_bytes(*values: int) -> bytes:
        return b"".join(value.to_bytes(width, "little", signed=True) for value in values)

    buffer = bytearray(as_bytes(0, 4, 9))
    kind = pa.utf8() if width == 4 else pa.large_utf8()
    found = pa.Array.from_buffers(kind, 2, [None, pa.py_buffer(buffer), pa.py_buffer(b"longshort")])

    def corrupt() -> None:
        buffer[:] = as_bytes(*ends)

    return found, corrupt


BAD_WORDS = {
    "offsets that fall": (0, 9, 4),
    "negative offsets": (-4, 0, 4),
    "an offset beyond the text": (0, 4, 1 << 20),
    "an offset far beyond the text": (0, 4, (1 << 31) - 1),
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("width", [4, 8])
@pytest.mark.parametrize("fault", BAD_WORDS)
def test_invalid_string_offsets_are_rejected(entry: Any, width: int, fault: str) -> None:
    with pytest.raises(InputError):
        entry(*words(*BAD_WORDS[fault], width=width))


@pytest.mark.parametrize("entry", ENTRIES)
def test_text_that_is_not_utf8_is_rejected(entry: Any) -> None:
    offsets = pa.array([0, 4, 9], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.utf8(), 2, [None, offsets, pa.py_buffer(b"\xff\xfe\xfd\xfcshort")])
    with pytest.raises(InputError):
        entry(text)


BAD_KEYS = [
    (kind, key)
    for kind in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    for key in ((2, 100) if kind.startswith("u") else (-1, 2, 100))
]


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(("keys", "key"), BAD_KEYS)
def test_dictionary_keys_out_of_range_are_rejected(entry: Any, keys: str, key: int) -> None:
    indices = pa.array([0, key], getattr(pa, keys)())
    with pytest.raises(InputError, match=r"side"):
        entry(pa.DictionaryArray.from_arrays(indices, pa.array(["long", "short"]), safe=False))


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_negative_key_is_not_a_word_of_a_full_dictionary(entry: Any) -> None:
    words = pa.array([f"w{i}" for i in range(255)] + ["long"])
    with pytest.raises(InputError, match=r"side"):
        entry(pa.DictionaryArray.from_arrays(pa.array([0, -1], pa.int8()), words, safe=False))


@pytest.mark.parametrize("entry", ENTRIES)
def test_string_views_are_read_without_a_copy_of_their_text(entry: Any) -> None:
    """A million views of one long text would be hundreds of gigabytes as plain strings."""
    with pytest.raises(InputError, match="bytes"):
        entry(pa.array(["x" * (1 << 18)] * 2, pa.string_view()))
    entry(pa.array(["long", "short"], pa.string_view()))


@pytest.mark.parametrize("kind", [pa.utf8(), pa.large_utf8(), pa.string_view(), pa.dictionary(pa.int16(), pa.utf8())])
def test_every_string_type_gives_the_same_sides(kind: pa.DataType) -> None:
    side = (
        pa.array(["long", "short"]).cast(kind)
        if not pa.types.is_string_view(kind)
        else pa.array(["long", "short"], kind)
    )
    assert np.array_equal(bin_levels(side).long, bin_levels(pa.array([1, -1], pa.int8())).long)
    assert price_positions(side) == [None, None]


def second_batch(kind: pa.DataType, column: str) -> list[pa.RecordBatch]:
    """Two batches, of which the second has another type in one column."""
    good = {"price": PRICES, "notional": NOTIONALS, "side": pa.array([1, -1], pa.int8())}
    values = (
        pa.nulls(2, kind)
        if kind == pa.null()
        else pa.array([1, 1]).cast(kind)
        if not pa.types.is_struct(kind)
        else pa.array([{"a": 1}] * 2, kind)
    )
    return [pa.RecordBatch.from_pydict(good), pa.RecordBatch.from_pydict(good | {column: values})]


KINDS = [pa.int64(), pa.int8(), pa.float32(), pa.null(), pa.utf8(), pa.struct([("a", pa.int64())])]


@pytest.mark.parametrize("column", ["price", "notional"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_batch_of_another_type_than_its_stream_is_rejected(kind: pa.DataType, column: str) -> None:
    batches = second_batch(kind, column)

    def generate() -> Iterator[pa.RecordBatch]:
        yield from batches

    reader = pa.RecordBatchReader.from_batches(batches[0].schema, generate())
    with pytest.raises(InputError, match="schema of its stream"):
        liqmap.histogram(reader, GRID, brackets=1)


def test_swapped_columns_in_a_later_batch_are_rejected() -> None:
    good = pa.RecordBatch.from_pydict({"price": PRICES, "notional": NOTIONALS, "side": pa.array([1, -1], pa.int8())})
    swapped = good.select(["notional", "price", "side"])
    reader = pa.RecordBatchReader.from_batches(good.schema, iter([good, swapped]))
    with pytest.raises(InputError, match="schema of its stream"):
        liqmap.histogram(reader, GRID, brackets=1)


def test_positions_of_another_type_in_a_later_batch_are_rejected() -> None:
    good = pa.RecordBatch.from_pydict(
        {"instrument": ["binance:BTCUSDT"], "side": ["long"], "size_base": [1.0], "entry_price": [65_000.0]}
    )
    other = good.set_column(2, "size_base", pa.array([1], pa.int64()))
    reader = pa.RecordBatchReader.from_batches(good.schema, iter([good, other]))
    with pytest.raises(InputError, match="schema of its stream"):
        liqmap.liquidation_prices(reader, TIERS)


@pytest.mark.parametrize("make", [pa.table, arro3.Table.from_pydict])
def test_readers_and_tables_give_the_same_histogram(make: Any) -> None:
    columns = {
        "price": pa.array(np.linspace(60_000, 70_000, 1_000)),
        "notional": pa.array(np.ones(1_000)),
        "side": pa.array(np.where(np.arange(1_000) % 3, 1, -1).astype(np.int8)),
    }
    table = make(
        {name: values if make is pa.table else arro3.Array.from_arrow(values) for name, values in columns.items()}
    )
    reader = pa.table(table).to_reader(max_chunksize=64)
    assert np.array_equal(
        liqmap.histogram(table, GRID, brackets=1).long, liqmap.histogram(reader, GRID, brackets=1).long
    )


def test_an_error_of_a_producer_is_reported_once() -> None:
    good = pa.RecordBatch.from_pydict({"price": PRICES, "notional": NOTIONALS, "side": pa.array([1, -1], pa.int8())})

    def generate() -> Iterator[pa.RecordBatch]:
        yield good
        raise ValueError("the source went away")

    with pytest.raises(InputError, match="the source went away"):
        liqmap.histogram(pa.RecordBatchReader.from_batches(good.schema, generate()), GRID, brackets=1)
