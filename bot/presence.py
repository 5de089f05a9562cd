"""The bot's presence at Telegram: its menus and descriptions, its channels, a daily look around.

The channels are the catalog's; the look is at the chats that were given up.
Each call is made until Telegram has taken it: one that fails at the start must not be missing until
the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

import storage.chats
import storage.marks
from bot.config import Settings
from bot.errors import StorageError
from bot.languages import LANGUAGES
from bot.model.chats import Chat, ChatKind
from bot.model.subjects import DigestSubject, PairSubject, TopicSubject
from bot.render.help import command_descriptions
from bot.render.welcome import description
from bot.sources.specs import Catalog, ChannelSpec
from bot.telegram.api import BotApi
from bot.telegram.outcomes import Sent
from bot.telegram.retry import taken
from bot.telegram.standing import standing
from handlers import MENUS
from storage.db import Store

log = structlog.get_logger(__name__)

CHANNEL_LOOK = 300.0  # seconds between looks at a channel of the catalog that cannot be written to
LOOK_MARK = "standing looked at"  # the mark of the last look at what was given up
LOOK_EVERY = timedelta(days=1)
QUESTION_PAUSE = 1.0  # seconds between questions about what was given up


async def introduce(api: BotApi, language: str) -> None:
    """Command menus and description in every language; others read those of `language`."""
    for scope, names in MENUS.items():
        for code in ("", *LANGUAGES):  # no code: for every language that has no menu of its own
            menu: list[dict[str, str]] = []
            for name, words in command_descriptions(names, code or language):
                menu.append({"command": name, "description": words})
            await taken(
                api,
                "setMyCommands",
                commands=menu,
                scope={"type": scope},
                language_code=code or None,
            )
    for code in (*LANGUAGES, ""):
        await _describe(api, code, language)


async def _describe(api: BotApi, code: str, language: str) -> None:
    """What an empty chat shows before Start; where an operator's own words stand, they stay."""
    outcome = await taken(api, "getMyDescription", language_code=code or None)
    match outcome:
        case Sent(result=dict(shown)) if not shown.get("description"):
            await taken(
                api,
                "setMyDescription",
                description=description(code or language),
                language_code=code or None,
            )


class Channels:
    """The catalog's channels: each is subscribed to what it says, once it can be written to."""

    def __init__(
        self,
        store: Store,
        api: BotApi,
        catalog: Catalog,
        settings: Settings,
        clock: Callable[[], datetime],
        on_trouble: Callable[[str, dict[str, str]], Awaitable[None]],
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
        if not isinstance(outcome, Sent) or not isinstance(outcome.result, dict):
            log.warning("channel not reachable: is the bot its administrator?", channel=spec.key)
            return False
        chat_id = int(outcome.result["id"])
        why = await standing(self._api, chat_id, bot_id_of(self._settings))
        if why is not None:
            log.warning("channel cannot be posted to", channel=spec.key, why=why.why)
            await self._on_trouble("notice.gone", {"chat": str(chat_id), "why": why.why})
            return False
        settings, now = self._settings, self._clock()
        chat = Chat(
            id=chat_id,
            kind=ChatKind.CHANNEL,
            title=str(outcome.result.get("title", "")),
            language=spec.language or settings.default_language,
            time_zone=settings.time_zone,
            home=settings.home_currency,
            style=spec.style,
        )
        keys = [str(TopicSubject(topic)) for topic in spec.topics]
        keys += [str(PairSubject(pair)) for pair in spec.pairs]
        keys += [str(DigestSubject(at, settings.time_zone)) for at in spec.digest]
        async with self._store.writing() as db:
            await storage.chats.add(db, chat, now=now)
            # one that is there already, by an earlier catalog, is left alone by `add`
            await storage.chats.change(
                db, chat.id, language=chat.language, style=chat.style.value, title=chat.title
            )
            await storage.chats.activate(db, chat.id)
            await storage.chats.replace_subscriptions(db, chat.id, keys, now=now)
        return True


async def look_again(
    store: Store,
    api: BotApi,
    bot_id: int,
    clock: Callable[[], datetime],
    pause: Callable[[float], Awaitable[None]],
) -> int:
    """Ask about groups and channels given up, once a day for all replicas; how many are back."""
    back = 0
    try:
        closed = await _due_for_a_look(store, clock())
        for chat_id in closed:
            # what nobody answers is no sign of being welcome
            outcome = await api.call("getChat", chat_id=chat_id)
            if isinstance(outcome, Sent) and await standing(api, chat_id, bot_id) is None:
                async with store.writing() as db:
                    back += await storage.chats.revive(db, chat_id)
            await pause(QUESTION_PAUSE)
        if closed:
            log.info("looked at what was given up", chats=len(closed), back=back)
    except StorageError as error:
        log.warning("the look at what was given up waits for the database", error=str(error))
    return back


async def _due_for_a_look(store: Store, now: datetime) -> list[int]:
    """The chats to ask about; none when a replica has done it within the last day."""
    async with store.writing() as db:
        last = await storage.marks.get(db, LOOK_MARK)
        if last is not None and now < datetime.fromisoformat(last) + LOOK_EVERY:
            return []
        await storage.marks.put(db, LOOK_MARK, now.isoformat())
        return list(await storage.chats.closed_by_telegram(db))


def bot_id_of(settings: Settings) -> int:
    """The bot's own id, which its token begins with."""
    return int(settings.token.partition(":")[0])
