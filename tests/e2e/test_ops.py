"""The operator's edge, asked over HTTP of the running program: alive, ready, figures, a page to
look at.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import psycopg
import pytest
from sqlalchemy import make_url

from bot.config import Settings
from bot.emulator import TEST_TOKEN, Emulator, Fault
from tests.e2e.program import READER, Program
from tests.publishers import QUIET, TODAY, Publishers, agency_at, bank_at, daily, rss


def catalog(url: str) -> str:
    """A bank, an agency, and one that is not there."""
    return f"""{bank_at(url, name="National <Bank>")}
{agency_at(url, every="5m")}
[feeds.broken]
name = {{ en = "Broken agency" }}
url = "{url}/nothing.xml"
language = "en"
"""


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A Telegram with one reader."""
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
        yield telegram


@pytest.fixture
async def publishers() -> AsyncIterator[Publishers]:
    """A bank, an agency, and nothing where the third should be."""
    async with Publishers() as server:
        server.put(
            "/daily.xml",
            daily(f"{TODAY - timedelta(days=1):%d.%m.%Y}", "84,7935", "98,8523", "1,1948"),
        )
        server.put("/feed.xml", rss(QUIET))
        yield server


async def get(program: Program, path: str) -> tuple[int, str, str]:
    """Status, content type, text."""
    listening = json.loads(await program.said(lambda line: '"event": "listening"' in line))
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"http://{listening['address']}{path}", timeout=aiohttp.ClientTimeout(total=30)
        ) as answer,
    ):
        return answer.status, answer.content_type, await answer.text()


async def ready(program: Program) -> None:
    """Wait until it says 200: all that a start or a recovery waits for is done."""
    async with asyncio.timeout(60):
        while (answer := await get(program, "/readyz"))[0] != 200:  # noqa: ASYNC110 - another process makes no event here
            await asyncio.sleep(0.2)
    assert json.loads(answer[2]) == {"ready": True, "reasons": []}


async def counted(program: Program, *lines: str) -> tuple[int, str, str]:
    """The metrics once these lines are in it: what was done is counted a moment after it is seen
    from outside, on a busy machine a long one.
    """
    missing = list(lines)
    try:
        async with asyncio.timeout(60):
            while True:
                answer = await get(program, "/metrics")
                missing = [
                    one for one in lines if not re.search(f"^{one}", answer[2], re.MULTILINE)
                ]
                if not missing:
                    return answer
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(missing) from None


async def not_ready(program: Program) -> list[str]:
    """The reasons of a 503."""
    status, kind, text = await get(program, "/readyz")
    assert (status, kind) == (503, "application/json")
    reasons: list[str] = json.loads(text)["reasons"]
    assert reasons
    return reasons


@pytest.mark.cases
async def test_S24_the_four_pages_say_how_it_goes_and_nothing_of_chats(
    tmp_path: Path, emulator: Emulator, publishers: Publishers, database_url: str
) -> None:
    """Alive, ready, polls by source and outcome, deliveries, every source by its name; no chat, no
    text, no secret.
    """
    program = Program(tmp_path, emulator, catalog(publishers.url), DATABASE_URL=database_url)
    await program.start()
    for source in ("nbkr", "test", "broken"):
        await program.said(
            lambda line, source=source: '"event": "polled"' in line and f'"{source}"' in line
        )
    await emulator.send_text(READER, "/rates USD")
    await emulator.wait_message(READER, lambda m: "84.7935" in m.get("text", ""), timeout=30)
    assert await get(program, "/healthz") == (200, "text/plain", "ok\n")
    await ready(program)
    status, kind, metrics = await counted(
        program,
        r'jarchy_polls_total\{outcome="ok",source="nbkr"\} [1-9]',
        r'jarchy_polls_total\{outcome="failed",source="broken"\} [1-9]',
        r'jarchy_source_last_ok_timestamp_seconds\{source="test"\} 1\.',
        r'jarchy_updates_total\{kind="message",outcome="\w+"\} [1-9]',
        r'jarchy_deliveries_waiting\{lane="alert"\} 0',
    )
    assert (status, kind) == (200, "text/plain")
    status, kind, page = await get(program, "/status")
    assert (status, kind) == (200, "text/html")
    for words in (
        "2 / 3",
        "National &lt;Bank&gt;",
        "Test agency",
        "Broken agency",
        'class="bad"',
        "84.7935",
    ):
        assert words in page, words
    assert not re.findall(r'="[^"]*\d{4,}[^"]*"', metrics), "a number of somebody's in a label"
    # by itself: seconds that were counted have such digits in their midst
    assert not re.search(rf"(?<![\d.]){READER}(?![\d.])", metrics + page)
    hidden = ("Aigul", TEST_TOKEN, TEST_TOKEN.partition(":")[2], "/rates")
    assert [secret for secret in hidden if secret in metrics + page] == []
    assert (await get(program, "/elsewhere"))[0] == 404
    assert await program.end() == 0


async def test_not_ready_until_telegram_has_answered(tmp_path: Path, emulator: Emulator) -> None:
    """Alive meanwhile; the reason is said, and goes."""
    emulator.faults.add(Fault.server_error(502, method="getMe"))
    program = Program(tmp_path, emulator, "")
    await program.start(ready=False)
    await program.said(lambda line: "not there yet" in line)
    assert (await get(program, "/healthz"))[0] == 200
    assert any("Telegram" in reason for reason in await not_ready(program))
    assert (await get(program, "/metrics"))[0] == 200
    emulator.faults.clear()
    await program.said(lambda line: '"event": "ready"' in line)
    await ready(program)
    assert await program.end() == 0


@pytest.mark.postgres
async def test_without_its_database_it_says_why_it_is_not_ready(
    tmp_path: Path, emulator: Emulator, postgres_url: str, postgres_server: str
) -> None:
    """Alive, not ready, its figures still there; ready again when the database is, by itself. The
    password is said nowhere.
    """
    password = "canary/пароль@7"
    known = make_url(postgres_url).set(password=password).render_as_string(hide_password=False)
    program = Program(tmp_path, emulator, "", DATABASE_URL=known, LOG_LEVEL="debug")
    await program.start()
    await ready(program)
    name = make_url(postgres_url).database
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.execute(end, (name,))
        reasons = await not_ready(program)
        assert any("database" in reason.lower() for reason in reasons)
        pages = [await get(program, path) for path in ("/healthz", "/metrics", "/status")]
        assert [status for status, _, _ in pages] == [200, 200, 503]
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    await ready(program)
    assert await program.end() == 0
    said = "".join((*program.log, *reasons, *(text for _, _, text in pages)))
    hidden = (password, quote(password), quote(password, safe=""), "пароль")
    assert [one for one in hidden if one in said] == []


@pytest.mark.parametrize("listen", ["127.0.0.1:0", ":0"])
async def test_S24_only_this_machine_may_ask_unless_told_otherwise(
    tmp_path: Path, emulator: Emulator, listen: str
) -> None:
    """On loopback by default and without a host; another address of this very machine is
    refused.
    """
    assert Settings.model_fields["ops_listen"].default.startswith("127.0.0.1:")
    program = Program(tmp_path, emulator, "", OPS_LISTEN=listen)
    await program.start()
    address: Any = json.loads(await program.said(lambda line: '"event": "listening"' in line))[
        "address"
    ]
    port = urlsplit(f"//{address}").port
    assert port is not None
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.2", port), timeout=10),
    ):
        pass
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
    assert await program.end() == 0
