"""Reactions: what an outcome means for its delivery, for its chat, and for the token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from cachetools import FIFOCache

import storage.alerts
import storage.chats
import storage.deliveries
import storage.pace
import storage.supergroups
from bot import metrics
from bot.alerts import notices
from bot.alerts.notices import Notice, OnTrouble
from bot.clock import boottime
from bot.deliver.flights import DOUBTS, SILENT, UNANSWERED
from bot.deliver.marks import Marks, again, doubted, ended
from bot.deliver.reach import Reach
from bot.deliver.signals import Signals
from bot.deliver.troubles import Floods, Refusals
from bot.errors import ConfigError
from bot.log import telling, verbose
from bot.model.alerts import Lane, State
from bot.reasons import ChatNumber, Reason, Term
from bot.telegram.api import Api
from bot.telegram.outcomes import (
    LABELS,
    Ambiguous,
    Gone,
    Migrated,
    Outcome,
    Rejected,
    Retry,
    Sent,
    label,
)
from bot.telegram.quiet import Quiet
from bot.telegram.retry import CONTRADICTED, DELIVERY, MISPLACED, ONE_FOR_ALL, SAME_AGAIN
from bot.telegram.standing import standing
from storage.claims import Claimed
from storage.db import Store, db_now
from storage.deliveries import Mark

log = structlog.get_logger(__name__)

MISPLACED_KEPT = 1000  # deliveries that are tried once more in the topic that was refused
ASKING = 4.0  # seconds until a question that hangs is an answer
#: What each lane is called where deliveries are counted, by its number.
_LANES = [lane.name.lower() for lane in Lane]


@dataclass(slots=True, kw_only=True)
class Reactions:
    """The consequences of outcomes: marks, retries, pauses, closed chats, a notice to operators.

    `give_back` lets others have what was claimed and not begun, `on_trouble` tells the operators.
    """

    store: Store
    api: Api
    token_name: str
    reach: Reach
    marks: Marks
    refusals: Refusals
    signals: Signals
    give_back: Callable[[], Awaitable[None]]
    on_trouble: OnTrouble
    quiet: Quiet
    # the kind of an alert, and how many seconds ago it was published
    age: Callable[[int], tuple[str, float] | None] = lambda _alert: None
    # the number of the update that an alert answers
    update_of: Callable[[int], int | None] = lambda _alert: None
    _floods: Floods = field(default_factory=Floods)
    # refusals in a row of chats that may be written to
    _contradicted: dict[int, int] = field(default_factory=dict)
    # delivery → the topic that was refused for it
    _misplaced: FIFOCache[int, int] = field(default_factory=lambda: FIFOCache(MISPLACED_KEPT))

    def __post_init__(self) -> None:
        metrics.SENT.expect(_LANES, LABELS)

    async def settle(self, item: Claimed, outcome: Outcome, *, harmless: bool) -> None:
        """Turn an outcome into a mark, and into what else follows; `harmless` may be done twice."""
        metrics.SENT.add(_LANES[item.lane], label(outcome))
        # what was asked is followed to its last answer at any level
        if (update := self.update_of(item.alert)) is not None:
            with telling(update_id=update):
                log.info("sent", outcome=type(outcome).__name__)
                await self._settle(item, outcome, harmless=harmless)
            return
        # asked first: of a thousand deliveries a second a line that nobody reads would cost too
        if verbose():
            log.debug("sent", outcome=type(outcome).__name__)
        await self._settle(item, outcome, harmless=harmless)

    async def _settle(self, item: Claimed, outcome: Outcome, *, harmless: bool) -> None:
        if isinstance(outcome, Sent):
            self._sent(item, outcome)
        elif isinstance(outcome, Retry):
            await self._later(item, outcome)
        elif isinstance(outcome, Ambiguous):
            await self._doubted(item, outcome, harmless=harmless)
        elif isinstance(outcome, Migrated):
            async with self.store.writing() as db:
                await storage.supergroups.migrate(db, item.chat, outcome.chat)
            # at once, but a chat that is sent on and on must not keep us busy
            wait = DELIVERY.pause(item.tries) if item.tries else 0.0
            self.marks.add(again(item, wait, None))
        elif isinstance(outcome, Gone):
            await self._close(item, outcome)
        else:
            await self._refused(item, outcome)

    def _sent(self, item: Claimed, outcome: Sent) -> None:
        if (aged := self.age(item.alert)) is not None:
            kind, seconds = aged
            metrics.TOLD_AFTER.observe(seconds, kind)
        self._floods.sent()
        # others wait for this sign that messages are taken again
        if self.refusals.sent():
            self.signals.claim.set()
        if self._contradicted:
            self._contradicted.pop(item.chat, None)
        self.marks.add(Mark(item.id, item.fence, State.SENT, outcome.message_id))

    async def _doubted(self, item: Claimed, outcome: Ambiguous, *, harmless: bool) -> None:
        """Send again what may have arrived, as often as its lane allows."""
        doubts = item.doubts + (not harmless)
        given_up = outcome.why in {SILENT, UNANSWERED}
        if doubts > DOUBTS[item.lane]:
            why = doubted(outcome.why)
            self.marks.add(ended(item, why))
            if item.lane is not Lane.ROUTINE:
                await self._refused_for(item, why)
        elif given_up:  # not this delivery's fault
            self.marks.add(again(item, 0.0, outcome.why, doubts=doubts, counted=False))
        else:
            wait = DELIVERY.pause(0 if self.reach.away else item.tries)
            self.marks.add(again(item, wait, outcome.why, doubts=doubts))
        if outcome.why == SILENT:
            return
        # after the doubt is noted: the lease goes on meanwhile
        if not given_up and await self.reach.lost():
            return
        await self._unanswered()

    async def takes_messages(self, item: Claimed) -> bool:
        """Whether Telegram answers about a delivery's chat, where the last message got no answer.

        Asked by a "typing…", which may be done twice, so that no copy is risked on a wall. If it
        does not, the delivery waits.
        """
        asked = boottime()
        try:
            async with asyncio.timeout(ASKING):
                outcome = await self.api.call("sendChatAction", chat_id=item.chat, action="typing")
        except TimeoutError:
            outcome = Ambiguous(UNANSWERED)
        if not isinstance(outcome, (Ambiguous, Retry)):
            return True
        if isinstance(outcome, Retry) and outcome.flood:  # an answer, and a wait to be kept
            await self._later(item, outcome)
            return False
        # a question that hung took longer than the pause before the next: Telegram may be back
        waited = boottime() - asked
        self.marks.add(again(item, max(SAME_AGAIN.base - waited, 0.0), outcome.why, counted=False))
        if not await self.reach.lost():
            await self._unanswered(waited)
        return False

    async def _unanswered(self, waited: float = 0.0) -> None:
        self.refusals.refused(boottime(), silent=True)
        if self.refusals.down:
            await self._let_one_ask(max(ONE_FOR_ALL.base - waited, 0.0))

    async def _later(self, item: Claimed, outcome: Retry) -> None:
        if not outcome.flood:
            await self._later_for_all(item, outcome)
            return
        wait = DELIVERY.pause(item.tries, outcome)
        self.marks.add(again(item, wait, outcome.why))
        self._floods.refused(item.chat, boottime() + wait)
        self.quiet.keep(item.chat, wait)
        async with self.store.writing() as db:
            await storage.chats.pause(db, item.chat, timedelta(seconds=wait))
        if self._floods.for_all:
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        log.warning("telegram refuses everything", pause=seconds)
        with self.quiet.keeping_all(seconds):  # answers ask no database for it
            async with self.store.writing() as db:
                await storage.pace.pause_token(db, self.token_name, timedelta(seconds=seconds))
        await self.give_back()

    async def _later_for_all(self, item: Claimed, outcome: Retry) -> None:
        """Nothing was sent, and nothing said of this chat: is it this message, or everything?

        A delivery's own tries and pauses grow only when others were sent since the last trouble.
        """
        if await self.reach.lost():
            self.marks.add(again(item, 0.0, outcome.why, counted=False))
            return
        alone = self.refusals.refused(boottime())
        if not self.refusals.down:
            wait = DELIVERY.pause(item.tries if alone else 0, outcome)
            self.marks.add(again(item, wait, outcome.why, counted=alone))
            return
        self.marks.add(again(item, SAME_AGAIN.base, outcome.why, counted=False))
        await self._let_one_ask()

    async def _let_one_ask(self, seconds: float = ONE_FOR_ALL.base) -> None:
        """Send nothing for a while, then one delivery, for all."""
        if not self.refusals.sleep(boottime(), seconds):
            return
        log.warning("telegram takes no message", again_in=seconds)
        rest = timedelta(seconds=seconds)
        async with self.store.writing() as db:
            await storage.pace.hold_token(db, self.token_name, rest)
        await self.give_back()

    async def _close(self, item: Claimed, outcome: Gone) -> None:
        """Give a chat up, unless Telegram says when asked that the bot may write to it."""
        times = self._contradicted.get(item.chat, 0)
        if not CONTRADICTED.spent(times) and not isinstance(
            await standing(self.api, item.chat, self._bot_id), Gone
        ):
            self._contradicted[item.chat] = times + 1
            wait, why = CONTRADICTED.pause(times), outcome.why
            log.warning(
                "a chat refuses though the bot may write to it", why=str(why), again_in=wait
            )
            self.marks.add(again(item, wait, why))
            return
        self._contradicted.pop(item.chat, None)
        async with self.store.writing() as db:
            # by itself: closing a chat ends what waits for it, and this one is leased
            await storage.deliveries.finish(db, [ended(item, outcome.why)])
            await storage.chats.close(db, item.chat, why=outcome.why)
            await notices.lost(db, item.chat, outcome.why, now=await db_now(db))
        # who blocks the bot in private is no operator's affair
        if item.chat < 0:
            await self.on_trouble(
                Notice.of("notice.gone", {"chat": ChatNumber(item.chat)}), outcome.why
            )

    async def _misplace(self, item: Claimed, thread: int, outcome: Rejected) -> None:
        """Send a delivery to its forum topic once more, and to General when that is refused too."""
        wait = 0.0
        if self._misplaced.pop(item.id, None) == thread:
            await self._leave_thread(item, thread)
        else:  # one refusal may be a mistake, and the group would hear that its topic is gone
            self._misplaced[item.id] = thread
            wait = MISPLACED.pause(0)
        self.marks.add(again(item, wait, outcome.why))

    async def _leave_thread(self, item: Claimed, thread: int) -> None:
        """Let what went to a forum topic go to General; say so there, once, and to the operators.

        Whoever runs the group reads it there, also one who has no chat with us or no name.
        """
        async with self.store.writing() as db:
            left = await storage.chats.leave_thread(db, item.chat, thread)
            if left:
                posts = tuple(Term(f"post.{post}") for post in left)
                told = Notice.of("notice.thread_gone", posts=posts)
                word = notices.alert(item.chat, told, now=await db_now(db))
                await storage.alerts.enqueue(db, word)
        if left:
            await self.on_trouble(Notice.of("notice.topic", {"chat": ChatNumber(item.chat)}))

    @property
    def _bot_id(self) -> int | None:
        if not self.token_name.isdigit():
            return None
        return int(self.token_name)

    async def _refused(self, item: Claimed, outcome: Rejected) -> None:
        # first of all given back: with the right token it is sent after the next start
        if outcome.token:
            self.marks.add(again(item, 0.0, outcome.why))
            raise ConfigError("BOT_TOKEN: Telegram does not know it; was it revoked?")
        if outcome.thread and item.thread is not None:
            await self._misplace(item, item.thread, outcome)
        elif _may_do_plain(item, outcome) and not item.plain:
            self.marks.add(again(item, 0.0, outcome.why, plain=True))
        elif outcome.unneeded:
            self.marks.add(ended(item, outcome.why, State.CANCELLED))
        else:
            self.marks.add(ended(item, outcome.why))
            await self._refused_for(item, outcome.why)

    async def _refused_for(self, item: Claimed, why: Reason) -> None:
        """Tell the operators of a delivery that is over: each reason is another fault of ours."""
        await self.on_trouble(Notice.of("notice.rejected", {"why": why}, alert=item.alert))


def _may_do_plain(item: Claimed, outcome: Rejected) -> bool:
    """Whether words without anything around them may be taken where this was refused.

    A server that knows no rich messages finds no words in one; those that it has may do.
    """
    return outcome.plain or outcome.thread or (item.tables and not outcome.unneeded)
