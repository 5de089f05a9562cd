"""Entries that a feed has brought before, recognised whatever became of their ids and links."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

import storage.brought
import storage.entries
from bot.detect import identity
from bot.detect.identity import KNOWN_FROM, Fingerprint, Shared
from bot.detect.stories import title_key
from bot.ingest.found import FLOOD, Recognised
from bot.model.news import Entry, ends_a_day
from bot.sources.links import normalise_link
from bot.sources.specs import NewsSpec
from storage.brought import Brought, Keys
from storage.db import Db

# entries whose keys one statement asks for: putting a statement together holds the loop
ASKED_TOGETHER = 300
# entries of a document whose keys are counted here; of more a thread does it, and the loop goes on
COUNTED_HERE = 500
IN_A_TURN = 100  # entries that are looked at before others have the loop
READ_AGAIN = 5  # of a document's entries so many, the first ones, are known by their texts too
LOOKED_AT_AGAIN = 50  # and so many, where their stories were told
NAMESAKES = 20  # entries with a key of one's own that it is compared with
Named = TypeVar("Named")
T = TypeVar("T")
NO_WORDS = title_key("")  # headlines of untitled posts were stored so, before 0015


def fingerprint_of(item: Entry, seen_at: datetime | None = None) -> Fingerprint:
    """The fingerprint of an entry as published."""
    link_key = None
    if item.link:
        link_key = normalise_link(item.link)
    return identity.fingerprint(item, link_key, seen_at=seen_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A publisher's document, read; whether an earlier one of it was stored: it was `met`."""

    spec: NewsSpec
    entries: Sequence[Entry]
    at: datetime
    met: bool = True


async def recognise_all(db: Db, asked: Sequence[Read]) -> list[Recognised]:
    """The entries of each document that its feed has not brought before, and those of the others
    that have other words now; both under the id that they are stored by.

    Most are known at a glance: by one statement for all documents. Another looks for the rest of a
    document by all their keys, and a third has the words of those that only their words can tell. A
    page's list has no text, so its headlines are left as they are.
    """
    met = {read.spec.key for read in asked if read.met}
    # a poll that ended in the middle left some of a feed's first entries
    met |= await storage.brought.having(db, {read.spec.key for read in asked} - met)
    stored = await _at_first_glance(db, [read for read in asked if read.spec.key in met])
    looks: list[_Look] = []
    reworded = await _reworded_later(db, asked, stored)
    for read in asked:
        known = stored.get(read.spec.key, {})
        strange = await _at_second_glance(read.entries, known, reworded)
        # of all entries, not the strange ones only: a key that two of them have says nothing
        fingerprints = await _fingerprints(read) if strange else {}
        looks.append(_Look(spec=read.spec, fingerprints=fingerprints, strange=strange))
    await _compare(db, [look for look in looks if look.spec.key in met])
    found: list[Recognised] = []
    for look in looks:
        if not look.strange:
            found.append(Recognised())
            continue
        recogniser = await _recogniser(db, look)
        found.append(await recogniser.recognised(reword=look.spec.article is None))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A document's entries with their fingerprints, the ones among them that are strange at a
    glance, and what is stored under any of their keys, by number.
    """

    spec: NewsSpec
    fingerprints: Mapping[Entry, Fingerprint]
    strange: Sequence[Entry]
    rows: dict[int, Brought] = field(default_factory=dict)


async def _fingerprints(read: Read) -> dict[Entry, Fingerprint]:
    fingerprints: dict[Entry, Fingerprint] = {}
    async for item in in_turns(read.entries):
        fingerprints[item] = fingerprint_of(item, read.at)
    return fingerprints


async def _compare(db: Db, looks: Sequence[_Look]) -> None:
    """Find what is stored under the keys of strange entries, many documents by one statement."""
    together: list[tuple[_Look, Keys]] = []
    count = 0
    for look in looks:
        here = await _shared(look.fingerprints.values())
        for some in _pieces(look.strange):
            if together and count + len(some) > ASKED_TOGETHER:
                await _add_rows(db, together)
                together, count = [], 0
            together.append((look, await _keys([look.fingerprints[item] for item in some], here)))
            count += len(some)
    if together:
        await _add_rows(db, together)


async def _add_rows(db: Db, asked: Sequence[tuple[_Look, Keys]]) -> None:
    wanted = [(look.spec.key, keys) for look, keys in asked]
    found = await storage.brought.by_keys(db, wanted)
    for (look, _), rows in zip(asked, found, strict=True):
        look.rows.update((row.pk, row) for row in rows)


async def _at_first_glance(db: Db, asked: Sequence[Read]) -> dict[str, dict[str, Brought]]:
    """The stored entries under the ids of these, by feed and id."""
    ids = [(read.spec.key, item.id) for read in asked for item in read.entries]
    stored: dict[str, dict[str, Brought]] = {}
    for feed, row in await storage.brought.by_ids(db, ids):
        stored.setdefault(feed, {})[row.guid] = row
    return stored


async def _reworded_later(
    db: Db, asked: Sequence[Read], stored: Mapping[str, Mapping[str, Brought]]
) -> set[Entry]:
    """The entries behind the newest of their documents that have another text than is stored and
    belong to a story that was told: of no others a late correction matters. None of a document that
    has more of the former than an editor writes.
    """
    changed: dict[Entry, int] = {}
    for read in asked:
        here: dict[Entry, int] = {}
        mine = stored.get(read.spec.key, {})
        for item in read.entries[READ_AGAIN:LOOKED_AT_AGAIN] if mine else ():
            row = mine.get(item.id)
            if row is not None and row.text_key and row.text_key != identity.text_key(item):
                here[item] = row.pk
        if len(here) <= FLOOD:
            changed |= here
        await asyncio.sleep(0)  # a text takes a part of a millisecond, and others wait
    told = await storage.brought.told(db, changed.values())
    return {item for item, pk in changed.items() if pk in told}


async def _at_second_glance(
    entries: Sequence[Entry], stored: Mapping[str, Brought], reworded: Collection[Entry]
) -> list[Entry]:
    """The entries that have not both their id and their link, nobody else's here, and the headline
    that is stored; of the newest the text counts too, since a correction is mostly of what is
    fresh, and so it does of those that are known to be `reworded`.
    """
    newest = set(entries[:READ_AGAIN])
    ids = Counter(item.id for item in entries)
    links = Counter(item.link for item in entries)

    def known(item: Entry) -> bool:
        row = stored.get(item.id)
        if row is None or not item.link or row.link != item.link:
            return False
        alone = ids[item.id] == links[item.link] == 1
        if not alone or row.title_key != identity.headline_key(item):
            return False
        if item in reworded:
            return False
        return item not in newest or not row.text_key or row.text_key == identity.text_key(item)

    return [item async for item in in_turns(entries) if not known(item)]


async def _recogniser(db: Db, look: _Look) -> _Recogniser:
    """The entries that are strange at a glance, beside what is stored under any of their keys."""
    fingerprints = look.fingerprints
    stored = {pk: _fingerprint(row) for pk, row in look.rows.items()}
    strange = [fingerprints[item] for item in look.strange]
    recogniser = _Recogniser(
        fingerprints=strange,
        stored=stored,
        shared=await _shared(fingerprints.values(), stored.values(), strange),
        # ids that known entries of the document hold: no new one may get them
        taken={item.id for item in fingerprints} - {item.id for item in look.strange},
    )
    words = await storage.entries.words(db, await recogniser.unclear())
    for pk, entry in words.items():
        stored[pk] = replace(stored[pk], item=entry)
    return recogniser


async def _shared(
    document: Collection[Fingerprint],
    stored: Collection[Fingerprint] = (),
    strange: Collection[Fingerprint] = (),
) -> Shared:
    """The keys that say nothing, because different entries have them."""
    if len(document) + len(stored) <= COUNTED_HERE:
        return identity.shared(document, stored, strange)
    return await asyncio.to_thread(identity.shared, document, stored, strange)


async def _keys(fingerprints: Sequence[Fingerprint], shared: Shared) -> Keys:
    """The keys to look for; a link that many entries have would find them all."""
    guids: set[str] = set()
    links: set[str] = set()
    titles: set[str] = set()
    texts: set[str] = set()
    async for one in in_turns(fingerprints):
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


def _fingerprint(row: Brought) -> Fingerprint:
    return Fingerprint(
        id=row.guid,
        guid=identity.own_id(row.guid, row.link),
        link=row.link,
        link_key=row.link_key,
        title_key=None if row.title_key in {"", NO_WORDS} else row.title_key,
        published_at=row.published_at,
        day_only=ends_a_day(row.published_at),
        told_text_key=row.text_key,
        seen_at=row.seen_at,
    )


def _pieces(entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
    for start in range(0, len(entries), ASKED_TOGETHER):
        yield entries[start : start + ASKED_TOGETHER]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recogniser:
    """Entries of a document, and the stored ones that have a key in common with one of them.

    `taken` are the ids of the document's other entries.
    """

    fingerprints: Sequence[Fingerprint]
    stored: Mapping[int, Fingerprint]
    shared: Shared
    taken: set[str]

    @property
    def unsure(self) -> bool:
        """Whether a stored entry of another id has a key in common with one of these."""
        ids = {one.id for one in self.fingerprints}
        return any(one.id not in ids for one in self.stored.values())

    async def unclear(self) -> set[int]:
        """The stored entries whose words decide."""
        namesakes = _Namesakes(self.stored.items())
        wanted: set[int] = set()
        async for one in in_turns(self.fingerprints if self.stored else ()):
            open_ones: list[int] = []
            for pk in namesakes.of(one):
                least, most = identity.bounds(one, self.stored[pk], self.shared)
                # known for sure, so that nobody needs its words
                if least >= KNOWN_FROM:
                    break
                if most >= KNOWN_FROM:
                    open_ones.append(pk)
            else:
                wanted.update(open_ones)
        return wanted

    async def recognised(self, *, reword: bool) -> Recognised:
        """The new entries, and with `reword` those under another headline than is stored."""
        claims = await self._claims()
        times = Counter(claims.values())
        unknown: dict[Entry, Fingerprint] = {}
        reworded: list[Entry] = []
        fresh = _Namesakes[Fingerprint]()
        ids = self.taken | {one.id for one in self.stored.values()}
        async for one in in_turns(self.fingerprints):
            if one not in claims:
                if any(identity.same_in_document(one, it, self.shared) for it in fresh.of(one)):
                    continue
                fresh.add(one, one)
                name = one.id
                if name in ids:
                    name = identity.another_id(one)
                ids.add(name)
                unknown[_under(one, name)] = one
                continue
            known = self.stored[claims[one]]
            another = known.title_key is not None and one.title_key != known.title_key
            corrected = bool(known.text_key and one.text_key and known.text_key != one.text_key)
            # where several claim it, nobody knows whose words are the newer ones
            if reword and (another or corrected) and times[claims[one]] == 1:
                reworded.append(_under(one, known.id))
        return Recognised(
            unknown=list(unknown), fingerprints=unknown, reworded=reworded, unsure=self.unsure
        )

    async def _claims(self) -> dict[Fingerprint, int]:
        """The stored entry of each fingerprint; several have one where they are one article."""
        namesakes = _Namesakes(self.stored.items())
        best: dict[int, tuple[float, Fingerprint]] = {}
        claims: dict[Fingerprint, int] = {}
        async for one in in_turns(self.fingerprints if self.stored else ()):
            scored = [
                (identity.evidence(one, self.stored[pk], self.shared), pk)
                for pk in namesakes.of(one)
            ]
            # of equal scores the one stored last, whose number is larger
            score, pk = max(scored, default=(KNOWN_FROM - 1, 0))
            if score < KNOWN_FROM:
                continue
            claims[one] = pk
            if pk not in best or score > best[pk][0]:
                best[pk] = score, one
        # a stored entry is one article: of several claims the best holds, and its repetitions
        for one, pk in list(claims.items()):
            first = best[pk][1]
            if one is not first and not identity.same_in_document(one, first, self.shared):
                del claims[one]
        return claims


async def in_turns(items: Sequence[T]) -> AsyncIterator[T]:
    """Each of them; a document may have thousands, and others wait for the loop."""
    for count, item in enumerate(items):
        if count % IN_A_TURN == IN_A_TURN - 1:
            await asyncio.sleep(0)
        yield item


def _under(one: Fingerprint, name: str) -> Entry:
    """An entry under the id that it is stored by."""
    if one.item is None:
        raise TypeError("a fingerprint of a document has its entry")
    if one.item.id == name:
        return one.item
    return replace(one.item, id=name)


class _Namesakes(Generic[Named]):
    """Fingerprints by each of their keys."""

    def __init__(self, fingerprints: Iterable[tuple[Named, Fingerprint]] = ()) -> None:
        self._by: dict[tuple[str, str], list[Named]] = {}
        for name, one in fingerprints:
            self.add(name, one)

    def add(self, name: Named, one: Fingerprint) -> None:
        """One more, after those that are here."""
        for key in _keys_of(one):
            self._by.setdefault(key, []).append(name)

    def of(self, one: Fingerprint) -> list[Named]:
        """The first ones that have a key of this one's, each once."""
        found: dict[Named, None] = {}
        for key in _keys_of(one):
            found.update(dict.fromkeys(self._by.get(key, ())[:NAMESAKES]))
        return list(found)


def _keys_of(one: Fingerprint) -> Iterable[tuple[str, str]]:
    for kind, key in (
        ("id", one.guid or one.id),
        ("link", one.link_key),
        ("title", one.title_key),
        ("text", one.text_key),
    ):
        if key:
            yield kind, key
