"""WebSub (W3C, 2018): a feed's hub tells us of a change, and the feed is polled at once.

What a hub posts is a bell and no news: it is not read, the source is asked as in every poll. So the
guards and promises of polling hold, a hub can put no word into anybody's mouth, and one that falls
silent costs nothing but the time until the next poll. Polling goes on as the catalog says.

One that rings without end has its source polled no more often than the catalog does: a few rings
are answered at once, then one in each `every`. What rings meanwhile is one ring, and is answered
after that; so is one while the source fails, whose server may have asked for a rest.

* We subscribe where `WEBHOOK_URL` is reached by Telegram: then a hub reaches it, too.
* The hub asks back, at an address that nobody else knows, whether it was us; only for what we asked
  within the last day is its challenge repeated.
* It signs what it sends with a secret of that one subscription.
* A subscription ends when its hub says so, and is made anew before; and when `WEBHOOK_URL` is
  another one, since hubs go on ringing at the address that they were told.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

import structlog

import storage.hubs
import storage.notes
import storage.sources
from bot.errors import SourceError
from bot.fetch import Fetcher
from bot.sources.specs import NewsSpec
from storage.db import Store
from storage.hubs import Hub
from storage.sources import SourceState

log = structlog.get_logger(__name__)

PATH = "websub"  # behind WEBHOOK_URL; then the source's key and the token
LEASE = timedelta(days=10)  # that we ask for; the hub decides
SHORTEST_LEASE, LONGEST_LEASE = timedelta(minutes=5), timedelta(days=30)  # whatever a hub says
RENEWED = 0.2  # of a lease before its end
SIDE_BY_SIDE = 5  # hosts asked at a time
#: Seconds in which one host's hubs are begun at a look: rings that wait are answered at the next.
HOST_SECONDS = 20.0
GAP = timedelta(minutes=1)  # between two questions to one hub
UNCONFIRMED_PAUSE = timedelta(hours=6)  # until a hub that did not confirm is asked again
POLLS_AT_ONCE = 3  # that a hub may ring for; then one in each `every` of its source
ANSWERED_WITHIN = timedelta(days=1)  # a later question of a hub is not about what we asked
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
METHODS = ("sha256", "sha512", "sha384", "sha1")  # of signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Hubs:
    """The subscriptions of a catalog's sources; `base` is our public address."""

    store: Store
    fetcher: Fetcher
    clock: Callable[[], datetime]
    news: Mapping[str, NewsSpec]
    base: str

    async def renew(self) -> int:
        """Subscribe where a subscription is missing or ends soon, and answer the rings that had to
        wait; how many hubs were asked to ring, of those there was time for.
        """
        now = self.clock()
        polled = [key for key, spec in self.news.items() if not spec.disabled]
        async with self.store.reading() as db:
            known = await storage.hubs.among(db, polled)
            waiting = [key for key, hub in known.items() if hub.rung]
            states = await storage.sources.states(db, waiting) if waiting else {}
            address = await storage.notes.get(db, storage.hubs.ADDRESS)
        for key in waiting:
            if self._is_heard(key, known[key], states.get(key), now):
                await self._hear(key, waited=True)
        if address != self.base:
            async with self.store.writing() as db:
                if address is not None:  # each is asked anew, at this look or a later one
                    known = await storage.hubs.forget_asking(db, polled)
                await storage.notes.put(db, storage.hubs.ADDRESS, self.base)
        return await self._subscribe_all(
            {key: hub for key, hub in known.items() if _wanting(hub, now)}
        )

    async def _subscribe_all(self, wanting: Mapping[str, Hub]) -> int:
        """Ask these hubs to ring, several hosts side by side and those of one host one after the
        other: one that hangs holds up its own. How many there was time for; the others are left to
        the next look.
        """
        by_host: dict[str | None, list[str]] = {}
        for key, hub in wanting.items():
            by_host.setdefault(urlsplit(hub.hub).hostname, []).append(key)
        places = asyncio.Semaphore(SIDE_BY_SIDE)
        time = asyncio.get_running_loop().time

        async def one_after_another(keys: Sequence[str]) -> int:
            async with places:
                until, asked = time() + HOST_SECONDS, 0
                for key in keys:
                    if asked and time() >= until:
                        break
                    await self._subscribe(key, wanting[key])
                    asked += 1
                return asked

        lines = [asyncio.create_task(one_after_another(keys)) for keys in by_host.values()]
        try:
            return sum(await asyncio.gather(*lines))
        finally:
            # also where the database is away: nothing goes on behind us
            for line in lines:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)

    async def _subscribe(self, key: str, hub: Hub) -> None:
        # before the hub hears of it: some ask back before they answer
        async with self.store.writing() as db:
            asked = await storage.hubs.get(db, key) or hub
            if (
                asked.asked_at is None
            ):  # since our address is another one, and that it confirmed not
                asked = replace(asked, until_at=None)
            await storage.hubs.put(db, key, replace(asked, asked_at=self.clock()))
        form = {
            "hub.mode": "subscribe",
            "hub.topic": hub.topic,
            "hub.callback": f"{self.base}/{PATH}/{key}/{hub.token}",
            "hub.secret": hub.secret,
            "hub.lease_seconds": str(int(LEASE.total_seconds())),
        }
        spec = self.news[key]
        try:
            await self.fetcher.get(
                hub.hub,
                data=urlencode(form).encode(),
                headers=FORM,
                found_on=spec.url,
                proxy=spec.request.proxy,
            )
        except SourceError as error:  # the source is polled as before
            log.info("hub does not subscribe us", source=key, error=str(error))

    async def confirmed(self, key: str, token: str, query: Mapping[str, str]) -> str | None:
        """The answer to a hub that asks whether we subscribed; None where it was not us."""
        if await self._known(key, token) is None:  # who is nobody does not wait to write
            return None
        now = self.clock()
        async with self.store.writing() as db:
            hub = await storage.hubs.get(db, key)
            if hub is None or hub.token != token or query.get("hub.topic") != hub.topic:
                return None
            if query.get("hub.mode") == "denied":
                await storage.hubs.put(db, key, replace(hub, until_at=None))
                return ""
            lately = hub.asked_at is not None and now - hub.asked_at <= ANSWERED_WITHIN
            challenge = query.get("hub.challenge")
            if query.get("hub.mode") != "subscribe" or not lately or not challenge:
                return None
            until = now + _lease(query.get("hub.lease_seconds", ""))
            await storage.hubs.put(db, key, replace(hub, until_at=until))
        log.info("hub tells of changes", source=key, until=str(until))
        return challenge

    async def rung(self, key: str, token: str, body: AsyncIterable[bytes], signature: str) -> bool:
        """A hub says that a source changed: it is polled at once, or as soon as it may be. False
        where no such hub is known, whose body is not read.

        What is not signed by the hub is passed over in silence, as the specification has it.
        """
        hub = await self._known(key, token)
        if hub is None or hub.until_at is None:
            return False
        if not await _signed(body, hub.secret, signature):
            log.warning("hub's message is not signed by it", source=key)
            return True
        if not hub.rung:  # else the poll to come answers this ring too
            await self._hear(key)
        return True

    async def _hear(self, key: str, *, waited: bool = False) -> None:
        """Have a source polled because its hub rang, or remember the ring; `waited` where that was
        done before.
        """
        now = self.clock()
        async with self.store.writing() as db:
            hub = await storage.hubs.get(db, key)
            if hub is None or hub.rung is not waited:  # another replica was here
                return
            states = await storage.sources.states(db, [key])
            if self._is_heard(key, hub, states.get(key), now):
                await storage.sources.ask(db, [key], now=now)
                every = self.news[key].poll.every
                hub = replace(hub, rung=False, spent_until=_spent(hub, every, now) + every)
            else:
                hub = replace(hub, rung=True)
            await storage.hubs.put(db, key, hub)

    def _is_heard(self, key: str, hub: Hub, state: SourceState | None, now: datetime) -> bool:
        """Whether a hub's ring has its source polled now, and not later."""
        if state is not None and state.failures:
            return False
        every = self.news[key].poll.every
        share: timedelta = every * POLLS_AT_ONCE
        return _spent(hub, every, now) + every <= now + share

    async def _known(self, key: str, token: str) -> Hub | None:
        """The hub that this is the address for; None for whoever guessed it."""
        if key not in self.news or self.news[key].disabled:
            return None
        async with self.store.reading() as db:
            hub = await storage.hubs.get(db, key)
        return hub if hub is not None and _same(hub.token, token) else None


def _wanting(hub: Hub, now: datetime) -> bool:
    """Whether a hub is to be asked now: not asked yet, ends soon, or did not confirm for long."""
    if hub.asked_at is None or hub.asked_at > now:  # from before the clock was set back
        return True
    since = now - hub.asked_at
    if hub.until_at is None or now >= hub.until_at:
        return since >= UNCONFIRMED_PAUSE
    left = hub.until_at - now
    return since >= GAP and left <= RENEWED * (hub.until_at - hub.asked_at)


def _spent(hub: Hub, every: timedelta, now: datetime) -> datetime:
    """Until when the polls that a hub rang for take up its share, `every` for each; now: none."""
    spent = hub.spent_until
    if spent is None or spent - now > POLLS_AT_ONCE * every:  # from before the clock was set back
        return now
    return max(spent, now)


def _lease(said: str) -> timedelta:
    """The time for which a hub will tell us, within reason."""
    if not (said.isascii() and said.isdigit()):
        return LEASE
    return min(max(timedelta(seconds=int(said[:9])), SHORTEST_LEASE), LONGEST_LEASE)


async def _signed(body: AsyncIterable[bytes], secret: str, signature: str) -> bool:
    """Whether a body is signed with a secret: "sha256=HEX", by any method that WebSub has. It is
    not kept, however many ring at once.
    """
    method, _, said = signature.partition("=")
    if method.lower() not in METHODS:
        return False
    right = hmac.new(secret.encode(), digestmod=getattr(hashlib, method.lower()))
    async for piece in body:
        right.update(piece)
    return _same(right.hexdigest(), said.strip().lower())


def _same(known: str, said: str) -> bool:
    """Whether somebody said what is known, which its time does not tell; bytes that are no text,
    too, may stand in a request.
    """
    return hmac.compare_digest(known.encode(), said.encode(errors="surrogateescape"))
