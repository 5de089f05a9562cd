"""Links: made absolute, and made comparable."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from bot.sources.text import clean

LONGEST_LINK = 2_000  # bytes; an index of PostgreSQL takes 2,704
_TRACKING = re.compile(
    r"utm_\w*|at_(?:medium|campaign|custom\w*|link\w*)|ns_\w+|mc_[ce]id|[a-z]*clid|"
    r"_openstat|igshid|_ga|_gl|wt_mc|ref_src|cmpid|rss|from_rss|ysclid|yptr|mkt_tok|"
    r"oly_\w+_id|vero_id|fb_\w+",
    re.IGNORECASE,
)


# most of them: nothing that has to be taken apart
_BARE = re.compile(r"https?://([a-z0-9.-]+)(/[^?#\s]*)?")


# an absolute address in which nothing is to be mended, whatever the base
_WHOLE = re.compile(
    r"https?://[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]+)?/[a-zA-Z0-9._~/%+=,:@!$*-]*"
    r"(?:\?[a-zA-Z0-9._~/%+=,:@!$*&-]+)?"
)


def origin(url: str) -> tuple[str, str]:
    """The scheme and the host of an address, to which what is secret belongs."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def absolute_link(link: str, base: str | None) -> str | None:
    """An http(s) address, made absolute with `base`; None for anything else, and for one that is
    too long to be opened or indexed.
    """
    if len(link) <= LONGEST_LINK and _WHOLE.fullmatch(link):
        return link
    cleaned = re.sub(r"[\r\n\t\xad\u200c\u200d]", "", clean(link)).strip()
    try:
        joined = cleaned
        if base and cleaned:  # an empty link would become the base itself
            joined = urljoin(base, cleaned)
        parts = urlsplit(joined)
        if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
            return None
    except ValueError:
        return None
    if len(joined.encode(errors="replace")) > LONGEST_LINK:
        return None
    return joined.replace(" ", "%20").replace('"', "%22").replace("<", "%3C").replace(">", "%3E")


def normalise_link(link: str) -> str:
    """The common form of an article's addresses: a key to compare, no address to open.

    The scheme, the default port, the fragment, a closing slash and tracking parameters do not
    count; "www." does. A text that is no address comes back as it is.
    """
    if bare := _BARE.fullmatch(link):
        return f"https://{bare[1]}{(bare[2] or '').rstrip('/')}"
    try:
        parts = urlsplit(link.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return link
    if parts.scheme not in {"http", "https"} or not host:
        return link
    authority = host
    if port not in {None, 80, 443}:
        authority = f"{host}:{port}"
    # A page's own parameters stay: on old sites `?id=7` is all that names the article.
    kept: list[str] = []
    for piece in parts.query.split("&"):
        name = piece.partition("=")[0]
        if piece and not _TRACKING.fullmatch(name):
            kept.append(piece)
    query = "&".join(kept)
    return urlunsplit(("https", authority, parts.path.rstrip("/"), query, ""))
