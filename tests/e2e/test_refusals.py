"""The real program beside a Telegram that refuses: webhooks, outages, a token in doubt, an older
server.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.emulator.faults import Kind
from bot.intake.webhook import HEADER
from tests.e2e.program import READER, Program
from tests.ports import free_port

SECRET = "s" * 32
CATALOG = """
[rates.nbkr]
name = { en = "National Bank" }
urls = ["http://127.0.0.1:9/daily.xml"]
kind = "official"
poll = { every = "30m", zone = "Asia/Bishkek" }
"""


@pytest.fixture
async def telegram() -> AsyncIterator[Emulator]:
    """One reader's Telegram."""
    async with Emulator(TEST_TOKEN, "jarchy_bot") as emulator:
        emulator.add_private(emulator.add_user(READER, "Aigul", "en"))
        yield emulator


def hooked(folder: Path, telegram: Emulator, database_url: str) -> tuple[Program, str]:
    """The program by webhook, and the webhook's address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/hook"
    program = Program(
        folder,
        telegram,
        CATALOG,
        DATABASE_URL=database_url,
        UPDATES="webhook",
        WEBHOOK_URL=url,
        WEBHOOK_SECRET=SECRET,
        WEBHOOK_LISTEN=f"127.0.0.1:{port}",
    )
    return program, url


async def answered(telegram: Emulator, text: str, *, timeout: float = 60) -> None:  # noqa: ASYNC109 - passed on
    """Ask, and wait for the bot's answer."""
    asked = await telegram.send_text(READER, text)
    await telegram.wait_message(
        READER, lambda m: m.get("from", {}).get("is_bot", False), after=asked, timeout=timeout
    )


async def test_G17_by_webhook_updates_come_in_and_only_with_our_secret(
    tmp_path: Path, telegram: Emulator, database_url: str
) -> None:
    """Telegram posts them with the secret that setWebhook gave it; a question long after the start
    is answered too.
    """
    program, url = hooked(tmp_path, telegram, database_url)
    telegram.faults.add(Fault.server_error(502, method="setWebhook", times=1))
    await program.start()
    await telegram.calls.wait(
        lambda call: call.method == "setWebhook" and call.accepted, timeout=60
    )
    hook = telegram.updates.webhook
    assert hook is not None
    assert hook.secret == SECRET
    assert telegram.updates.allowed is not None
    assert "callback_query" in telegram.updates.allowed
    await answered(telegram, "/help")
    # when the menus are set, nothing else keeps the server but that it is meant to listen
    await telegram.calls.wait(
        lambda call: call.method == "setMyDescription" and call.accepted, timeout=60
    )
    await answered(telegram, "/help")
    forged = {
        "update_id": 1,
        "message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}},
    }
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {HEADER: "wrong"}):
            assert (await session.post(url, json=forged, headers=headers)).status == 403
    assert await program.end() == 0, "".join(program.log)


async def test_G17_until_updates_come_readyz_says_why_they_do_not(
    tmp_path: Path, telegram: Emulator
) -> None:
    """503 and the reason as JSON while Telegram refuses the webhook; 200 after it."""
    program, _ = hooked(tmp_path, telegram, f"sqlite:///{tmp_path / 'jarchy.db'}")
    fault = telegram.faults.add(Fault.server_error(502, method="setWebhook"))
    await program.start()
    line = await program.said(lambda line: '"event": "listening"' in line)
    page = f"http://{json.loads(line)['address']}/readyz"
    await program.said(lambda line: "webhook not set" in line)
    async with aiohttp.ClientSession() as session:
        async with session.get(page) as answer:
            found = await answer.json()
            assert (answer.status, found["ready"]) == (503, False)
            assert any("webhook" in why for why in found["reasons"])
        telegram.faults.remove(fault)
        await telegram.calls.wait(
            lambda call: call.method == "setWebhook" and call.accepted, timeout=60
        )
        await answered(telegram, "/help")
        async with session.get(page) as answer:
            assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": []})
    assert await program.end() == 0


@pytest.mark.parametrize("method", ["getUpdates", "getMe", "sendMessage", "setMyCommands"])
@pytest.mark.cases(keep=2)
async def test_G16_one_401_ends_nothing(tmp_path: Path, telegram: Emulator, method: str) -> None:
    """The question is answered."""
    program = Program(tmp_path, telegram, CATALOG)
    telegram.faults.add(Fault.unauthorized(method=method, times=1))
    await program.start()
    await answered(telegram, "/help")
    assert await program.end() == 0, "".join(program.log)


AT_START = ("getMe", "setMyCommands", "getMyDescription", "setMyDescription")
#: How a call goes wrong, and for how many calls or seconds.
GOES_WRONG = {
    "502 once": lambda method: Fault.server_error(502, method=method, times=1),
    "429 once": lambda method: Fault.flood(1, method=method, times=1),
    "reset once": lambda method: Fault(Kind.RESET, method=method, times=1),
    "cut short once": lambda method: Fault(Kind.TRUNCATED, method=method, times=1, after=True),
    "500 for a while": lambda method: Fault.server_error(500, method=method, seconds=6),
}


@pytest.mark.parametrize("updates", ["polling", "webhook"])
@pytest.mark.parametrize("wrong", GOES_WRONG)
@pytest.mark.cases(keep=2)
async def test_G17_a_call_of_the_start_that_goes_wrong_is_made_again(
    tmp_path: Path, telegram: Emulator, wrong: str, updates: str
) -> None:
    """Each of them goes wrong; the program starts all the same, and each is taken in the end."""
    program, methods = Program(tmp_path, telegram, CATALOG), (*AT_START, "deleteWebhook")
    telegram.updates.left_behind("https://old.example/hook", ["message"])
    if updates == "webhook":
        program, _ = hooked(tmp_path, telegram, f"sqlite:///{tmp_path / 'jarchy.db'}")
        methods = (*AT_START, "setWebhook")
    faults = [telegram.faults.add(GOES_WRONG[wrong](method)) for method in methods]
    begun = telegram.calls.total
    await program.start()
    await answered(telegram, "/help")
    for method in methods:
        await telegram.calls.wait(
            lambda call, method=method: call.method == method and call.accepted,
            after=begun,
            timeout=60,
        )
    # a fault with an end of its own may be over before the later calls are made
    assert all(fault.hits for fault in faults if fault.seconds is None or fault is faults[0])
    assert await program.end() == 0, "".join(program.log)


async def test_G17_G21_a_wait_that_telegram_asks_for_at_the_start_is_kept(
    tmp_path: Path, telegram: Emulator
) -> None:
    """Who we are is not asked for before."""
    program = Program(tmp_path, telegram, CATALOG)
    telegram.faults.add(Fault.flood(3, method="getMe", times=1))
    await program.start()
    refused, again = telegram.calls.of("getMe")[:2]
    assert again.at - refused.at >= 3
    assert await program.end() == 0, "".join(program.log)


@pytest.mark.parametrize("method", ["getUpdates", "setMyCommands", "sendMessage", "setWebhook"])
@pytest.mark.cases(keep=1)
async def test_G18_a_401_that_stays_ends_the_program_with_78_and_one_line(
    tmp_path: Path, telegram: Emulator, method: str
) -> None:
    """From whichever loop hears it."""
    program = Program(tmp_path, telegram, CATALOG)
    if method == "setWebhook":
        program, _ = hooked(tmp_path, telegram, f"sqlite:///{tmp_path / 'jarchy.db'}")
    await program.start()
    telegram.faults.add(Fault.unauthorized(method=method))
    telegram.faults.add(Fault.unauthorized(method="getMe"))
    if method == "sendMessage":
        await telegram.send_text(READER, "/help")
    if method in {"setMyCommands", "setWebhook"}:
        await program.end()
        telegram.faults.clear()
        telegram.faults.add(Fault.unauthorized(method=method))
        await program.start()
        telegram.faults.add(Fault.unauthorized(method="getMe"))
    await telegram.send_text(READER, "/help")
    assert await program.end(None) == 78
    said = [line for line in program.log if "BOT_TOKEN" in line]
    assert len(said) == 1, "".join(program.log)
    assert "Traceback" not in "".join(program.log)


async def test_G22_a_server_whose_getme_says_less_is_one_to_start_with(
    tmp_path: Path, telegram: Emulator
) -> None:
    """Only the name is left of it."""
    telegram.api.itself.unsaid = frozenset(telegram.api.itself.get_me(None)) - {"username"}  # type: ignore[arg-type]  # not looked at
    program = Program(tmp_path, telegram, CATALOG)
    await program.start()
    await answered(telegram, "/help@jarchy_bot")
    assert await program.end() == 0


@pytest.mark.parametrize(
    ("how", "seconds"),
    [
        ("refused connections", 6),
        pytest.param("refused connections", 20, marks=pytest.mark.slow),
        pytest.param("502", 20, marks=pytest.mark.slow),
    ],
)
async def test_G15_after_an_outage_the_program_answers_and_hears_within_seconds(
    tmp_path: Path, telegram: Emulator, how: str, seconds: int
) -> None:
    """Of real seconds; what was asked in its beginning is answered soon after its end."""
    program = Program(tmp_path, telegram, CATALOG)
    await program.start()
    await answered(telegram, "/help")
    until = time.monotonic() + seconds
    if how == "502":
        telegram.faults.add(Fault(Kind.HTML, code=502, seconds=seconds))
    else:
        port = telegram.port
        await telegram.stop()
    await program.said(lambda line: "no updates" in line)
    asked = await telegram.send_text(READER, "/help")
    await asyncio.sleep(max(0.0, until - time.monotonic()))  # the outage is as long as it is
    if how != "502":
        await telegram.start(port=port)
    await telegram.wait_message(
        READER, lambda m: m.get("from", {}).get("is_bot", False), after=asked, timeout=60
    )
    assert await program.end() == 0, "".join(program.log)
