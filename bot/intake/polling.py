"""Long polling: ask Telegram for updates, store them, and only then ask beyond them, which confirms."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import structlog

from bot.errors import ConfigError, StorageError
from bot.intake.inbox import KINDS, Inbox

log = structlog.get_logger(__name__)

LONG_POLL = 20  # seconds; below the session's total time-out
SHORTEST, LONGEST = 1.0, 30.0


class Caller(Protocol):
    """The Bot API: a method and its parameters; the answer's fields are read by name."""

    async def call(self, method: str, **parameters: Any) -> Any:  # noqa: ANN401 - an outcome
        """Send and classify."""


async def poll(api: Caller, inbox: Inbox) -> None:
    """Receive for ever. A second poller (409) waits; a token Telegram does not know ends the program."""
    offset: int | None = None
    wait = SHORTEST
    await api.call("deleteWebhook")
    while True:
        outcome = await api.call("getUpdates", offset=offset, timeout=LONG_POLL, allowed_updates=KINDS)
        updates = getattr(outcome, "result", None)
        if not isinstance(updates, list):
            if getattr(outcome, "token", False):
                raise ConfigError("BOT_TOKEN: Telegram does not know it; was it revoked?")
            after = getattr(outcome, "after", None) or wait
            log.warning("no updates", why=getattr(outcome, "why", "?"), again_in=after)
            await asyncio.sleep(after)
            wait = min(wait * 2, LONGEST)
            continue
        wait = SHORTEST
        if not updates:
            continue
        try:
            await inbox.receive(updates)
        except StorageError as error:
            log.warning("updates wait at Telegram", error=str(error))
            await asyncio.sleep(SHORTEST)
            continue
        offset = max(int(update["update_id"]) for update in updates) + 1
