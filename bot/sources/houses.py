"""The publishers of sources of stories: whom a section names, else the house where it is.

Two feeds of one host are one publisher's, as two languages of an agency are. Where such a host has
several publishers, each section names its own; one that names none is then the host's itself. A
machine of the operator's own says nothing: what brings others' feeds runs there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.sources.sections import NewsSection

#: Ends of names that no publisher's host has.
OWN_NETWORK = frozenset({"home", "internal", "lan", "local", "localhost"})


def publishers_of(
    news: Mapping[str, Mapping[str, NewsSection]],
) -> Mapping[tuple[str, str], str]:
    """The publishers of these sections, by kind and key; one that nobody knows is left out."""
    named: dict[str, set[str]] = {}
    for _, section in _each(news):
        if section.publisher is not None:
            named.setdefault(section.house, set()).add(section.publisher)
    found: dict[tuple[str, str], str] = {}
    for key, section in _each(news):
        here = named.get(section.house, set())
        if section.publisher is not None:
            found[key] = section.publisher
        elif len(here) == 1:
            found[key] = next(iter(here))
        elif _tells_who(section.house):
            found[key] = section.house
    return found


def _each(
    news: Mapping[str, Mapping[str, NewsSection]],
) -> Iterator[tuple[tuple[str, str], NewsSection]]:
    for kind, sections in news.items():
        for key, section in sections.items():
            yield (kind, key), section


def _tells_who(house: str) -> bool:
    """Whether a house is somebody's: a channel, or a host with a name in the world."""
    host, _, _ = house.partition(":")
    _, dot, last = host.rpartition(".")
    return house.startswith("@") or bool(dot and not last.isdigit() and last not in OWN_NETWORK)
