"""Types of the instrument pages; each page is defined in its own module of ``pages/``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from liqmap.public import History
    from liqmap.report.facts import Facts

__all__ = ["MissingData", "Page", "PageContent"]


@dataclass(frozen=True, slots=True)
class MissingData:
    """Why a page has no content for an instrument. The page is published with this message.

    Attributes:
        reason: The missing data, as a sentence.
        remedy: How to provide it, as a sentence: a table or feed to load, or more history.
    """

    reason: str
    remedy: str


@dataclass(frozen=True, eq=False)
class PageContent:
    """Content of a page for one instrument, built once for all locations of the page.

    Attributes:
        heading: The main finding as a sentence; title of the page and the browser tab.
        lede: One or two introductory sentences.
        values: Further template variables, by name.
        files: Downloads of the page by file name; linked in the footer.
    """

    heading: str
    lede: str
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Page:
    """A page of an instrument; its template is ``templates/<name>.html``.

    Attributes:
        name: File name in a site, without ``.html``.
        label: Name in the navigation, one or two words.
        build: Builds the content from the facts and the result of ``read``.
        read: Reads data beyond the facts from the history, once per issue; the result is passed to ``build``. ``None``
            if the facts suffice. A `NotFoundError` counts as :class:`MissingData`.
    """

    name: str
    label: str
    build: Callable[[Facts, Any], PageContent | MissingData]
    read: Callable[[History, Facts], Any] | None = None
