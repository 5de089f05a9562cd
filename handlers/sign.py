"""The sign that an answer is under way: "typing…" for whoever waits longer than half a second.

It is worth nothing by itself, so it holds up nothing: no answer waits for it, it is sent once and
not again when it fails, and it keeps silent where Telegram wants silence.
"""

from __future__ import annotations

import asyncio

from bot.telegram.outcomes import Retry, Sent
from handlers.services import Services


class Sign:
    """The sign that a question is being answered ("typing…"); `action` says what it waits for."""

    def __init__(self, services: Services, chat: int, thread: int | None) -> None:
        self.action = "typing"
        self._services = services
        self._chat = chat
        self._thread = thread
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Show the sign once the answer takes longer than `signs.after`."""
        self._timer = asyncio.get_running_loop().call_later(self._services.signs.after, self._show)

    def end(self) -> None:
        """The answer leaves, or there is none. What is on its way is not waited for."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _show(self) -> None:
        self._task = asyncio.create_task(self._keep_up())

    async def _keep_up(self) -> None:
        while True:
            if not await self._once():
                return
            await asyncio.sleep(self._services.signs.again)

    async def _once(self) -> bool:
        """Send it, if it may be; False when it is of no use here."""
        services, signs = self._services, self._services.signs
        if services.is_away() or services.quiet.left(self._chat) or signs.quiet.left(self._chat):
            return False
        if not signs.allow():
            return True
        outcome = await services.api.call(
            "sendChatAction",
            chat_id=self._chat,
            message_thread_id=self._thread,
            action=self.action,
        )
        if isinstance(outcome, Retry) and outcome.after:
            signs.quiet.keep(self._chat, outcome.after)
        return isinstance(outcome, Sent)
