"""Long polling: ask Telegram for updates, store them, then confirm by asking beyond them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.errors import ConfigError, StorageError
from bot.intake.inbox import Inbox
from bot.intake.received import KINDS, has_number
from bot.intake.salvage import first_number, tolerantly
from bot.intake.told import Lost, Tell, untold, unwatched
from bot.reasons import reason
from bot.telegram import retry
from bot.telegram.api import BotApi
from bot.telegram.outcomes import (
    Ambiguous,
    Outcome,
    Rejected,
    Retry,
    Sent,
    answers,
    wait_of,
    why,
)
from bot.telegram.results import updates_of

log = structlog.get_logger(__name__)

LONG_POLL = 20  # seconds; below the session's total time-out


async def poll(
    api: BotApi,
    inbox: Inbox,
    tell: Tell = untold,
    lost: Lost = unwatched,
) -> None:
    """Receive for ever. A second poller (409) waits; an unknown token ends the program.

    A webhook left from before keeps updates from us: it is deleted, again and again until they
    come, and whenever a 409 says that there is one.
    """
    tell(reason("updates.not_asked", "updates: not asked for yet"))
    question = _Question(api, inbox, tell, lost)
    while True:
        updates = await question.answered()
        if not updates:
            continue
        try:
            await inbox.receive(updates)
        except StorageError as error:
            log.warning("updates wait at Telegram", error=str(error))
            await asyncio.sleep(retry.LISTENING.base)
            continue
        question.confirm(updates)


@dataclass(slots=True)
class _Question:
    """The question for updates beyond those that are confirmed, asked until it is answered.

    After a trouble it is to be answered at once (`span`), so that everybody knows where we are.
    """

    api: BotApi
    inbox: Inbox
    tell: Tell
    lost: Lost
    offset: int | None = None
    limit: int | None = None
    span: int = 0
    unhooked: bool = False  # no webhook is in the way
    unhook_wait: float = 0.0  # seconds that Telegram asks to wait with deleting a webhook
    rivals: int = 0  # times in a row that somebody else had the updates

    async def answered(self) -> list[Mapping[str, Any]]:
        """The next updates, however long that takes; none where none came in `LONG_POLL`."""
        outcome = await retry.insist(self._ask, retry.LISTENING, react=self._unanswered)
        self.span, self.limit, self.rivals = LONG_POLL, None, 0
        self.tell(None)
        return [item for item in updates_of(outcome) or () if has_number(item)]

    def confirm(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Let Telegram forget these at the next question."""
        self.offset = max(int(update["update_id"]) for update in updates) + 1

    async def _ask(self) -> Outcome:
        """One question; an answer that brings nothing we can store is no answer."""
        self.unhook_wait = 0.0
        if not self.unhooked:
            self.unhook_wait = wait_of(await self.api.call("deleteWebhook"))
        outcome = await self.api.call(
            "getUpdates",
            offset=self.offset,
            limit=self.limit,
            timeout=self.span,
            allowed_updates=KINDS,
        )
        if isinstance(outcome, Ambiguous) and outcome.body:
            outcome = _salvaged(outcome)
        updates = updates_of(outcome)
        if updates is None:
            return Retry(why(outcome)) if isinstance(outcome, Sent) else outcome
        self.unhooked = True
        # nothing of it can be confirmed, so it comes again at once
        if updates and not any(has_number(item) for item in updates):
            return Retry(reason("updates.unnumbered", "none of them has a number"))
        return outcome

    async def _unanswered(self, failure: retry.Failure) -> float | None:
        """Say why no updates come, and until when; an answer nobody reads is asked for in parts."""
        outcome, wait = failure.outcome, failure.wait or 0.0
        if isinstance(outcome, Rejected) and outcome.token:
            raise ConfigError("BOT_TOKEN: Telegram does not know it; was it revoked?")
        self.span = 0
        rivals, self.rivals = self.rivals, 0
        if isinstance(outcome, Rejected) and outcome.conflict:
            self.unhooked = False
            if not outcome.webhook:
                wait = retry.RIVAL.pause(rivals)
                self.rivals = rivals + 1
        wait = max(wait, self.unhook_wait)
        because = why(outcome)
        self.tell(reason("updates.refused", "updates: {why}", why=because))
        log.warning("no updates", outcome=type(outcome).__name__, why=str(because), again_in=wait)
        if isinstance(outcome, Ambiguous):
            await self._isolate(outcome)
        if not answers(outcome):
            await self.lost()
        return wait

    async def _isolate(self, outcome: Ambiguous) -> None:
        """Ask for an unreadable answer's updates one by one, then past the one to blame."""
        number = first_number(outcome.body)
        if number is None:
            return
        if self.limit is None:
            self.limit = 1
            return
        try:
            await self.inbox.set_aside(number)
        except StorageError as error:
            log.warning("updates wait at Telegram", error=str(error))
            return
        self.offset, self.limit = number + 1, None


def _salvaged(outcome: Ambiguous) -> Sent | Ambiguous:
    """An answer's updates, if a tolerant parser can read it; else the outcome as it was."""
    match tolerantly(outcome.body):
        case {"ok": True, "result": list(updates)}:
            return Sent(0, updates)
        case _:
            return outcome
