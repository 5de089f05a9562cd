"""Requests over a way that dies without a word. Run in a network of its own, whose loopback it
takes down: `unshare -rn`.
"""

from __future__ import annotations

import asyncio
import subprocess

from bot.clock import boottime
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.telegram.api import Api
from bot.telegram.session import open_session


async def main() -> None:
    """Print the seconds until each of two requests was given up: one that waits for updates, and
    one sent when the way was dead already.
    """
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        api = Api(session, url=emulator.api_url, token=TEST_TOKEN)
        emulator.faults.add(Fault.slow(0.2, method="getMe"))
        await asyncio.gather(*(api.call("getMe") for _ in "12"))  # two connections are kept
        silent = emulator.faults.add(Fault.hang(method="getUpdates"))
        updates = asyncio.create_task(api.call("getUpdates", timeout=25))
        while not silent.hits:  # noqa: ASYNC110 - counted in the step in which it is asked
            await asyncio.sleep(0)
        subprocess.run(["ip", "link", "set", "lo", "down"], check=True)
        begun = boottime()
        for request in (api.call("sendMessage", chat_id=7, text="a"), updates):
            print(type(await request).__name__, boottime() - begun)


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    asyncio.run(main())
