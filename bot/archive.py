"""The index of the archive's words: what is new in the store is put into it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import storage.search
from bot.detect.search import INDEXED, measured_words, tokens_of
from storage.db import Store

AT_A_TIME = 3  # entries between two looks at what else waits for the loop


async def index(store: Store, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Index all that is not yet, piece by piece, the newest first; how many entries that were."""
    count = 0
    while not stopping():
        async with store.reading() as db:
            waiting = await storage.search.unindexed(db)
        if not waiting:
            break
        tokens: dict[storage.search.Unindexed, list[str]] = {}
        for one in waiting:
            text = f"{one.title}\n{one.summary}\n{one.content}"[:INDEXED]
            found = tokens_of(text, one.language)
            for code, said in measured_words(one.content).items():
                found += tokens_of(said, code)
            tokens[one] = list(dict.fromkeys(found))
            if len(tokens) % AT_A_TIME == 0:
                await asyncio.sleep(0)
        async with store.writing() as db:
            count += await storage.search.put(db, tokens)
    return count
