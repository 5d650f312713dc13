"""Issues for the tests of pages and sites, made from a sample map and its cascades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _helpers.sample_heatmap import sample_heat, sample_realised
from _helpers.sample_map import sample_map
from _helpers.sample_scorecard import sample_card
from _helpers.sample_tracks import sample_tracks
from liqmap._base.instruments import Instrument
from liqmap.history.coverage import Coverage, Gap, Span
from liqmap.report.config import Report
from liqmap.report.facts import Facts, Issue, source_tables
from liqmap.report.pages.cascade import cascade_page_data
from liqmap.report.pages.heatmap import HeatmapPageData
from liqmap.report.tracks_data import TracksData
from liqmap.strategies.basis import Basis, DatedBasis
from liqmap.strategies.colocation import colocate
from liqmap.strategies.conditions import Conditions
from liqmap.strategies.trading_levels import levels_to_use

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.maps.map import LiquidationMap

HOSTILE_NAMES = (
    "binance:</script><script>alert(1)</script>",
    'binance:"><img src=x onerror=alert(1)>',
    "binance:=cmd|' /C calc'!A0",
    "binance:../../../../etc/passwd",
    "binance:币安人生USDT",
    "binance:مرحبا{{7*7}}{% raw %}",
    "binance:" + "W" * 190,
)


DAY = 86_400_000_000


def sample_spans(name: str, at: Instant) -> tuple[Span, ...]:
    """Twenty days of bars with a gap, and liquidations at irregular times."""
    first = at - 20 * DAY
    gap = Gap(first + 3 * DAY, first + 5 * DAY, 576)
    return (
        Span(name, "bars", "300 s last", first, at - 300_000_000, 20 * 288 - 576, 300.0, (gap,), ()),
        Span(name, "liquidations", "long complete", first, at - 1, 40, None, (), ()),
    )


def sample_basis(name: str, map_: LiquidationMap) -> Basis:
    """One dated contract with the same name as the perpetual and the same liquidation levels."""
    quarter = DatedBasis(
        instrument=name,
        expiry=map_.at + 90 * DAY,
        days=90.0,
        price=map_.mark_price * 1.012,
        basis=0.012,
        annual=0.0484,
        annual_simple=0.0487,
        z=2.4,
        readings=500,
        carry_gap=None,
        colocation=colocate(map_, map_),
        why=("no funding",),
    )
    return Basis("BTC", map_.at, map_.mark_price, name, None, None, (quarter,), None, {name: "no bars"})


def make_issue(
    *names: str,
    simulated: bool = False,
    at: Instant | None = None,
    seed: int = 7,
    title: str = "Bitcoin, daily",
    coin: str = "BTC",
    base: str | None = None,
) -> Issue:
    """An issue with sample maps; ``names`` may be any instrument names."""
    chosen = names or ("binance:BTCUSDT",)
    report = Report(title=title, instruments=chosen, base_url=base)
    facts = []
    for number, name in enumerate(chosen):
        made = sample_map(name, seed=seed + number, simulated=simulated, at=at)
        about = Instrument(name, "perpetual", "linear", coin, "USDT", "USDT", 1.0, 0.1)
        cascades = tuple(made.cascade(shock) for shock in report.shocks)
        covered = Coverage(sample_spans(name, made.at))
        sources = source_tables(made.provenance, covered, made.at)
        one = Facts(about, made, -0.0123, 0.0187, sources, cascades, coverage=covered)
        one.page_data["basis"] = sample_basis(name, made)
        one.page_data["cascade"] = cascade_page_data(one, None)
        one.page_data["levels"] = levels_to_use(made, conditions=Conditions(volatility=0.5, atr=300.0))
        one.page_data["scorecard"] = sample_card(name, at=made.at)
        tracks, path = sample_tracks(made)
        week = one.page_data["evolution"] = TracksData(tracks, path, path)
        one.page_data["heatmap"] = HeatmapPageData(sample_heat(made), sample_realised(made, feed=name), week)
        facts.append(one)
    return Issue(report, facts[0].map.at, tuple(facts))
