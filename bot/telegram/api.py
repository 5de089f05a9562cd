"""Requests to the Bot API: a method, a body, an outcome.

`Api` sends ready-made JSON bodies; `Line` puts them on the session's connections. The token is part
of every address, so no error text of aiohttp goes further than here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import orjson
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from bot import metrics
from bot.clock import boottime, pause
from bot.proxies import http_proxy
from bot.reasons import Reason, reason
from bot.telegram.line import Line
from bot.telegram.outcomes import (
    LABELS,
    NO_FILE,
    Ambiguous,
    Outcome,
    Rejected,
    Retry,
    Sent,
    is_final,
    label,
    read,
)
from bot.telegram.session import CONNECT_SECONDS, TOTAL_SECONDS

# times that Telegram must disown a token in a row: it is known to say 401 once by mistake
TOKEN_ASKS = 3
# seconds between these questions, and until what was refused by mistake is tried again
TOKEN_PAUSE = 1.0
# seconds of nothing but 401: from one method whatever the token's own question says, or from all of
# them where the token was good before; a server that starts again says 401 for a few
TOKEN_PATIENCE = 15.0
OK, UNAUTHORIZED = 200, 401
#: Errors of the way to Telegram: nothing of the request has left.
UNSENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
)
TOKEN_REFUSALS = 4  # and at least so many of them
#: The methods that the bot asks for, each with a figure before its first request.
METHODS = (
    "answerCallbackQuery",
    "answerInlineQuery",
    "deleteMessage",
    "deleteWebhook",
    "editMessageCaption",
    "editMessageMedia",
    "editMessageReplyMarkup",
    "editMessageText",
    "getChat",
    "getChatMember",
    "getFile",
    "getMe",
    "getMyDescription",
    "getUpdates",
    "getWebhookInfo",
    "leaveChat",
    "pinChatMessage",
    "sendChatAction",
    "sendDocument",
    "sendMessage",
    "sendPhoto",
    "sendRichMessage",
    "setMyCommands",
    "setMyDescription",
    "setWebhook",
    "unpinChatMessage",
)
MISTAKEN = reason("telegram.mistaken", "401, though Telegram knows the token")


class BotApi(Protocol):
    """The Bot API as everybody sees it: never an exception of the network's, always an outcome."""

    async def call(self, method: str, **parameters: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        """Send parameters as JSON; those that are None are left out."""

    async def post(self, method: str, body: bytes) -> Outcome:
        """Send a ready-made JSON body."""

    async def upload(
        self,
        method: str,
        parameters: Mapping[str, Any],
        *,
        field: str,
        content: bytes,
        filename: str = "photo.png",
        content_type: str = "image/png",
    ) -> Outcome:
        """Send parameters with one file; those that are None are left out."""

    async def download(self, path: str, *, most: int) -> Outcome:
        """Get a file that `getFile` has named: Sent with its bytes, Rejected where there is none of
        so many at most.
        """


@dataclass(slots=True)
class _Refusals:
    """The number of answers in a row of a method that were nothing but 401, and since when."""

    since: float
    count: int = 0


class Api:
    """The Bot API for the worker and the handlers: a method, a body, an outcome.

    No exception of aiohttp comes out of it. A request without an answer is given up after so many
    `seconds`. A 401 is believed only after Telegram was asked again, for as long as a token that
    was good before deserves: by mistake it is a Retry; when it stays, a Rejected with `token`, and
    `on_revoked` is called.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        token: str,
        seconds: float = TOTAL_SECONDS,
        proxy: str | None = None,
        on_revoked: Callable[[], None] | None = None,
    ) -> None:
        metrics.CALLS.expect(METHODS, LABELS)
        self._on_revoked = on_revoked
        self._refusals: dict[str, _Refusals] = {}
        self._asking: asyncio.Task[bool] | None = None
        self._was_good = False
        self._disowned_since: float | None = None
        self._session = session
        self._base = f"{url}/bot{token}/"
        self._files = f"{url}/file/bot{token}/"
        self._timeout = aiohttp.ClientTimeout(
            total=seconds, sock_connect=min(seconds, CONNECT_SECONDS)
        )
        self._line = Line(session, URL(self._base, encoded=True), seconds, proxy=http_proxy(proxy))

    def abandon(self, seconds: float) -> None:
        """Give up what waited longer than that, as Ambiguous: its connection is dead."""
        self._line.abandon(seconds)

    def forget_idle(self) -> None:
        """Ask by new connections from now on: those that are kept may be dead."""
        self._line.forget_idle()

    async def post(self, method: str, body: bytes) -> Outcome:
        """Send a ready-made JSON body."""
        found = await self._exchange(method, body)
        if isinstance(found, Sent) and not self._refusals:  # nearly always
            return found
        return await self._believed(method, found)

    async def _exchange(self, method: str, body: bytes) -> Outcome:
        try:
            found = read(*await self._line.exchange(method, body), method)
        except UNSENT as error:
            found = Retry(_unsent(error))
        except (TimeoutError, aiohttp.ClientError, HttpProcessingError, OSError) as error:
            found = Ambiguous(_unanswered(error))
        self._was_good = self._was_good or isinstance(found, Sent)
        metrics.CALLS.add(method, label(found))
        return found

    async def call(self, method: str, **parameters: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        """Send parameters as JSON; those that are None are left out."""
        kept = {name: value for name, value in parameters.items() if value is not None}
        return await self.post(method, orjson.dumps(kept))

    async def upload(
        self,
        method: str,
        parameters: Mapping[str, Any],
        *,
        field: str,
        content: bytes,
        filename: str = "photo.png",
        content_type: str = "image/png",
    ) -> Outcome:
        """Send parameters with one file; those that are None are left out."""
        form = aiohttp.FormData()
        for name, value in parameters.items():
            if value is None:
                continue
            if isinstance(value, str):
                form.add_field(name, value)
            else:  # in a form the Bot API reads JSON from text
                form.add_field(name, orjson.dumps(value).decode())
        form.add_field(field, content, filename=filename, content_type=content_type)
        return await self._post(method, data=form)

    async def download(self, path: str, *, most: int) -> Outcome:
        """Get a file that `getFile` has named: Sent with its bytes, Rejected where there is none of
        `most` bytes at most.

        It may be had as often as one likes: what brought no file is a Retry.
        """
        address = URL(self._files, encoded=True).join(URL(path))
        if not str(address).startswith(self._files):  # a path leads nowhere else
            return NO_FILE
        try:
            async with self._session.get(
                address, timeout=self._timeout, allow_redirects=False
            ) as response:
                body = await response.content.read(most + 1)
                if response.status == UNAUTHORIZED:  # once by mistake, perhaps: as of any method
                    return Retry(MISTAKEN, after=TOKEN_PAUSE)
                if response.status != OK:
                    found = read(response.status, body, "getFile")
                    return NO_FILE if is_final(found) else found
                while len(body) <= most and (more := await response.content.read(most + 1)):
                    body += more
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return Retry(_unanswered(error))
        if len(body) > most:
            return NO_FILE
        return Sent(0, body)

    async def _believed(self, method: str, found: Outcome) -> Outcome:
        """The outcome, unless it calls the token unknown and Telegram does not keep to that."""
        if not isinstance(found, Rejected) or not found.token:
            self._refusals.pop(method, None)
            if isinstance(found, Sent):
                self._disowned_since = None
            return found
        refusals = self._refusals.setdefault(method, _Refusals(boottime()))
        refusals.count += 1
        stays = refusals.count >= TOKEN_REFUSALS and boottime() - refusals.since >= TOKEN_PATIENCE
        if not stays:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._is_disowned(), name="ask about the token")
            # one question for all who were refused; whoever gives up does not end it for the others
            stays = await asyncio.shield(self._asking)
        if not stays:
            return Retry(MISTAKEN, after=TOKEN_PAUSE)
        if self._on_revoked is not None:
            self._on_revoked()
        return found

    async def _is_disowned(self) -> bool:
        """Whether Telegram disowns the token each time it is asked; an outage says nothing.

        One that was good before has to be disowned for longer, question after question.
        """
        for number in range(TOKEN_ASKS):
            if number:
                await pause(TOKEN_PAUSE)
            found = await self._exchange("getMe", b"{}")
            if not isinstance(found, Rejected) or not found.token:
                return False
        since = self._disowned_since = self._disowned_since or boottime()
        return not self._was_good or boottime() - since >= TOKEN_PATIENCE

    async def _post(self, method: str, **request: Any) -> Outcome:  # noqa: ANN401 - aiohttp's arguments
        return await self._believed(method, await self._posted(method, **request))

    async def _posted(self, method: str, **request: Any) -> Outcome:  # noqa: ANN401 - aiohttp's arguments
        try:
            async with self._session.post(
                self._base + method, timeout=self._timeout, allow_redirects=False, **request
            ) as response:
                found = read(response.status, await response.read(), method)
        except UNSENT as error:
            found = Retry(_unsent(error))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            found = Ambiguous(_unanswered(error))
        metrics.CALLS.add(method, label(found))
        return found


def _unsent(error: Exception) -> Reason:
    """The reason of a request of which nothing has left."""
    return reason("telegram.unsent", "{error}", error=type(error).__name__)


def _unanswered(error: Exception) -> Reason:
    """The reason of a request of which nobody knows what became."""
    return reason("telegram.unanswered", "{error}", error=type(error).__name__)
