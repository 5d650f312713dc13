"""The simulated market: one minute after another, accounts, desks and the price acting on each other."""

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
    """What the accounts did in one minute, lots."""

    net: int = 0
    bought: int = 0
    sold: int = 0

    def take(self, lots: int) -> None:
        """Market orders: bought above 0, sold below."""
        self.bought += max(lots, 0)
        self.sold += max(-lots, 0)


@dataclass(eq=False, slots=True)
class SimulatedMarket:
    """All state of the market.

    Attributes:
        worth: Log price without the impact that is still to fade.
        echo: That impact, log.
        tick: The mark, ticks; it is also the last price and the index.
        trend: Return of about the last half hour in units of its own volatility.
        due: Accounts that mean to leave, by minute.
        minute: Minutes lived; the record starts at ``record_from``.
    """

    rng: np.random.Generator
    settings: Settings
    volatility_process: VolatilityProcess
    accounts: MarginAccounts
    desks: Hedgers
    entries: OrderFlow
    bids: OrderBookSide
    asks: OrderBookSide
    tape: Recorder
    worth: float
    tick: int
    due: list[list[int]]
    record_start_minute: int
    transient_impact: float = 0.0
    trend: float = 0.0
    minute: int = 0
    _uniform_draws: list[float] = field(default_factory=list)

    @classmethod
    def new(cls, seed: int, days: int, settings: Settings) -> SimulatedMarket:
        """A market that can live for ``days`` after its burn-in."""
        rng = np.random.Generator(np.random.PCG64(seed))
        minutes = (days + settings.burn_in_days) * MINUTES_PER_DAY
        tick = round(settings.price / settings.tick)
        return cls(
            rng=rng,
            settings=settings,
            volatility_process=VolatilityProcess.draw(rng, minutes, settings),
            accounts=MarginAccounts.empty(rng, settings, MarginTable.of(contract_rules().tiers)),
            desks=Hedgers.at_equilibrium(rng, settings, tick),
            entries=OrderFlow(rng, settings),
            bids=OrderBookSide.of(settings),
            asks=OrderBookSide.of(settings),
            tape=Recorder(settings),
            worth=math.log(settings.price),
            tick=tick,
            due=[[] for _ in range(minutes)],
            record_start_minute=settings.burn_in_days * MINUTES_PER_DAY,
        )

    @property
    def open_interest(self) -> int:
        """Lots, one side."""
        return self.accounts.long_lots + self.desks.long_lots

    def step(self) -> None:
        """Live through one minute: news, forced closes, those who leave, those who come, the desks."""
        sigma, start = self.volatility_process.sigma(), self.tick
        forced, chosen = _MinuteFlow(), _MinuteFlow()
        low, high = self._move_price(sigma, forced)
        move = math.log(self.tick / start)
        shock = move / sigma
        activity = (
            sigma
            / math.sqrt(self.volatility_process.base)
            * (0.45 + 0.55 * min(abs(shock), 6.0))
            * (0.6 + 0.8 * self._uniform())
        )
        # Turn about, which saves work: a minute to come, one for the desks, a minute to leave, one of rest.
        turn = self.minute % _CYCLE_MINUTES
        if turn == 0:
            self._open_positions(_CYCLE_MINUTES * activity, chosen)
        elif turn == _HEDGER_MINUTE:
            self.desks.trade_among_themselves(self.tick, _CYCLE_MINUTES)
        elif turn == _EXIT_MINUTE:
            self._close_positions(chosen)
        self.desks.take_other_side(forced.net, self.tick, from_holders=self._uniform() < _FORCED_REDUCES_HEDGERS)
        self.desks.take_other_side(chosen.net, self.tick, from_holders=self._uniform() < _VOLUNTARY_REDUCES_HEDGERS)
        self.volatility_process.update(self.minute, move)
        self.trend = _TREND_DECAY * self.trend + math.sqrt(1 - _TREND_DECAY**2) * shock
        now = self.minute - self.record_start_minute
        self.minute += 1
        if now >= 0:
            churn = round(self.settings.volume_lots * activity)
            share = min(max(0.5 + 0.2 * math.tanh(0.7 * shock) + 0.1 * (self._uniform() - 0.5), 0.05), 0.95)
            bought = forced.bought + chosen.bought + round(churn * share)
            volume = forced.bought + forced.sold + chosen.bought + chosen.sold + churn
            self.tape.minute(now, (start, high, low, self.tick), (volume, bought), self.open_interest)
            if (now + 1) % _FUNDING_MINUTES == 0:
                self.tape.fund(now, self._funding_rate())

    def _move_price(self, sigma: float, flow: _MinuteFlow) -> tuple[int, int]:
        """News moves the mark, the mark triggers positions, their forced orders move it on; lowest and highest tick."""
        start, s = self.tick, self.settings
        self.worth += sigma * float(self.volatility_process.shocks[self.minute])
        self.transient_impact *= 0.5 ** (1 / s.rebound_minutes)
        self.bids.refill()
        self.asks.refill()
        self.tick = round(math.exp(self.worth + self.transient_impact) / s.tick)
        falling = self.tick < start
        # Makers step back when the market is wild.
        calm = (self.volatility_process.base / sigma**2) ** 0.25
        depth = s.depth_share * self.open_interest * self.tick * s.usd_per_lot_tick * min(calm, 1.5)
        forced = liquidate_triggered(self.accounts, self.bids if falling else self.asks, depth, start, self.tick)
        if forced is not None:
            self.tick = forced.tick
            self.worth += s.lasting * forced.impact
            self.transient_impact += (1 - s.lasting) * forced.impact
            flow.net = -forced.lots if falling else forced.lots
            flow.take(flow.net)
            if self.minute >= self.record_start_minute:
                self.tape.liquidated(self.minute - self.record_start_minute, forced.path_fraction, forced.columns)
        return min(start, self.tick), max(start, self.tick)

    def _close_positions(self, flow: _MinuteFlow) -> None:
        """Accounts whose time is up close with market orders; most losers put it off instead."""
        # Twice on the list: liquidated, back with a new position, and planned for the very minute of the old plan.
        who = np.array(sorted(set(self.due[self.minute])), dtype=np.int64)
        self.due[self.minute].clear()
        accounts = self.accounts
        who = who[(accounts.exit_minute[who] == self.minute) & (accounts.side[who] != 0)]
        if not len(who):
            return
        stays = accounts.has_loss(who, self.tick) & (self.rng.random(len(who)) < self.settings.stubborn)
        if stays.any():
            self._schedule_exits(who[stays], self.entries.life(accounts.leverage[who[stays]]))
        goes = who[~stays]
        lots = -accounts.lots[goes] * accounts.side[goes]
        flow.net += int(lots.sum())
        flow.bought += int(lots[lots > 0].sum())
        flow.sold -= int(lots[lots < 0].sum())
        accounts.close(goes)

    def _open_positions(self, activity: float, flow: _MinuteFlow) -> None:
        """New positions, in proportion to the volume traded."""
        who = self.accounts.take_idle(int(self.rng.poisson(self.settings.entries * activity)))
        if not len(who):
            return
        entry = self.entries.draw(len(who), self.trend)
        usd = self.settings.median_usd * self.accounts.size_factor[who] * entry.size
        price = np.rint(self.tick * (1 + entry.slip * entry.side)).astype(np.int64)
        lots = self.accounts.open(who, entry.side, usd, price, entry.leverage, entry.padding) * entry.side
        flow.net += int(lots.sum())
        taken = lots[entry.is_taker]
        flow.bought += int(taken[taken > 0].sum())
        flow.sold -= int(taken[taken < 0].sum())
        self._schedule_exits(who, entry.life)

    def _schedule_exits(self, who: Ints, life: Ints) -> None:
        leaves = (self.minute + life) // _CYCLE_MINUTES * _CYCLE_MINUTES + _EXIT_MINUTE
        self.accounts.exit_minute[who] = leaves
        for account, minute in zip(who.tolist(), leaves.tolist(), strict=True):
            if minute < len(self.due):
                self.due[minute].append(account)

    def _funding_rate(self) -> float:
        """Longs pay when more of the margin traders are long (fraction per eight hours)."""
        long, short = self.accounts.long_lots, self.accounts.short_lots
        skew = (long - short) / max(long + short, 1)
        return round(min(max(_FUNDING_BASE + _FUNDING_SLOPE * skew, -_FUNDING_CAP), _FUNDING_CAP), 8)

    def _uniform(self) -> float:
        if not self._uniform_draws:
            self._uniform_draws = self.rng.random(20_000).tolist()
        return self._uniform_draws.pop()
