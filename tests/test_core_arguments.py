"""Every entry point of the compiled core rejects malformed arguments with `InputError` and names the argument."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from liqmap import InputError, _core

Arguments = dict[str, Any]
Floats = npt.NDArray[np.float64]


def floats(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def ticks(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def curve() -> _core.Curve:
    return _core.Curve(floats(0.01, 0.02), floats(1e6, 3e6), head=1.0, tail=1.0)


def market() -> _core.Market:
    return _core.Market(curve(), scale=1e4, limit=9_999)


def cohorts(brackets: int = 2) -> _core.Cohorts:
    return _core.Cohorts(np.tile([0.1, 0.1, 0.2, 0.2, 24.0], (brackets, 1)))


def advanced() -> _core.Cohorts:
    engine = cohorts()
    engine.advance(**ENTRIES["Cohorts.advance"][1])
    return engine


def whipsaw(away_distance: Any, away_notional: Any, back_distance: Any, back_notional: Any, **rest: Any) -> Any:
    return _core.whipsaw((away_distance, away_notional), (back_distance, back_notional), (market(), market()), **rest)


def coupled(distance: Any, notional: Any, scale: Any, shock: Any, in_index: Any, own: Any, together: Any) -> Any:
    return _core.coupled([(distance, notional, curve(), scale, shock, in_index, own)], curve(), together)


def histogram(tick: Any, low_tick: Any, width_ticks: Any, bins: Any, brackets: Any) -> Any:
    levels = pa.table({"price": [5.0], "notional": [1.0], "side": pa.array([1], pa.int8())})
    return _core.histogram(levels, (tick, low_tick, width_ticks, bins), brackets)


LEVELS = {"distance": ticks(10, 20), "notional": floats(1e5, 2e5)}
WEIGHTS = {"scale": 1e4, "shock": 0.001, "in_index": 1.0, "own": 0.0, "together": 1.0}
BAR = {"hours": 1.0, "low": 99.0, "high": 101.0, "close": 100.0}
FLOW = {"open_interest": 10.0, "long_flow": 1.0, "short_flow": 1.0}

ENTRIES: dict[str, tuple[Callable[..., Any], Arguments]] = {
    "Curve": (
        _core.Curve,
        {"displacement": floats(1, 2), "notional": floats(1, 2), "head": 1.0, "tail": 1.0},
    ),
    "Curve.notional": (lambda **a: curve().notional(**a), {"x": floats(0.01, 0.02)}),
    "Curve.density": (lambda **a: curve().density(**a), {"x": floats(0.01, 0.02)}),
    "Curve.displacement": (lambda **a: curve().displacement(**a), {"flow": floats(1e5, 2e5)}),
    "Market": (lambda **a: _core.Market(curve(), **a), {"scale": 1e4, "limit": 9_999}),
    "cascade": (lambda **a: _core.cascade(market=market(), **a), {**LEVELS, "shock": 15, "multiplier": 1.0}),
    "thresholds": (lambda **a: _core.thresholds(market=market(), **a), {**LEVELS, "multiplier": 1.0}),
    "scenarios": (
        lambda **a: _core.scenarios(market=market(), **a),
        {**LEVELS, "shocks": floats(0.001, 0.002), "multipliers": floats(1.0, 2.0), "threads": 1},
    ),
    "deleverage": (
        lambda **a: _core.deleverage(market=market(), **a),
        {**LEVELS, "bankruptcy": floats(0.01, 0.02), "shock": 15, "fund": 1e3},
    ),
    "replay": (
        lambda **a: _core.replay(market=market(), **a),
        {**LEVELS, "shock": 15, "keep": 0.5, "permanent": 0.5, "rate": 1e5, "latency": 1},
    ),
    "whipsaw": (
        whipsaw,
        {
            "away_distance": ticks(10, 20),
            "away_notional": floats(1e5, 2e5),
            "back_distance": ticks(10, 20),
            "back_notional": floats(1e5, 2e5),
            "shock": 15,
            "permanent": 0.5,
            "reversion": 0.1,
        },
    ),
    "coupled": (coupled, {**LEVELS, **WEIGHTS}),
    "smooth": (_core.smooth, {"density": floats(0.0, 1.0, 0.0), "sigma": 1.0}),
    "peaks": (_core.peaks, {"density": floats(0.0, 1.0, 0.0), "min_prominence": 0.0, "basin_share": 0.5}),
    "align_monotone": (_core.align_monotone, {"cost": np.ones((2, 3)), "alone": 2.0}),
    "lagged_ewma": (_core.lagged_ewma, {"values": floats(1.0, 2.0), "weights": floats(0.5, 0.5), "start": 1.0}),
    "couple": (_core.couple, {"before": [(1.0, 1.0)], "after": [(2.0, 1.0)]}),
    "Cohorts": (_core.Cohorts, {"brackets": np.array([[0.1, 0.1, 0.2, 0.2, 24.0]]), "step": 2.5e-4}),
    "Cohorts.advance": (lambda **a: cohorts().advance(**a), {k: floats(v, v) for k, v in (BAR | FLOW).items()}),
    "Cohorts.density": (
        lambda **a: advanced().density(**a),
        {"groups": [(0, 1), (1, 2)], "first": 18_000, "merge": 4, "bins": 200},
    ),
    "Cohorts.from_bytes": (_core.Cohorts.from_bytes, {"state": cohorts().to_bytes()}),
    "histogram": (histogram, {"tick": 1.0, "low_tick": 0, "width_ticks": 1, "bins": 10, "brackets": 1}),
}

ARRAYS = [(e, a) for e, (_, good) in ENTRIES.items() for a, v in good.items() if isinstance(v, np.ndarray)]
VECTORS = [(e, a) for e, a in ARRAYS if a not in {"cost", "brackets"}]
MATRICES = [(e, a) for e, a in ARRAYS if a in {"cost", "brackets"}]
PAIRED = [(e, a) for e, a in VECTORS if len([v for v in ENTRIES[e][1].values() if isinstance(v, np.ndarray)]) > 1]
COUNTS = [("scenarios", "threads"), ("replay", "latency"), ("Cohorts.density", "merge"), ("Cohorts.density", "bins")]
COUNTS += [("histogram", "bins"), ("histogram", "width_ticks"), ("histogram", "brackets"), ("Market", "limit")]
TICKS = [(e, "shock") for e in ("cascade", "deleverage", "replay", "whipsaw")]
# A value that is NaN is a missing observation of the average, and an average that starts at NaN is not known yet.
MAY_BE_NAN = {("lagged_ewma", "values"), ("lagged_ewma", "start")}
NUMBERS = [
    (e, a)
    for e, (_, good) in ENTRIES.items()
    for a, v in good.items()
    if (isinstance(v, float) or (isinstance(v, np.ndarray) and v.dtype == np.float64)) and (e, a) not in MAY_BE_NAN
]


def call(entry: str, **changed: Any) -> Any:
    function, good = ENTRIES[entry]
    return function(**(good | changed))


def rejects(entry: str, argument: str, value: Any) -> None:
    """The call fails with `InputError`, whose place holds the argument's name."""
    with pytest.raises(InputError) as caught:
        call(entry, **{argument: value})
    name = argument.removeprefix("away_").removeprefix("back_")
    assert name.removesuffix("s") in caught.value.where, str(caught.value)


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_valid_arguments_of_this_file_are_accepted(entry: str) -> None:
    call(entry)


@pytest.mark.parametrize(("entry", "argument"), VECTORS)
@pytest.mark.parametrize("shape", [(), (2, 3), (2, 1), (1, 1, 1)], ids=str)
def test_an_array_of_another_dimension_is_rejected(entry: str, argument: str, shape: tuple[int, ...]) -> None:
    rejects(entry, argument, np.ones(shape, dtype=ENTRIES[entry][1][argument].dtype))


@pytest.mark.parametrize(("entry", "argument"), MATRICES)
@pytest.mark.parametrize("shape", [(), (6,), (1, 2, 3)], ids=str)
def test_a_matrix_of_another_dimension_is_rejected(entry: str, argument: str, shape: tuple[int, ...]) -> None:
    rejects(entry, argument, np.ones(shape))


@pytest.mark.parametrize("shape", [(2, 3), (2, 6), (0, 5), (300, 5)], ids=str)
def test_brackets_need_five_columns_and_1_to_256_rows(shape: tuple[int, int]) -> None:
    rejects("Cohorts", "brackets", np.full(shape, 1e-4))


@pytest.mark.parametrize(("entry", "argument"), PAIRED)
@pytest.mark.parametrize("length", [0, 1, 3])
def test_arrays_of_different_lengths_are_rejected(entry: str, argument: str, length: int) -> None:
    good = ENTRIES[entry][1][argument]
    if (entry, argument, length) == ("scenarios", "multipliers", 1):
        length = 3  # one multiplier serves all shocks
    with pytest.raises(InputError):
        call(entry, **{argument: np.resize(good, length)})


@pytest.mark.parametrize(("entry", "argument"), [*COUNTS, *TICKS])
def test_a_negative_count_is_rejected(entry: str, argument: str) -> None:
    rejects(entry, argument, -1)


@pytest.mark.parametrize(("entry", "argument"), [c for c in COUNTS if c[1] not in {"limit", "merge"}])
def test_a_count_far_beyond_memory_is_rejected(entry: str, argument: str) -> None:
    rejects(entry, argument, 2**62)


@pytest.mark.parametrize("groups", [[(-1, 1)], [(1, 0)], [(0, 3)], []], ids=str)
def test_groups_beyond_the_brackets_are_rejected(groups: list[tuple[int, int]]) -> None:
    rejects("Cohorts.density", "groups", groups)


@pytest.mark.parametrize(("entry", "argument"), NUMBERS)
def test_nan_is_rejected(entry: str, argument: str) -> None:
    good = ENTRIES[entry][1][argument]
    rejects(entry, argument, np.full(good.shape, math.nan) if isinstance(good, np.ndarray) else math.nan)


@pytest.mark.parametrize("argument", ["before", "after"])
@pytest.mark.parametrize("points", [[], [(math.nan, 1.0)], [(1.0, math.nan)], [(1.0, -1.0)], [(1.0, 0.0)]], ids=str)
def test_masses_that_cannot_be_coupled_are_rejected(argument: str, points: list[tuple[float, float]]) -> None:
    rejects("couple", argument, points)


@pytest.mark.parametrize(("entry", "argument"), ARRAYS)
def test_another_type_is_a_type_error(entry: str, argument: str) -> None:
    good = ENTRIES[entry][1][argument]
    for value in (good.astype(np.complex128), good.astype(str), [[1.0]], None, "x"):
        with pytest.raises(TypeError):
            call(entry, **{argument: value})


@pytest.mark.parametrize(("entry", "argument"), ARRAYS)
def test_memory_that_is_not_aligned_is_rejected(entry: str, argument: str) -> None:
    good = ENTRIES[entry][1][argument]
    memory = np.zeros(good.nbytes + 1, dtype=np.uint8)
    value = memory[1:].view(good.dtype).reshape(good.shape)
    value[...] = good
    assert not value.flags.aligned
    rejects(entry, argument, value)


@pytest.mark.parametrize(("entry", "argument"), VECTORS)
def test_strided_arrays_are_read_in_order(entry: str, argument: str) -> None:
    good = ENTRIES[entry][1][argument]
    apart = np.zeros(3 * len(good), dtype=good.dtype)
    apart[::3] = good
    for value in (apart[::3], good[::-1].copy()[::-1]):
        assert repr(call(entry, **{argument: value})) == repr(call(entry)) or entry == "Curve"


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_is_read_by_rows_whatever_its_order_in_memory(order: Any) -> None:
    cost = np.array([[0.0, 5.0, 9.0], [9.0, 9.0, 0.0]], order=order)
    assert _core.align_monotone(cost, 2.0) == [(0, 0), (1, 2)]
    brackets = np.array([[0.1, 0.2, 0.3, 0.4, 24.0], [0.2, 0.1, 0.4, 0.3, 48.0]])
    assert _core.Cohorts(np.asarray(brackets, order=order)).to_bytes() == _core.Cohorts(brackets).to_bytes()


def test_prices_that_need_an_axis_far_beyond_memory_are_rejected() -> None:
    engine = _core.Cohorts(np.array([[0.1, 0.1, 0.2, 0.2, 24.0]]), 1e-6)
    columns = {k: floats(v) for k, v in (BAR | FLOW).items()}
    with pytest.raises(InputError, match="low"):
        engine.advance(**(columns | {"low": floats(1e-300), "high": floats(1e300)}))


@pytest.mark.parametrize("sigma", [math.inf, -1.0, 1e18])
def test_a_smoothing_width_far_beyond_the_axis_is_rejected(sigma: float) -> None:
    rejects("smooth", "sigma", sigma)


def test_a_damaged_engine_state_never_panics() -> None:
    """Either the bytes are rejected, or the engine made from them advances or rejects the bars."""
    state = bytearray(advanced().to_bytes())
    rng = np.random.default_rng(7)
    for position in rng.integers(0, len(state), 400):
        damaged = bytearray(state)
        damaged[position] ^= 1 << int(rng.integers(8))
        try:
            engine = _core.Cohorts.from_bytes(bytes(damaged))
            engine.advance(**ENTRIES["Cohorts.advance"][1])
            engine.levels()
            engine.density([(0, 1)], 18_000, 4, 200)
        except InputError:
            pass
    for cut in range(0, len(state), max(1, len(state) // 50)):
        with pytest.raises(InputError, match="state"):
            _core.Cohorts.from_bytes(bytes(state[:cut]))
