"""The bot's presence at Telegram: its menus and descriptions, its channels, a daily look around.

The channels are the catalog's; the look is at the chats that were given up.
Each call is made until Telegram has taken it: one that fails at the start must not be missing until
the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog

import storage.boards
import storage.chats
import storage.notes
import storage.supergroups
from bot.alerts.notices import Notice, OnTrouble
from bot.config import Settings
from bot.errors import StorageError
from bot.languages import LANGUAGES
from bot.model.chats import Chat, ChatKind
from bot.model.subjects import DigestSubject, PairSubject, TopicSubject
from bot.reasons import ChatNumber
from bot.render.welcome import description
from bot.sources.specs import Catalog, ChannelSpec
from bot.telegram.api import BotApi
from bot.telegram.outcomes import Gone, Migrated, Outcome, Retry, Sent, is_final, why
from bot.telegram.results import chat_of, description_of
from bot.telegram.retry import INTRODUCTION, QUESTION, UNTIL_TAKEN, Pause, taken
from bot.telegram.standing import standing
from handlers import MENUS, PERSONAL, operator_menus
from handlers.menus import menus
from storage.db import Store

log = structlog.get_logger(__name__)

CHANNEL_LOOK = 300.0  # seconds between looks at a channel of the catalog that cannot be written to
GROUPS = frozenset({"all_group_chats", "all_chat_administrators"})  # menus' scopes
LOOK_EVERY = timedelta(days=1)  # for all replicas together
LOOK_LASTS = timedelta(minutes=50)  # no other replica begins a look; less than a turn of the job
NO_ANSWERS = 3  # questions without an answer in a row: Telegram is away, the others are left open
QUESTION_PAUSE = 1.0  # seconds between questions about what was given up


async def introduce(
    api: BotApi, language: str, admins: Sequence[int] = (), pause: Pause = asyncio.sleep
) -> None:
    """Command menus and description in every language; others read those of `language`.

    The `admins` have menus of their own, where they wrote to the bot before.
    """
    said = partial(taken, api, policy=INTRODUCTION, pause=pause)
    for kind, names in MENUS.items():
        for menu in menus({"type": kind}, names, language, PERSONAL if kind in GROUPS else ()):
            await said("setMyCommands", **menu)
    for code in (*LANGUAGES, ""):
        await _describe(said, code, language)
    for admin in admins:
        for menu in operator_menus(admin, language):
            if not isinstance(await said("setMyCommands", **menu), Sent):
                break  # who never wrote to the bot has no chat for any of them


async def _describe(said: Callable[..., Awaitable[Outcome]], code: str, language: str) -> None:
    """Set the text of an empty chat before Start; an operator's own words stay there."""
    outcome = await said("getMyDescription", language_code=code or None)
    if description_of(outcome) == "":
        words = description(code or language)
        await said("setMyDescription", description=words, language_code=code or None)


class Channels:
    """The catalog's channels: each is subscribed to what it says, once it can be written to."""

    def __init__(
        self,
        store: Store,
        api: BotApi,
        catalog: Catalog,
        settings: Settings,
        clock: Callable[[], datetime],
        on_trouble: OnTrouble,
    ) -> None:
        self._store = store
        self._api = api
        self._missing = [spec for spec in catalog.channels.values() if not spec.disabled]
        self._settings = settings
        self._clock = clock
        self._on_trouble = on_trouble

    async def join(self) -> None:
        """Return when all are joined; those that cannot be written to are tried again."""
        while self._missing:
            with suppress(StorageError):  # whoever watches the store says so
                for spec in list(self._missing):
                    if await self._join(spec):
                        self._missing.remove(spec)
            if self._missing:
                await asyncio.sleep(CHANNEL_LOOK)

    async def _join(self, spec: ChannelSpec) -> bool:
        outcome = await taken(self._api, "getChat", chat_id=spec.chat)
        card = chat_of(outcome)
        if card is None:
            log.warning("channel not reachable: is the bot its administrator?", channel=spec.key)
            return False
        chat_id = card.id
        why = await standing(self._api, chat_id, bot_id_of(self._settings), policy=UNTIL_TAKEN)
        if isinstance(why, Gone):
            log.warning("channel cannot be posted to", channel=spec.key, why=str(why.why))
            await self._on_trouble(Notice.of("notice.gone", {"chat": ChatNumber(chat_id)}), why.why)
            return False
        settings, now = self._settings, self._clock()
        chat = Chat(
            id=chat_id,
            kind=ChatKind.CHANNEL,
            title=card.title,
            language=spec.language or settings.default_language,
            time_zone=settings.time_zone,
            home=settings.home_currency,
            style=spec.style,
            quiet=spec.quiet,
        )
        keys = [str(TopicSubject(topic)) for topic in spec.topics]
        keys += [str(PairSubject(pair)) for pair in spec.pairs]
        keys += [str(DigestSubject(at, settings.time_zone)) for at in spec.digest]
        async with self._store.writing() as db:
            await storage.chats.add(db, chat, now=now)
            # one that is there already, by an earlier catalog, is left alone by `add`
            await storage.chats.change(
                db,
                chat.id,
                language=chat.language,
                style=chat.style.value,
                title=chat.title,
                quiet=None if chat.quiet is None else str(chat.quiet),
                currencies=" ".join(dict.fromkeys(pair.base for pair in spec.pairs)),
            )
            await storage.chats.activate(db, chat.id)
            await storage.chats.replace_subscriptions(db, chat.id, keys, now=now)
            # also without the line: it may have stood there at an earlier start
            ended = await storage.boards.follow_catalog(db, chat.id, wanted=spec.board)
        if ended is not None and ended.message is not None:  # nobody keeps it up to date any more
            await taken(
                self._api,
                "unpinChatMessage",
                policy=QUESTION,
                chat_id=chat.id,
                message_id=ended.message,
            )
        return True


async def look_again(
    store: Store, api: BotApi, bot_id: int, clock: Callable[[], datetime], pause: Pause
) -> int:
    """Ask about groups and channels given up, once a day for all replicas; how many are back.

    A chat that Telegram says nothing about is asked about again at the next turn.
    """
    back, in_a_row = 0, 0
    left: list[int] = []
    try:
        begun = clock()
        due = await _due_for_a_look(store, begun)
        for index, chat_id in enumerate(due):
            if in_a_row >= NO_ANSWERS:
                left += due[index:]
                break
            found, moved_to = await _look_at(api, chat_id, bot_id, pause), None
            if isinstance(found, Migrated):
                moved_to = found.chat
                found = await _look_at(api, moved_to, bot_id, pause)
            if not is_final(found):
                left.append(chat_id)
                # who asks on during a flood is made to wait longer: the rest is left
                told_to_wait = isinstance(found, Retry) and found.flood
                in_a_row += NO_ANSWERS if told_to_wait else 1
                continue
            in_a_row = 0
            back += await _keep_what_was_found(store, chat_id, found, moved_to)
            await pause(QUESTION_PAUSE)
        if due:
            await _note_the_look(store, left, begun)
            log.info("looked at what was given up", chats=len(due), back=back, open=len(left))
    except StorageError as error:
        log.warning("the look at what was given up waits for the database", error=str(error))
    return back


async def _look_at(api: BotApi, chat_id: int, bot_id: int, pause: Pause) -> Outcome:
    """Telegram's answer about a chat given up; only Sent is a sign of being welcome."""
    outcome = await taken(api, "getChat", policy=QUESTION, pause=pause, chat_id=chat_id)
    if not isinstance(outcome, Sent):
        return outcome
    return await standing(api, chat_id, bot_id, policy=QUESTION, pause=pause)


async def _keep_what_was_found(
    store: Store, chat_id: int, found: Outcome, moved_to: int | None
) -> bool:
    """Write to a chat again where that is welcome, under its new number if it has one; whether it
    is back. A group that is not keeps what it chose all the same.
    """
    if moved_to is None and not isinstance(found, Sent):
        return False
    async with store.writing() as db:
        if moved_to is not None:
            await storage.supergroups.migrate(db, chat_id, moved_to)
            chat_id = moved_to
        if isinstance(found, Sent):
            return await storage.chats.revive(db, chat_id)
        await storage.chats.close(db, chat_id, why=why(found))
    return False


async def _due_for_a_look(store: Store, now: datetime) -> list[int]:
    """The chats to ask about: all within a day, those left open at each turn.

    None while a replica asks.
    """
    async with store.writing() as db:
        if _lately(await storage.notes.get(db, storage.notes.LOOK_BEGUN), LOOK_LASTS, now):
            return []
        closed = await storage.chats.closed_by_telegram(db)
        if _lately(await storage.notes.get(db, storage.notes.LOOK_ENDED), LOOK_EVERY, now):
            left = (await storage.notes.get(db, storage.notes.LOOK_UNANSWERED) or "").split()
            closed = [chat_id for chat_id in closed if str(chat_id) in left]
        if closed:
            await storage.notes.put(db, storage.notes.LOOK_BEGUN, now.isoformat())
        return closed


def _lately(noted: str | None, span: timedelta, now: datetime) -> bool:
    """Whether a moment was noted within a span before now; one of the future is left from before
    the clock was set back.
    """
    return noted is not None and timedelta() <= now - datetime.fromisoformat(noted) < span


async def _note_the_look(store: Store, left: Sequence[int], begun: datetime) -> None:
    """The look is over: only now, so that one that was cut off is begun again."""
    async with store.writing() as db:
        last = await storage.notes.get(db, storage.notes.LOOK_ENDED)
        if not _lately(last, LOOK_EVERY, begun):
            await storage.notes.put(db, storage.notes.LOOK_ENDED, begun.isoformat())
        await storage.notes.put(db, storage.notes.LOOK_UNANSWERED, " ".join(map(str, left)))


def bot_id_of(settings: Settings) -> int:
    """The bot's own id, which its token begins with."""
    return int(settings.token_name)
