"""Backfill: a publisher's past, one request at a time and slowly.

What was stored is not asked for again. The past is cut into calendar years, newest first, so that
the requests of a finished year are the same ones whenever the command runs. An answer and the note
that it was had are one transaction: a kill loses at most the request under way. Nothing alerts: a
backlog is not news. A day that is stored with another value is revised, and who was told the old
one is told; unless they are so far apart that the page must mean something else (it names no
nominal).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import storage.rates
import storage.sources
from bot.clock import pause
from bot.detect.plausibility import LARGEST_UNASKED
from bot.errors import FetchError, ParseError, SourceError
from bot.fetch import Fetcher
from bot.fetch.answers import Fetched
from bot.model.rates import Move, Rate, SeenRate
from bot.reasons import reason
from bot.sources.base import Request
from bot.sources.specs import RateSpec
from storage.db import Db, Store

REQUEST_TRIES = 4  # of one; with the usual pause the last is made 42 seconds after the first
ABSENT = frozenset({404, 410})  # no rates on that day: an answer like any other


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfilled:
    """The result of one run: answers stored, requests that an earlier run made, rates offered."""

    source: str
    asked: int
    skipped: int
    rates: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """The way out, the store, seconds to rest before each request, and whom to tell how far it is.

    `revised` is what follows from revised rates, in the transaction that stores them.
    """

    store: Store
    fetcher: Fetcher
    clock: Callable[[], datetime]
    pause: float
    say: Callable[[str], None]
    revised: Callable[[Db, Sequence[SeenRate]], Awaitable[None]]

    async def run(self, spec: RateSpec, *, since: date, until: date) -> Backfilled:
        """Fetch and store what is missing; SourceError of no history or an unwell publisher."""
        wanted = plan(spec, since, until)
        if not wanted:
            raise SourceError(
                reason(
                    "backfill.none",
                    "{source} has no history that can be fetched for these days",
                    source=spec.key,
                )
            )
        async with self.store.reading() as db:
            had = await storage.sources.backfilled(db, spec.key)
        left = dict(wanted)
        for note in had:
            left.pop(note, None)
        rates = unreadable = 0
        absent: list[str] = []
        for number, (note, request) in enumerate(left.items(), 1):
            if number > 1:
                await pause(self.pause)
            try:
                found = await self._one(spec, request, note, absent)
            except ParseError as error:
                unreadable += 1
                self.say(f"{number}/{len(left)} {request.url}: {error}")
                continue
            if found is None:
                absent.append(note)
                self.say(f"{number}/{len(left)} {request.url}: nothing")
                continue
            absent.clear()
            rates += found
            self.say(f"{number}/{len(left)} {request.url}: {found} rates")
        if absent and len(absent) == len(wanted):
            words = "the server has nothing at any of {n} addresses"
            raise FetchError(reason("backfill.absent", words, n=len(absent)))
        # one that cannot be read is a hole; all of them are another page than the parser's
        if unreadable and unreadable + len(absent) == len(left):
            raise ParseError(
                reason("backfill.unread", "none of {n} answers could be read", n=unreadable)
            )
        return Backfilled(
            source=spec.key,
            asked=len(left),
            skipped=len(wanted) - len(left),
            rates=rates,
            unreadable=unreadable,
        )

    async def _one(
        self, spec: RateSpec, request: Request, note: str, absent: Sequence[str]
    ) -> int | None:
        """One request, read and stored with the note that it was had; how many rates it brought.

        None of what is absent, which is noted beside the next answer that is there: of a server
        that has moved all is.
        """
        answer = await self._fetch(request)
        if answer is None or not answer.body:
            return None
        rates = spec.parse(answer.body, url=answer.url).rates
        async with self.store.writing() as db:
            changed: list[Rate] = []
            for old, new in await storage.rates.differing(db, rates):
                if self._believed(old, new):
                    changed.append(new)
            # only days that are not stored yet: a year is thousands of rows, in a few statements
            await storage.rates.add_history(db, rates, seen_at=self.clock())
            added = await storage.rates.add(db, changed, seen_at=self.clock())
            await self.revised(db, added)
            for had in (*absent, note):
                await storage.sources.note_backfilled(db, spec.key, had)
        return len(rates)

    def _believed(self, old: SeenRate, new: Rate) -> bool:
        """Whether a past day may be revised so far; if not, that is said."""
        believed = abs(Move(old=old, new=new).percent) <= LARGEST_UNASKED
        if not believed:
            self.say(
                f"not believed: {new.pair} of {new.effective_on} was {old.per_unit:f}, now "
                f"{new.per_unit:f}"
            )
        return believed

    async def _fetch(self, request: Request) -> Fetched | None:
        """The answer, or None when the address has nothing; a busy server is given time."""
        for number in range(1, REQUEST_TRIES + 1):
            try:
                return await self.fetcher.get(
                    request.url,
                    data=request.body,
                    headers=request.headers,
                    proxy=request.proxy,
                )
            except FetchError as error:
                if error.status in ABSENT:
                    return None
                if number == REQUEST_TRIES or not _passes(error):
                    raise
                # the server's own word where it asks for more
                wait = max(self.pause * 2**number, error.retry_after or 0.0)
                self.say(f"{error}; again in {wait:.0f} s")
                await pause(wait)
        return None


def _passes(error: FetchError) -> bool:
    """Whether asking again may help: no answer, a busy server, one that is out of order."""
    return error.status is None or error.status == 429 or error.status >= 500


def plan(spec: RateSpec, since: date, until: date) -> dict[str, Request]:
    """The requests that cover these days, newest year first, by the notes of finished ones.

    A request whose range is still growing is another one tomorrow; that of a day that is over, in
    yesterday's plan too, is the same.
    """
    found: dict[str, Request] = {}
    for start, end in _years(since, until):
        over: set[tuple[str, bytes | None]] = set()
        if end == until:
            yesterdays = spec.history(start, end - timedelta(days=1))
            over.update((one.url, one.body) for one in yesterdays)
        for request in spec.history(start, end):
            # what is over has no day in its note: its answer stays the same
            note = f"{request.url}#"
            if end == until and (request.url, request.body) not in over:
                note += end.isoformat()
            if request.body is not None:  # one address for all that is asked of it
                note += hashlib.sha256(request.body).hexdigest()[:16]
            found.setdefault(note, request)
    return found


def _years(since: date, until: date) -> Iterator[tuple[date, date]]:
    """The calendar years of a range, newest first; the first and the last may be cut."""
    end = until
    while end >= since:
        start = max(since, date(end.year, 1, 1))
        yield start, end
        end = date(start.year - 1, 12, 31)
