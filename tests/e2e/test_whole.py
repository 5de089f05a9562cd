"""The whole program, as a process, against an emulated Telegram and publishers on loopback."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.emulator import TEST_TOKEN, Emulator, Fault
from tests.e2e.program import CHANNEL, READER, Program
from tests.publishers import ATTACK, QUIET, TODAY, Publishers, agency_at, bank_at, daily, rss


def catalog(url: str) -> str:
    """One bank, one feed, one broken source, one channel."""
    return f"""{bank_at(url)}
[rates.cbr]
name = {{ en = "Bank of Russia" }}
urls = ["{url}/broken.xml"]
kind = "official"
poll = {{ every = "1s", zone = "Europe/Moscow" }}

{agency_at(url)}
[channels."{CHANNEL}"]
language = "ru"
topics = ["security"]
pairs = ["USD/KGS"]
"""


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A Telegram with one reader and one channel."""
    telegram = Emulator(TEST_TOKEN, "jarchy_bot")
    await telegram.start()
    telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
    telegram.add_channel(CHANNEL, "Herald", "herald")
    yield telegram
    await telegram.stop()


@pytest.fixture
async def publishers() -> AsyncIterator[Publishers]:
    """A bank whose rate of yesterday holds, a quiet feed, and a source that returns HTML."""
    async with Publishers() as server:
        server.put(
            "/daily.xml",
            daily(f"{TODAY - timedelta(days=1):%d.%m.%Y}", "84,7935", "98,8523", "1,1948"),
        )
        server.put("/feed.xml", rss(QUIET))
        server.put(
            "/broken.xml", b"<!doctype html><title>Under maintenance</title>", kind="text/html"
        )
        yield server


@pytest.fixture
async def program(
    tmp_path: Path, emulator: Emulator, publishers: Publishers
) -> AsyncIterator[Program]:
    """The program, started and ready; ended by SIGTERM with exit code 0."""
    started = Program(tmp_path, emulator, catalog(publishers.url))
    await started.start()
    yield started
    assert await started.end() == 0, "".join(started.log)


async def ask(emulator: Emulator, text: str, fits: str) -> str:
    """Write to the bot as the reader; the answer's text."""
    asked = await emulator.send_text(READER, text)
    answer = await emulator.wait_message(
        READER, lambda m: fits in m.get("text", ""), after=asked, timeout=20
    )
    return str(answer["text"])


async def subscribed(emulator: Emulator, program: Program) -> None:
    """The reader follows the dollar and security; the channel is joined; the first polls are
    done.
    """
    await program.said(lambda line: '"source": "nbkr"' in line and '"event": "polled"' in line)
    await program.said(lambda line: '"source": "test"' in line and '"event": "polled"' in line)
    asked = await emulator.send_text(READER, "/start")
    menu = await emulator.wait_message(READER, lambda m: "reply_markup" in m, after=asked)
    for data in ("cur:USD", "top:security"):
        await emulator.press(READER, menu["message_id"], data)


def texts(emulator: Emulator, chat: int, *words: str) -> list[str]:
    """The bot's messages in a chat that contain all the words."""
    return [
        m["text"]
        for m in emulator.messages(chat)
        if all(word in m.get("text", "") for word in words)
    ]


async def test_commands_are_answered_from_the_store(emulator: Emulator, program: Program) -> None:
    """/rates shows what the bank published; /news what the feed did; the broken source is named and
    stops nobody.
    """
    await program.said(lambda line: '"source": "test"' in line and '"event": "polled"' in line)
    await program.said(lambda line: '"source": "nbkr"' in line and '"event": "polled"' in line)
    card = await ask(emulator, "/rates", "USD")
    assert "84.7935" in card
    assert "98.8523" in card
    assert "1.1948" in card
    assert "Apple harvest" in await ask(emulator, "/news", "Apple")
    assert "Bank of Russia" in await ask(emulator, "/status", "National Bank")


async def test_rubbish_is_answered_with_what_would_work(
    emulator: Emulator, program: Program
) -> None:
    """Nobody is met with silence or with a stack trace."""
    await program.said(lambda line: '"source": "nbkr"' in line and '"event": "polled"' in line)
    for question, answer in {
        "/rates XXX": "XXX",
        "/rates 2099-01-01": "2099",
        "/rates %%%": "/rates",
        "/news dragons": "dragons",
        "/digest 25:99": "25:99",
        "gibberish, all of it": "/help",
    }.items():
        assert "Traceback" not in await ask(emulator, question, answer)


async def test_a_move_and_a_story_reach_a_subscriber_and_a_channel_once(
    emulator: Emulator, program: Program, publishers: Publishers
) -> None:
    """Decided once, sent once, each in the chat's language; further polls add nothing."""
    await subscribed(emulator, program)
    publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8600", "1,1950"))
    publishers.put("/feed.xml", rss(ATTACK, QUIET))
    await emulator.wait_message(READER, lambda m: "USD/KGS" in m.get("text", ""), timeout=30)
    await emulator.wait_message(READER, lambda m: "border post" in m.get("text", ""), timeout=30)
    await emulator.wait_message(CHANNEL, lambda m: "USD/KGS" in m.get("text", ""), timeout=30)
    await emulator.wait_message(CHANNEL, lambda m: "border post" in m.get("text", ""), timeout=30)
    await publishers.asked_again("/feed.xml", 2)
    for chat in (READER, CHANNEL):
        assert len(texts(emulator, chat, "USD/KGS")) == 1
        assert len(texts(emulator, chat, "border post")) == 1
    assert "84.7935 → 89.9000" in texts(emulator, READER, "USD/KGS")[0]
    assert "84,7935 → 89,9000" in texts(emulator, CHANNEL, "USD/KGS")[0]


async def test_P1_sigkill_between_storing_and_sending_loses_nothing(
    tmp_path: Path, emulator: Emulator, publishers: Publishers
) -> None:
    """A decision of before the kill is sent after the restart, once, by itself."""
    program = Program(tmp_path, emulator, catalog(publishers.url))
    await program.start()
    await subscribed(emulator, program)
    fault = emulator.faults.add(Fault.server_error(503, method="sendMessage"))
    publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8600", "1,1950"))
    await program.said(lambda line: '"source": "nbkr"' in line and '"alerts": 1' in line)
    await program.end(signal.SIGKILL)
    with sqlite3.connect(tmp_path / "jarchy.db") as database:
        (alerts,) = database.execute("SELECT count(*) FROM alert").fetchone()
    database.close()
    assert alerts == 1
    assert texts(emulator, READER, "USD/KGS") == []
    emulator.faults.clear()
    assert fault is not None
    await program.start()
    for chat in (READER, CHANNEL):
        await emulator.wait_message(chat, lambda m: "USD/KGS" in m.get("text", ""), timeout=60)
    await publishers.asked_again("/daily.xml", 2)
    for chat in (READER, CHANNEL):
        assert len(texts(emulator, chat, "USD/KGS")) == 1
    assert await program.end() == 0


async def test_G2_an_update_stored_before_a_kill_is_answered_after_it(
    tmp_path: Path, emulator: Emulator, publishers: Publishers
) -> None:
    """Telegram was told that it arrived; the effect comes after the restart."""
    program = Program(tmp_path, emulator, catalog(publishers.url))
    await program.start()
    await program.said(lambda line: '"source": "nbkr"' in line and '"event": "polled"' in line)
    emulator.faults.add(Fault.server_error(503, method="sendMessage"))
    asked = await emulator.send_text(READER, "/rates")
    await emulator.calls.wait(lambda call: call.method == "sendMessage" and call.chat_id == READER)
    await program.end(signal.SIGKILL)
    emulator.faults.clear()
    await program.start()
    await emulator.wait_message(
        READER, lambda m: "84.7935" in m.get("text", ""), after=asked, timeout=20
    )
    assert await program.end() == 0


async def test_P5_a_second_program_on_one_file_ends_with_a_clear_message(
    tmp_path: Path, emulator: Emulator, program: Program, publishers: Publishers
) -> None:
    """Two would send everything twice."""
    second = Program(tmp_path, emulator, catalog(publishers.url))
    await second.start(ready=False)
    assert await second.end(None) == 78
    assert "another Jarchy" in "".join(second.log)


async def test_a_wrong_setting_ends_with_78_and_names_every_problem(
    tmp_path: Path, emulator: Emulator
) -> None:
    """All problems at once, none with a secret in it."""
    program = Program(
        tmp_path,
        emulator,
        "[rates.nowhere]\n",
        SEND_RATE="-1",
        TIME_ZONE="Mars/Base",
        BOT_TOKEN="abc",
    )
    await program.start(ready=False)
    assert await program.end(None) == 78
    said = "".join(program.log)
    for name in ("SEND_RATE", "TIME_ZONE", "BOT_TOKEN"):
        assert name in said
