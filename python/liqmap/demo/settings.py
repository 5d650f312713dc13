"""Every number of the simulated market, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["INSTRUMENT", "RULES_INSTRUMENT", "Settings"]

INSTRUMENT = "sim:BTCUSDT"

RULES_INSTRUMENT = "binance:BTCUSDT"
"""Whose contract and margin tiers the simulated market has."""

LeverageShares: TypeAlias = tuple[tuple[float, float], ...]
"""Leverage and the share of accounts that pick it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What kind of market it is. Lots are 0.001 coin, prices integer ticks of 0.1 USD, steps one minute.

    Attributes:
        start: First recorded instant, UTC microseconds (2025-01-01).
        burn_in_days: Days lived through before the record starts, so that the market is not born empty.
        bar_minutes: Minutes per bar of the record.
        price: First price, USD.
        lot: Coin per lot: positions are whole lots, so that both sides add up exactly.
        tick: USD per tick.
        volatility: Long-run volatility per year.
        arch, garch: Weights of the last squared return and of the last variance; their sum below 1 is the memory.
        tail: Degrees of freedom of the Student-t shocks.
        regime_spread, regime_days: Spread and correlation time of the slow component of log variance.
        day_swing: How much livelier the busiest hour is than the mean.
        accounts: Accounts that trade on margin.
        entries: New positions per minute when volume is at its mean.
        median_usd, account_spread, trade_spread: Log-normal size of a position: median 921 USD and mean 9,561 USD are
            those of Bybit's liquidations in February 2026; most of the spread belongs to the account.
        chasers: Share of entries that chase the last move with a market order.
        chase, fade: How strongly chasers follow, and the others oppose, the last half hour.
        long_bias: Log odds of going long in a flat market.
        slip: Most by which an entry misses the mark (chasers pay, the others gain).
        taker_leverage: What chasers pick: the retail mix in which 60 % of entries are at 20x or more (Binance, 2019).
        maker_leverage: What the others pick: the open-interest-weighted mix seen on Hyperliquid (December 2025).
        life_hours, life_power, life_spread: Median life at 10x, how it shortens with leverage, its log-normal spread.
        stubborn: Share of losers that hold on when their time is up (winners leave).
        padded: Share of positions with more margin than their leverage asks for (up to twice).
        desks: Hedged or unlevered holders; the price never liquidates them.
        desk_lots: Open interest held by desks at rest, lots; desk_spread and desk_days: how it wanders.
        volume_lots: Traded per minute at mean activity, lots.
        depth_share: Resting orders within 1 % of the price, as a share of open interest (about 190 MUSD on a market of
            8 BUSD, Binance `bookDepth`).
        depth_power: Depth grows with distance to this power (fits to the same books: 0.72-0.78).
        refill_minutes: Half-life of the hole that forced orders leave in the book.
        lasting: Share of a forced order's impact that stays.
        rebound_minutes: Half-life of the rest.
        book_end: How far forced orders can walk the book (log) before the insurance fund takes the rest over.
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
    day_swing: float = 0.35
    accounts: int = 60_000
    entries: float = 12.0
    median_usd: float = 921.0
    account_spread: float = 2.0
    trade_spread: float = 0.8
    chasers: float = 0.6
    chase: float = 0.8
    fade: float = 0.4
    long_bias: float = 0.1
    slip: float = 4e-4
    taker_leverage: LeverageShares = (
        (5, 0.15), (10, 0.25), (20, 0.25), (25, 0.12), (50, 0.13), (75, 0.03), (100, 0.05), (125, 0.02),
    )  # fmt: skip
    maker_leverage: LeverageShares = (
        (2, 0.20), (3, 0.16), (5, 0.33), (7, 0.15), (10, 0.08), (20, 0.04), (25, 0.02), (50, 0.012), (100, 0.006),
        (125, 0.002),
    )  # fmt: skip
    life_hours: float = 16.0
    life_power: float = 0.9
    life_spread: float = 1.3
    stubborn: float = 0.65
    padded: float = 0.2
    desks: int = 160
    desk_lots: int = 14_000_000
    desk_spread: float = 0.06
    desk_days: float = 6.0
    volume_lots: int = 28_000
    depth_share: float = 0.016
    depth_power: float = 0.75
    refill_minutes: float = 3.0
    lasting: float = 0.6
    rebound_minutes: float = 6.0
    book_end: float = 0.06

    @property
    def usd_per_lot_tick(self) -> float:
        """USD of one lot at a price of one tick."""
        return self.lot * self.tick
