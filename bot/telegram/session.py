"""The one aiohttp session to Telegram, and how long anything may take in it."""

from __future__ import annotations

import ssl

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.addresses import INTERNET_NAME, is_own
from bot.config import Settings
from bot.proxies import SYSTEMS, addresses_of, connector_to_anywhere, http_proxy
from bot.sockets import attentive

CONNECT_SECONDS = 6  # less than any request may take: then we know that nothing was sent
TOTAL_SECONDS = 30  # of a request; who cannot wait so long gives its own
# more than ever hang at once: the one that asks whether Telegram is there must be free
MOST_CONNECTIONS = 400
Session = aiohttp.ClientSession  # for who only hands it on


async def proxy_of(settings: Settings, resolver: AbstractResolver | None = None) -> str | None:
    """The proxy by which the Bot API server is asked; none, where all others are asked by it too,
    of one that is the operator's own machine by all of its addresses.
    """
    proxy = settings.proxy
    if proxy is None or not settings.proxies_past_home:
        return proxy
    asked = URL(settings.bot_api_url)
    found = await addresses_of(asked, resolver)
    if found:
        return None if all(map(is_own, found)) else proxy
    # a container's name is known once it runs, which may be after us; a proxy would never know it
    return proxy if INTERNET_NAME.fullmatch(asked.raw_host or "") else None


def open_session(
    *,
    connections: int = MOST_CONNECTIONS,
    proxy: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> aiohttp.ClientSession:
    """The session that everything to Telegram goes through, by a proxy where there is one.

    `tls` is whom to believe, the system's authorities by themselves.
    """
    if proxy is None:
        connector = aiohttp.TCPConnector(
            limit=connections, ttl_dns_cache=300, ssl=tls or SYSTEMS, socket_factory=attentive
        )
    else:
        connector = connector_to_anywhere(URL(proxy), tls, most=connections)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=True,
        proxy=http_proxy(proxy),
    )
