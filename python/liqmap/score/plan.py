"""Score plans: the tests to run, from a TOML file or derived from the history."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from liqmap._base.errors import InputError, NotFoundError
from liqmap._base.timestamps import iso, parse_duration, parse_instant
from liqmap.score.periods import match_periods

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap._base.instruments import Instrument
    from liqmap._base.timestamps import Instant
    from liqmap.history.store import Store

__all__ = ["ScorePlan", "ScoreTest", "SimulatedTest", "feeds_of", "read_plan", "suggest_plan"]

Source: TypeAlias = Literal["last", "mark", "index", "spot"]

_END_OF_TIME = 2**62
_WARM_UP = 3 * 86_400_000_000
_MIN_REPORTS = 96


class ScoreTest(BaseModel):
    """One backtest: a fitted span and an evaluation span.

    Attributes:
        title: Heading of its tables.
        instrument: Instrument of the bars, ``venue:SYMBOL``.
        interval: Bar interval, such as ``1h``; by default chosen by the history.
        price_source: Price source of the bars; by default chosen by the history.
        feed: Source of the realised liquidations.
        recipe: ``calibrated``: distances fitted by EM on the fitted span. ``default``: the default recipe, not fitted.
        fitted: Start and end of the fitted span.
        judged: Start and end of the evaluation span.
        placebos: Whether to score placebos as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    instrument: str
    interval: str | None = None
    price_source: Source | None = None
    feed: str
    recipe: Literal["calibrated", "default"] = "calibrated"
    fitted: tuple[str, str]
    judged: tuple[str, str]
    placebos: bool = False

    @field_validator("fitted", "judged")
    @classmethod
    def _ordered(cls, span: tuple[str, str]) -> tuple[str, str]:
        if parse_instant(span[0]) >= parse_instant(span[1]):
            raise ValueError("the start is not before the end")
        return span

    @property
    def interval_s(self) -> int | None:
        """Bar interval in seconds; ``None`` if not given."""
        return None if self.interval is None else parse_duration(self.interval, stage="score") // 1_000_000

    def span(self, which: Literal["fitted", "judged"]) -> tuple[Instant, Instant]:
        """Start and end of a span, UTC microseconds."""
        start, end = getattr(self, which)
        return parse_instant(start, stage="score"), parse_instant(end, stage="score")


class SimulatedTest(BaseModel):
    """Comparison of maps of simulated markets with their true levels, with and without calibration.

    Attributes:
        title: Heading of the table.
        seeds: Seeds of the simulated markets.
        days: Recorded days.
        warm_up_days: First days, excluded from the fit.
        fitted_days: End of the fit, in days after the start of the record.
        every_days: Interval of the comparisons after the fit, in days.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    days: int
    warm_up_days: int
    fitted_days: int
    every_days: int


class ScorePlan(BaseModel):
    """All tests of one run.

    Attributes:
        test: Backtests on the history.
        simulated: Tests on simulated markets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    test: tuple[ScoreTest, ...] = Field(min_length=1)
    simulated: tuple[SimulatedTest, ...] = ()


def read_plan(path: Path) -> ScorePlan:
    """Read a plan: a TOML file of ``[[test]]`` and ``[[simulated]]`` tables.

    Raises:
        InputError: The file is missing or not TOML, or a key is unknown or invalid.
    """
    try:
        return ScorePlan.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("score", str(path), found, "a plan file", "nothing scored") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError("score", str(path), str(error), "TOML", "nothing scored") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        found, expected = str(first["msg"]), "the keys described in docs/skill.md"
        raise InputError("score", str(path), found, expected, "nothing scored", field=field) from None


def suggest_plan(store: Store) -> ScorePlan:
    """A plan with one test for each instrument with bars and liquidations of its own or of its base.

    After three days of warm-up the first half of the common time is fitted and the second half evaluated.

    Raises:
        NotFoundError: No instrument can be scored.
    """
    known = store.instruments()
    found = (_suggest_test(store, about, known) for about in known if about.kind != "aggregate")
    tests = tuple(test for test in found if test is not None)
    if not tests:
        missing = "no instrument with bars and realised liquidations over the same days"
        raise NotFoundError("score", str(store.path), missing, "a history with both", "nothing scored")
    return ScorePlan(test=tests)


def feeds_of(about: Instrument, known: tuple[Instrument, ...]) -> tuple[str, ...]:
    """Feeds that an instrument may be scored with: its own, or else a vendor's sum over venues of the same base."""
    return (about.name, *(i.name for i in known if i.kind == "aggregate" and i.base == about.base))


def _suggest_test(store: Store, about: Instrument, known: tuple[Instrument, ...]) -> ScoreTest | None:
    for feed in feeds_of(about, known):
        try:
            bars = store.market_bars(about.name, _END_OF_TIME)
            first, last = int(bars.ts[0]) + _WARM_UP, int(bars.end[-1])
            periods = match_periods(bars, store.liquidations(feed, first, last))
        except NotFoundError:
            continue
        if len(periods) < _MIN_REPORTS:
            continue
        middle = iso(int(periods.start[len(periods) // 2]))
        return ScoreTest(
            title=f"{about.name}: first half fitted, second half evaluated",
            instrument=about.name,
            interval=f"{bars.interval_s}s",
            price_source=cast("Source", bars.price_source),
            feed=feed,
            recipe="calibrated" if (bars.volume_base > 0).any() else "default",
            fitted=(iso(int(periods.start[0])), middle),
            judged=(middle, iso(int(periods.start[-1]) + periods.length_us)),
        )
    return None
