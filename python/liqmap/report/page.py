"""What a page of an instrument is: a name, what it reads, what it shows. One file of ``pages/`` each."""

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
    """Why a page has nothing to show for an instrument. It is published all the same and says so.

    Attributes:
        why: What is not there, as a sentence.
        fill: What would fill it, as a sentence: a table to load, a feed, time to pass.
    """

    why: str
    fill: str


@dataclass(frozen=True, eq=False)
class PageContent:
    """What a page says about one instrument, made once for all the places where it will stand.

    Attributes:
        heading: The finding, in words; heads the page and the browser's tab.
        lede: One or two sentences under it.
        values: What the template needs besides, by name.
        files: The data beside the page, by file name; each is linked at its foot.
    """

    heading: str
    lede: str
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Page:
    """One page of an instrument; its template is ``templates/<name>.html``.

    Attributes:
        name: Its file's name in a site, without ``.html``.
        label: Its name where pages are listed; one or two words.
        show: From the facts and what ``read`` found to what the page says.
        read: What the page needs from the history beyond the facts, read once; what it returns is handed to ``show``.
            ``None`` if the facts are enough. A `NotFoundError` counts as :class:`MissingData`.
    """

    name: str
    label: str
    show: Callable[[Facts, Any], PageContent | MissingData]
    read: Callable[[History, Facts], Any] | None = None
