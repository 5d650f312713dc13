"""Registry of the instrument pages in navigation order. To add a page, add a module here and its name below."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liqmap.report.page import Page

__all__ = ["find_page"]


def find_page(name: str) -> Page:
    """Look up a page by name; its module is imported on first use."""
    found: Page = importlib.import_module(f"liqmap.report.pages.{name}").PAGE
    return found
