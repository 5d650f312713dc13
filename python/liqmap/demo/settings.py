"""Parameters of the simulated market, with their sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["INSTRUMENT", "RULES_INSTRUMENT", "Settings"]

INSTRUMENT = "sim:BTCUSDT"

RULES_INSTRUMENT = "binance:BTCUSDT"
"""The real instrument whose contract and margin tiers the simulated market uses."""

LeverageShares: TypeAlias = tuple[tuple[float, float], ...]
"""Pairs of a leverage and the share of accounts that choose it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Parameters of the simulated market. Lots are 0.001 coin, prices integer ticks of 0.1 USD, steps one minute.

    Attributes:
        start: Start of the record, UTC microseconds (2025-01-01).
        burn_in_days: Simulated days before the record starts, so that it does not start with an empty market.
        bar_minutes: Minutes per bar of the record.
        price: First price, USD.
        lot: Coin per lot; positions are whole lots, so that sums of both sides are exact.
        tick: USD per tick.
        volatility: Long-run volatility per year.
        arch, garch: Weights of the last squared return and of the last variance; their sum, below 1, is the
            persistence.
        tail: Degrees of freedom of the Student-t shocks.
        regime_spread, regime_days: Spread and correlation time of the slow component of log variance.
        daily_swing: Amplitude of the daily cycle of variance, relative to its mean.
        accounts: Number of margin accounts.
        entries_per_minute: New positions per minute at mean volume.
        median_usd, account_spread, trade_spread: Log-normal size of a position: median 921 USD and mean 9,561 USD are
            those of Bybit's liquidations in February 2026; most of the spread belongs to the account.
        taker_share: Share of entries that follow the last move with a market order.
        taker_trend_response, maker_trend_response: Change of the log odds per unit of trend: takers follow the move of
            the last half hour, makers oppose it.
        long_bias: Log odds of a long in a flat market.
        max_slippage: Largest difference of an entry price from the mark (takers pay it, makers receive it).
        taker_leverage: Leverage of takers: the retail mix in which 60 % of entries are at 20x or more (Binance, 2019).
        maker_leverage: Leverage of makers: the open-interest-weighted mix observed on Hyperliquid (December 2025).
        lifetime_hours, lifetime_power, lifetime_spread: Median lifetime at 10x, power by which it falls with leverage,
            its log-normal spread.
        loser_hold_share: Share of positions with a loss whose exit is postponed; positions with a profit exit on time.
        extra_margin_share: Share of positions with more than the initial margin (up to twice).
        hedgers: Number of hedged or unlevered holders; price never liquidates them.
        hedger_lots, hedger_spread, hedger_days: Mean open interest of the hedgers in lots, its log-normal spread and
            its correlation time.
        volume_lots: Traded per minute at mean activity, lots.
        depth_share: Depth within 1 % of the price, as a share of open interest (about 190 MUSD on a market of 8 BUSD,
            Binance `bookDepth`).
        depth_power: Exponent of depth as a function of distance (fits to the same books: 0.72-0.78).
        refill_minutes: Half-life of consumed depth.
        permanent_share: Permanent share of the impact of forced orders.
        rebound_minutes: Half-life of the transient impact.
        book_end: Largest displacement (log) by forced orders before the insurance fund takes over the remainder.
    """

    start: int = 1_735_689_600_000_000
    burn_in_days: int = 10
    bar_minutes: int = 5
    price: float = 75_000.0
    lot: float = 0.001
    tick: float = 0.1
    volatility: float = 0.55
    arch: float = 0.05
    garch: float = 0.935
    tail: float = 4.0
    regime_spread: float = 0.55
    regime_days: float = 3.0
    daily_swing: float = 0.35
    accounts: int = 60_000
    entries_per_minute: float = 12.0
    median_usd: float = 921.0
    account_spread: float = 2.0
    trade_spread: float = 0.8
    taker_share: float = 0.6
    taker_trend_response: float = 0.8
    maker_trend_response: float = 0.4
    long_bias: float = 0.1
    max_slippage: float = 4e-4
    taker_leverage: LeverageShares = (
        (5, 0.15), (10, 0.25), (20, 0.25), (25, 0.12), (50, 0.13), (75, 0.03), (100, 0.05), (125, 0.02),
    )  # fmt: skip
    maker_leverage: LeverageShares = (
        (2, 0.20), (3, 0.16), (5, 0.33), (7, 0.15), (10, 0.08), (20, 0.04), (25, 0.02), (50, 0.012), (100, 0.006),
        (125, 0.002),
    )  # fmt: skip
    lifetime_hours: float = 16.0
    lifetime_power: float = 0.9
    lifetime_spread: float = 1.3
    loser_hold_share: float = 0.65
    extra_margin_share: float = 0.2
    hedgers: int = 160
    hedger_lots: int = 14_000_000
    hedger_spread: float = 0.06
    hedger_days: float = 6.0
    volume_lots: int = 28_000
    depth_share: float = 0.016
    depth_power: float = 0.75
    refill_minutes: float = 3.0
    permanent_share: float = 0.6
    rebound_minutes: float = 6.0
    book_end: float = 0.06

    @property
    def usd_per_lot_tick(self) -> float:
        """USD of one lot at a price of one tick."""
        return self.lot * self.tick
