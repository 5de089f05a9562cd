"""The content of a publisher's document, and how it is read.

That is done in a worker process, which is given a reader as a thing to pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeVar

from bot.model.news import Entry

T = TypeVar("T")
U = TypeVar("U")

ITEM_HASH = 8  # bytes that tell an item from all others of its feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as a page tells it: plain text, paragraphs separated by blank lines.

    `missed` says that the catalog's selector found none of it on the page.
    """

    title: str
    text: str
    author: str | None
    published_at: datetime | None
    language: str | None
    url: str | None
    missed: bool = False


class EntryReader(Protocol):
    """Reads the entries of a document in a worker process, so it has to be a thing to pickle."""

    def __call__(
        self, body: bytes, /, *, url: str | None, content_type: str | None
    ) -> Sequence[Entry]:
        """The entries of `body`, which came from `url` in the end. Raises ParseError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOffer:
    """A WebSub hub that a feed names, and the address by which the hub knows the feed."""

    hub: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A document's events that its publisher numbers: their numbers tell them apart.

    `revised` are entries that count only where they are known, `withdrawn` the numbers of what was
    none, `also` the other numbers of an entry, by its id.
    """

    revised: Sequence[Entry] = ()
    withdrawn: frozenset[str] = frozenset()
    also: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The list of a document: its entries but for those of known items, and how many there are.

    `items` are the hashes of all its items, ITEM_HASH bytes each; none where it cannot be read in
    part. `skipped` is whether some were known. `hub` is who tells of changes, where one is named.
    With `numbered` the publisher's numbers decide which entry is which.
    """

    entries: Sequence[Entry]
    count: int
    items: bytes = b""
    skipped: bool = False
    hub: HubOffer | None = None
    numbered: Numbered | None = None


class ListReader(Protocol):
    """Reads what is new in a document, in a worker process too."""

    def __call__(self, body: bytes, /, *, url: str | None, content_type: str | None) -> Listed:
        """The list of `body`, which came from `url` in the end. Raises ParseError."""


def read_all(
    reader: EntryReader, body: bytes, /, *, url: str | None, content_type: str | None
) -> Listed:
    """A document of a kind that is read whole."""
    entries = reader(body, url=url, content_type=content_type)
    return Listed(entries=entries, count=len(entries))


def with_entries(
    reader: ListReader,
    change: Callable[[Sequence[Entry]], Sequence[Entry]],
    body: bytes,
    /,
    *,
    url: str | None,
    content_type: str | None,
) -> Listed:
    """A document's list with what `change` makes of its entries, right where they were read."""
    listed = reader(body, url=url, content_type=content_type)
    return replace(listed, entries=change(listed.entries))


class ArticleReader(Protocol):
    """Reads the article behind an entry's link, in a worker process too."""

    def __call__(self, body: bytes, /, *, url: str | None, content_type: str | None) -> Article:
        """The article in `body`, which came from `url` in the end. Raises ParseError."""


def one_after_another(
    first: Callable[..., T], second: Callable[[T], U], *args: object
) -> tuple[T, U | None]:
    """A job of two: what `first` gives, and what `second` makes of it; None where that fails."""
    found = first(*args)
    try:
        return found, second(found)
    except Exception:  # noqa: BLE001 - whatever it is, the first's is worth having
        return found, None
