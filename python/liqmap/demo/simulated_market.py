"""The simulated market: one minute after another, accounts, desks and the price acting on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from liqmap.demo.accounts import Accounts, Ints
from liqmap.demo.hedgers import Desks
from liqmap.demo.isolated_margin import Tiers, rules
from liqmap.demo.liquidations import sweep
from liqmap.demo.order_book import Book
from liqmap.demo.order_flow import Entries
from liqmap.demo.recorder import Tape
from liqmap.demo.volatility import MINUTES_PER_DAY, Weather

if TYPE_CHECKING:
    from liqmap.demo.settings import Settings

__all__ = ["Market"]

_TURN, _TURN_OF_DESKS, _TURN_TO_LEAVE = 4, 1, 2
_TREND_KEEP = math.exp(-1 / 30)
_FUNDING_MINUTES = 480
_FUNDING_BASE, _FUNDING_SLOPE, _FUNDING_CAP = 1e-4, 1.5e-3, 3e-3
_FORCED_FROM_HOLDERS, _CHOSEN_FROM_HOLDERS = 0.9, 0.45


@dataclass(slots=True)
class _Flow:
    """What the accounts did in one minute, lots."""

    net: int = 0
    bought: int = 0
    sold: int = 0

    def take(self, lots: int) -> None:
        """Market orders: bought above 0, sold below."""
        self.bought += max(lots, 0)
        self.sold += max(-lots, 0)


@dataclass(eq=False, slots=True)
class Market:
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
    weather: Weather
    accounts: Accounts
    desks: Desks
    entries: Entries
    bids: Book
    asks: Book
    tape: Tape
    worth: float
    tick: int
    due: list[list[int]]
    record_from: int
    echo: float = 0.0
    trend: float = 0.0
    minute: int = 0
    _luck: list[float] = field(default_factory=list)

    @classmethod
    def new(cls, seed: int, days: int, settings: Settings) -> Market:
        """A market that can live for ``days`` after its burn-in."""
        rng = np.random.Generator(np.random.PCG64(seed))
        minutes = (days + settings.burn_in_days) * MINUTES_PER_DAY
        tick = round(settings.price / settings.tick)
        return cls(
            rng=rng,
            settings=settings,
            weather=Weather.draw(rng, minutes, settings),
            accounts=Accounts.empty(rng, settings, Tiers.of(rules().tiers)),
            desks=Desks.at_rest(rng, settings, tick),
            entries=Entries(rng, settings),
            bids=Book.of(settings),
            asks=Book.of(settings),
            tape=Tape(settings),
            worth=math.log(settings.price),
            tick=tick,
            due=[[] for _ in range(minutes)],
            record_from=settings.burn_in_days * MINUTES_PER_DAY,
        )

    @property
    def open_interest(self) -> int:
        """Lots, one side."""
        return self.accounts.long_lots + self.desks.long_lots

    def step(self) -> None:
        """Live through one minute: news, forced closes, those who leave, those who come, the desks."""
        sigma, start = self.weather.sigma(), self.tick
        forced, chosen = _Flow(), _Flow()
        low, high = self._move(sigma, forced)
        move = math.log(self.tick / start)
        shock = move / sigma
        activity = (
            sigma / math.sqrt(self.weather.base) * (0.45 + 0.55 * min(abs(shock), 6.0)) * (0.6 + 0.8 * self._chance())
        )
        # Turn about, which saves work: a minute to come, one for the desks, a minute to leave, one of rest.
        turn = self.minute % _TURN
        if turn == 0:
            self._enter(_TURN * activity, chosen)
        elif turn == _TURN_OF_DESKS:
            self.desks.drift(self.tick, _TURN)
        elif turn == _TURN_TO_LEAVE:
            self._leave(chosen)
        self.desks.absorb(forced.net, self.tick, from_holders=self._chance() < _FORCED_FROM_HOLDERS)
        self.desks.absorb(chosen.net, self.tick, from_holders=self._chance() < _CHOSEN_FROM_HOLDERS)
        self.weather.learn(self.minute, move)
        self.trend = _TREND_KEEP * self.trend + math.sqrt(1 - _TREND_KEEP**2) * shock
        now = self.minute - self.record_from
        self.minute += 1
        if now >= 0:
            churn = round(self.settings.volume_lots * activity)
            share = min(max(0.5 + 0.2 * math.tanh(0.7 * shock) + 0.1 * (self._chance() - 0.5), 0.05), 0.95)
            bought = forced.bought + chosen.bought + round(churn * share)
            volume = forced.bought + forced.sold + chosen.bought + chosen.sold + churn
            self.tape.minute(now, (start, high, low, self.tick), (volume, bought), self.open_interest)
            if (now + 1) % _FUNDING_MINUTES == 0:
                self.tape.fund(now, self._funding_rate())

    def _move(self, sigma: float, flow: _Flow) -> tuple[int, int]:
        """News moves the mark, the mark triggers positions, their forced orders move it on; lowest and highest tick."""
        start, s = self.tick, self.settings
        self.worth += sigma * float(self.weather.shocks[self.minute])
        self.echo *= 0.5 ** (1 / s.rebound_minutes)
        self.bids.refill()
        self.asks.refill()
        self.tick = round(math.exp(self.worth + self.echo) / s.tick)
        falling = self.tick < start
        # Makers step back when the market is wild.
        calm = (self.weather.base / sigma**2) ** 0.25
        depth = s.depth_share * self.open_interest * self.tick * s.usd_per_lot_tick * min(calm, 1.5)
        forced = sweep(self.accounts, self.bids if falling else self.asks, depth, start, self.tick)
        if forced is not None:
            self.tick = forced.tick
            self.worth += s.lasting * forced.impact
            self.echo += (1 - s.lasting) * forced.impact
            flow.net = -forced.lots if falling else forced.lots
            flow.take(flow.net)
            if self.minute >= self.record_from:
                self.tape.liquidated(self.minute - self.record_from, forced.along, forced.columns)
        return min(start, self.tick), max(start, self.tick)

    def _leave(self, flow: _Flow) -> None:
        """Accounts whose time is up close with market orders; most losers put it off instead."""
        # Twice on the list: liquidated, back with a new position, and planned for the very minute of the old plan.
        who = np.array(sorted(set(self.due[self.minute])), dtype=np.int64)
        self.due[self.minute].clear()
        accounts = self.accounts
        who = who[(accounts.leaves[who] == self.minute) & (accounts.side[who] != 0)]
        if not len(who):
            return
        stays = accounts.losing(who, self.tick) & (self.rng.random(len(who)) < self.settings.stubborn)
        if stays.any():
            self._plan(who[stays], self.entries.life(accounts.leverage[who[stays]]))
        goes = who[~stays]
        lots = -accounts.lots[goes] * accounts.side[goes]
        flow.net += int(lots.sum())
        flow.bought += int(lots[lots > 0].sum())
        flow.sold -= int(lots[lots < 0].sum())
        accounts.close(goes)

    def _enter(self, activity: float, flow: _Flow) -> None:
        """New positions, in proportion to the volume traded."""
        who = self.accounts.waiting(int(self.rng.poisson(self.settings.entries * activity)))
        if not len(who):
            return
        entry = self.entries.draw(len(who), self.trend)
        usd = self.settings.median_usd * self.accounts.wealth[who] * entry.size
        price = np.rint(self.tick * (1 + entry.slip * entry.side)).astype(np.int64)
        lots = self.accounts.open(who, entry.side, usd, price, entry.leverage, entry.padding) * entry.side
        flow.net += int(lots.sum())
        taken = lots[entry.chases]
        flow.bought += int(taken[taken > 0].sum())
        flow.sold -= int(taken[taken < 0].sum())
        self._plan(who, entry.life)

    def _plan(self, who: Ints, life: Ints) -> None:
        leaves = (self.minute + life) // _TURN * _TURN + _TURN_TO_LEAVE
        self.accounts.leaves[who] = leaves
        for account, minute in zip(who.tolist(), leaves.tolist(), strict=True):
            if minute < len(self.due):
                self.due[minute].append(account)

    def _funding_rate(self) -> float:
        """Longs pay when more of the margin traders are long (fraction per eight hours)."""
        long, short = self.accounts.long_lots, self.accounts.short_lots
        skew = (long - short) / max(long + short, 1)
        return round(min(max(_FUNDING_BASE + _FUNDING_SLOPE * skew, -_FUNDING_CAP), _FUNDING_CAP), 8)

    def _chance(self) -> float:
        if not self._luck:
            self._luck = self.rng.random(20_000).tolist()
        return self._luck.pop()
