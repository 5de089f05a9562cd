"""The emulator as one object: a world, and a server in front of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from bot.emulator.errors import Json
from bot.emulator.faults import Limits
from bot.emulator.page import Page
from bot.emulator.panel import Control, Reading
from bot.emulator.scenario import Scenario, Tongue
from bot.emulator.server import Server
from bot.emulator.tally import Tally
from bot.emulator.updates import Backoff

TEST_TOKEN = "123456789:TEST-emulator-token-of-thirty-five_"  # noqa: S105 - opens nothing but the emulator

ENGLISH: Mapping[str, Tongue] = {"en": Tongue(name="English")}  # what the page says by itself


class Emulator(Scenario):
    """A Bot API on loopback with a chat page.

    `async with Emulator() as emulator:` or `start` and `stop`. `keep_messages` and `keep_calls`
    bound memory; `zone` (IANA) is where the page's clock hangs, by default the browser's;
    `open_chats` lets the bot write to any private chat; `limits` are Telegram's real ones, off by
    default; with `readings`, a demonstration's figures, messages are counted too, as late also
    those whose text `is_late`, and as copies by what the bot could have `noted`; `tongues` are the
    languages that people of the page may choose, by their codes.
    """

    def __init__(
        self,
        token: str = TEST_TOKEN,
        username: str = "jarchy_bot",
        controls: Sequence[Control] = (),
        *,
        title: str = "Jarchy",
        name: str = "Jarchy",
        clock: Callable[[], float] = time.time,
        zone: str | None = None,
        keep_messages: int | None = None,
        keep_calls: int = 200_000,
        open_chats: bool = False,
        privacy: bool = True,
        limits: Limits | None = None,
        webhook_backoff: Backoff | None = None,
        readings: Callable[[], Sequence[Reading]] | None = None,
        is_late: Callable[[str], bool] = lambda _text: False,
        noted: Callable[[float], float] = lambda at: at,
        tongues: Mapping[str, Tongue] = ENGLISH,
    ) -> None:
        super().__init__(
            bot_id=int(token.partition(":")[0]),
            username=username,
            name=name,
            clock=clock,
            keep_messages=keep_messages,
            keep_calls=keep_calls,
            open_chats=open_chats,
            privacy=privacy,
            limits=limits,
            webhook_backoff=webhook_backoff,
        )
        self.token = token
        self._page = Page(self, title, controls, zone, tongues)
        if readings is not None:  # whoever has figures of its own wants ours beside them
            self._page.readings, self.tally = readings, Tally(is_late, noted)
        self._server = Server(self, token, self._page.handle)
        self._address: tuple[str, int] | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 picks a free one, a second start after a stop may name that one."""
        # kept after a stop: a second start on the same port is the same server to its clients
        self._address = host, await self._server.start(host, port)

    async def end_controls(self) -> None:
        """End the controls that run: they would go on without whoever pressed them."""
        await self._page.actions.stop()

    async def stop(self) -> None:
        """Stop listening; the world stays as it is."""
        await self.end_controls()
        self._page.stop()
        # the streams and the webhook first: they would keep the server from closing
        await self.updates.stop()
        await self._server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port it listens, or last listened, on."""
        if self._address is None:
            raise RuntimeError("the emulator has not been started")
        return self._address[1]

    @property
    def api_url(self) -> str:
        """The value for BOT_API_URL: up to but not including /bot<token>."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def page_url(self) -> str:
        """The chat page."""
        return f"{self.api_url}/"

    def refresh(self) -> None:
        """Show on the pages what the controls are now, and the time."""
        self.world.tell({"kind": "controls"})

    def killed(self, at: float) -> None:
        """The bot was killed at that moment of `time.monotonic`: what it had no time to note, and
        comes again, is a copy.
        """
        if self.tally is not None:
            self.tally.killed(at)

    async def play(self, steps: Sequence[Json]) -> None:
        """Do the steps of a scenario file: a list of {"do": action, ...parameters}."""
        for step in steps:
            parameters = dict(step)
            action = parameters.pop("do", None)
            await self._page.actions.run(str(action), parameters)
