"""The chat page and the scenario over HTTP, for a browser and for other processes.

    GET  /                          the page
    GET  /emulator/state            everything the page shows
    GET  /emulator/events           the same, live (server-sent events)
    GET  /emulator/messages         ?chat_id=&after=  messages as the API shows them
    GET  /emulator/wait             ?chat_id=&after=&contains=&timeout=
                                    the first message that fits; 408 if none
    GET  /emulator/calls            ?after=&method=&chat_id=&limit=  the call log
    GET  /emulator/faults           the faults in force
    GET  /emulator/file/<file_id>   an uploaded file
    POST /emulator/do/<action>      what a person does (see actions.py), with a JSON body

Chat and user ids are text there, because numbers of 64 bits do not survive JavaScript.

Any page in the operator's browser could post here, so actions want a JSON content type, which a
foreign page cannot send unasked, and all of it a Host that is no rebound DNS name (`bot.hosts`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from itertools import islice

import orjson
from aiohttp import web

from bot.emulator.actions import Actions, seconds_to_wait
from bot.emulator.errors import ApiError, Json, ScenarioError
from bot.emulator.faults import Fault
from bot.emulator.panel import Control, Reading
from bot.emulator.params import Params, read_params
from bot.emulator.people import PRESENT, User
from bot.emulator.rich import words_in
from bot.emulator.scenario import Scenario, Tongue
from bot.emulator.world import Chat
from bot.hosts import names_no_stranger

# more than anybody scrolls through; a load test has a million of each
_CHATS_SHOWN = 200
_MESSAGES_SHOWN = 200
_CALLS_SHOWN = 10_000
_EVENTS_BEHIND = 5_000  # a page that is this far behind starts over
_HEARTBEAT = 15.0  # seconds of silence, until a sign of life
_POLICY = (  # everything the page needs is in the page
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)


class Page:
    """The requests that are not the Bot API's."""

    def __init__(
        self,
        scenario: Scenario,
        title: str,
        controls: Sequence[Control],
        zone: str | None,
        tongues: Mapping[str, Tongue],
    ) -> None:
        self._scenario = scenario
        self._title = title
        self._controls = controls
        self._zone = zone
        self._languages = {code: asdict(tongue) for code, tongue in tongues.items()}
        self.readings: Callable[[], Sequence[Reading]] = tuple
        self.actions = Actions(scenario, controls)
        self._listeners: set[asyncio.Queue[Json | None]] = set()
        self._html = resources.files("bot.emulator").joinpath("page.html").read_bytes()

    def stop(self) -> None:
        """End the event streams."""
        for queue in self._listeners:
            queue.put_nowait(None)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request for the page, its data or an action."""
        path = request.rel_url.raw_path
        try:
            _check_host(request)
            if path == "/":
                headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
                return web.Response(
                    # not kept by the browser: after an update it would speak to a newer server
                    body=self._html,
                    content_type="text/html",
                    charset="utf-8",
                    headers=headers,
                )
            if path == "/emulator/events":
                return await self._events(request)
            return await self._answer(request, path)
        except (ScenarioError, ValueError) as error:
            code, words = 400, str(error)
        except ApiError as error:
            code, words = error.code, error.description
        except TimeoutError:
            code, words = 408, "nothing came in time"
        return _json({"error": words}, code)

    async def _answer(self, request: web.BaseRequest, path: str) -> web.Response:
        area, _, name = path.removeprefix("/emulator/").partition("/")
        if area == "do":
            # the content type that a foreign page may not send without asking (see above)
            if request.method != "POST" or request.content_type != "application/json":
                return _json({"error": "POST a JSON body"}, 415)
            params = await read_params(request)
            return _json({"result": await self.actions.run(name, params.values)})
        if area == "file":
            file = self._scenario.files.get(name)
            return web.Response(body=file.content, content_type=file.content_type)
        return _json(await self._read(area, Params(dict(request.query))))

    async def _read(self, what: str, params: Params) -> object:
        match what:
            case "state":
                return self.state()
            case "messages":
                after = params.count("after", 0)
                messages = self._scenario.messages(self._scenario.api.chats.chat_id(params))
                newer: list[Json] = []
                for message in messages:
                    if message["message_id"] > after:
                        newer.append(message)
                return newer
            case "wait":
                return await self._wait(params)
            case "calls":
                return self._calls(params)
            case "faults":
                return [_fault_json(fault) for fault in self._scenario.faults.active()]
        raise ApiError(404, "Not Found")

    async def _wait(self, params: Params) -> Json:
        # an empty one is in every message: then the first that is new enough
        wanted = params.text("contains")
        return await self._scenario.wait_message(
            self._scenario.api.chats.chat_id(params),
            lambda message: wanted in words_in(message),
            timeout=seconds_to_wait(params),
            after=params.count("after", 0),
        )

    def _calls(self, params: Params) -> Json:
        method, chat_id = params.text("method"), params.integer("chat_id")
        limit = params.count("limit", _CALLS_SHOWN)
        shown: list[Json] = []
        for call in self._scenario.calls.since(params.count("after", 0)):
            if len(shown) >= limit:
                break
            if method and call.method != method:
                continue
            if chat_id is not None and call.chat_id != chat_id:
                continue
            shown.append(call._asdict())
        return {"total": self._scenario.calls.total, "calls": shown}

    # what the page shows

    def state(self) -> Json:
        """Everything, for a page that has just been opened."""
        scenario = self._scenario
        world = scenario.world
        chats = list(islice(world.chats.values(), _CHATS_SHOWN))
        members: set[int] = set()
        for chat in chats:
            members.update(chat.members)
            if chat.user:
                members.add(chat.user.id)
        users: list[Json] = []
        for user in world.users.values():
            if user.id in members:  # a load test has a million others
                users.append(_user_json(user))
        descriptions: dict[str, str] = {}
        for (name, code), text in scenario.profile.texts.items():
            if name == "description":
                descriptions[code] = text
        return {
            "title": self._title,
            "bot": {
                "id": str(world.bot.id),
                "name": world.bot.first_name,
                "username": world.bot.username,
            },
            "descriptions": descriptions,
            "users": users,
            "languages": self._languages,
            "chats": [self._chat(chat) for chat in chats],
            "faults": [_fault_json(fault) for fault in scenario.faults.active()],
            "zone": self._zone,
            **self._panel(),
        }

    def _panel(self) -> Json:
        """The demonstration's controls, and its time."""
        return {
            "controls": [control.json() for control in self._controls],
            "guides": self._scenario.guides(),
            "tally": self._scenario.tally and self._scenario.tally.json(),
            "readings": [asdict(reading) for reading in self.readings()],
            "now": self._scenario.world.now(),
        }

    def _chat(self, chat: Chat) -> Json:
        owner = None
        if chat.user is not None:
            owner = str(chat.user.id)
        pinned = None
        if chat.pinned:
            pinned = _view_or_none(chat.messages.get(chat.pinned[-1]))
        messages: list[Json] = []
        for message in list(chat.messages.values())[-_MESSAGES_SHOWN:]:
            messages.append(_view(message, silent=self._is_silent(chat.id, message)))
        return {
            "id": str(chat.id),
            "type": chat.type,
            "title": chat.title,
            "username": chat.username,
            "user": owner,
            "members": _ids(chat, PRESENT),
            "admins": _ids(chat, {"creator", "administrator"}),
            "blocked": chat.blocked,
            "bot_status": chat.bot.status,
            "keyboard": chat.keyboard,
            "language": chat.language,
            "topics": _topics(chat),
            "pinned": pinned,
            "messages": messages,
        }

    def _is_silent(self, chat_id: int, message: Json) -> bool:
        return (chat_id, message["message_id"]) in self._scenario.world.silent

    # live

    async def _events(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._listeners.add(queue)
        # The world makes no events while no page is open: a load test would pay for them.
        if len(self._listeners) == 1:
            self._scenario.world.observers.append(self._show)
        try:
            await response.prepare(request)
            # hello makes the page load all anew: it may have missed events, or another start
            await response.write(b'retry: 500\n\ndata: {"kind":"hello"}\n\n')
            while (event := await _next_event(queue)) is not None:
                line = b": still here"  # a comment, so that a dead connection is noticed
                if event:
                    line = b"data: " + orjson.dumps(event)
                await response.write(line + b"\n\n")
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._listeners.discard(queue)
            if not self._listeners:
                self._scenario.world.observers.remove(self._show)
        return response

    def _show(self, event: Json) -> None:
        """Translate an event of the world for the pages."""
        if event["kind"] in {"message", "edit"}:
            message = event["message"]
            silent = event.get("silent") or self._is_silent(int(event["chat_id"]), message)
            event = {
                "kind": event["kind"],
                "chat_id": event["chat_id"],
                **_view(message, silent=bool(silent)),
            }
        elif event["kind"] == "pinned":
            event = event | {"message": None, "pinned": _view_or_none(event["message"])}
        elif event["kind"] == "chat":
            shown = None
            chat = self._scenario.world.chats.get(int(event["chat_id"]))
            if chat is not None:
                shown = self._chat(chat)
            event = event | {"chat": shown}
        elif event["kind"] == "controls":
            event = event | self._panel()
        for queue in list(self._listeners):
            if queue.qsize() < _EVENTS_BEHIND:
                queue.put_nowait(event)
            else:
                # its stream ends, and the page opens another, which begins with all there is
                self._listeners.discard(queue)
                queue.put_nowait(None)


async def _next_event(queue: asyncio.Queue[Json | None]) -> Json | None:
    """The next event; an empty one after a while, None when the stream ends."""
    try:
        async with asyncio.timeout(_HEARTBEAT):
            return await queue.get()
    except TimeoutError:
        return {}


def _check_host(request: web.BaseRequest) -> None:
    if not names_no_stranger(request.headers.get("Host")):
        raise ApiError(403, "only on this machine")


def _view(message: Json, *, silent: bool = False) -> Json:
    """A message for the page: the API's JSON and, as text, who wrote it."""
    author: Json = message.get("from") or message.get("sender_chat") or {}
    view = {"message": message, "from": str(author.get("id", "")), "silent": silent}
    if "ephemeral_message_id" in message:
        view["receiver"] = str(message["receiver_user"]["id"])
    return view


def _view_or_none(message: Json | None) -> Json | None:
    if message is None:
        return None
    return _view(message)


def _ids(chat: Chat, statuses: Collection[str]) -> list[str]:
    """The members of a chat with one of these statuses, as the page's script numbers people."""
    ids: list[str] = []
    for user_id, member in chat.members.items():
        if member.status in statuses:
            ids.append(str(user_id))
    return ids


def _topics(chat: Chat) -> list[Json] | None:
    """A forum's topics, without General, which has no number; None where there are no topics."""
    if not chat.is_forum:
        return None
    topics: list[Json] = []
    for number, topic in chat.topics.items():
        topics.append({"id": number, "name": topic.name, "closed": topic.closed})
    return topics


def _user_json(user: User) -> Json:
    return {
        "id": str(user.id),
        "name": user.first_name,
        "language": user.language_code,
    }


def _fault_json(fault: Fault) -> Json:
    return {
        "kind": fault.kind,
        "method": fault.method,
        "chat_id": fault.chat_id,
        "times": fault.times,
        "after": fault.after,
        "code": fault.code,
        "description": fault.description,
        "retry_after": fault.retry_after,
        "delay": fault.delay,
        "name": fault.name,
        "hits": fault.hits,
    }


def _json(value: object, status: int = 200) -> web.Response:
    body = orjson.dumps(value)
    return web.Response(
        status=status,
        body=body,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
