"""Long polling: ask Telegram for updates, store them, then confirm by asking beyond them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.errors import ConfigError, StorageError
from bot.intake.inbox import Inbox
from bot.intake.received import KINDS, has_number
from bot.intake.salvage import first_number, tolerantly
from bot.reasons import Reason, reason
from bot.telegram import retry
from bot.telegram.api import BotApi
from bot.telegram.outcomes import Ambiguous, Rejected, Sent, wait_of, why

log = structlog.get_logger(__name__)

LONG_POLL = 20  # seconds; below the session's total time-out


def _untold(_why: Reason | None) -> None:
    """Where nobody asks whether updates come."""


async def poll(api: BotApi, inbox: Inbox, tell: Callable[[Reason | None], None] = _untold) -> None:
    """Receive for ever. A second poller (409) waits; an unknown token ends the program.

    A webhook left from before keeps updates from us: it is deleted, again and again until they
    come, and whenever a 409 says that there is one. `tell` hears why none come, or None while they
    do.
    """
    offset: int | None = None
    limit: int | None = None
    failures = 0  # in a row
    heard = False  # whether no webhook is in the way
    span = 0  # after a trouble a question is answered at once, so that everybody knows where we are
    tell(reason("updates.not_asked", "updates: not asked for yet"))
    while True:
        wanted = 0.0  # seconds that Telegram asks to wait with deleting a webhook
        if not heard:
            wanted = wait_of(await api.call("deleteWebhook"))
        outcome = await api.call(
            "getUpdates", offset=offset, limit=limit, timeout=span, allowed_updates=KINDS
        )
        if isinstance(outcome, Ambiguous) and outcome.body:
            outcome = _salvaged(outcome)
        if isinstance(outcome, Rejected) and outcome.token:
            raise ConfigError("BOT_TOKEN: Telegram does not know it; was it revoked?")
        if not isinstance(outcome, Sent) or not isinstance(outcome.result, list):
            span = 0
            policy = retry.LISTENING
            if isinstance(outcome, Rejected) and outcome.conflict:
                heard = False
                if not outcome.webhook:
                    policy = retry.RIVAL
            after = max(policy.pause(failures, outcome), wanted)
            failures += 1
            tell(reason("updates.refused", "updates: {why}", why=why(outcome)))
            log.warning(
                "no updates", outcome=type(outcome).__name__, why=str(why(outcome)), again_in=after
            )
            await asyncio.sleep(after)
            if isinstance(outcome, Ambiguous):
                offset, limit = await _isolate(inbox, outcome, offset=offset, limit=limit)
            continue
        heard, span = True, LONG_POLL
        tell(None)
        updates = [item for item in outcome.result if has_number(item)]
        # nothing of it can be confirmed, so it comes again at once
        if outcome.result and not updates:
            after = retry.LISTENING.pause(failures)
            failures += 1
            log.warning("updates without a number", count=len(outcome.result), again_in=after)
            await asyncio.sleep(after)
            continue
        failures, limit = 0, None
        if not updates:
            continue
        try:
            await inbox.receive(updates)
        except StorageError as error:
            log.warning("updates wait at Telegram", error=str(error))
            await asyncio.sleep(retry.LISTENING.base)
            continue
        offset = max(int(update["update_id"]) for update in updates) + 1


def _salvaged(outcome: Ambiguous) -> Sent | Ambiguous:
    """An answer's updates, if a tolerant parser can read it; else the outcome as it was."""
    match tolerantly(outcome.body):
        case {"ok": True, "result": list(updates)}:
            return Sent(0, updates)
        case _:
            return outcome


async def _isolate(
    inbox: Inbox, outcome: Ambiguous, *, offset: int | None, limit: int | None
) -> tuple[int | None, int | None]:
    """The next offset and limit after an unreadable answer: one by one, past the one to blame."""
    number = first_number(outcome.body)
    if number is None:
        return offset, limit
    if limit is None:
        return offset, 1
    try:
        await inbox.set_aside(number)
    except StorageError as error:
        log.warning("updates wait at Telegram", error=str(error))
        return offset, limit
    return number + 1, None
