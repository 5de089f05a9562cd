"""The whole program behind an operator's proxy."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.emulator import TEST_TOKEN, Emulator
from tests import forkserver
from tests.e2e.program import READER, Program, Publishers
from tests.faults.test_replicas import catalog
from tests.proxy import proxy_to

SECRET = "q7-пароль-of-a-proxy"
#: Nobody but a proxy knows them.
NAME, SWITCH = "telegram.example", "switch.example"


async def test_the_program_talks_to_telegram_through_its_proxy(tmp_path: Path) -> None:
    """By a name that nobody else knows; the verb `check` as well, which asks a dead man's switch by
    it where all is asked so, but no publisher and no Bot API server on this machine.
    """
    async with (
        Emulator(TEST_TOKEN, open_chats=True) as emulator,
        Publishers() as publishers,
        proxy_to(int(emulator.api_url.rpartition(":")[2]), "socks5", password=SECRET) as proxy,
    ):
        emulator.add_private(emulator.add_user(READER, "Aigul", "en"))
        way = {
            "PROXY": proxy.url,
            "PROXY_FOR": "all",
            "BOT_API_URL": f"http://{NAME}",
            "HEARTBEAT_URL": f"http://{SWITCH}/",
        }
        program = Program(tmp_path, emulator, catalog(publishers.url), **way)
        for url, asks in ((way["BOT_API_URL"], [f"{NAME}:80"]), (emulator.api_url, [])):
            proxy.asked.clear()
            checked = await forkserver.start(
                *("bot", "check"),
                cwd=tmp_path,
                env={**program.environment, "BOT_API_URL": url},
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await checked.communicate()
            assert b"Telegram cannot be reached" not in said
            assert proxy.asked == [*asks, f"{SWITCH}:80"]
        await program.start()
        asked = await emulator.send_text(READER, "/help")
        await emulator.wait_message(READER, lambda _: True, after=asked, timeout=20)
        assert await program.end() == 0
    assert SECRET not in "".join(program.log)
    assert set(proxy.asked) == {f"{NAME}:80", f"{SWITCH}:80"}
