"""What an answer says of the next page: a link in its header (RFC 8288), or a cursor in its body. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from msgspec import UNSET

from seqino._core.config import URL_CHARACTERS
from seqino._core.wire import PageAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seqino._core.wire import Pagination

__all__ = ["PageFault", "is_target", "read_page"]

MOST_CHARACTERS = 8192
"""Length of a position: longer ones fit into no request line (RFC 9112 §3 recommends 8000 octets)."""


class PageFault(ValueError):  # noqa: N818 - says what was found
    """An answer says something of the next page that cannot be followed."""


def read_page(
    paging: Pagination,
    value: Any,
    *,
    link: str | None,
    position: str | None,
    url: str,
    base_url: str,
) -> PageAnswer:
    """Read from an answer what it holds, and where the next page begins.

    Args:
        paging: How the list goes on.
        value: The answer, decoded.
        link: Its ``Link`` header, or ``None``.
        position: Where this page was asked for, or ``None`` for the first one.
        url: The URL that answered.
        base_url: Where the paths of the API hang.

    Raises:
        PageFault: What it says of the next page cannot be followed.
    """
    if paging.link is None:
        own, following = position, _cursor(_at(value, paging.cursor), place="/".join(paging.cursor))
    else:
        own = url.removeprefix(base_url)
        following = None if link is None else _next_target(link, paging.link, url=url, base_url=base_url)
    return PageAnswer(items=_at(value, paging.items), position=own, next=following)


def _at(value: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        if isinstance(value, Mapping):
            value = cast("Mapping[str, Any]", value).get(name)
        else:
            value = getattr(value, name, None)
    return None if value is UNSET else value


def _cursor(value: Any, *, place: str) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PageFault(f"its cursor ({place}) is neither text nor a number")
    return _short(str(value))


def _short(position: str) -> str:
    if len(position) > MOST_CHARACTERS:
        raise PageFault(f"it names the next page with more than {MOST_CHARACTERS} characters")
    return position


def is_target(text: str) -> bool:
    """Whether a text is a path below the base URL, with its query, that cannot lead anywhere else."""
    segments = unquote(text.partition("?")[0]).split("/")
    return (
        text.startswith("/")
        and URL_CHARACTERS.fullmatch(text) is not None
        and not {"#", "\\"} & set(text)
        and not {".", ".."}.intersection(segments)
    )


def _next_target(header: str, relation: str, *, url: str, base_url: str) -> str | None:
    """Give the path, below the base URL, of the page that a header links to."""
    found = {target for target, relations in _links(header) if relation.lower() in relations}
    if not found:
        return None
    if len(found) > 1:
        raise PageFault(f"it links to several pages as {relation}")
    [reference] = found
    if URL_CHARACTERS.fullmatch(reference) is None:
        raise PageFault("its link to the next page is no URL")
    try:
        target = _below(urlsplit(urljoin(url, reference)), urlsplit(base_url))
    except ValueError:
        raise PageFault("its link to the next page is no URL") from None
    if target is None or not is_target(target):
        # Not shown whole: a URL of somebody else may hold anything.
        raise PageFault(f"its link to the next page leads elsewhere than below {base_url}")
    return _short(target)


def _below(url: SplitResult, base: SplitResult) -> str | None:
    """Give a URL's path and query below another; ``None`` where it is not below it."""
    if "@" in url.netloc or _origin(url) != _origin(base) or not url.path.startswith(f"{base.path}/"):
        return None
    path = url.path.removeprefix(base.path)
    return f"{path}?{url.query}" if url.query else path


_PORTS = {"http": 80, "https": 443}


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: an answer over https cannot lead to http."""
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)


_PARAMETER = re.compile(r'\s*;\s*([^\s=;,"<>]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;<>]*)))?')


def _links(header: str) -> Iterator[tuple[str, set[str]]]:
    """Give the links of a header with their relations in lower case (RFC 8288 §3).

    Links about another thing than the page itself (``anchor``) are passed over, as §3.2 allows.
    """
    end = 0
    while (start := header.find("<", end)) >= 0 and (end := header.find(">", start)) >= 0:
        target = header[start + 1 : end].strip()
        end += 1
        parameters: dict[str, str] = {}
        while (match := _PARAMETER.match(header, end)) is not None:
            end = match.end()
            value = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
            # The first of several counts (§3.3).
            parameters.setdefault(match[1].lower(), value or "")
        if "anchor" not in parameters:
            yield target, set(parameters.get("rel", "").lower().split())
