"""python-telegram-bot's requests over our session.

Its default transport collapses with 100 requests in flight, because its pool polls every socket on
every request.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.telegram.session import CONNECT_SECONDS, TOTAL_SECONDS

JSON_HEADERS = {"Content-Type": "application/json"}


class AiohttpRequest(BaseRequest):
    """python-telegram-bot's requests over our session, as JSON wherever there is no file."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @property
    def read_timeout(self) -> float | None:
        """Seconds without a byte."""
        return float(TOTAL_SECONDS)

    async def initialize(self) -> None:
        """The session is the composition root's."""

    async def shutdown(self) -> None:
        """The session stays open: who opened it closes it."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - the base class's type
        write_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - likewise
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - likewise
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - likewise
    ) -> tuple[int, bytes]:
        """One request; errors keep their class's name and lose the address with the token in it."""
        del write_timeout, connect_timeout, pool_timeout
        total = (
            read_timeout + CONNECT_SECONDS
            if isinstance(read_timeout, int | float)
            else TOTAL_SECONDS
        )
        try:
            async with self._session.request(
                method, url, timeout=aiohttp.ClientTimeout(total=total), **_content(request_data)
            ) as response:
                return response.status, await response.read()
        except TimeoutError:
            raise TimedOut from None
        except asyncio.CancelledError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None


def _content(data: RequestData | None) -> dict[str, Any]:
    if data is None:
        return {}
    if not data.contains_files:
        return {"data": orjson.dumps(data.parameters), "headers": JSON_HEADERS}
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return {"data": form}
