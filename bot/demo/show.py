"""The demonstration: emulator, chat page and world here, the real bot in a process beside."""

from __future__ import annotations

import asyncio
import errno
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot import log
from bot.demo.beginning import Beginning
from bot.demo.gauge import Gauge
from bot.demo.guide import Guide
from bot.demo.hands import Hold, bot_hands, event_hands, time_hands
from bot.demo.keeper import Keeper
from bot.demo.people import populate
from bot.demo.travel import Travel
from bot.demo.words import late, tongues
from bot.demo.world import ZONE, World
from bot.emulator import TEST_TOKEN, Control, Emulator
from bot.errors import BotError


async def show(*, port: int, exit_after: float | None, say: Callable[[str], None]) -> None:
    """Bring everything up, say where the chat page is, run for `exit_after` seconds or for ever."""
    log.set_up(None, "warning")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    world = World()
    await world.start()
    controls: list[Control] = []
    keeper = Keeper(ahead=lambda: world.ahead)
    gauge = Gauge(keeper)
    hold = Hold()

    def noted(at: float) -> float:
        return min(hold.hindrance.noted(at), keeper.stands.noted(at))

    emulator = _telegram(world, gauge, controls, noted)
    try:
        try:
            await emulator.start(port=port)
        except OSError as error:
            why = str(error.strerror)
            if error.errno == errno.EADDRINUSE:
                why = "another program has this port: name a free one, such as 0, which picks one"
            raise BotError(f"--port {port}: {why}") from None
        populate(emulator)
        keeper.api_url = emulator.api_url
        travel = Travel(world, keeper, emulator.refresh)
        travel.troubled = lambda: hold.held or bool(emulator.faults.active())
        keeper.on_change = emulator.refresh
        keeper.on_kill = emulator.killed
        emulator.guide = guide = Guide(travel)
        emulator.world.observers.append(guide.see)
        controls += [*time_hands(travel), *event_hands(world), *bot_hands(keeper, hold)]
        with tempfile.TemporaryDirectory(prefix="jarchy-demo-") as folder:
            say(emulator.page_url)
            if exit_after is not None:
                loop.call_later(exit_after, stop.set)
            beginning = Beginning(
                emulator=emulator,
                world=world,
                keeper=keeper,
                travel=travel,
                guide=guide,
                hold=hold,
                folder=Path(folder),
            )
            controls += beginning.hands()
            await _until(stop, beginning, gauge, say)
    finally:
        await emulator.stop()
        await world.stop()


async def _until(
    stop: asyncio.Event, beginning: Beginning, gauge: Gauge, say: Callable[[str], None]
) -> None:
    """Begin the demonstration and keep its gauge until `stop`; what runs then is given up."""
    showing = asyncio.create_task(_begin(beginning, say))
    looking = asyncio.create_task(gauge.run(beginning.emulator))
    try:
        await _either(showing, stop)
    finally:
        # first: a new beginning that goes on would start another bot
        await beginning.emulator.end_controls()
        beginning.travel.pause()
        beginning.hold.give_back()
        for task in (showing, looking):
            task.cancel()
        await asyncio.wait([showing, looking])
        await beginning.keeper.stop()


def _telegram(
    world: World, gauge: Gauge, controls: list[Control], noted: Callable[[float], float]
) -> Emulator:
    """A Telegram in the world's time, with the panel beside its chats."""
    said_late = late()
    return Emulator(
        TEST_TOKEN,
        "jarchy_bot",
        title="Jarchy",
        controls=controls,
        clock=lambda: world.now().timestamp(),
        zone=ZONE.key,
        readings=gauge.readings,
        is_late=lambda text: said_late.search(text) is not None,
        noted=noted,
        tongues=tongues(),
    )


async def _either(showing: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Until `stop`; what goes wrong at the start ends us before."""
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([showing, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            await showing
        await stopped
    finally:
        stopped.cancel()


async def _begin(beginning: Beginning, say: Callable[[str], None]) -> None:
    """Start the bot for the first time, and say that it is ready."""
    await beginning.first()
    port = beginning.keeper.port
    say(f"Jarchy is ready; its status page: http://127.0.0.1:{port}/status")
