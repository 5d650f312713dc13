"""Report files: instruments, interval, pages and shocks. Unknown keys are rejected."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from liqmap._base.errors import InputError
from liqmap._base.instruments import split_name
from liqmap._base.timestamps import Instant, parse_duration
from liqmap.report.page_names import PAGE_NAMES

__all__ = ["Report", "read_report"]

_REQUIRED_PAGES = {"map", "data"}


def _parse_fraction(value: object) -> object:
    """Parse ``"-2%"`` or ``-0.02``."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip().removesuffix("%")) / 100
        except ValueError:
            return value
    return value


class Report(BaseModel):
    """One file of ``reports/``.

    Attributes:
        title: Title of every page.
        instruments: ``venue:SYMBOL``, in the order of the front page.
        every: Interval between issues, such as ``24h``; pages state when the next issue is due.
        pages: Pages of each instrument; all by default. ``map`` and ``data`` are required.
        base_url: Address of the published site, such as ``https://example.org/maps/``; needed for the sitemap and the
            preview images only.
        shocks: Price shocks whose cascades are shown, as fractions or per cent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, max_length=120)
    instruments: tuple[str, ...] = Field(min_length=1)
    every: str = "24h"
    pages: tuple[str, ...] = PAGE_NAMES
    base_url: str | None = None
    shocks: tuple[Annotated[float, BeforeValidator(_parse_fraction), Field(gt=-0.5, lt=0.5)], ...] = (
        -0.05,
        -0.02,
        0.02,
        0.05,
    )

    @field_validator("instruments")
    @classmethod
    def _named(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            split_name(name, stage="report")
        if len(set(names)) < len(names):
            raise ValueError("an instrument is listed twice")
        return names

    @field_validator("every")
    @classmethod
    def _span(cls, text: str) -> str:
        parse_duration(text, stage="report")
        return text

    @field_validator("pages")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not _REQUIRED_PAGES <= set(names) <= set(PAGE_NAMES):
            raise ValueError(f"pages are {', '.join(PAGE_NAMES)}; map and data are required")
        return tuple(name for name in PAGE_NAMES if name in names)

    @field_validator("base_url")
    @classmethod
    def _address(cls, text: str | None) -> str | None:
        if text is None:
            return None
        parts = urlsplit(text)
        plain = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        if not plain or not text.isascii() or set(text) & set("\"'<> ") or parts.username is not None:
            raise ValueError("an address such as https://example.org/maps/")
        return text if text.endswith("/") else f"{text}/"

    @field_validator("shocks")
    @classmethod
    def _moves(cls, shocks: tuple[float, ...]) -> tuple[float, ...]:
        if 0.0 in shocks:
            raise ValueError("a shock must not be 0")
        return tuple(sorted(set(shocks)))

    @property
    def interval(self) -> Instant:
        """``every`` in microseconds."""
        return parse_duration(self.every, stage="report")


def read_report(path: Path | str) -> Report:
    """Read a report file.

    Raises:
        InputError: The file is missing or not TOML, or a key is missing, unknown or invalid.
    """
    where = str(path)
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("report", where, "no such file", "a report file", "nothing written") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError("report", where, str(error), "TOML", "nothing written") from None
    try:
        return Report.model_validate(raw)
    except ValidationError as error:
        raise _to_input_error(where, error) from None


def _to_input_error(where: str, error: ValidationError) -> InputError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(Report.model_fields)
        return InputError("report", where, "unknown key", f"one of {known}", "nothing written", field=field)
    if first["type"] == "missing":
        return InputError("report", where, "missing", "a value", "nothing written", field=field)
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return InputError("report", where, cause.found, cause.expected, "nothing written", field=field)
    return InputError("report", where, repr(first["input"]), first["msg"], "nothing written", field=field)
