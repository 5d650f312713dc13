"""The simulated market: minute steps in which accounts, hedgers and the price interact."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from liqmap.demo.accounts import Ints, MarginAccounts
from liqmap.demo.hedgers import Hedgers
from liqmap.demo.isolated_margin import MarginTable, contract_rules
from liqmap.demo.liquidations import liquidate_triggered
from liqmap.demo.order_book import OrderBookSide
from liqmap.demo.order_flow import OrderFlow
from liqmap.demo.recorder import Recorder
from liqmap.demo.volatility import MINUTES_PER_DAY, VolatilityProcess

if TYPE_CHECKING:
    from liqmap.demo.settings import Settings

__all__ = ["SimulatedMarket"]

_CYCLE_MINUTES, _HEDGER_MINUTE, _EXIT_MINUTE = 4, 1, 2
_TREND_DECAY = math.exp(-1 / 30)
_FUNDING_MINUTES = 480
_FUNDING_BASE, _FUNDING_SLOPE, _FUNDING_CAP = 1e-4, 1.5e-3, 3e-3
_FORCED_REDUCES_HEDGERS, _VOLUNTARY_REDUCES_HEDGERS = 0.9, 0.45


@dataclass(slots=True)
class _MinuteFlow:
    """Trades of the accounts in one minute, lots."""

    net: int = 0
    bought: int = 0
    sold: int = 0

    def add_market_orders(self, lots: int) -> None:
        """Add market orders: purchases above 0, sales below."""
        self.bought += max(lots, 0)
        self.sold += max(-lots, 0)


@dataclass(eq=False, slots=True)
class SimulatedMarket:
    """State of the market.

    Attributes:
        fundamental: Log price without the transient impact.
        transient_impact: Impact of forced orders that decays, log.
        tick: Mark, ticks; also the last price and the index price.
        trend: Return of about the last half hour in units of its own volatility.
        exits_by_minute: Account numbers with a scheduled exit, by minute.
        minute: Simulated minutes so far.
        record_start_minute: First recorded minute, after the burn-in.
    """

    rng: np.random.Generator
    settings: Settings
    volatility_process: VolatilityProcess
    accounts: MarginAccounts
    hedgers: Hedgers
    order_flow: OrderFlow
    bids: OrderBookSide
    asks: OrderBookSide
    recorder: Recorder
    fundamental: float
    tick: int
    exits_by_minute: list[list[int]]
    record_start_minute: int
    transient_impact: float = 0.0
    trend: float = 0.0
    minute: int = 0
    _uniform_draws: list[float] = field(default_factory=list)

    @classmethod
    def new(cls, seed: int, days: int, settings: Settings) -> SimulatedMarket:
        """A market for ``days`` recorded days after the burn-in."""
        rng = np.random.Generator(np.random.PCG64(seed))
        minutes = (days + settings.burn_in_days) * MINUTES_PER_DAY
        tick = round(settings.price / settings.tick)
        return cls(
            rng=rng,
            settings=settings,
            volatility_process=VolatilityProcess.draw(rng, minutes, settings),
            accounts=MarginAccounts.empty(rng, settings, MarginTable.of(contract_rules().tiers)),
            hedgers=Hedgers.at_equilibrium(rng, settings, tick),
            order_flow=OrderFlow(rng, settings),
            bids=OrderBookSide.of(settings),
            asks=OrderBookSide.of(settings),
            recorder=Recorder(settings),
            fundamental=math.log(settings.price),
            tick=tick,
            exits_by_minute=[[] for _ in range(minutes)],
            record_start_minute=settings.burn_in_days * MINUTES_PER_DAY,
        )

    @property
    def open_interest(self) -> int:
        """Open interest, lots of one side."""
        return self.accounts.long_lots + self.hedgers.long_lots

    def step(self) -> None:
        """Simulate one minute: exogenous move, liquidations, exits or new positions of accounts, trades of hedgers."""
        sigma, start = self.volatility_process.sigma(), self.tick
        forced, voluntary = _MinuteFlow(), _MinuteFlow()
        low, high = self._move_price(sigma, forced)
        move = math.log(self.tick / start)
        shock = move / sigma
        activity = (
            sigma
            / math.sqrt(self.volatility_process.base)
            * (0.45 + 0.55 * min(abs(shock), 6.0))
            * (0.6 + 0.8 * self._uniform())
        )
        # A cycle of four minutes saves work: new positions, trades of hedgers, exits, no trades.
        phase = self.minute % _CYCLE_MINUTES
        if phase == 0:
            self._open_positions(_CYCLE_MINUTES * activity, voluntary)
        elif phase == _HEDGER_MINUTE:
            self.hedgers.trade_among_themselves(self.tick, _CYCLE_MINUTES)
        elif phase == _EXIT_MINUTE:
            self._close_positions(voluntary)
        self.hedgers.take_other_side(forced.net, self.tick, reduces_positions=self._uniform() < _FORCED_REDUCES_HEDGERS)
        self.hedgers.take_other_side(
            voluntary.net, self.tick, reduces_positions=self._uniform() < _VOLUNTARY_REDUCES_HEDGERS
        )
        self.volatility_process.update(self.minute, move)
        self.trend = _TREND_DECAY * self.trend + math.sqrt(1 - _TREND_DECAY**2) * shock
        now = self.minute - self.record_start_minute
        self.minute += 1
        if now >= 0:
            churn = round(self.settings.volume_lots * activity)
            share = min(max(0.5 + 0.2 * math.tanh(0.7 * shock) + 0.1 * (self._uniform() - 0.5), 0.05), 0.95)
            bought = forced.bought + voluntary.bought + round(churn * share)
            volume = forced.bought + forced.sold + voluntary.bought + voluntary.sold + churn
            self.recorder.add_minute(now, (start, high, low, self.tick), (volume, bought), self.open_interest)
            if (now + 1) % _FUNDING_MINUTES == 0:
                self.recorder.add_funding(now, self._funding_rate())

    def _move_price(self, sigma: float, flow: _MinuteFlow) -> tuple[int, int]:
        """Apply the exogenous move and the liquidations that it triggers; returns the lowest and the highest tick."""
        start, s = self.tick, self.settings
        self.fundamental += sigma * float(self.volatility_process.shocks[self.minute])
        self.transient_impact *= 0.5 ** (1 / s.rebound_minutes)
        self.bids.refill()
        self.asks.refill()
        self.tick = round(math.exp(self.fundamental + self.transient_impact) / s.tick)
        falling = self.tick < start
        # Makers withdraw depth when volatility is high.
        calm = (self.volatility_process.base / sigma**2) ** 0.25
        depth = s.depth_share * self.open_interest * self.tick * s.usd_per_lot_tick * min(calm, 1.5)
        forced = liquidate_triggered(self.accounts, self.bids if falling else self.asks, depth, start, self.tick)
        if forced is not None:
            self.tick = forced.tick
            self.fundamental += s.permanent_share * forced.impact
            self.transient_impact += (1 - s.permanent_share) * forced.impact
            flow.net = -forced.lots if falling else forced.lots
            flow.add_market_orders(flow.net)
            if self.minute >= self.record_start_minute:
                self.recorder.add_liquidations(
                    self.minute - self.record_start_minute, forced.path_fraction, forced.columns
                )
        return min(start, self.tick), max(start, self.tick)

    def _close_positions(self, flow: _MinuteFlow) -> None:
        """Close positions with a scheduled exit by market orders; most accounts with a loss postpone instead."""
        # An account is listed twice if it was liquidated and its next position has the same exit minute.
        rows = np.array(sorted(set(self.exits_by_minute[self.minute])), dtype=np.int64)
        self.exits_by_minute[self.minute].clear()
        accounts = self.accounts
        rows = rows[(accounts.exit_minute[rows] == self.minute) & (accounts.side[rows] != 0)]
        if not len(rows):
            return
        postponed = accounts.has_loss(rows, self.tick) & (self.rng.random(len(rows)) < self.settings.loser_hold_share)
        if postponed.any():
            lifetimes = self.order_flow.draw_lifetimes(accounts.leverage[rows[postponed]])
            self._schedule_exits(rows[postponed], lifetimes)
        closed = rows[~postponed]
        lots = -accounts.lots[closed] * accounts.side[closed]
        flow.net += int(lots.sum())
        flow.bought += int(lots[lots > 0].sum())
        flow.sold -= int(lots[lots < 0].sum())
        accounts.close(closed)

    def _open_positions(self, activity: float, flow: _MinuteFlow) -> None:
        """Open new positions, in proportion to the traded volume."""
        rows = self.accounts.take_idle(int(self.rng.poisson(self.settings.entries_per_minute * activity)))
        if not len(rows):
            return
        entry = self.order_flow.draw(len(rows), self.trend)
        usd = self.settings.median_usd * self.accounts.size_factor[rows] * entry.size
        price = np.rint(self.tick * (1 + entry.slippage * entry.side)).astype(np.int64)
        lots = self.accounts.open(rows, entry.side, usd, price, entry.leverage, entry.extra_margin) * entry.side
        flow.net += int(lots.sum())
        taken = lots[entry.is_taker]
        flow.bought += int(taken[taken > 0].sum())
        flow.sold -= int(taken[taken < 0].sum())
        self._schedule_exits(rows, entry.lifetime)

    def _schedule_exits(self, rows: Ints, lifetime: Ints) -> None:
        exits = (self.minute + lifetime) // _CYCLE_MINUTES * _CYCLE_MINUTES + _EXIT_MINUTE
        self.accounts.exit_minute[rows] = exits
        for account, minute in zip(rows.tolist(), exits.tolist(), strict=True):
            if minute < len(self.exits_by_minute):
                self.exits_by_minute[minute].append(account)

    def _funding_rate(self) -> float:
        """Funding rate, fraction per eight hours; positive (longs pay) if more margin accounts are long."""
        long, short = self.accounts.long_lots, self.accounts.short_lots
        skew = (long - short) / max(long + short, 1)
        return round(min(max(_FUNDING_BASE + _FUNDING_SLOPE * skew, -_FUNDING_CAP), _FUNDING_CAP), 8)

    def _uniform(self) -> float:
        if not self._uniform_draws:
            self._uniform_draws = self.rng.random(20_000).tolist()
        return self._uniform_draws.pop()
