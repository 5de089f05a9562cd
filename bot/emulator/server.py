"""HTTP: the Bot API under /bot<token>/, files under /file/bot<token>/, the rest to the chat page.

aiohttp's low-level server without router and middlewares: the emulator must not be what a benchmark
measures. Faults are played here, because a reset connection or half a body is a matter of
transport.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from bot.emulator.calls import Call
from bot.emulator.errors import ApiError, encoded
from bot.emulator.faults import Fault, Kind
from bot.emulator.params import Params, read_params
from bot.emulator.rich import said_in
from bot.emulator.scenario import Scenario
from bot.emulator.tally import is_message

# bytes: the Bot API takes files of 50 MiB, and some form around them
_BODY_LIMIT = 52 * 1024 * 1024
DOWNLOAD = "download"  # the name by which a fault hits files that are fetched
_STOP_GRACE = 0.1  # seconds an open long poll may keep `stop` waiting
# as nginx says it, which stands in front of the real server
_HTML = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>"
    "\r\n</html>\r\n"
)
_REASONS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}

OtherRequests = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class _Outcome:
    """The end of a call: the response, if there is one to send, and the words for the log."""

    response: web.Response | None
    outcome: str
    code: int = 0
    accepted: bool = False
    message_id: int | None = None
    description: str | None = None

    def logged(self, number: int, at: float, wall: float, method: str, chat_id: int | None) -> Call:
        """The line of the call log."""
        return Call(
            number,
            at,
            wall,
            method,
            chat_id,
            self.outcome,
            self.code,
            self.accepted,
            self.message_id,
            self.description,
        )


class Server:
    """One listening socket."""

    def __init__(self, scenario: Scenario, token: str, other_requests: OtherRequests) -> None:
        self._scenario = scenario
        self._token = token
        self._other_requests = other_requests
        self._calls_prefix = f"/bot{token}/"
        self._files_prefix = f"/file/bot{token}/"
        self._stopping = asyncio.Event()
        self._http: web.Server | None = None
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()
        self._stopping.clear()
        self._http = web.Server(
            self._handle, request_factory=_large_request, handler_cancellation=True, access_log=None
        )  # fmt: skip
        # a load test opens its connections all at once, and one too many tries again after a second
        self._listener = await loop.create_server(self._http, host, port, backlog=1024)
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and end open connections."""
        self._stopping.set()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        http, self._http = self._http, None
        if http is not None:
            # a client keeps idle connections in its pool, and `shutdown` would wait for those
            http.pre_shutdown()
            await http.shutdown(_STOP_GRACE)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if "%" in path:  # some clients write the token's colon as %3A
            path = request.rel_url.path
        if path.startswith("/bot"):
            return await self._bot_request(request, path)
        if path.startswith("/file/bot"):
            return await self._file(request, path)
        return await self._other_requests(request)

    async def _file(self, request: web.BaseRequest, path: str) -> web.Response:
        fault = self._scenario.faults.take(DOWNLOAD, None)
        if fault is not None:
            return _whole(request, await self._fail(fault, None))
        file = self._scenario.files.by_path(path.removeprefix(self._files_prefix))
        # told alike, so that a guessed path says nothing of whether there is such a file
        if not path.startswith(self._files_prefix) or file is None:
            return _refused(ApiError(404, "Not Found"))
        return web.Response(body=file.content, content_type=file.content_type)

    async def _bot_request(self, request: web.BaseRequest, path: str) -> web.Response:
        if not path.startswith(self._calls_prefix):
            return _refused(_wrong_token(path))
        name = path[len(self._calls_prefix) :]
        at, wall = time.monotonic(), time.time()  # of arrival, before the body is read
        calls = self._scenario.calls
        chat_id, mark, text = None, 0, ""
        try:
            params = await read_params(request)
            mark, text = self._mark(name, params), said_in(params)
            chat_id = self._chat_id(params)
            ended = await self._play(name, params, chat_id)
        except ApiError as error:
            ended = _error_outcome(error)
        except asyncio.CancelledError:
            # logged all the same: a test asks what became of a call whose client gave up
            ended = _Outcome(None, "hang", description="the client went away")
            self._log(ended.logged(calls.total + 1, at, wall, name, chat_id), mark, text)
            raise
        self._log(ended.logged(calls.total + 1, at, wall, name, chat_id), mark, text)
        return _whole(request, ended)

    def _mark(self, name: str, params: Params) -> int:
        """A message's content as a number; 0 where nobody counts messages."""
        if self._scenario.tally is None or not is_message(name):
            return 0
        # good within one run alone: in the next, Python hashes texts otherwise
        return hash((name, repr(sorted(params.values.items(), key=str))))

    def _log(self, call: Call, mark: int, text: str) -> None:
        self._scenario.calls.add(call)
        if self._scenario.tally is not None:
            self._scenario.tally.note(call, mark, text)

    def _chat_id(self, params: Params) -> int | None:
        if "chat_id" not in params.values:
            return None
        try:
            return self._scenario.api.chats.chat_id(params)
        except ApiError:
            return None

    async def _play(self, name: str, params: Params, chat_id: int | None) -> _Outcome:
        """The call, and the fault that hits it."""
        fault = self._scenario.faults.take(name, chat_id)
        if fault is None:
            return await self._call(name, params, chat_id)
        if not fault.after:
            if fault.kind is Kind.SLOW:
                await self._pause(fault.delay)
                return await self._call(name, params, chat_id)
            return await self._fail(fault, None)
        ended = await self._call(name, params, chat_id)
        if not ended.accepted:  # refused by itself: there is no effect whose answer could be lost
            return ended
        return await self._fail(fault, ended)

    async def _call(self, name: str, params: Params, chat_id: int | None) -> _Outcome:
        try:
            method = self._scenario.api.method(name)
            # Telegram's limits are of messages: "is typing" is none, a changed one counts.
            is_message = name.startswith(("send", "edit")) and name != "sendChatAction"
            if chat_id is not None and is_message:
                self._scenario.limits.check(chat_id)
            if chat_id is not None and name == "sendChatAction":
                self._scenario.limits.check_action(chat_id)
            result = method(params)
            if inspect.isawaitable(result):
                result = await result
        except ApiError as error:
            return _error_outcome(error)
        message_id = None
        if isinstance(result, dict):
            message_id = result.get("message_id")
        body = b'{"ok":true,"result":' + encoded(result) + b"}"
        response = web.Response(body=body, content_type="application/json")
        return _Outcome(response, "ok", 200, accepted=True, message_id=message_id)

    async def _fail(self, fault: Fault, ended: _Outcome | None) -> _Outcome:
        """Spoil the answer of a call: before it took effect (`ended` is None) or after."""
        accepted = ended is not None
        message_id: int | None = None
        whole: web.Response | None = None
        if ended is not None:
            message_id, whole = ended.message_id, ended.response
        response: web.Response | None = None
        code, description = 0, None
        match fault.kind:
            case Kind.ERROR:
                error = fault.error()
                response, code, description = _refused(error), error.code, error.description
            case Kind.HTML:
                code, description = fault.code, _REASONS.get(fault.code, "Error")
                page = _HTML.format(f"{code} {description}")
                response = web.Response(status=code, text=page, content_type="text/html")
            case Kind.GATEWAY:
                code, description = fault.code, _REASONS.get(fault.code, "Error")
                response = web.json_response({"message": description}, status=code)
            case Kind.TRUNCATED:
                code, response = 200, _truncated(whole)
            case Kind.SLOW:
                await self._pause(fault.delay)
                return _Outcome(whole, "ok", 200, accepted=accepted, message_id=message_id)
            # ends when the client gives up, which cancels this, or when the server stops
            case Kind.HANG:
                await self._stopping.wait()
            case Kind.RESET:
                pass
        return _Outcome(response, fault.kind.value, code, accepted, message_id, description)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the server stops first."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


def _large_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=_BODY_LIMIT
    )


def _wrong_token(path: str) -> ApiError:
    """A malformed token is not found, a well-formed one that nobody has is unauthorized."""
    token = path.removeprefix("/bot").partition("/")[0]
    number, colon, secret = token.partition(":")
    if colon and number.isdigit() and len(secret) >= 10:
        return ApiError(401, "Unauthorized")
    return ApiError(404, "Not Found")


def _truncated(whole: web.Response | None) -> web.Response:
    """Half of an answer, or of what one would have been; the HTTP of it is in order."""
    body = b'{"ok":true,"result":{"message_id":'
    if whole is not None and isinstance(whole.body, bytes):
        body = whole.body
    return web.Response(body=body[: max(1, len(body) // 2)], content_type="application/json")


def _refused(error: ApiError) -> web.Response:
    headers: dict[str, str] = {}
    if error.retry_after is not None:  # the real server says it in the header and in the body
        headers["Retry-After"] = str(error.retry_after)
    body = orjson.dumps(error.body())
    return web.Response(
        status=error.code, body=body, content_type="application/json", headers=headers
    )


def _error_outcome(error: ApiError) -> _Outcome:
    return _Outcome(_refused(error), "error", error.code, description=error.description)


def _whole(request: web.BaseRequest, ended: _Outcome) -> web.Response:
    """The response of what ended; one that has none is reset."""
    if ended.response is None:
        _reset(request)
        return web.Response()
    return ended.response


def _reset(request: web.BaseRequest) -> None:
    """Close the connection as a crash would: RST, not FIN."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # a linger of no time makes the system send RST and drop what was written
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
