"""Documents of a bank of which one says otherwise of a day than is stored: a revision, unless
another document contradicts it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

import storage.rates
from bot.errors import FetchError
from bot.ingest.documents import Looked
from bot.model.rates import Rate
from bot.sources.base import Parsed, Request
from storage.db import Store
from storage.sources import Document

log = structlog.get_logger(__name__)

#: What was made of a request, and the rates in its answer; None where nothing new was read.
ReadRates = tuple[Looked, Parsed | None]
GONE = {404, 410}  # the answers of a document that says nothing any more


async def compared(
    store: Store,
    requests: Sequence[Request],
    known: Mapping[str, Document],
    read: Sequence[ReadRates],
    *,
    ask: Callable[[Request], Awaitable[ReadRates]],
) -> Sequence[ReadRates]:
    """A bank's documents, in order, as they may be believed together.

    Where one would revise a day, those that did not change are asked for whole by `ask`: what they
    still say otherwise is a contradiction. Where another cannot be had, nobody knows whether it is
    one: what differs is left out, and its document is read again at the next poll. `known` are the
    documents as they were last seen; one that was never read contradicts nothing.
    """
    if not await _differing(store, read):
        return read
    whole: list[ReadRates] = []
    in_doubt = False
    for (looked, parsed), request in zip(read, requests, strict=True):
        one = (looked, parsed)
        if looked.error is not None:
            in_doubt |= request.url in known and _may_be_back(looked)
        elif parsed is None:
            one = await ask(request)
            in_doubt |= one[0].error is not None
        whole.append(one)
    if not in_doubt:
        return whole
    revising = await _differing(store, whole)
    return [_without(revising, *one) for one in whole]


async def _differing(store: Store, read: Sequence[ReadRates]) -> list[Rate]:
    """The rates that would revise a day; none where all documents were read: those are compared
    with one another as they are.
    """
    rates: list[Rate] = []
    for _, parsed in read:
        if parsed is not None:
            rates += parsed.rates
    if not rates or all(parsed is not None for _, parsed in read):
        return []
    async with store.reading() as db:
        return [rate for _, rate in await storage.rates.differing(db, rates)]


def _may_be_back(looked: Looked) -> bool:
    """Whether a document failed for a while, and not because it is gone or cannot be read."""
    return isinstance(looked.error, FetchError) and looked.error.status not in GONE


def _without(revising: Sequence[Rate], looked: Looked, parsed: Parsed | None) -> ReadRates:
    """A document without the rates that would revise, to be asked for and read again."""
    if parsed is None:
        return looked, parsed
    kept = tuple(rate for rate in parsed.rates if rate not in revising)
    left_out = len(parsed.rates) - len(kept)
    if not left_out:
        return looked, parsed
    log.warning("revision waits", source=parsed.rates[0].source, rates=left_out)
    seen = looked.seen and replace(looked.seen, etag=None, last_modified=None, digest=None)
    return replace(looked, seen=seen), replace(parsed, rates=kept)
