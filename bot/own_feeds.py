"""Feeds that readers added: tried when they are named, polled since, told to those who follow.

    fetch | parse | what is new | an alert for each     the last two in one transaction

They stand apart from the catalog's sources: nothing of theirs is judged, joined to a story, shown
in /news, or told to anybody who did not ask for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence
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
from bot.errors import BotError, FetchError, ParseError, SourceError
from bot.fetch import Fetcher
from bot.fetch.answers import Fetched, Validators, whole_due
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
SIDE_BY_SIDE = 5  # hosts asked at a time: the catalog's sources are polled beside these
OF_ONE_HOST = 4  # its feeds that one look takes; they are asked one after the other
LOOK = 10.0  # seconds at most between looks for what is due meanwhile, while a host is slow
TOLD_AT_ONCE = 5  # entries of one poll; the rest is counted
TURN_SECONDS = 20.0  # until a host must have time for a try: a reader waits, and what else they ask
TRY_SECONDS = 10.0  # that an address then has to answer
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

    async def tried(self, address: OwnAddress) -> tuple[OwnDocument, Fetched] | None:
        """The entries at an address; None where its host is asked for other things all the time,
        so that nothing is known of it. SourceError where it cannot be read, after a while by
        chance: who asks learns neither why nor how soon that was known.
        """
        begun = False
        try:
            async with asyncio.timeout(TURN_SECONDS) as limit:

                async def at_turn() -> None:
                    nonlocal begun
                    begun = True
                    limit.reschedule(asyncio.get_running_loop().time() + TRY_SECONDS)

                answer = await self._fetch(address.url, at_turn=at_turn)
                return await self._read(address.channel, answer), answer
        except (SourceError, TimeoutError) as error:
            if isinstance(error, TimeoutError) and not begun:
                return None
            await asyncio.sleep(random.uniform(0, self.jitter))
            raise SourceError(reason("document.unreadable", "nothing there can be read")) from None

    async def _fetch(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        at_turn: Callable[[], Awaitable[object]] | None = None,
    ) -> Fetched:
        """The answer of an address that a reader named."""
        return await self.fetcher.get(
            url,
            validators=validators,
            found_on=self.found_on,
            at_turn=at_turn,
            of_stranger=True,
        )

    async def listed(self, body: bytes) -> Listed:
        """The feeds of an OPML file. ParseError for what is none, or takes too long to read."""
        return await self._in_worker(read_opml, body)

    async def poll_due(self, wake: Callable[[], object], stopping: asyncio.Event) -> int:
        """Poll the feeds whose time has come until there are none; how many alerts that made.

        Several hosts side by side, and each one's feeds one after the other: one that hangs holds
        up its own. Whenever some alerts were made, `wake` is called.
        """
        lines: dict[str, asyncio.Task[int]] = {}
        count = 0
        try:
            while True:
                # what is due first may be one host's alone, and others' behind it
                while not stopping.is_set() and len(lines) < SIDE_BY_SIDE:
                    if not await self._begin(lines, stopping):
                        break
                if not lines:
                    return count
                ended, _ = await asyncio.wait(
                    lines.values(), timeout=LOOK, return_when=asyncio.FIRST_COMPLETED
                )
                for host in [host for host, line in lines.items() if line in ended]:
                    made = lines.pop(host).result()
                    count += made
                    if made:
                        wake()
        finally:
            # also where the database is away: nothing goes on behind us
            for line in lines.values():
                line.cancel()
            await asyncio.gather(*lines.values(), return_exceptions=True)

    async def _begin(self, lines: dict[str, asyncio.Task[int]], stopping: asyncio.Event) -> bool:
        """Begin with what is due of other hosts than those of `lines`, as far as there is room;
        whether there was any.
        """
        room = SIDE_BY_SIDE - len(lines)
        async with self.store.writing() as db:
            due = await storage.own_feeds.take_due(
                db, now=self.clock(), hosts=room, of_host=OF_ONE_HOST, besides=lines.keys()
            )
        by_host: dict[str, list[OwnFeed]] = {}
        for one in due:
            by_host.setdefault(one.host, []).append(one)
        for host, some in by_host.items():
            lines[host] = asyncio.create_task(self._one_after_another(some, stopping))
        return bool(due)

    async def _one_after_another(self, due: Sequence[OwnFeed], stopping: asyncio.Event) -> int:
        """Poll one host's feeds until the program stops; how many alerts that made."""
        count = 0
        for one in due:
            if stopping.is_set():
                break
            count += await self.poll(one)
        return count

    async def poll(self, feed: OwnFeed) -> int:
        """One poll of one feed, whose trouble stays its own; how many alerts that made."""
        wait: float | None = None
        try:
            return await self._poll(feed)
        except SourceError as error:
            log.info("own feed failed", feed=feed.key, error=str(error))
            if isinstance(error, FetchError):
                wait = error.retry_after
        except Exception as error:
            if storage.sources.is_away(error):
                raise
            # what anybody may add must not end the program, whatever it makes us do wrong
            log.exception("own feed failed", feed=feed.key)
        async with self.store.writing() as db:
            await storage.own_feeds.record_failure(db, feed, now=self.clock(), wait=wait)
        return 0

    async def _poll(self, feed: OwnFeed) -> int:
        validators = Validators(etag=feed.etag, last_modified=feed.last_modified)
        if whole_due(feed.key, feed.last_ok_at, now=self.clock()):
            validators = Validators()
        answer = await self._fetch(feed.url, validators=validators)
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
        job = partial(
            read_own,
            url=answer.url,
            content_type=answer.content_type,
            channel=channel,
            now=self.clock(),
        )
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
