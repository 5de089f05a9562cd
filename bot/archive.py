"""The index of the archive's words: what is new in the store is put into it.

What was indexed by an earlier folding of words is put into it once more where it has other words by
this one. A note has the folding, and the newest entry that was not looked at for it yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import storage.notes
import storage.search
from bot.detect.search import FOLDING, INDEXED, is_folded_anew, measured_words, tokens_of
from storage.db import Store
from storage.search import Unindexed

AT_A_TIME = 3  # entries between two looks at what else waits for the loop
LOOKED_AT = 20  # that are only looked at
PIECES_AT_ONCE = 50  # that are looked at between two notes of how far that is


async def index(store: Store, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Index all that is not yet, piece by piece, the newest first, and then what an earlier folding
    left; how many entries that were.
    """
    count = 0
    left = await _begun(store)
    while not stopping():
        async with store.reading() as db:
            waiting = await storage.search.unindexed(db)
        if waiting:
            count += await _put(store, waiting)
        elif left:
            left = await _look_back(store, left, stopping)
        else:
            break
    return count


async def _put(store: Store, waiting: Sequence[Unindexed]) -> int:
    tokens: dict[Unindexed, list[str]] = {}
    for one in waiting:
        found = tokens_of(_text(one), one.language)
        for code, said in measured_words(one.content).items():
            found += tokens_of(said, code)
        tokens[one] = list(dict.fromkeys(found))
        if len(tokens) % AT_A_TIME == 0:
            await asyncio.sleep(0)
    async with store.writing() as db:
        return await storage.search.put(db, tokens)


def _text(one: Unindexed) -> str:
    return f"{one.title}\n{one.summary}\n{one.content}"[:INDEXED]


async def _begun(store: Store) -> int:
    """The newest entry that an earlier folding may have left as it was; 0 where there is none.

    A newer program's note stays: beside it nothing is indexed back and forth.
    """
    async with store.reading() as db:
        folding, left = _read(await storage.notes.get(db, storage.notes.FOLDING))
    if folding > FOLDING:
        return 0
    if folding < FOLDING:
        async with store.writing() as db:
            left = await storage.search.newest_indexed(db)
            await storage.notes.put(db, storage.notes.FOLDING, f"{FOLDING} {left}")
    return left


def _read(note: str | None) -> tuple[int, int]:
    folding, left = (note or "0 0").split()
    return int(folding), int(left)


async def _look_back(store: Store, newest: int, stopping: Callable[[], bool]) -> int:
    """Let those of some entries be indexed anew that have other words now, as many as are indexed
    at one time; from which number on there are more, 0 after the last.
    """
    other: list[int] = []
    left = newest
    for _ in range(PIECES_AT_ONCE):
        async with store.reading() as db:
            there = await storage.search.indexed(db, left)
        for seen, one in enumerate(there, start=1):
            if is_folded_anew(_text(one)):
                other.append(one.id)
            if seen % LOOKED_AT == 0:
                await asyncio.sleep(0)
        left = there[-1].id - 1 if there else 0
        if not left or len(other) >= storage.search.INDEXED_AT_ONCE or stopping():
            break
    async with store.writing() as db:
        await storage.search.index_anew(db, other)
        await storage.notes.put(db, storage.notes.FOLDING, f"{FOLDING} {left}")
    return left
