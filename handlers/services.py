"""The program's parts that handlers use, and how often a chat may ask."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cachetools import LRUCache
from telegram import Chat as TelegramChat

import storage.chats
from bot.alerts.notices import Notice, OnTrouble
from bot.clock import pause
from bot.config import Settings
from bot.errors import UserError
from bot.languages import client_language
from bot.model.chats import Chat, ChatKind, Style
from bot.own_feeds import OwnFeeds
from bot.reasons import Reason
from bot.sources.specs import Catalog
from bot.telegram.api import BotApi
from bot.telegram.quiet import Quiet
from bot.workers import Workers
from handlers.cards import Cards
from handlers.drawn import Drawn
from handlers.given import Questions
from handlers.signs import Signs
from storage.db import Store

KNOWN_CHATS = 10_000  # whose rows and paces are kept in memory
BURST = 8  # commands a chat may send at once, then one in so many seconds:
SECONDS_A_COMMAND = 2.0
IN_GROUP = 2  # times as long in a group, where Telegram takes fewer answers
# commands a chat may send at once again, or fewer wait: then it is told again when it hurries
CALM = BURST // 2
SECONDS_A_TAP = SECONDS_A_COMMAND / 2  # a menu is gone through in taps


def no_others(_chat: int) -> int:
    """0: where updates come one by one, none of a chat waits behind another."""
    return 0


def _never() -> bool:
    """False: nobody watches Telegram."""
    return False


async def _untold(_told: Notice, *_why: Reason) -> None:
    """Tell nobody: there is no operator."""


@dataclass(slots=True)
class Services:
    """The parts of the program that handlers use.

    `turn` is awaited before each message to a chat, so that answers keep to Telegram's limits; it
    returns the seconds that are left where they are too many to wait for, else 0;
    `is_away` says whether Telegram answers nothing, not even `getMe`. `wake` is called when there
    is something to send; `on_trouble` tells the operators. `workers`
    draw charts and look up zones: their own process, so that no reader waits behind a slow feed.
    """

    store: Store
    api: BotApi
    workers: Workers
    catalog: Catalog
    clock: Callable[[], datetime]
    turn: Callable[[int], Awaitable[float]]
    wake: Callable[[], None]
    settings: Settings
    own_feeds: OwnFeeds
    chats: LRUCache[int, Chat] = field(default_factory=lambda: LRUCache(KNOWN_CHATS))
    cards: Cards = field(default_factory=Cards)
    buckets: LRUCache[int, tuple[float, bool]] = field(
        default_factory=lambda: LRUCache(KNOWN_CHATS)
    )
    is_away: Callable[[], bool] = _never
    # how many questions of a chat wait here, the one being answered included
    waiting: Callable[[int], int] = no_others
    # waits that are the asker's own affair, and meanwhile hold up nobody else's question
    aside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    rest: Callable[[float], Awaitable[None]] = pause
    on_trouble: OnTrouble = _untold
    quiet: Quiet = field(default_factory=Quiet)
    # when each chat tried to add a feed of its own, and added one by a file, in this hour
    feed_tries: LRUCache[int, list[float]] = field(default_factory=lambda: LRUCache(KNOWN_CHATS))
    feeds_listed: LRUCache[int, list[float]] = field(default_factory=lambda: LRUCache(KNOWN_CHATS))
    drawn: Drawn = field(default_factory=Drawn)
    questions: Questions = field(default_factory=Questions)
    signs: Signs = field(default_factory=Signs)
    # the bare command of each chat that the next words may answer, and until when
    followed_up: LRUCache[int, tuple[str, datetime]] = field(
        default_factory=lambda: LRUCache(KNOWN_CHATS)
    )
    admins: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        """Operators are looked up at each press."""
        self.admins = frozenset(self.settings.admin_ids)

    def language_for(self, chat_id: int, code: str | None) -> str:
        """The language of a chat we know, else the one that its client says it speaks."""
        known = self.chats.get(chat_id)
        if known is not None:
            return known.language
        return client_language(code, self.settings.default_language)

    def allow(self, chat_id: int, cost: float = SECONDS_A_COMMAND) -> bool:
        """Whether a chat may ask now; when not, UserError once, then False until it calms down.

        It may not when it asks too often, or when too many of its questions wait here already.
        """
        now = time.monotonic()
        slower = 1
        if chat_id < 0:  # the number of a group or channel
            slower = IN_GROUP
        # A bucket as one time, `tat`: when the chat will have paid for all it asked (GCRA).
        tat, warned = self.buckets.get(chat_id, (now, False))
        tat, waiting = max(tat, now), self.waiting(chat_id)
        early = max(
            tat - now - (BURST - 1) * SECONDS_A_COMMAND * slower,
            (waiting - BURST) * SECONDS_A_COMMAND,
        )
        if early > 0:
            self.buckets[chat_id] = (tat, True)
            if warned:
                return False
            raise UserError("error.throttled", wait=timedelta(seconds=math.ceil(early)))
        calm = tat - now <= (BURST - CALM) * SECONDS_A_COMMAND * slower and waiting <= CALM
        self.buckets[chat_id] = (tat + cost * slower, warned and not calm)
        return True


async def load_chat(services: Services, origin: TelegramChat, language_code: str | None) -> Chat:
    """The chat as stored; a new one starts in the client's language."""
    known = services.chats.get(origin.id)
    if known is not None:
        return known
    new = new_chat(services, origin, language_code)
    async with services.store.reading() as db:
        stored = await storage.chats.get(db, origin.id)
    if stored is None:
        async with services.store.writing() as db:
            stored = await storage.chats.add(db, new, now=services.clock())
    services.chats[origin.id] = stored
    return stored


def new_chat(services: Services, origin: TelegramChat, language_code: str | None) -> Chat:
    """A chat we meet for the first time, with the settings that we assume for it."""
    # "group" and "supergroup" are one to us, and so is a kind that does not exist yet.
    kinds = {"private": ChatKind.PRIVATE, "channel": ChatKind.CHANNEL}
    kind = kinds.get(origin.type, ChatKind.GROUP)
    return Chat(
        id=origin.id,
        kind=kind,
        title=origin.title or "",
        language=client_language(language_code, services.settings.default_language),
        time_zone=services.settings.time_zone,
        home=services.settings.home_currency,
        style=Style.BRIEF,
        quiet=services.settings.quiet_hours,
    )
