"""The WebSub hub that a feed names: among its own links, or in the `Link` header of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bot.sources.links import absolute_link
from bot.sources.listed import HubOffer

MOST_HEADER = 8_000  # characters of all `Link` headers that are looked at
# ; rel="hub self" — of RFC 8288 what hubs use; possessive, so that a hostile one is read once
_PARAMETER = r';\s*+([\w!#$&+.^`|~*-]++)\s*+=\s*+(?:"([^"]*+)"|([^\s;,"]*+))\s*+'
_EACH = re.compile(_PARAMETER)
_LINK = re.compile(rf'<([^<>"\s]{{1,2000}}+)>\s*+((?:{_PARAMETER})*+)')


def offer(links: Mapping[str, str], url: str | None) -> HubOffer | None:
    """The hub among a feed's links; the feed is known to it by its own link, else its address."""
    hub = absolute_link(links.get("hub", ""), url)
    topic = absolute_link(links.get("self", ""), url) or url
    if hub is None or topic is None:
        return None
    return HubOffer(hub=hub, topic=topic)


def header_links(headers: Iterable[str]) -> dict[str, str]:
    """The links of `Link` headers by their relation, the first of each."""
    found: dict[str, str] = {}
    for link in _LINK.finditer(", ".join(headers)[:MOST_HEADER]):
        for name, quoted, bare in _EACH.findall(link[2]):
            if name.lower() == "rel":
                for relation in (quoted or bare).lower().split():
                    found.setdefault(relation, link[1])
                break  # a second one does not count
    return found
