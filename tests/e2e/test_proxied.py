"""The whole program behind an operator's proxy."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.emulator import TEST_TOKEN, Emulator
from tests import forkserver
from tests.e2e.program import READER, Program, Publishers
from tests.faults.test_replicas import catalog
from tests.proxy import proxy_to

SECRET = "q7-secret-of-a-proxy"
NAME = "telegram.example"  # nobody but a proxy knows it


async def test_the_program_talks_to_telegram_through_its_proxy(tmp_path: Path) -> None:
    """By a name that nobody else knows; the verb `check` as well."""
    async with (
        Emulator(TEST_TOKEN, open_chats=True) as emulator,
        Publishers() as publishers,
        proxy_to(int(emulator.api_url.rpartition(":")[2]), "socks5", password=SECRET) as proxy,
    ):
        emulator.add_private(emulator.add_user(READER, "Aigul", "en"))
        way = {"PROXY": proxy.url, "BOT_API_URL": f"http://{NAME}"}
        program = Program(tmp_path, emulator, catalog(publishers.url), **way)
        checked = await forkserver.start(
            *("bot", "check"),
            cwd=tmp_path,
            env=program.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await checked.communicate()
        assert b"Telegram cannot be reached" not in said
        asked_before = len(proxy.asked)
        assert asked_before
        await program.start()
        asked = await emulator.send_text(READER, "/help")
        await emulator.wait_message(READER, lambda _: True, after=asked, timeout=20)
        assert await program.end() == 0
    assert SECRET not in "".join(program.log)
    assert set(proxy.asked) == {f"{NAME}:80"}
