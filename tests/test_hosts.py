"""By what name a page without a password may be asked for."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.hosts import is_loopback, names_no_stranger
from bot.ops import Operated, Readiness, ops_app
from bot.sources.specs import Catalog
from storage.opening import open_store
from tests.factories import NOW
from tests.world import migrated_copy

PAGES = ("/status", "/status/events", "/metrics", "/readyz", "/healthz", "/nothing")


@pytest.mark.parametrize(
    "host",
    [
        None, "127.0.0.1", "127.0.0.1:8080", "LocalHost:9", "a.localhost", "[::1]:8080",
        "192.168.1.5:8080", "127.8.8.8",
    ],
)  # fmt: skip
def test_an_address_and_this_machines_name_are_nobodys_to_lead_elsewhere(host: str | None) -> None:
    """Nor is it a browser that says no name."""
    assert names_no_stranger(host)


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example", "rebound.example:8080", "127.0.0.1.nip.example", "localhost.example",
        "notlocalhost", "2130706433", "0x7f.1", "bot", "", ":8080", "[", "[::1",
    ],
)  # fmt: skip
def test_a_name_is_its_owners_to_lead_anywhere(host: str) -> None:
    """However much it looks like this machine's; nor is nonsense believed."""
    assert not names_no_stranger(host)


def test_loopback_is_known_in_each_form() -> None:
    """As a socket of either family says it."""
    assert all(map(is_loopback, ("127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.1.5", "::", "fd00::2", "::ffff:8.8.8.8")))


def own_address() -> str | None:
    """An address of this machine that others reach it by; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        return str(way.getsockname()[0])


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[int]:
    """The port of the operator's server on every address of this machine."""
    store = await open_store(migrated_copy(path))
    of = Operated(store=store, catalog=Catalog(), clock=lambda: NOW, readiness=Readiness())
    runner = web.AppRunner(ops_app(of))
    try:
        await runner.setup()
        await web.TCPSite(runner, "0.0.0.0", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
        await store.close()


async def test_a_rebound_name_reads_no_page_of_the_operators(tmp_path: Path) -> None:
    """By loopback; on another address the operator's network calls it what it likes."""
    async with listening(tmp_path / "jarchy.db") as port, aiohttp.ClientSession() as browser:
        rebound = {"Host": f"rebound.example:{port}"}

        async def asked(by: str, path: str, **headers: str) -> int:
            async with browser.get(f"http://{by}:{port}{path}", headers=headers) as answer:
                return answer.status

        for path in PAGES:
            assert await asked("127.0.0.1", path, **rebound) == 403, path
        assert await asked("127.0.0.1", "/healthz") == 200
        assert await asked("127.0.0.1", "/healthz", Host="localhost:9090") == 200
        if (address := own_address()) is not None:
            assert await asked(address, "/healthz", **rebound) == 200
