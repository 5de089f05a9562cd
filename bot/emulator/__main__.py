"""`python -m bot.emulator`: the emulator in a process of its own.

Prints one line of JSON, {"api_url", "page_url", "token"}, and runs until SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bot.emulator import TEST_TOKEN, Emulator, Limits


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bot.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--token", default=TEST_TOKEN)
    parser.add_argument("--username", default="jarchy_bot")
    parser.add_argument(
        "--scenario", type=Path, help='JSON: a list of steps {"do": "add_user", ...}'
    )
    parser.add_argument("--keep-messages", type=int, default=100_000)
    parser.add_argument("--keep-calls", type=int, default=200_000)
    parser.add_argument(
        "--open-chats", action="store_true", help="the bot may write to any private chat"
    )
    parser.add_argument(
        "--real-limits", action="store_true", help="1/s a chat, 20/min a group, 30/s in all"
    )
    arguments = parser.parse_args()
    steps: list[dict[str, object]] = []
    if arguments.scenario:
        steps = json.loads(arguments.scenario.read_bytes())
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run(arguments, steps))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.new_event_loop


async def _run(arguments: argparse.Namespace, steps: list[dict[str, object]]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    limits = None
    if arguments.real_limits:
        limits = Limits(per_chat=1, per_group=20, per_second=30, actions=5)
    emulator = Emulator(
        arguments.token,
        arguments.username,
        keep_messages=arguments.keep_messages,
        keep_calls=arguments.keep_calls,
        open_chats=arguments.open_chats,
        limits=limits,
    )
    await emulator.start(port=arguments.port)
    await emulator.play(steps)
    addresses = {
        "api_url": emulator.api_url,
        "page_url": emulator.page_url,
        "token": emulator.token,
    }
    sys.stdout.write(json.dumps(addresses) + "\n")
    # whoever started this waits for the line, and a pipe is not flushed at its end
    sys.stdout.flush()
    await stop.wait()
    await emulator.stop()


if __name__ == "__main__":
    main()
