"""`jarchy init` as a new operator runs it, against an emulated Telegram."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from bot.cli.starting import MOST_UPDATES, _write
from bot.config import load_settings
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.model.chats import OPERATORS_LINK
from bot.proxy_address import introduction
from bot.telegram.api import Api
from bot.telegram.outcomes import Sent
from bot.telegram.session import open_session
from tests import forkserver

OPERATOR, STRANGER, GROUP = 1001, 1002, -1001


@pytest.mark.parametrize(
    "password",
    ["it's", "a%23b", r"back\slash", r"end\\", '"', r"\'", "${HOME}", "$HOME", "a${b", "'x'"],
)
def test_a_setting_is_read_as_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Whatever stands in a proxy's password."""
    monkeypatch.delenv("PROXY", raising=False)
    proxy = f"socks5://me:{password}@127.0.0.1:1080"
    _write(tmp_path / ".env", {"BOT_TOKEN": TEST_TOKEN, "PROXY": proxy})
    found = load_settings(tmp_path / ".env")
    assert found.proxy is not None
    assert (found.token, introduction(found.proxy)[1].decode()) == (TEST_TOKEN, unquote(password))


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A Telegram with two people and a group."""
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        for number, name in ((OPERATOR, "Aigul"), (STRANGER, "Bakyt")):
            telegram.add_private(telegram.add_user(number, name, "en"))
        telegram.add_group(GROUP, "A group", members=(OPERATOR, STRANGER))
        yield telegram


class Init:
    """The verb, whose token is given and whose words are read."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {**kept, "PYTHONPATH": str(forkserver.ROOT), "BOT_API_URL": url}

    async def start(
        self, token: str, *words: str
    ) -> forkserver.Process | asyncio.subprocess.Process:
        """Start it, with its token on standard input."""
        pipe = asyncio.subprocess.PIPE
        return await forkserver.start(
            "bot",
            *("init", *words),
            cwd=self.folder,
            env=self.environment,
            stdin=f"{token}\n".encode(),
            stdout=pipe,
            stderr=pipe,
        )

    async def run(self, token: str, *words: str) -> tuple[int | None, str]:
        """Run it to its end; the exit and what it said."""
        process = await self.start(token, *words)
        _, said = await process.communicate()
        return process.returncode, said.decode()


async def test_from_a_token_and_a_start_to_settings(tmp_path: Path, emulator: Emulator) -> None:
    """Whoever sends the code in private is the operator; others' words wait for the bot."""
    emulator_url = emulator.api_url
    process = await Init(tmp_path, emulator_url).start(TEST_TOKEN)
    assert process.stderr is not None
    said = ""
    while not (code := re.search(r"start=(\w+)", said)):
        said += (await process.stderr.readline()).decode()
    assert f"https://t.me/jarchy_bot?start={OPERATORS_LINK}" in said
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    await emulator.send_text(STRANGER, "/start")
    await emulator.send_text(STRANGER, "/start deadbeef")
    await emulator.send_text(GROUP, f"/start {code[1]}", user_id=STRANGER)
    await emulator.send_text(OPERATOR, f"/start {code[1]}")
    out, rest = await process.communicate()
    assert (process.returncode, out) == (0, b"")
    assert f"operator, {OPERATOR}" in rest.decode()
    assert TEST_TOKEN not in said + rest.decode()
    settings = load_settings(tmp_path / ".env")
    assert (settings.token, settings.admin_ids) == (TEST_TOKEN, (OPERATOR,))
    assert settings.bot_api_url == emulator_url
    # as `docker run --env-file` reads it: all behind the first = as it stands
    lines = (tmp_path / ".env").read_text().splitlines()
    read = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert read == {
        "BOT_TOKEN": TEST_TOKEN,
        "ADMIN_IDS": str(OPERATOR),
        "BOT_API_URL": emulator_url,
    }
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [".env"]
    async with open_session() as session:
        api = Api(session, url=emulator_url, token=TEST_TOKEN)
        left = await api.call("getUpdates", timeout=0)
    assert isinstance(left, Sent)
    assert len(left.result) == 4, "nothing is taken from the bot"


async def test_G21_a_wait_that_telegram_asks_for_is_kept_while_it_waits_for_a_start(
    tmp_path: Path, emulator: Emulator
) -> None:
    """To the second; one that is longer than there is time for is kept to the end."""
    emulator.faults.add(Fault.flood(3, method="getUpdates", times=1))
    code, _ = await Init(tmp_path, emulator.api_url).run(TEST_TOKEN, "--wait", "5")
    refused, again, *_ = emulator.calls.of("getUpdates")
    assert code == 0
    assert again.at - refused.at >= 3
    (tmp_path / ".env").unlink()
    emulator.faults.add(Fault.flood(60, method="getUpdates", times=1))
    before = emulator.calls.total
    code, said = await Init(tmp_path, emulator.api_url).run(TEST_TOKEN, "--wait", "2")
    asked = [one for one in emulator.calls.since(before) if one.method == "getUpdates"]
    assert (code, len(asked)) == (0, 1)
    assert "No operator yet" in said


async def test_ctrl_c_leaves_the_operator_out(tmp_path: Path, emulator: Emulator) -> None:
    """As the question says; all else is done, and what comes next is told."""
    process = await Init(tmp_path, emulator.api_url).start(TEST_TOKEN)
    assert process.stderr is not None
    said = ""
    while "Ctrl-C leaves it out" not in said:
        said += (await process.stderr.readline()).decode()
    process.send_signal(signal.SIGINT)
    _, rest = await process.communicate()
    assert process.returncode == 0
    assert "put your numeric id into ADMIN_IDS" in rest.decode()
    again = re.search(r"Next: `(.+) -m bot check --sources`, then `\1 -m bot run`", rest.decode())
    assert again is not None
    (python,) = shlex.split(again[1])
    assert shutil.which(python) == sys.executable


async def test_without_an_operator_the_token_is_kept(tmp_path: Path, emulator: Emulator) -> None:
    code, said = await Init(tmp_path, emulator.api_url).run(TEST_TOKEN, "--wait", "0")
    assert code == 0
    assert "ADMIN_IDS" in said
    assert load_settings(tmp_path / ".env").token == TEST_TOKEN
    code, said = await Init(tmp_path, emulator.api_url).run(TEST_TOKEN)
    assert code == 1
    assert ".env is there already" in said


@pytest.mark.parametrize(
    ("token", "why"),
    ids=["nothing", "a word", "too long", "not Telegram's"],
    argvalues=[
        ("", "no token of @BotFather's"),
        ("nonsense", "no token of @BotFather's"),
        ("x" * 10_000, "no token of @BotFather's"),
        (TEST_TOKEN[:-1] + "x", "Telegram does not take it"),
    ],
)
async def test_a_token_that_is_none_writes_nothing(
    tmp_path: Path, emulator: Emulator, token: str, why: str
) -> None:
    code, said = await Init(tmp_path, emulator.api_url).run(token)
    assert code == 1
    assert why in said.splitlines()[-1]
    assert not token or token not in said
    assert list(tmp_path.iterdir()) == []


async def test_what_the_environment_says_otherwise_is_told(
    tmp_path: Path, emulator: Emulator
) -> None:
    """It comes before the file: another bot would run than the one that was asked for, with other
    operators.
    """
    init = Init(tmp_path, emulator.api_url)
    init.environment |= {"BOT_TOKEN": f"987654321:{'A' * 35}", "ADMIN_IDS": "7"}
    code, said = await init.run(TEST_TOKEN, "--wait", "0")
    assert (code, list(tmp_path.iterdir())) == (1, [])
    assert "unset BOT_TOKEN" in said.splitlines()[-1]
    init.environment |= {"BOT_TOKEN": TEST_TOKEN}
    code, said = await init.run(TEST_TOKEN, "--wait", "0")
    assert code == 0
    assert "operators are 7, by ADMIN_IDS of the environment" in said


async def test_where_somebody_else_gets_the_updates_it_ends_with_the_token_kept(
    tmp_path: Path, emulator: Emulator
) -> None:
    """A webhook is set: nobody may ask."""
    async with open_session() as session:
        api = Api(session, url=emulator.api_url, token=TEST_TOKEN)
        assert await api.call("setWebhook", url="https://x.example/hook") == Sent(0, result=True)
    code, said = await Init(tmp_path, emulator.api_url).run(TEST_TOKEN)
    assert code == 0
    assert "Somebody else gets this bot's updates" in said
    assert load_settings(tmp_path / ".env").token == TEST_TOKEN


async def test_behind_many_updates_nobody_is_waited_for(tmp_path: Path, emulator: Emulator) -> None:
    """Telegram shows the oldest alone until they are taken, which is the bot's to do."""
    for _ in range(MOST_UPDATES):
        await emulator.send_text(STRANGER, "hello")
    code, said = await Init(tmp_path, emulator.api_url).run(TEST_TOKEN, "--wait", "3600")
    assert code == 0
    assert "yours would come after them" in said
    assert len(emulator.calls.of("getUpdates")) == 1


async def test_a_telegram_that_is_not_there_is_said(tmp_path: Path) -> None:
    code, said = await Init(tmp_path, "http://127.0.0.1:9").run(TEST_TOKEN)
    assert code == 1
    assert "PROXY" in said
    assert list(tmp_path.iterdir()) == []
