from collections.abc import Sequence
from typing import Any, final

import arro3.core
import numpy as np
import numpy.typing as npt

__all__ = [
    "DEBUG_BUILD",
    "Cohorts",
    "Curve",
    "Market",
    "__version__",
    "align_monotone",
    "cascade",
    "couple",
    "coupled",
    "deleverage",
    "histogram",
    "lagged_ewma",
    "liquidation_prices",
    "liquidation_tranches",
    "peaks",
    "replay",
    "scenarios",
    "smooth",
    "thresholds",
    "whipsaw",
]

__version__: str
DEBUG_BUILD: bool

def histogram(
    levels: Any, grid: tuple[float, int, int, int], brackets: int
) -> tuple[npt.NDArray[np.int64], list[int], int, int, float]: ...
def liquidation_prices(positions: Any, tiers: Any, instruments: Any = None) -> arro3.core.Table: ...
def liquidation_tranches(positions: Any, tiers: Any, instruments: Any = None) -> arro3.core.Table: ...
def lagged_ewma(
    values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], start: float
) -> npt.NDArray[np.float64]: ...
def smooth(density: npt.NDArray[np.float64], sigma: float) -> npt.NDArray[np.float64]: ...
def peaks(
    density: npt.NDArray[np.float64], min_prominence: float, basin_share: float
) -> list[tuple[int, float, int, int]]: ...
def align_monotone(cost: npt.NDArray[np.float64], alone: float) -> list[tuple[int, int]]: ...
def couple(
    before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]
) -> tuple[list[tuple[int, int, float]], float]: ...

@final
class Cohorts:
    def __new__(cls, brackets: npt.NDArray[np.float64], step: float = 2.5e-4) -> Cohorts: ...
    def advance(
        self,
        hours: npt.NDArray[np.float64],
        low: npt.NDArray[np.float64],
        high: npt.NDArray[np.float64],
        close: npt.NDArray[np.float64],
        open_interest: npt.NDArray[np.float64],
        long_flow: npt.NDArray[np.float64],
        short_flow: npt.NDArray[np.float64],
    ) -> tuple[npt.NDArray[np.float64], int]: ...
    def levels(
        self,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int8], npt.NDArray[np.uint8]]: ...
    def density(
        self, groups: Sequence[tuple[int, int]], first: int, merge: int, bins: int
    ) -> tuple[npt.NDArray[np.float64], list[float]]: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(state: bytes) -> Cohorts: ...
    def accounts(self) -> Sequence[tuple[float, float, float, float, float]]: ...

@final
class Curve:
    def __new__(
        cls,
        displacement: npt.NDArray[np.float64],
        notional: npt.NDArray[np.float64],
        *,
        head: float,
        tail: float,
        reach: float | None = None,
    ) -> Curve: ...
    @property
    def reach(self) -> float: ...
    @property
    def capacity(self) -> float: ...
    def notional(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
    def density(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
    def displacement(self, flow: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...

@final
class Market:
    def __new__(cls, curve: Curve, *, scale: float, limit: int, flow: bool = False) -> Market: ...

def cascade(
    distance: npt.NDArray[np.int64],
    notional: npt.NDArray[np.float64],
    market: Market,
    shock: int,
    multiplier: float = 1.0,
) -> tuple[int, float, bool, float | None, npt.NDArray[np.int64], npt.NDArray[np.uint32]]: ...
def thresholds(
    distance: npt.NDArray[np.int64], notional: npt.NDArray[np.float64], market: Market, multiplier: float = 1.0
) -> npt.NDArray[np.int64]: ...
def scenarios(
    distance: npt.NDArray[np.int64],
    notional: npt.NDArray[np.float64],
    market: Market,
    shocks: npt.NDArray[np.float64],
    multipliers: npt.NDArray[np.float64],
    threads: int | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]: ...
def deleverage(
    distance: npt.NDArray[np.int64],
    notional: npt.NDArray[np.float64],
    bankruptcy: npt.NDArray[np.float64],
    market: Market,
    shock: int,
    fund: float,
) -> tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64], float, bool]: ...
def replay(
    distance: npt.NDArray[np.int64],
    notional: npt.NDArray[np.float64],
    market: Market,
    shock: int,
    *,
    keep: float,
    permanent: float,
    rate: float,
    latency: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], int, bool]: ...
def whipsaw(
    away: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]],
    back: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]],
    markets: tuple[Market, Market],
    shock: int,
    *,
    permanent: float,
    reversion: float,
    multiplier: float = 1.0,
) -> list[tuple[bool, int, int, int, float, bool]]: ...
def coupled(
    venues: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], Curve, float, float, float, float]],
    consolidated: Curve,
    together: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], list[int], int, bool]: ...
