"""A start while the database's server goes away and comes back, before Telegram has answered for
the first time.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.emulator import Emulator, Fault
from tests.conftest import ROOT
from tests.e2e.program import READER, Program
from tests.faults.server import servers
from tests.postgres import Shared
from tests.test_cli import jarchy


@pytest.mark.postgres
async def test_P15_a_server_that_is_away_when_telegram_answers_ends_no_start(
    tmp_path: Path, emulator: Emulator, postgres: Shared
) -> None:
    """Updates that were left are taken up when it is back, and questions are answered."""
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


@pytest.mark.postgres
async def test_P15_a_start_without_its_server_ends_so_that_a_service_starts_it_again(
    tmp_path: Path, emulator: Emulator, postgres: Shared
) -> None:
    """1 and one line with what to look at: 78 is what no start mends, and none follows it."""
    unit = (ROOT / "docs" / "jarchy.service").read_text(encoding="utf-8")
    assert re.findall(r"^Restart(?:PreventExitStatus)?=.*", unit, re.MULTILINE) == [
        "Restart=always",
        "RestartPreventExitStatus=78",
    ]
    with servers() as (server, _):
        server.make(postgres.empty())
        program = Program(tmp_path, emulator, "", DATABASE_URL=server.url)
        await program.start(ready=False)
        assert await program.end(None) == 1
        [line] = [one for one in program.log if one.startswith("jarchy: ")]
        assert "is the server up" in line
        server.start()
        await program.start()
        assert await program.end() == 0


@pytest.mark.postgres
def test_P15_a_server_that_does_not_know_the_database_is_a_wrong_setting(
    tmp_path: Path, postgres_url: str
) -> None:
    """78: it will not know it the next time either; nor a user whom it does not let in."""
    address = make_url(postgres_url)
    for wrong in (address.set(database="nowhere"), address.set(username="nobody")):
        url = wrong.render_as_string(hide_password=False)
        done = jarchy(tmp_path, "outbox", DATABASE_URL=url)
        assert done.returncode == 78, done.stderr
        [line] = done.stderr.decode().splitlines()
        assert "does not exist" in line
