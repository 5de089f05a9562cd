"""The one aiohttp session to Telegram, and how long anything may take in it."""

from __future__ import annotations

import aiohttp

CONNECT_SECONDS = 6  # less than any request may take: then we know that nothing was sent
TOTAL_SECONDS = 30
# more than ever hang at once: the one that asks whether Telegram is there must be free
MOST_CONNECTIONS = 400


def open_session(*, connections: int = MOST_CONNECTIONS) -> aiohttp.ClientSession:
    """The session that everything to Telegram goes through."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ttl_dns_cache=300),
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=True,
    )
