"""Telegram through the operator's proxy: every way we talk to it, over TLS and without."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from aiohttp import web
from telegram.error import NetworkError

from bot.config import Settings, load_settings
from bot.emulator import TEST_TOKEN
from bot.telegram.api import Api
from bot.telegram.outcomes import Retry, Sent
from bot.telegram.request import AiohttpRequest
from bot.telegram.session import open_session, proxy_of
from tests.proxy import Proxy, proxy_to
from tests.test_proxies import Names

TOKEN = f"123456789:{'A' * 35}"
SECRET = "q7-пароль:of@a-proxÿ"
NAME = "telegram.example"  # nobody but a proxy knows it


@asynccontextmanager
async def telegram(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that takes all, its port, and the addresses and headers it was asked with."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(f"{request.method} {request.path} {sorted(request.headers)}")
        await request.read()
        return web.json_response({"ok": True, "result": {"message_id": 7}})

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1], seen
    finally:
        await runner.cleanup()


def tls_of(name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side and a client that believes it."""
    authority = trustme.CA()
    ours, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(name).configure_cert(ours)
    authority.configure_trust(trust)
    return ours, trust


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("encrypted", [True, False])
async def test_each_way_to_telegram_goes_through_the_proxy_by_name(
    scheme: str, *, encrypted: bool
) -> None:
    """Messages, files and updates; the proxy looks the name up, and its password is no affair of
    Telegram's.
    """
    ours, trust = tls_of(NAME)
    url = f"{'https' if encrypted else 'http'}://{NAME}"
    async with (
        telegram(ours if encrypted else None) as (port, seen),
        proxy_to(port, scheme, password=SECRET) as proxy,
        open_session(proxy=proxy.url, tls=trust) as session,
    ):
        api = Api(session, url=url, token=TOKEN, proxy=proxy.url)
        sent = Sent(7, {"message_id": 7})
        assert [await api.call("sendMessage", chat_id=1, text="a") for _ in range(2)] == [sent] * 2
        assert await api.upload("sendPhoto", {"chat_id": 1}, field="photo", content=b"x") == sent
        status, _ = await AiohttpRequest(session).do_request(f"{url}/bot{TOKEN}/getUpdates", "POST")
    assert status == 200
    assert [one.split()[1].rpartition("/")[2] for one in seen] == [
        "sendMessage",
        "sendMessage",
        "sendPhoto",
        "getUpdates",
    ]
    if encrypted or scheme != "http":  # a plain request is the proxy's to clean
        assert all("Proxy-Authorization" not in one for one in seen)
    if scheme == "http":
        proof = base64.b64encode(f"me:{SECRET}".encode()).decode()
        assert set(proxy.introduced) == {f"Proxy-Authorization: Basic {proof}"}
    else:
        assert set(proxy.introduced) == {f"me:{SECRET}"}
    assert all(NAME in one for one in proxy.asked)
    assert len(proxy.asked) <= 2, "its connections are kept"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_refuses_or_is_dead_has_sent_nothing(scheme: str) -> None:
    """So what was to be sent is sent again without a doubt; no error has a letter of its
    password.
    """
    ours, trust = tls_of(NAME)
    async with telegram(ours) as (port, seen):
        async with proxy_to(port, scheme, password=SECRET, refuses=True) as proxy:
            await refused(proxy, trust)
        await refused(proxy, trust)  # closed
    assert seen == []


async def refused(proxy: Proxy, trust: ssl.SSLContext) -> None:
    """All ways end in a refusal after which nothing was sent."""
    url = f"https://{NAME}"
    async with open_session(proxy=proxy.url, tls=trust) as session:
        api = Api(session, url=url, token=TOKEN, proxy=proxy.url)
        for outcome in (
            await api.call("sendMessage", chat_id=1, text="a"),
            await api.upload("sendPhoto", {"chat_id": 1}, field="photo", content=b"x"),
        ):
            assert isinstance(outcome, Retry)
            assert SECRET not in repr(outcome)
        with pytest.raises(NetworkError) as told:
            await AiohttpRequest(session).do_request(f"{url}/bot{TOKEN}/getUpdates", "POST")
        assert SECRET not in repr(told.value)


@pytest.mark.parametrize(
    ("host", "at_home"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("telegram-bot-api", True),
        ("a-container-that-is-not-up-yet", True),
        ("outside.example", False),
        ("metadata", False),
        (NAME, False),
    ],
)
async def test_a_bot_api_server_of_the_operators_own_is_asked_past_the_proxy_to_all_others(
    host: str, *, at_home: bool
) -> None:
    """By whatever name, as a network of containers gives it one; not past a proxy to Telegram."""
    names = {"localhost": "127.0.0.1", "telegram-bot-api": "172.18.0.5"}
    known = Names({**names, "outside.example": "93.184.215.14", "metadata": "169.254.169.254"})
    way = "http://127.0.0.1:1"

    def settings(proxy_for: str) -> Settings:
        url = f"http://{host}:8081"
        return load_settings(bot_token=TEST_TOKEN, bot_api_url=url, proxy=way, proxy_for=proxy_for)

    assert await proxy_of(settings("telegram"), known) == way
    assert await proxy_of(settings("all"), known) == (None if at_home else way)
