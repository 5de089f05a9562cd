"""Feeds that readers added: tried when they are named, polled since, told to those who follow.

    fetch | parse | what is new | an alert for each     the last two in one transaction

They stand apart from the catalog's sources: nothing of theirs is judged, joined to a story, shown
in /news, or told to anybody who did not ask for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

import storage.alerts
import storage.own_feeds
import storage.sources
from bot.alerts import feeds
from bot.detect import identity
from bot.detect.identity import Fingerprint
from bot.detect.known import known_by
from bot.errors import BotError, ParseError, SourceError
from bot.fetch import Fetcher
from bot.fetch.answers import Fetched, Validators
from bot.model.news import Entry
from bot.model.own_feeds import OwnFeed
from bot.reasons import reason
from bot.sources.links import normalise_link
from bot.sources.opml import Listed, read_opml
from bot.sources.own import OwnAddress, OwnDocument, read_own
from bot.workers import WorkerError, Workers
from storage.db import Store

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: What readers name is judged like a redirect from there: never as an address of the operator's.
STRANGER = "https://t.me/"
#: That a worker process has for one document: a thousand episodes of a podcast take two.
PARSE_SECONDS = 5.0
POLLED_AT_ONCE = 20  # feeds that one look takes
SIDE_BY_SIDE = 5  # of them: the catalog's sources are polled beside these
TOLD_AT_ONCE = 5  # entries of one poll; the rest is counted
TRY_SECONDS = 10.0  # that an address has to answer: a reader waits, and what else the chat asks
JITTER = 2.0  # seconds at most that a refusal waits: how long it took must tell nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFeeds:
    """The way out for what readers named, the process that reads it, and the store."""

    store: Store
    fetcher: Fetcher
    workers: Workers
    clock: Callable[[], datetime]
    found_on: str = STRANGER
    jitter: float = JITTER
    #: Of polls one document is read at a time, so that who adds a feed waits behind one at most.
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def tried(self, address: OwnAddress) -> tuple[OwnDocument, Fetched]:
        """The entries at an address. SourceError where it cannot be read, after a while by chance:
        who asks learns neither why nor how soon that was known.
        """
        try:
            async with asyncio.timeout(TRY_SECONDS):
                answer = await self.fetcher.get(address.url, found_on=self.found_on)
                return await self._read(address.channel, answer), answer
        except (SourceError, TimeoutError):
            await asyncio.sleep(random.uniform(0, self.jitter))
            raise SourceError(reason("document.unreadable", "nothing there can be read")) from None

    async def listed(self, body: bytes) -> Listed:
        """The feeds of an OPML file. ParseError for what is none, or takes too long to read."""
        return await self._in_worker(read_opml, body)

    async def poll_due(self) -> int | None:
        """Poll some feeds whose time has come; how many alerts that made, None with none due."""
        now = self.clock()
        async with self.store.writing() as db:
            due = await storage.own_feeds.take_due(db, now=now, most=POLLED_AT_ONCE)
        if not due:
            return None
        turn = asyncio.Semaphore(SIDE_BY_SIDE)
        polls = [self._in_turn(turn, one) for one in due]
        count = 0
        # all are ended before it is told that the database is away: nothing goes on behind us
        for made in await asyncio.gather(*polls, return_exceptions=True):
            if isinstance(made, BaseException):
                raise made
            count += made
        return count

    async def _in_turn(self, turn: asyncio.Semaphore, feed: OwnFeed) -> int:
        async with turn:
            return await self.poll(feed)

    async def poll(self, feed: OwnFeed) -> int:
        """One poll of one feed, whose trouble stays its own; how many alerts that made."""
        try:
            return await self._poll(feed)
        except SourceError as error:
            log.info("own feed failed", feed=feed.key, error=str(error))
        except Exception as error:
            if storage.sources.is_away(error):
                raise
            # what anybody may add must not end the program, whatever it makes us do wrong
            log.exception("own feed failed", feed=feed.key)
        async with self.store.writing() as db:
            await storage.own_feeds.record_failure(db, feed, now=self.clock())
        return 0

    async def _poll(self, feed: OwnFeed) -> int:
        validators = Validators(etag=feed.etag, last_modified=feed.last_modified)
        answer = await self.fetcher.get(feed.url, validators=validators, found_on=self.found_on)
        if answer.body is None:  # 304
            return await self.keep(feed, None, answer, feed.digest)
        digest = hashlib.sha256(answer.body).hexdigest()
        brought = None
        if digest != feed.digest:
            async with self.reading:
                brought = await self._read(feed.channel, answer)
        return await self.keep(feed, brought, answer, digest)

    async def keep(
        self, feed: OwnFeed, brought: OwnDocument | None, answer: Fetched, digest: str | None
    ) -> int:
        """Note what a feed lists, and tell what is new of it; nothing of its first document."""
        now = self.clock()
        listed = {} if brought is None else _known_by(brought.entries)
        names = {name for some in listed.values() for name in some}
        ids = {_id_alone(one) for one in listed}
        async with self.store.writing() as db:
            # as it is by now: meanwhile somebody may have followed it, whom its name must suit
            stored = await storage.own_feeds.get(db, feed.key, lock=True)
            if stored is None:  # nobody follows it any more
                return 0
            known = await storage.own_feeds.known(db, feed.key, names | ids)
            before = known & names
            await storage.own_feeds.note_entries(db, feed.key, names, before=before, now=now)
            told: list[Entry] = []
            for item, mine in listed.items():
                if known.isdisjoint((*mine, _id_alone(item))):
                    told.append(item)
                known.update(mine)
            count = 0
            if stored.last_ok_at is not None and brought is not None:
                new = brought.newest_first(told)
                for alert in feeds.alerts(feed.key, stored.name, new, TOLD_AT_ONCE, now=now):
                    count += await storage.alerts.enqueue(db, alert) is not None
            read = _read_by_now(stored, feed, brought, answer.validators, digest)
            await storage.own_feeds.record_ok(db, read, now=now)
        return count

    async def _read(self, channel: str | None, answer: Fetched) -> OwnDocument:
        job = partial(read_own, url=answer.url, content_type=answer.content_type, channel=channel)
        try:
            return await self._in_worker(job, answer.body or b"")
        except BotError:
            raise
        except Exception:
            log.exception("own feed not read")  # a fault of ours
            raise ParseError(reason("document.unreadable", "it could not be read")) from None

    async def _in_worker(self, job: Callable[[bytes], T], body: bytes) -> T:
        try:
            return await self.workers.run(job, body, timeout=PARSE_SECONDS, stranger=True)
        except WorkerError as error:
            raise ParseError(
                reason("document.given_up", "it could not be read: {why}", why=error.reason)
            ) from None


def _read_by_now(
    stored: OwnFeed,
    polled: OwnFeed,
    brought: OwnDocument | None,
    validators: Validators,
    digest: str | None,
) -> OwnFeed:
    """A feed after a poll. One that was given another name meanwhile, while its document was not
    read, is read again at the next poll: it says its own name.
    """
    if brought is None and stored.name != polled.name:
        return stored
    return replace(
        stored,
        name=_name(stored, brought),
        etag=validators.etag,
        last_modified=validators.last_modified,
        digest=digest,
    )


def _name(feed: OwnFeed, brought: OwnDocument | None) -> str:
    """The name of a feed: one that goes by its address takes the name that it says."""
    plain = OwnAddress(url=feed.url, channel=feed.channel).name
    if brought is None or not brought.name or feed.name != plain:
        return feed.name
    return brought.name


def _known_by(entries: Sequence[Entry]) -> dict[Entry, list[str]]:
    """The hashes that each of a document's entries is known by."""
    fingerprints: dict[Entry, Fingerprint] = {}
    for item in entries:
        fingerprints[item] = identity.fingerprint(
            item, normalise_link(item.link) if item.link else None
        )
    shared = identity.shared(fingerprints.values())
    return {item: known_by(one, shared) for item, one in fingerprints.items()}


def _id_alone(item: Entry) -> str:
    """The hash that earlier versions knew an entry by; their notes end by themselves."""
    return hashlib.sha256(item.id.encode()).hexdigest()[:32]
