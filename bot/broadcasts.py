"""The progress of broadcasts, written into the message in which their operator confirmed them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import storage.broadcasts
import storage.chats
from bot.clock import boottime
from bot.model.broadcasts import Progress, Step, StoredBroadcast
from bot.render.broadcasts import progress
from bot.render.wire import to_api
from bot.telegram.api import BotApi
from bot.telegram.outcomes import is_final
from bot.telegram.retry import QUESTION, taken
from storage.db import Store

#: Deliveries for which a second passes between two looks at a broadcast: each look counts all of
#: them. Half a million took SQLite 0.2 to 0.3 s in memory, 1.2 s beside twenty busy processes.
COUNTED_A_SECOND = 10_000
LONGEST_PAUSE = 60.0  # seconds

#: When this process looks at a broadcast next, by its number.
Looks = dict[int, float]


async def show_progress(
    store: Store, api: BotApi, turn: Callable[[int], Awaitable[float]], looks: Looks
) -> bool:
    """Bring the progress of each broadcast under way up to date; one that is over is closed.
    Whether there was any.

    Those with many readers are looked at less often, by `looks`.
    """
    async with store.reading() as db:
        found = await storage.broadcasts.sending(db)
    for over in looks.keys() - {sent.id for sent in found}:
        del looks[over]
    for sent in found:
        # one that nothing was written of, or that was stopped, is waited for
        if sent.shown is None or boottime() >= looks.get(sent.id, 0.0):
            await _show_one(store, api, turn, sent, looks)
    return bool(found)


def pause(reach: int) -> float:
    """Seconds between two looks at a broadcast to so many chats."""
    return min(reach / COUNTED_A_SECOND, LONGEST_PAUSE)


async def _show_one(
    store: Store,
    api: BotApi,
    turn: Callable[[int], Awaitable[float]],
    sent: StoredBroadcast,
    looks: Looks,
) -> None:
    async with store.reading() as db:
        chat = await storage.chats.get(db, sent.chat)
        so_far = None if sent.alert is None else await storage.broadcasts.progress(db, sent.alert)
    if so_far is None or chat is None:
        return
    # what was stopped ends with what is on its way
    looks[sent.id] = boottime() + (0.0 if so_far.stopped else pause(sent.reach))
    if so_far.open and so_far.settled == sent.shown:
        return
    if sent.message is not None:
        if await turn(sent.chat):  # the operator's chat is to be left alone: at a later look
            return
        body = to_api(progress(sent, so_far, chat.language))
        outcome = await taken(
            api,
            "editMessageText",
            policy=QUESTION,
            chat_id=sent.chat,
            message_id=sent.message,
            **body,
        )
        if not is_final(outcome):  # again at the next look
            return
    await _note(store, sent, so_far)


async def _note(store: Store, sent: StoredBroadcast, so_far: Progress) -> None:
    async with store.writing() as db:
        await storage.broadcasts.note_shown(db, sent.id, so_far.settled)
        if not so_far.open:
            await storage.broadcasts.change(db, sent.id, Step.DONE)
