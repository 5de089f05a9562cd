"""The one way an answer leaves: words, pictures, files and changes of messages alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import structlog

import storage.alerts
import storage.chats
import storage.pace
import storage.supergroups
from bot.alerts.answers import alert as late_answer
from bot.at_hand import POSTPONED, REFUSED, at_hand
from bot.errors import StorageError, UserError
from bot.model.calls import Call
from bot.model.chats import Chat, ChatKind
from bot.render.answers import explain
from bot.telegram.outcomes import (
    AWAY,
    NO_FILE,
    TOO_MANY,
    Ambiguous,
    Gone,
    Migrated,
    Outcome,
    Rejected,
    Retry,
    Sent,
    answers,
    is_final,
    why,
)
from bot.telegram.results import file_path_of
from bot.telegram.retry import ANSWER, QUESTION, Failure, insist
from handlers.answers import (
    EPHEMERAL,
    ORNAMENTS,
    Answer,
    changed,
    in_words,
    shown_to_all,
    with_plain_results,
    without,
)
from handlers.services import Services
from storage.db import Db

log = structlog.get_logger(__name__)

LATE = timedelta(hours=12)  # so long an answer is worth giving late
FIXES = 6  # refusals of one answer that are mended, each in another way
#: What is of no use later: it only ends a spinning button, or its time is over.
MOMENTARY = frozenset(
    {"answerCallbackQuery", "answerInlineQuery", "sendChatAction", "editMessageReplyMarkup"}
)
#: What appears in no chat, and so waits for no message's turn.
UNSEEN = frozenset({"getChat", "getChatMember", "leaveChat", "sendChatAction", "unpinChatMessage"})
EDITS = frozenset({"editMessageText", "editMessageCaption"})
TEXT, CAPTION = 4096, 1024  # UTF-16 units at most


def _nobody_waits() -> None:
    """Do nothing where no sign says that an answer is under way."""


async def _nobody_follows(_new: int) -> None:
    """Do nothing where nobody goes on with the chat."""


class Outgoing:
    """Answers on their way to Telegram, for what was asked in the chat `asker`.

    `language` is that of apologies; `thread` is where a message of its own goes that takes the
    place of an edit; `leaving` is called when what the chat waits for is about to leave, `moving`
    with its new number where the asker turns out to be a supergroup by now.
    """

    def __init__(
        self,
        services: Services,
        asker: int,
        language: str,
        thread: int | None = None,
        *,
        leaving: Callable[[], None] = _nobody_waits,
        moving: Callable[[int], Awaitable[None]] = _nobody_follows,
    ) -> None:
        self._services = services
        self._asker = asker
        self._language = language
        self._thread = thread
        self._leaving = leaving
        self._moving = moving

    async def send(self, answer: Answer) -> Outcome:
        """Send what somebody waits for, whatever it takes; returns the last outcome.

        Again when Telegram is busy, once more when nobody knows whether it arrived, mended when it
        is refused as it is. What cannot leave within seconds goes through the outbox, which keeps
        to what Telegram asks for. A Retry means that it did not leave: a postponable answer waits
        in the outbox then, and the sender of any other has to say something else.
        """
        sending = _Sending(self, answer)
        outcome = await insist(
            sending.request, ANSWER, react=sending.react, pause=self._services.rest
        )
        made, refusal = sending.answer, None
        if isinstance(outcome, Ambiguous):
            outcome = await self._doubted(outcome)
        if isinstance(outcome, Retry):
            waits = await self._postpone(made, flood=outcome.flood)
            refusal = POSTPONED if waits else REFUSED
        elif not isinstance(outcome, Sent | Ambiguous):
            refusal = REFUSED
            log.warning("answer refused", method=made.method, why=str(why(outcome)))
        at_hand().answered(made.method, refusal)
        return outcome

    async def file(self, file_id: str, *, most: int) -> Outcome:
        """Get a file that somebody sent: Sent with its bytes, Rejected where there is none of
        `most` bytes at most.
        """
        asked = Answer(method="getFile", parameters={"file_id": file_id}, postponable=False)
        named = await self.send(asked)
        path = file_path_of(named)
        if path is None:
            return NO_FILE if isinstance(named, Sent) else named
        download = partial(self._services.api.download, path, most=most)
        return await insist(download, QUESTION, pause=self._services.rest)

    # ── when it may leave ───────────────────────────────────────────────────

    async def held(self, answer: Answer) -> Retry | None:
        """The refusal of an answer that may not leave within seconds; None once it may."""
        if self._services.is_away():  # who watches it asks for all
            return Retry(AWAY)
        silence = await self._keep_to_quiet(answer) or await self._keep_to_turn(answer)
        if silence:
            return Retry(TOO_MANY, after=silence, flood=True)
        return None

    async def once(self, answer: Answer) -> Outcome:
        """Send it; where Telegram wants silence then, everybody here keeps it."""
        outcome = await self._once(answer)
        if isinstance(outcome, Retry) and outcome.flood and outcome.after:
            await self._be_quiet(answer, outcome.after)
        return outcome

    async def _keep_to_quiet(self, answer: Answer) -> float:
        """Wait while Telegram wants silence in the chat, or at all; the seconds where they are too
        many.
        """
        while quiet := await self._quiet_for(answer):
            if quiet > ANSWER.longest:
                return quiet
            await self._services.rest(quiet)
        return 0.0

    async def _quiet_for(self, answer: Answer) -> float:
        """Seconds for which an answer may not leave."""
        if answer.chat is None or answer.method in MOMENTARY:
            return self._services.quiet.left_for_all()
        return await self._quiet_left(answer.chat)

    async def _keep_to_turn(self, answer: Answer) -> float:
        """Wait for a message's turn; the seconds where its chat is to be left alone for longer."""
        if answer.chat is None or answer.method in UNSEEN:
            return 0.0
        return await self._services.turn(answer.chat)

    async def _quiet_left(self, chat: int) -> float:
        """Seconds for which a chat is left alone, also when another process was told so.

        A group's bucket, which its turn waits for, knows that by itself.
        """
        quiet, store = self._services.quiet, self._services.store
        # a lone process knows what it was told, and asks but once what an earlier one was told
        if chat > 0 and (quiet.is_new(chat) or not store.alone):
            with suppress(StorageError):  # Telegram has to say it again
                async with store.reading() as db:
                    left = await storage.pace.silence_left(db, chat)
                if left:
                    quiet.keep(chat, left.total_seconds())
        return quiet.left(chat)

    async def _be_quiet(self, answer: Answer, seconds: float) -> None:
        """Telegram wants nothing in this chat for so long: neither answers nor alerts."""
        if answer.chat is None or answer.method in MOMENTARY:
            return
        self._services.quiet.keep(answer.chat, seconds)
        async with self._services.store.writing() as db:
            if answer.postponable and answer.file is None:
                await self._know(db, answer.chat)
            await storage.chats.pause(db, answer.chat, timedelta(seconds=seconds))

    async def _once(self, answer: Answer) -> Outcome:
        api, file = self._services.api, answer.file
        if answer.chat is not None and answer.method not in MOMENTARY | UNSEEN:
            self._leaving()
        at_hand().calls += 1
        if file is None:
            return await api.call(answer.method, **answer.parameters)
        return await api.upload(
            answer.method,
            answer.parameters,
            field=file.field,
            content=file.content,
            filename=file.filename,
            content_type=file.content_type,
        )

    async def _doubted(self, outcome: Ambiguous) -> Outcome:
        """Take an answer without an outcome for sent, where Telegram answers another question; a
        Retry where it does not.
        """
        if answers(await self._services.api.call("getMe")):
            return outcome
        return Retry(outcome.why)

    async def _postpone(self, answer: Answer, *, flood: bool) -> bool:
        """Leave an answer to the outbox, which sends it when Telegram takes it; whether it does.

        That holds after a restart too. After a `flood` a chat gets one, to what it asked last.
        """
        if answer.method in MOMENTARY or answer.file is not None or not answer.postponable:
            return False
        chat = answer.chat
        if chat is None:
            return False
        answer = in_words(answer)
        if answer.method in EDITS:  # by then the message may be far up
            answer = self._as_new(answer)
        services, now = self._services, self._services.clock()
        # The chat is the delivery's own affair: by then its group may have another number.
        body = without(shown_to_all(answer).parameters, "chat_id")
        for name, value in list(body.items()):
            if value is None:
                del body[name]
        call = Call(method=answer.method, parameters=body)
        update = at_hand().number
        late = late_answer(self._asker, chat, call, update, flood=flood, now=now, lasts=LATE)
        async with services.store.writing() as db:
            await self._know(db, chat)
            await storage.alerts.enqueue(db, late)
        log.info("an answer waits", method=answer.method, flood=flood)
        services.wake()
        return True

    async def _know(self, db: Db, chat: int) -> None:
        """Keep a person who never wrote to us, and is answered all the same: who made us a
        channel's administrator. The outbox writes to known chats alone.

        They get answers and nothing else until they say /start.
        """
        if chat < 0 or await storage.chats.get(db, chat) is not None:
            return
        settings = self._services.settings
        met = Chat(
            id=chat,
            kind=ChatKind.PRIVATE,
            language=self._language,
            time_zone=settings.time_zone,
            home=settings.home_currency,
            quiet=settings.quiet_hours,
        )
        await storage.chats.add(db, met, now=self._services.clock())
        await storage.chats.stop(db, chat)

    # ── what is refused as it is ────────────────────────────────────────────

    async def mended(self, answer: Answer, outcome: Outcome, fixes: int) -> Answer | None:
        """The answer in a way that may do after a refusal; None where no other is worth it."""
        if fixes >= FIXES:
            return None
        if answer.method in MOMENTARY:
            return with_plain_results(answer)
        if isinstance(outcome, Migrated) and answer.chat is not None:
            return changed(answer, chat_id=await self._moved(answer.chat, outcome.chat))
        if isinstance(outcome, Gone) and not fixes:
            return answer  # once by mistake, perhaps
        if isinstance(outcome, Rejected) and not outcome.token:
            return self._reworded(answer, outcome)
        return None

    async def _moved(self, old: int, new: int) -> int:
        """The group's new number, which need not be that of the chat that asks."""
        async with self._services.store.writing() as db:
            await storage.supergroups.migrate(db, old, new)
        # loaded anew: under either number the old row may be remembered
        for chat_id in (old, new):
            self._services.chats.pop(chat_id, None)
        if old == self._asker:
            await self._moving(new)
        return new

    def _reworded(self, answer: Answer, outcome: Rejected) -> Answer | None:
        """Another place, or other words, for what is refused as it is."""
        if EPHEMERAL in answer.parameters:  # the client, or the server, does not have it
            return shown_to_all(answer)
        if outcome.thread and answer.parameters.get("message_thread_id") is not None:
            return changed(answer, message_thread_id=None)
        if answer.method in EDITS and outcome.unneeded:
            return self._as_new(answer)
        if answer.words is not None:
            return in_words(answer)
        return self._plainer(answer, too_long=outcome.long)

    def _plainer(self, answer: Answer, *, too_long: bool) -> Answer | None:
        """The same words with less around them, then as a message, then that there is no answer."""
        parameters = answer.parameters
        field, units = "text", TEXT
        if answer.method == "editMessageCaption":
            field, units = "caption", CAPTION
        most = units // 2  # letters; each may be two units
        plain = replace(answer, parameters=without(parameters, *ORNAMENTS))
        if too_long and len(parameters.get(field, "")) > most:
            return changed(plain, **{field: parameters[field][: most - 1].rstrip() + "…"})
        if any(name in parameters for name in ORNAMENTS):
            return plain
        if answer.method in EDITS:
            return self._as_new(answer)
        apology = explain(UserError("error.unexpected"), self._language).text
        if answer.method == "sendMessage" and parameters.get("text") != apology:
            words = {"chat_id": parameters["chat_id"], "text": apology}
            return replace(answer, parameters=words)
        return None

    def _as_new(self, answer: Answer) -> Answer:
        """An edit as a message of its own, where the one to be edited is gone."""
        body = without(answer.parameters, "message_id", "show_caption_above_media")
        if answer.method == "editMessageCaption":
            for name, new_name in (("caption", "text"), ("caption_entities", "entities")):
                if name in body:
                    body[new_name] = body.pop(name)
        body["message_thread_id"] = self._thread
        method = "sendMessage" if answer.words is None else "sendRichMessage"
        return replace(answer, method=method, parameters=body)


@dataclass(slots=True)
class _Sending:
    """An answer on its way: how it stands after what mended it."""

    way: Outgoing
    answer: Answer
    fixes: int = 0
    is_held: bool = False

    async def request(self) -> Outcome:
        """Make one try, unless the chat is to be left alone now."""
        held = await self.way.held(self.answer)
        self.is_held = held is not None
        return held or await self.way.once(self.answer)

    async def react(self, failure: Failure) -> float | None:
        """Seconds until it leaves again, mended if refused; None of a held or hopeless one."""
        if self.is_held:
            return None
        if not is_final(failure.outcome):
            return failure.wait
        mended = await self.way.mended(self.answer, failure.outcome, self.fixes)
        if mended is None:
            return None
        self.answer = mended
        self.fixes += 1
        return ANSWER.base if isinstance(failure.outcome, Gone) else 0.0
