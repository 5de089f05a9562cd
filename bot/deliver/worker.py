"""The worker: takes deliveries that may go now, sends them at their slots, and marks them.

One task claims ahead (`claims`), one lets out whoever's turn it is (`slots`), each sender reacts to
the outcome (`reactions`), and one writes down many marks at once (`marks`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import structlog

import storage.pace
from bot.alerts.notices import Notice, OnTrouble
from bot.clock import boottime
from bot.deliver.claims import LEASE_MARGIN, Claims
from bot.deliver.compose import HARMLESS, Composer, Request
from bot.deliver.editor import ChannelEditor
from bot.deliver.flights import Flights
from bot.deliver.limits import TICK, ChatPaces
from bot.deliver.marks import NOTHING_TO_SAY, Marks, again, ended
from bot.deliver.pictures import NotDrawnError, Upload
from bot.deliver.reach import Reach
from bot.deliver.reactions import Reactions
from bot.deliver.replies import Replies, Rest
from bot.deliver.signals import Signals
from bot.deliver.slots import Ready, Slots
from bot.deliver.troubles import Refusals
from bot.deliver.unread import UnreadAlerts
from bot.deliver.upkeep import Upkeep
from bot.errors import NewerError, StorageError
from bot.log import telling
from bot.model.alerts import State
from bot.model.chats import ChatKind
from bot.reasons import reason
from bot.telegram.api import Api
from bot.telegram.line import chat_body
from bot.telegram.quiet import Quiet
from storage.claims import Claimed
from storage.db import Store
from storage.deliveries import unbegun
from storage.due import UNREAD

log = structlog.get_logger(__name__)

# seconds until the worker's requests without an answer are given up, within their leases
REQUEST = 10.0
IN_FLIGHT = 64  # requests at once; those on a dead connection are counted apart
DRAWING = 1.0  # seconds until a delivery looks again whether its picture is drawn
NEWER_PAUSE = 30.0  # seconds that an alert is left for a replica which can read it


@dataclass(slots=True)
class Worker:
    """Sends the outbox. `on_trouble` tells the operators; the `editor` knows what channels'
    policies ask, `unread` which alerts this program does not read.

    `others` make requests of their own; those that hang through an outage are given up at its end.
    `quiet` tells them which chats Telegram wants left alone.
    """

    store: Store
    api: Api
    composer: Composer
    editor: ChannelEditor
    unread: UnreadAlerts
    token_name: str
    holder: str  # this process among the replicas
    rate: float
    on_trouble: OnTrouble
    others: tuple[Api, ...] = ()
    quiet: Quiet = field(default_factory=Quiet)
    reach: Reach = field(init=False)
    slots: Slots = field(init=False)
    marks: Marks = field(init=False)
    chats: ChatPaces = field(init=False)
    _signals: Signals = field(default_factory=Signals)
    _flights: Flights = field(init=False)
    _replies: Replies = field(init=False)
    _upkeep: Upkeep = field(init=False)
    _claims: Claims = field(init=False)
    _reactions: Reactions = field(init=False)
    _senders: set[asyncio.Task[None]] = field(default_factory=set)
    _under_way: set[int] = field(default_factory=set)  # deliveries, until their marks are made
    _fatal: BaseException | None = None

    def __post_init__(self) -> None:
        """Put the stages together."""
        self.reach = Reach(self.store, self.api, self.token_name, self.holder, self._returned)
        self._flights = Flights(self.reach, self._signals)
        self.slots = Slots(
            self.rate,
            by_row=not self.store.alone,
            has_room=self._has_room,
            is_away=lambda: self.reach.away,
        )
        self.marks = Marks(self.store, self._signals)
        self.chats = ChatPaces()
        self._replies = Replies(self.store, self.slots, self.chats, self.marks, self._signals)
        self._upkeep = Upkeep(self.store, self.marks, self._in_hand, self.unread, self.editor)
        refusals = Refusals()
        self._claims = Claims(
            store=self.store,
            slots=self.slots,
            upkeep=self._upkeep,
            refusals=refusals,
            reach=self.reach,
            signals=self._signals,
            quiet=self.quiet,
            unread=self.unread,
            token_name=self.token_name,
            rate=self.rate,
            is_sending=lambda: bool(self._senders),
        )
        self._reactions = Reactions(
            store=self.store,
            api=self.api,
            token_name=self.token_name,
            reach=self.reach,
            marks=self.marks,
            refusals=refusals,
            signals=self._signals,
            give_back=self._claims.give_back,
            on_trouble=self.on_trouble,
            quiet=self.quiet,
            age=self.composer.age,
            update_of=self.composer.update_of,
        )

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._upkeep.fan_out_soon()
        self._claims.look_now()

    def tidy_soon(self) -> None:
        """Quiet hours ended before anybody looked: what they held is to be told at once."""
        self._upkeep.tidy_soon()
        self._claims.look_now()

    async def turn(self, chat: int, rest: Rest = asyncio.sleep) -> float:
        """Wait until a chat may get an answer, by its own pace and the token's; it counts then.

        Returns 0, or how many seconds it would be where they are too many to wait. What its own
        pace asks for is waited by `rest`.
        """
        return await self._replies.turn(chat, rest)

    def stop(self) -> None:
        """Take no more; finish what is in flight; give back the rest."""
        self._signals.end()

    async def run(self) -> None:
        """Send until `stop`; a lost token or an unexpected error ends it loudly.

        What is in flight ends first.
        """
        self.slots.start()
        marker = asyncio.create_task(self.marks.keep_writing(), name="mark deliveries")
        stopped = asyncio.create_task(self._signals.stop.wait(), name="stop")
        tasks = [
            asyncio.create_task(self._claims.keep_claiming(), name="claim deliveries"),
            asyncio.create_task(self._keep_feeding(), name="feed senders"),
        ]
        try:
            await asyncio.wait([stopped, marker, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stop()
            self.slots.close()
            # what is in flight gets its answer: nothing was begun that outlives its lease
            await asyncio.wait([*tasks, *self._senders], timeout=LEASE_MARGIN)
            for task in (stopped, marker, *tasks, *self._senders):
                task.cancel()
            self._flights.close()
            results = await asyncio.gather(marker, *tasks, return_exceptions=True)
            await self.reach.close()
            await self._leave_tidy()
        for error in (self._fatal, *results):
            if error is not None and not isinstance(error, asyncio.CancelledError):
                raise error

    async def _leave_tidy(self) -> None:
        try:
            await self._claims.give_back()
            await self.marks.write()
        except StorageError as away:  # then the leases end by their time; what ended us comes out
            log.warning("outbox unreachable", error=str(away))

    # ── whose turn it is ────────────────────────────────────────────────────

    async def _keep_feeding(self) -> None:
        """Let out each reply whose turn it is, and start a sender for each delivery with room."""
        slots = self.slots
        while not self._signals.stopping:
            now = boottime()
            # too late for its lease, or nobody to send it to
            if slots.queue and (self.reach.away or now > slots.queue[0].until):
                await self._claims.give_back()
                continue
            self._flights.look(now)
            slots.answer(now)
            if not slots.queue and not slots.replies:
                self._signals.claim.set()
            if (wait := slots.next_in(boottime())) > 0:
                await self._nap(wait)
            elif (one := self._take()) is not None:
                task = asyncio.create_task(self._send(one))
                self._senders.add(task)
                task.add_done_callback(self._sent)

    async def _nap(self, seconds: float) -> None:
        """Sleep so long, or until there is news."""
        news = self._signals.feed
        news.clear()
        timer = asyncio.get_running_loop().call_later(seconds, news.set)
        await news.wait()
        timer.cancel()

    def _in_hand(self) -> set[int]:
        """The deliveries that nobody else may take, whatever becomes of their leases."""
        return {one.item.id for one in self.slots.queue} | self._under_way | self.marks.unwritten

    def _has_room(self) -> bool:
        """Whether one more may be in flight, beside those that wait on a dead connection."""
        return len(self._senders) - self._flights.dead < IN_FLIGHT

    def _take(self) -> Ready | None:
        """The next delivery, if it may go now; replies whose turn it is leave before it."""
        slots = self.slots
        while slots.queue and not self._signals.stopping and not self.reach.away:
            now = boottime()
            slots.answer(now)
            if now > slots.queue[0].until or slots.delivery_in(now) > 0:
                return None
            one = slots.take()
            if not self._claims.enough():
                self._signals.claim.set()
            if now >= one.expires:
                self.marks.add(ended(one.item, None, State.EXPIRED))
            elif one.item.alert in self.unread.alerts:  # claimed before we knew; its slot stays
                self.marks.add(again(one.item, NEWER_PAUSE, UNREAD, counted=False))
            elif (wait := self._full_for(one.item, now)) > 0:
                self.marks.add(again(one.item, wait, None, counted=False))
            else:
                slots.leave(now)
                if one.item.kind is not ChatKind.PRIVATE and self.chats.knows(one.item.chat):
                    self.chats.take(one.item.chat, now)
                self._under_way.add(one.item.id)
                return one
        return None

    def _full_for(self, item: Claimed, now: float) -> float:
        """Seconds until its group has room again; replies may have filled it after the claim."""
        if item.kind is ChatKind.PRIVATE:
            return 0.0
        return self.chats.wait(item.chat, now, storage.pace.GROUP_BURST.total_seconds())

    # ── send ────────────────────────────────────────────────────────────────

    async def _send(self, one: Ready | None) -> None:
        """Deliver, and go on with what is due by then: a burst of answers becomes one of sends."""
        sender = cast("asyncio.Task[Any]", asyncio.current_task())
        while one is not None:
            try:
                with telling(alert=one.item.alert, delivery=one.item.id):
                    await self._deliver(one.item, one.until, sender)
            except StorageError as error:  # an unmarked delivery is taken again when its lease ends
                log.warning("outbox unreachable", error=str(error))
            finally:
                self._under_way.discard(one.item.id)
            one = self._take()

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._senders.discard(task)
        self._signals.feed.set()
        if self._reactions.refusals.down:
            self._signals.claim.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fatal = error
            self.stop()

    async def _deliver(self, item: Claimed, until: float, sender: asyncio.Task[Any]) -> None:
        """One delivery, start to mark, or back when its lease ends first."""
        refusals = self._reactions.refusals
        # what has been doubted, or asks for all, is not risked while messages get no answer
        risky = refusals.unanswered and (item.doubts > 0 or refusals.down)
        if risky and not await self._reactions.takes_messages(item):
            return
        begun = boottime()
        message = await self._compose(item)
        if message is None:
            return
        now = boottime()
        # the words took so long that the request could outlive the lease
        if now > until:
            self.marks.add(unbegun(item))
            return
        if now - begun > TICK:
            self.slots.leave_late(now)
        if isinstance(message, Upload):
            await self._upload(item, message, sender)
            return
        method, rest = message
        request = self.api.post(method, chat_body(item.chat, rest))
        outcome = await self._flights.fly(item, request, sender)
        await self._reactions.settle(item, outcome, harmless=method in HARMLESS)

    async def _upload(self, item: Claimed, message: Upload, sender: asyncio.Task[Any]) -> None:
        """One delivery with a picture that Telegram has not yet."""
        parameters = {"chat_id": item.chat, **message.parameters}
        request = self.api.upload(
            message.method, parameters, field="photo", content=message.content
        )
        outcome = await self._flights.fly(item, request, sender)
        self.composer.pictures.keep(message.picture, outcome)
        await self._reactions.settle(item, outcome, harmless=False)

    async def _compose(self, item: Claimed) -> Request | Upload | None:
        """The request of a delivery; None when there is none, which is marked then.

        A failure of rendering is its alone.
        """
        try:
            message = await self.composer.compose(item)
        except StorageError:
            self.marks.add(again(item, 1.0, None, counted=False))
            return None
        except NotDrawnError:  # others go meanwhile
            self.marks.add(again(item, DRAWING, None, counted=False))
            return None
        except NewerError as newer:  # a replica of its version sends it, or we after an upgrade
            self.marks.add(again(item, NEWER_PAUSE, UNREAD, counted=False))
            self.unread.alerts[item.alert] = newer.reason
            await self.unread.tell()
            return None
        except Exception as error:  # one bad alert must not delay the others
            log.exception("alert cannot be rendered")
            name = type(error).__name__
            why = reason("delivery.unrendered", "cannot be rendered: {error}", error=name)
            self.marks.add(ended(item, why))
            await self.on_trouble(Notice.of("notice.rejected", {"why": why}, alert=item.alert))
            return None
        if message is None:
            self.marks.add(ended(item, NOTHING_TO_SAY, State.CANCELLED))
        return message

    def _returned(self, lost_since: float) -> None:
        """Telegram is back: those who waited for an answer from before get none any more."""
        now = boottime()
        self._flights.returned(now, lost_since)
        for api in self.others:
            api.abandon(now - lost_since)
        self.wake()
