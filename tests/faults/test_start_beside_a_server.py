"""A start while the database's server goes away and comes back, before Telegram has answered for
the first time.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.emulator import Emulator, Fault
from tests.e2e.program import READER, Program
from tests.faults.server import servers
from tests.postgres import Shared


@pytest.mark.postgres
async def test_P15_a_server_that_is_away_when_telegram_answers_ends_no_start(
    tmp_path: Path, emulator: Emulator, postgres: Shared
) -> None:
    """What was left is taken up when it is back, and questions are answered."""
    with servers() as (server, _):
        server.make(postgres.empty())
        server.start()
        away = emulator.faults.add(Fault.server_error(502))
        program = Program(tmp_path, emulator, "", DATABASE_URL=server.url)
        await program.start(ready=False)
        await program.said(lambda line: "telegram is not there yet" in line)
        server.kill()
        emulator.faults.remove(away)
        await program.said(lambda line: "inbox waits for the database" in line)
        server.start()
        await program.said(lambda line: '"event": "ready"' in line)
        asked = await emulator.send_text(READER, "/help")
        await emulator.wait_message(
            READER, lambda m: m.get("from", {}).get("is_bot", False), after=asked, timeout=60
        )
        assert await program.end() == 0, "".join(program.log)
