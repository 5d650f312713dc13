"""What is to be scored: a plan file, or what the history itself suggests."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from liqmap._base.errors import InputError, NotFoundError
from liqmap._base.timestamps import iso, parse_duration, parse_instant
from liqmap.score.periods import match

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap._base.instruments import Instrument
    from liqmap._base.timestamps import Instant
    from liqmap.history.store import Store

__all__ = ["Plan", "Simulated", "Test", "feeds_of", "read_plan", "suggest"]

Source: TypeAlias = Literal["last", "mark", "index", "spot"]

_END_OF_TIME = 2**62
_WARM_UP = 3 * 86_400_000_000
_FEWEST = 96


class Test(BaseModel):
    """One fit and one judgement.

    Attributes:
        title: Heads its tables.
        instrument: Whose bars.
        interval: Which bars, such as ``1h``; the history's choice if left out.
        price_source: Which bars; the history's choice if left out.
        feed: Whose realised liquidations.
        recipe: ``calibrated``: distances fitted by EM on the fitted span. ``default``: the recipe as it stands.
        fitted: Start and end.
        judged: Start and end.
        placebos: Whether to run them too.
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
            raise ValueError("a start that is not before its end")
        return span

    @property
    def interval_s(self) -> int | None:
        """Seconds."""
        return None if self.interval is None else parse_duration(self.interval, stage="score") // 1_000_000

    def span(self, which: Literal["fitted", "judged"]) -> tuple[Instant, Instant]:
        """Start and end, UTC microseconds."""
        start, end = getattr(self, which)
        return parse_instant(start, stage="score"), parse_instant(end, stage="score")


class Simulated(BaseModel):
    """Maps of simulated markets held against their true levels, with and without calibration.

    Attributes:
        title: Heads the table.
        seeds: Which markets.
        days: Of record.
        warm_up_days: Left out of the fit.
        fitted_days: When the fit ends, from the start of the record.
        every_days: How often a map is compared after that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    days: int
    warm_up_days: int
    fitted_days: int
    every_days: int


class Plan(BaseModel):
    """Everything that is to be scored.

    Attributes:
        test: On the history.
        simulated: On markets made up for the purpose.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    test: tuple[Test, ...] = Field(min_length=1)
    simulated: tuple[Simulated, ...] = ()


def read_plan(path: Path) -> Plan:
    """Read a plan: a TOML file of ``[[test]]`` and ``[[simulated]]`` tables.

    Raises:
        InputError: No such file, no TOML, or a key that is unknown or wrong.
    """
    try:
        return Plan.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("score", str(path), found, "a plan file", "nothing scored") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError("score", str(path), str(error), "TOML", "nothing scored") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        found = str(first["msg"])
        raise InputError("score", str(path), found, "what docs/skill.md says", "nothing scored", field=field) from None


def suggest(store: Store) -> Plan:
    """A plan from what the history holds: each instrument with bars and liquidations of its own or its base.

    The first half of the shared time fits, the second half is judged, after three days of warm-up.

    Raises:
        NotFoundError: Nothing can be scored.
    """
    known = store.instruments()
    made = (_suggest(store, about, known) for about in known if about.kind != "aggregate")
    tests = tuple(test for test in made if test is not None)
    if not tests:
        found = "no instrument with bars and realised liquidations over the same days"
        raise NotFoundError("score", str(store.path), found, "both; load some", "nothing scored")
    return Plan(test=tests)


def feeds_of(about: Instrument, known: tuple[Instrument, ...]) -> tuple[str, ...]:
    """Whose liquidations an instrument may be scored by: its own, else a vendor's sum over venues of the same base."""
    return (about.name, *(i.name for i in known if i.kind == "aggregate" and i.base == about.base))


def _suggest(store: Store, about: Instrument, known: tuple[Instrument, ...]) -> Test | None:
    for feed in feeds_of(about, known):
        try:
            bars = store.market_bars(about.name, _END_OF_TIME)
            first, last = int(bars.ts[0]) + _WARM_UP, int(bars.end[-1])
            periods = match(bars, store.liquidations(feed, first, last))
        except NotFoundError:
            continue
        if len(periods) < _FEWEST:
            continue
        middle = iso(int(periods.start[len(periods) // 2]))
        return Test(
            title=f"{about.name}: first half fitted, second half judged",
            instrument=about.name,
            interval=f"{bars.interval_s}s",
            price_source=cast("Source", bars.price_source),
            feed=feed,
            recipe="calibrated" if (bars.volume_base > 0).any() else "default",
            fitted=(iso(int(periods.start[0])), middle),
            judged=(middle, iso(int(periods.start[-1]) + periods.length_us)),
        )
    return None
