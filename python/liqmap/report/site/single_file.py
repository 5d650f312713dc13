"""A page as one self-contained file: style, scripts, icon and downloads inlined, allowed by hash in its policy."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import posixpath
import re
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap._base.instruments import slug
from liqmap.report.render import POLICY
from liqmap.report.site.assets import assets
from liqmap.report.site.issue import issue_files, issue_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liqmap.report.facts import Issue

__all__ = ["single_file"]

_STYLE = re.compile(r'<link rel="stylesheet" href="[^"]*?assets/([^"]+)">')
_SCRIPT = re.compile(r'<script defer src="[^"]*?(?:assets/([^"]+)|issues\.js)"></script>\n?')
_ICON = re.compile(r'<link rel="icon" href="[^"]*?assets/([^"]+)">')
_FEED = re.compile(r'<link rel="alternate"[^>]*>\n?')
_LINK = re.compile(r'<a ([^>]*?)href="([^"#][^"]*)"')


def single_file(issue: Issue, name: str, instrument: str | None = None) -> bytes:
    """A page of an issue as a self-contained HTML file.

    Links to other pages point to the published site if the report has a ``base_url``; otherwise they are removed.

    Args:
        issue: Data of the issue.
        name: Name of the page, such as ``map``.
        instrument: Name of the instrument; the first of the report by default.

    Raises:
        InputError: The report does not contain the page or instrument.
    """
    wanted = issue.report.instruments[0] if instrument is None else instrument
    if wanted not in issue.report.instruments:
        expected = f"one of {', '.join(issue.report.instruments)}"
        raise InputError("report", "--instrument", repr(wanted), expected, "nothing written")
    if name not in issue.report.pages:
        expected = f"one of {', '.join(issue.report.pages)}"
        raise InputError("report", "--single-file", repr(name), expected, "nothing written")
    files, folder = issue_files(issue, None), slug(wanted)
    page = files[f"{folder}/{name}.html"].decode()
    beside = {path.removeprefix(f"{folder}/"): content for path, content in files.items() if path.startswith(folder)}
    base = issue.report.base_url
    return _inline_assets(page, beside, None if base is None else f"{base}{issue_path(issue.at)}/{folder}/").encode()


def _inline_assets(page: str, beside: Mapping[str, bytes], address: str | None) -> str:
    hashes: dict[str, list[str]] = {"script": [], "style": []}

    def inside(kind: str, content: bytes) -> str:
        # Escape closing tags, which would end the element; in script strings the backslash has no effect.
        text = content.decode().replace(f"</{kind}", f"<\\/{kind}")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
        return f"<{kind}>{text}</{kind}>"

    def script(found: re.Match[str]) -> str:
        # Navigation between issues does not apply to a single file.
        return "" if found[1] is None or found[1].startswith("walk-") else inside("script", assets()[found[1]]) + "\n"

    def link(found: re.Match[str]) -> str:
        attributes, target = found[1], found[2]
        if target in beside and "download" in attributes:
            plain = attributes.replace("download", f'download="{target}"', 1)
            return f'<a {plain}href="{_data_url(target, beside[target])}"'
        if address is None:
            return f"<a {attributes.rstrip()}"
        return f'<a {attributes}href="{_join_url(address, target)}"'

    page = _LINK.sub(link, page)
    page = _STYLE.sub(lambda found: inside("style", assets()[found[1]]), page)
    page = _SCRIPT.sub(script, page)
    page = _ICON.sub(
        lambda found: f'<link rel="icon" href="{_data_url(found[1], assets()[found[1]])}">', _FEED.sub("", page)
    )
    own = POLICY
    for kind, sums in hashes.items():
        own = own.replace(f"{kind}-src 'self'", f"{kind}-src {' '.join(sums) or chr(39) + 'none' + chr(39)}")
    return page.replace(_escape_quotes(POLICY), _escape_quotes(own), 1)


def _data_url(name: str, content: bytes) -> str:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _join_url(address: str, target: str) -> str:
    scheme, rest = address.split("://", 1)
    return f"{scheme}://{posixpath.normpath(posixpath.join(rest, target))}"


def _escape_quotes(policy: str) -> str:
    return policy.replace("'", "&#39;")
