"""How far broadcasts have come, written into the message in which their operator confirmed them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import storage.broadcasts
import storage.chats
from bot.model.broadcasts import Progress, Step, StoredBroadcast
from bot.render.broadcasts import progress
from bot.render.text import to_api
from bot.telegram.api import BotApi
from bot.telegram.outcomes import is_final
from bot.telegram.retry import QUESTION, taken
from storage.db import Store


async def show_progress(store: Store, api: BotApi, turn: Callable[[int], Awaitable[float]]) -> None:
    """Bring the progress of each broadcast under way up to date; one that is over is closed."""
    async with store.reading() as db:
        found = await storage.broadcasts.sending(db)
    for sent in found:
        await _show_one(store, api, turn, sent)


async def _show_one(
    store: Store, api: BotApi, turn: Callable[[int], Awaitable[float]], sent: StoredBroadcast
) -> None:
    async with store.reading() as db:
        chat = await storage.chats.get(db, sent.chat)
        so_far = None if sent.alert is None else await storage.broadcasts.progress(db, sent.alert)
    if so_far is None or chat is None:
        return
    if so_far.open and so_far.settled == sent.shown:
        return
    if sent.message is not None and not await turn(sent.chat):
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
