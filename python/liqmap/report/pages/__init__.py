"""The pages of an instrument, in the order in which they are listed. A new one is a file here and its name below."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liqmap.report.page import Page

__all__ = ["find_page"]


def find_page(name: str) -> Page:
    """The page of a name; its file is read when it is first asked for, so that naming pages costs nothing."""
    found: Page = importlib.import_module(f"liqmap.report.pages.{name}").PAGE
    return found
