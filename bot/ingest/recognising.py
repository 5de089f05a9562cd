"""Which of a feed's entries it has brought before, whatever became of their ids and links."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import storage.brought
import storage.news
from bot.detect import identity
from bot.detect.identity import ENOUGH, Mark, Shared
from bot.detect.stories import title_key
from bot.ingest.found import Recognised
from bot.model.news import Entry, ends_a_day
from bot.sources.links import normalise_link
from bot.sources.specs import NewsSpec
from storage.brought import Brought, Keys
from storage.db import Db

ASKED_TOGETHER = 2000  # entries whose keys one statement asks for
IN_A_TURN = 100  # entries that are looked at before others have the loop
NAMESAKES = 20  # entries with a key of one's own that it is compared with
Named = TypeVar("Named")
T = TypeVar("T")
NO_WORDS = title_key("")  # headlines of untitled posts were stored so, before 0015


def link_key(item: Entry) -> str | None:
    """What an entry's address is compared by; None where it has none."""
    if not item.link:
        return None
    return normalise_link(item.link)


async def recognise(db: Db, spec: NewsSpec, entries: Sequence[Entry]) -> Recognised:
    """Which entries this feed has not brought before, and which of the others have another
    headline now; both under the id that they are stored by.

    Most are known at a glance: by one statement. Another looks for the rest by all their keys, and
    a third has the words of those that only their words can tell. A page's list has no text, so its
    headlines are left as they are.
    """
    stored: dict[str, Brought] = {}
    for some in _pieces(entries):
        guids = [item.id for item in some]
        for row in await storage.brought.by_keys(db, spec.key, Keys(guids=guids)):
            stored[row.guid] = row
    strange = _at_second_glance(entries, stored)
    if not strange:
        return Recognised()
    recogniser = await _recogniser(db, spec, entries, strange)
    return await recogniser.recognised(reword=spec.article is None)


def _at_second_glance(entries: Sequence[Entry], stored: Mapping[str, Brought]) -> list[Entry]:
    """The entries that have not both their id and their link, nobody else's here, and the headline
    that is stored.
    """
    ids = Counter(item.id for item in entries)
    links = Counter(item.link for item in entries)

    def known(item: Entry) -> bool:
        row = stored.get(item.id)
        if row is None or not item.link or row.link != item.link:
            return False
        alone = ids[item.id] == links[item.link] == 1
        return alone and row.title_key == identity.headline_key(item)

    return [item for item in entries if not known(item)]


async def _recogniser(
    db: Db, spec: NewsSpec, entries: Sequence[Entry], strange: Sequence[Entry]
) -> _Recogniser:
    """The entries that are strange at a glance, beside what is stored under any of their keys."""
    marks: dict[Entry, Mark] = {}
    async for item in _in_turns(entries):
        marks[item] = identity.mark(item, link_key(item))
    here = identity.shared(marks.values())
    rows: dict[int, Brought] = {}
    for some in _pieces(strange):
        keys = await _keys([marks[item] for item in some], here)
        for row in await storage.brought.by_keys(db, spec.key, keys):
            rows[row.pk] = row
    stored = {pk: _mark(row) for pk, row in rows.items()}
    recogniser = _Recogniser(
        marks=[marks[item] for item in strange],
        stored=stored,
        shared=identity.shared(marks.values(), stored.values()),
        taken={item.id for item in entries} - {item.id for item in strange},
    )
    words = await storage.news.words(db, await recogniser.unclear())
    for pk, entry in words.items():
        stored[pk] = replace(stored[pk], item=entry)
    return recogniser


async def _keys(marks: Sequence[Mark], shared: Shared) -> Keys:
    """What to look for; a link that many entries have would find them all."""
    guids: set[str] = set()
    links: set[str] = set()
    titles: set[str] = set()
    texts: set[str] = set()
    async for one in _in_turns(marks):
        guids.add(one.id)
        if one.guid:
            guids.add(one.guid)
        if one.link_key and one.link_key not in shared.links:
            links.add(one.link_key)
        if one.title_key:
            titles.add(one.title_key)
        if one.text_key:
            texts.add(one.text_key)
    return Keys(guids=guids, link_keys=links, title_keys=titles, text_keys=texts)


def _mark(row: Brought) -> Mark:
    return Mark(
        id=row.guid,
        guid=identity.own_id(row.guid, row.link),
        link=row.link,
        link_key=row.link_key,
        title_key=None if row.title_key in {"", NO_WORDS} else row.title_key,
        published_at=row.published_at,
        day_only=ends_a_day(row.published_at),
        told_text_key=row.text_key,
    )


def _pieces(entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
    for start in range(0, len(entries), ASKED_TOGETHER):
        yield entries[start : start + ASKED_TOGETHER]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recogniser:
    """Entries of a document, and the stored ones that have a key in common with one of them.

    `taken` are the ids of the document's other entries.
    """

    marks: Sequence[Mark]
    stored: Mapping[int, Mark]
    shared: Shared
    taken: set[str]

    async def unclear(self) -> set[int]:
        """The stored entries whose words decide."""
        namesakes = _Namesakes(self.stored.items())
        wanted: set[int] = set()
        async for one in _in_turns(self.marks if self.stored else ()):
            open_ones: list[int] = []
            for pk in namesakes.of(one):
                least, most = identity.bounds(one, self.stored[pk], self.shared)
                if least >= ENOUGH:
                    break
                if most >= ENOUGH:
                    open_ones.append(pk)
            else:
                wanted.update(open_ones)
        return wanted

    async def recognised(self, *, reword: bool) -> Recognised:
        """The new entries, and with `reword` those under another headline than is stored."""
        claims = await self._claims()
        times = Counter(claims.values())
        unknown: list[Entry] = []
        reworded: list[Entry] = []
        fresh = _Namesakes[Mark]()
        ids = self.taken | {one.id for one in self.stored.values()}
        async for one in _in_turns(self.marks):
            if one not in claims:
                if any(identity.same_in_document(one, it, self.shared) for it in fresh.of(one)):
                    continue
                fresh.add(one, one)
                name = one.id
                if name in ids:
                    name = identity.another_id(one)
                ids.add(name)
                unknown.append(_under(one, name))
                continue
            known = self.stored[claims[one]]
            another = known.title_key is not None and one.title_key != known.title_key
            if reword and another and times[claims[one]] == 1:
                reworded.append(_under(one, known.id))
        return Recognised(unknown=unknown, reworded=reworded)

    async def _claims(self) -> dict[Mark, int]:
        """Which stored entry each is; several are one only where they are one article."""
        namesakes = _Namesakes(self.stored.items())
        best: dict[int, tuple[float, Mark]] = {}
        claims: dict[Mark, int] = {}
        async for one in _in_turns(self.marks if self.stored else ()):
            scored = [
                (identity.evidence(one, self.stored[pk], self.shared), pk)
                for pk in namesakes.of(one)
            ]
            score, pk = max(scored, default=(ENOUGH - 1, 0))
            if score < ENOUGH:
                continue
            claims[one] = pk
            if pk not in best or score > best[pk][0]:
                best[pk] = score, one
        for one, pk in list(claims.items()):
            first = best[pk][1]
            if one is not first and not identity.same_in_document(one, first, self.shared):
                del claims[one]
        return claims


async def _in_turns(items: Sequence[T]) -> AsyncIterator[T]:
    """Each of them; a document may have thousands, and others wait for the loop."""
    for count, item in enumerate(items):
        if count % IN_A_TURN == IN_A_TURN - 1:
            await asyncio.sleep(0)
        yield item


def _under(one: Mark, name: str) -> Entry:
    """An entry under the id that it is stored by."""
    if one.item is None:
        raise TypeError("a mark of a document has its entry")
    return replace(one.item, id=name)


class _Namesakes(Generic[Named]):
    """Marks by each of their keys."""

    def __init__(self, marks: Iterable[tuple[Named, Mark]] = ()) -> None:
        self._by: dict[tuple[str, str], list[Named]] = {}
        for name, one in marks:
            self.add(name, one)

    def add(self, name: Named, one: Mark) -> None:
        """One more, after those that are here."""
        for key in _keys_of(one):
            self._by.setdefault(key, []).append(name)

    def of(self, one: Mark) -> list[Named]:
        """The first ones that have a key of this one's, each once."""
        found: dict[Named, None] = {}
        for key in _keys_of(one):
            found.update(dict.fromkeys(self._by.get(key, ())[:NAMESAKES]))
        return list(found)


def _keys_of(one: Mark) -> Iterable[tuple[str, str]]:
    for kind, key in (
        ("id", one.guid or one.id),
        ("link", one.link_key),
        ("title", one.title_key),
        ("text", one.text_key),
    ):
        if key:
            yield kind, key
