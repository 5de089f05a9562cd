"""A source's documents: fetched when they changed, and read in the worker process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from bot.detect.language import in_told_languages
from bot.detect.stories import NEW_EVENT_HOURS
from bot.detect.topics import judged_in
from bot.errors import FetchError, ParseError, SourceError
from bot.fetch import Fetcher
from bot.fetch.answers import Fetched, Validators
from bot.ingest.side_by_side import Slot
from bot.model.news import Entry, Verdict
from bot.reasons import Reason, reason
from bot.sources.base import Parsed, Request
from bot.sources.hazards import list_hazards
from bot.sources.links import origin
from bot.sources.listed import (
    ITEM_HASH,
    ArticleReader,
    Listed,
    ListReader,
    one_after_another,
    with_entries,
)
from bot.sources.pages import parse_article
from bot.sources.specs import NewsSpec, RateSpec
from bot.workers import WorkerError, Workers
from storage.sources import Document

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: Bytes of a bank's document that are read in a few milliseconds; of more a worker process reads.
READ_HERE = 64 * 1024
PARSE_SECONDS = 10.0  # then the worker process is ended: a hostile document may take for ever
# so many new entries of a list page are followed to their articles, the others stay headlines
ARTICLES_FOLLOWED = 10
ARTICLES_SECONDS = 40.0  # seconds for all of them: a host is asked once a second
# of one document; each is looked up by four keys, and PostgreSQL takes 65,535 in a statement
MOST_ENTRIES = 10_000
MOST_NAMED = 3  # of a source's failed documents
#: The functions by which documents are read in a worker process.
JOBS = (one_after_another, with_entries, list_hazards, parse_article, RateSpec.parse)
MOVED_AFTER = 3  # equal permanent redirects before the new address is asked first


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The result of a request: an answer with a new body, what to remember of it, or an error.

    `renewed` is whether that is more than we remembered before, though the body is the same.
    """

    url: str
    changed: Fetched | None = None
    seen: Document | None = None
    renewed: bool = False
    error: SourceError | None = None

    def with_items(self, items: bytes) -> Looked:
        """The answer with what its document listed, once that was read."""
        if self.seen is None:
            return self
        return replace(self, seen=replace(self.seen, listed=items or None))

    @property
    def to_remember(self) -> list[Document]:
        """The documents to store: none where the same is stored already."""
        if self.seen is None or not (self.changed or self.renewed):
            return []
        return [self.seen]


def trouble_of(looked: Sequence[Looked]) -> SourceError | None:
    """The failures among a source's documents as one error; None when there is none.

    It is that of a source that is gone (410) only when all of its documents are.
    """
    failed = [(one.url, one.error) for one in looked if one.error is not None]
    if not failed:
        return None
    if len(looked) == 1:
        return failed[0][1]
    which: list[Reason] = []
    statuses: set[int | None] = set()
    longest_wait: float | None = None
    for url, error in failed:
        which.append(reason("document", "{name}: {why}", name=_name(url), why=error.reason))
        if not isinstance(error, FetchError):
            statuses.add(None)
            continue
        statuses.add(error.status)
        if error.retry_after:
            longest_wait = max(longest_wait or 0.0, error.retry_after)
    status = None
    if len(failed) == len(looked) and len(statuses) == 1:
        (status,) = statuses
    why = reason(
        "documents",
        "{failed} of {all} documents failed: {which}",
        failed=len(failed),
        all=len(looked),
        which=which[:MOST_NAMED],
    )
    return FetchError(why, status=status, retry_after=longest_wait)


def _name(url: str) -> str:
    """A document's name in an error: its path's end, as an address may carry a key behind it."""
    parts = urlsplit(url)
    return parts.path.rstrip("/").rpartition("/")[2] or parts.hostname or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The way out, and the process for heavy parsing."""

    fetcher: Fetcher
    workers: Workers

    async def fetch(
        self,
        key: str,
        requests: Sequence[Request],
        known: Mapping[str, Document],
        *,
        slot: Slot,
        whole: bool = False,
    ) -> list[Looked]:
        """The result of every request, in order; a failing one keeps no other from being asked.

        `known` are the source's documents as we last saw them; `whole` asks without conditions.
        The `slot` is taken for each request when its host's turn has come, and kept after the last.
        """
        looked: list[Looked] = []
        for one in requests:
            slot.give_back()
            old = known.get(one.url) or Document(source=key, url=one.url)
            moved_to = old.moved_to if old.moved_seen >= MOVED_AFTER else None
            looked.append(await self._look(old, one, moved_to, whole=whole, at_turn=slot.take))
        return looked

    async def _look(
        self,
        old: Document,
        request: Request,
        moved_to: str | None,
        *,
        whole: bool,
        at_turn: Callable[[], Awaitable[None]],
    ) -> Looked:
        headers = request.headers
        # a key is for the host that the catalog names, wherever the source has moved
        if moved_to is not None and origin(moved_to) != origin(request.url):
            headers = {name: value for name, value in headers.items() if name == "User-Agent"}
        validators = None
        if not whole:
            validators = Validators(etag=old.etag, last_modified=old.last_modified)
        try:
            answer = await self.fetcher.get(
                moved_to or request.url,
                validators=validators,
                data=request.body,
                headers=headers,
                # nobody configured that place: it is judged as what it is, a redirect
                found_on=None if moved_to is None else request.url,
                proxy=request.proxy,
                at_turn=at_turn,
            )
        except SourceError as error:
            return Looked(url=request.url, error=error)
        # asked at its new place it redirects no more, which is one more proof that it lives there
        settled = moved_to is not None and answer.moved_to is None
        if answer.body is None:  # 304: what we have still holds
            seen = _remember(old, answer, old.digest, settled=settled)
            return Looked(url=request.url, seen=seen, renewed=seen != old)
        # Many servers know no validators and send the same bytes each time.
        digest = hashlib.sha256(answer.body).hexdigest()
        seen = _remember(old, answer, digest, settled=settled)
        if digest == old.digest:
            return Looked(url=request.url, seen=seen, renewed=seen != old)
        return Looked(url=request.url, changed=answer, seen=seen)

    async def read(
        self,
        spec: NewsSpec,
        answer: Fetched,
        *,
        now: datetime,
        known: bytes = b"",
        first: bool = False,
    ) -> tuple[Listed, Sequence[Verdict]]:
        """The entries that a source's document lists, read in a worker process: the first
        MOST_ENTRIES; and the verdicts on all of these, or none where they are to be judged by
        themselves.

        It is read without the items that are `known`, where its kind can do that; `first` is
        whether no earlier one of the source was stored.
        """
        reader: ListReader = spec.listed(now, known)
        if not spec.measures:  # an institute's words are ours
            told = partial(in_told_languages, said=spec.language)
            reader = partial(with_entries, reader, told)
        verdicts: Sequence[Verdict] = ()
        if spec.article is None and (first or known):
            since = now - timedelta(hours=NEW_EVENT_HOURS)
            judge = partial(
                judged_in, said=spec.language, fixed=spec.topics, first=first, since=since
            )
            listed, verdicts = await read_and_judged(self.workers, reader, judge, answer)
        else:
            listed = await read_document(self.workers, reader, answer)
        cut = replace(
            listed,
            entries=listed.entries[:MOST_ENTRIES],
            count=min(listed.count, MOST_ENTRIES),
            items=listed.items[: MOST_ENTRIES * ITEM_HASH],
        )
        return cut, verdicts

    async def rates(self, spec: RateSpec, looked: Looked) -> tuple[Looked, Parsed | None]:
        """A bank's document, read; one that cannot be read is forgotten, to be read again next
        time. None where there is nothing new to read.
        """
        if looked.changed is None:
            return looked, None
        answer, body = looked.changed, looked.changed.body or b""
        job = partial(spec.parse, url=answer.url)
        try:
            if len(body) <= READ_HERE:
                return looked, job(body)
            return looked, await in_a_worker(self.workers, job, body)
        except ParseError as error:
            return Looked(url=looked.url, error=error), None

    async def with_articles(
        self, spec: NewsSpec, article: ArticleReader, new: Sequence[Entry]
    ) -> list[Entry]:
        """The first new entries with their articles' text; what cannot be had stays a headline."""
        read: dict[Entry, Entry] = {}
        # What was read until the time is over is kept.
        with suppress(TimeoutError):
            async with asyncio.timeout(ARTICLES_SECONDS):
                for item in new[:ARTICLES_FOLLOWED]:
                    with suppress(SourceError):
                        read[item] = await self._with_article(spec, article, item)
        return [read.get(item, item) for item in new]

    async def _with_article(self, spec: NewsSpec, article: ArticleReader, item: Entry) -> Entry:
        request = spec.behind(item.link or "")
        answer = await self.fetcher.get(
            request.url, headers=request.headers, proxy=request.proxy, found_on=spec.url
        )
        found = await read_document(self.workers, article, answer)
        whole = replace(
            item,
            content=found.text,
            published_at=item.published_at or found.published_at,
            language=item.language or found.language,
        )
        return in_told_languages([whole], spec.language)[0]


class Reader(Protocol[T_co]):
    """A function that reads a document: an `EntryReader` or an `ArticleReader`."""

    def __call__(self, body: bytes, /, *, url: str | None, content_type: str | None) -> T_co:
        """The content of `body`. Raises ParseError."""


async def read_document(workers: Workers, reader: Reader[T_co], answer: Fetched) -> T_co:
    """The content of an answer by `reader`, in a worker process. Raises ParseError."""
    return await in_a_worker(workers, _of(reader, answer), answer.body or b"")


async def in_a_worker(workers: Workers, job: Callable[[bytes], T], body: bytes) -> T:
    """A job's reading of a document; one that ends its worker process is a ParseError."""
    try:
        return await workers.run(job, body, timeout=PARSE_SECONDS)
    except WorkerError as error:
        raise ParseError(
            reason("document.given_up", "it could not be read: {why}", why=error.reason)
        ) from None


async def read_and_judged(
    workers: Workers,
    reader: ListReader,
    judge: Callable[[Listed], Sequence[Verdict]],
    answer: Fetched,
) -> tuple[Listed, Sequence[Verdict]]:
    """The list of a document, with the verdicts of `judge`: one way to the worker process and back.

    None of these where they cannot be had. Where the process took too long or ended, nobody knows
    over which of the two, and the document is read alone.
    """
    job = partial(one_after_another, _of(reader, answer), judge)
    try:
        listed, verdicts = await workers.run(job, answer.body or b"", timeout=PARSE_SECONDS)
    except WorkerError:
        return await read_document(workers, reader, answer), ()
    return listed, verdicts or ()


def _of(reader: Reader[T_co], answer: Fetched) -> Callable[[bytes], T_co]:
    """A reader that knows whose answer it reads."""
    return partial(reader, url=answer.url, content_type=_kind(answer))


def _kind(answer: Fetched) -> str | None:
    """The Content-Type header again, which `Fetched` has taken apart."""
    if answer.charset:
        return f"{answer.content_type}; charset={answer.charset}"
    return answer.content_type


def at_other_places(failed: Iterable[Document]) -> list[Document]:
    """The documents that failed and have moved, each to be asked at its other place next: a new
    one is closed, or sold, too.
    """
    moved = [one for one in failed if abs(one.moved_seen) >= MOVED_AFTER]
    return [replace(one, moved_seen=-one.moved_seen) for one in moved]


def _remember(old: Document, answer: Fetched, digest: str | None, *, settled: bool) -> Document:
    """The document to remember of an address; one that is `settled` at its new place keeps that."""
    if settled or (answer.moved_to is not None and answer.moved_to == old.moved_to):
        moved_seen = abs(old.moved_seen) + 1
    else:
        moved_seen = int(answer.moved_to is not None)
    return Document(
        source=old.source,
        url=old.url,
        etag=answer.validators.etag,
        last_modified=answer.validators.last_modified,
        digest=digest,
        listed=old.listed,
        moved_to=answer.moved_to or old.moved_to,
        moved_seen=moved_seen,
    )
