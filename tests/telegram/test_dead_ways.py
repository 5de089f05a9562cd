"""A way to Telegram that dies without a word, as behind a router that forgot about it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.emulator import TEST_TOKEN, Emulator
from bot.sockets import SILENCE
from bot.telegram.api import Api
from bot.telegram.outcomes import Sent
from bot.telegram.session import TOTAL_SECONDS, open_session
from tests.proxy import proxy_to

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("scheme", [None, "http", "socks5"])
async def test_G15_the_kernel_looks_after_each_connection(scheme: str | None) -> None:
    """Also after those that lead to a proxy."""
    async with Emulator(open_chats=True) as emulator:
        if scheme is None:
            await connection_is_looked_after(emulator.api_url, None)
            return
        async with proxy_to(int(emulator.api_url.rpartition(":")[2]), scheme) as proxy:
            await connection_is_looked_after("http://telegram.example", proxy.url)


async def connection_is_looked_after(url: str, proxy: str | None) -> None:
    """The one that is kept after a message."""
    async with open_session(proxy=proxy) as session:
        api = Api(session, url=url, token=TEST_TOKEN, proxy=proxy)
        assert isinstance(await api.call("sendMessage", chat_id=7, text="a"), Sent)
        assert session.connector is not None
        ((protocol, _),) = next(iter(session.connector._conns.values()))
        assert protocol.transport is not None
        kept = protocol.transport.get_extra_info("socket")
        assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SILENCE * 1000
        assert kept.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < SILENCE


@pytest.mark.slow
def test_G15_whoever_waits_on_a_dead_way_hears_of_it() -> None:
    """Twenty seconds before a request is given up for its own time, sent before or after."""
    command = ["unshare", "-rn", sys.executable, "-m", "tests.telegram.dead_way"]
    if subprocess.run([*command[:2], "ip", "link"], check=False, capture_output=True).returncode:
        pytest.skip("no network of one's own may be made here")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        outcome, seconds = line.split()
        assert outcome == "Ambiguous"
        assert float(seconds) < (SILENCE + TOTAL_SECONDS) / 2
    assert len(done.stdout.splitlines()) == 2
