"""Actions on the world by name: over HTTP, from the page, from scenario files.

Each action reads its parameters from JSON; its docstring lists them. Ids may be numbers or text.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence

from bot.emulator.errors import ApiError, Json, ScenarioError, Words, bad_request
from bot.emulator.faults import Fault
from bot.emulator.panel import Control
from bot.emulator.params import Params
from bot.emulator.scenario import Scenario


class Actions:
    """The actions of a person, by name, from JSON: /emulator/do/<name> and scenario files."""

    def __init__(self, scenario: Scenario, controls: Sequence[Control]) -> None:
        self._scenario = scenario
        self._controls = controls
        self._running: set[asyncio.Task[Words]] = set()

    async def stop(self) -> None:
        """End the controls that run."""
        running = list(self._running)
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def run(self, name: str, body: Json) -> object:
        """Do it; returns what there is to say about it."""
        if name == "run" or name.startswith("_"):  # methods, but no actions
            raise ApiError(404, f"there is no action {name}")
        action: Callable[[Params], object] | None = getattr(self, name, None)
        if action is None:
            raise ApiError(404, f"there is no action {name}")
        done = action(Params(body))
        # only what waits for the bot is a coroutine
        if inspect.isawaitable(done):
            return await done
        return done

    def add_user(self, p: Params) -> None:
        """id, first_name, last_name, username, language_code"""
        self._scenario.add_user(
            p.count("id", 0),
            p.text("first_name"),
            p.text("language_code") or None,
            last_name=p.text("last_name") or None,
            username=p.text("username") or None,
        )

    def add_private(self, p: Params) -> None:
        """user_id, started (default true)"""
        # a flag that is missing reads as false
        self._scenario.add_private(
            p.count("user_id", 0), started=p.flag("started") or "started" not in p.values
        )

    def add_group(self, p: Params) -> None:
        """id, title, type, members, admins, owner, bot_status, is_forum, username"""
        self._scenario.add_group(
            p.count("id", 0),
            p.text("title"),
            # a basic group becomes one when its settings are first changed: most are
            type=p.text("type") or "supergroup",
            members=_ids(p, "members"),
            admins=_ids(p, "admins"),
            owner=p.integer("owner"),
            bot_status=p.text("bot_status") or "member",
            rights=p.mapping("rights"),
            is_forum=p.flag("is_forum"),
            username=p.text("username") or None,
        )

    def add_channel(self, p: Params) -> None:
        """id, title, username, owner, bot_status, rights"""
        self._scenario.add_channel(
            p.count("id", 0),
            p.text("title"),
            p.text("username") or None,
            owner=p.integer("owner"),
            bot_status=p.text("bot_status") or "administrator",
            rights=p.mapping("rights"),
        )

    def add_topic(self, p: Params) -> None:
        """chat_id, thread_id, name, closed"""
        number = p.count("thread_id", 0)
        self._scenario.add_topic(self._chat(p), number, p.text("name"), closed=p.flag("closed"))

    def close_topic(self, p: Params) -> None:
        """chat_id, thread_id, closed (default true)"""
        # a flag that is missing reads as false
        closed = p.flag("closed") or "closed" not in p.values
        self._scenario.close_topic(self._chat(p), p.count("thread_id", 0), closed=closed)

    def delete_topic(self, p: Params) -> None:
        """chat_id, thread_id"""
        self._scenario.delete_topic(self._chat(p), p.count("thread_id", 0))

    async def send_text(self, p: Params) -> int:
        """chat_id, text, user_id, reply_to, thread_id, anonymous"""
        return await self._scenario.send_text(
            self._chat(p),
            p.text("text"),
            user_id=p.integer("user_id"),
            reply_to=p.integer("reply_to"),
            thread_id=p.integer("thread_id"),
            anonymous=p.flag("anonymous"),
        )

    async def press(self, p: Params) -> Json:
        """chat_id, message_id, data, user_id, timeout"""
        return await self._scenario.press(
            self._chat(p),
            p.count("message_id", 0),
            p.text("data"),
            user_id=p.integer("user_id"),
            timeout=seconds_to_wait(p),
        )

    async def inline_query(self, p: Params) -> Json:
        """user_id, query, offset, timeout"""
        return await self._scenario.inline_query(
            p.count("user_id", 0),
            p.text("query"),
            offset=p.text("offset"),
            timeout=seconds_to_wait(p),
        )

    async def choose_result(self, p: Params) -> int:
        """chat_id, user_id, query, result"""
        return await self._scenario.choose_result(
            self._chat(p), p.count("user_id", 0), p.text("query"), p.mapping("result")
        )

    async def share_location(self, p: Params) -> int:
        """chat_id, latitude, longitude, user_id"""
        return await self._scenario.share_location(
            self._chat(p),
            float(p.text("latitude")),
            float(p.text("longitude")),
            user_id=p.integer("user_id"),
        )

    async def share_chat(self, p: Params) -> int:
        """chat_id, user_id"""
        return await self._scenario.share_chat(p.count("user_id", 0), self._chat(p))

    def set_bot_status(self, p: Params) -> None:
        """chat_id, status, by (somebody who may), rights"""
        chat_id, status, by = self._chat(p), p.text("status"), p.integer("by")
        if by is not None:
            self._scenario.may_place_bot(chat_id, status, by)
        self._scenario.set_bot_status(chat_id, status, by=by, rights=p.mapping("rights"))

    def set_member(self, p: Params) -> None:
        """chat_id, user_id, status, rights"""
        self._scenario.set_member(
            self._chat(p), p.count("user_id", 0), p.text("status"), p.mapping("rights")
        )

    def block(self, p: Params) -> None:
        """chat_id"""
        self._scenario.block(self._chat(p))

    def unblock(self, p: Params) -> None:
        """chat_id"""
        self._scenario.unblock(self._chat(p))

    def set_language(self, p: Params) -> None:
        """user_id, language_code"""
        self._scenario.set_language(p.count("user_id", 0), p.text("language_code") or None)

    def push_update(self, p: Params) -> None:
        """an update"""
        self._scenario.push_update(p.values)

    def add_fault(self, p: Params) -> None:
        """the fields of a `Fault`"""
        values = dict(p.values)
        if "chat_id" in values:  # as text from the page
            values["chat_id"] = p.integer("chat_id")
        try:
            self._scenario.faults.add(Fault(**values))
        except (TypeError, ValueError) as problem:
            raise ScenarioError(f"not a fault: {problem}") from None
        self._scenario.world.tell({"kind": "faults"})

    def remove_fault(self, p: Params) -> None:
        """name: lift the faults that were given it"""
        self._scenario.faults.take_back(p.text("name"))
        self._scenario.world.tell({"kind": "faults"})

    def clear_faults(self, _: Params) -> None:
        """lift all faults"""
        self._scenario.faults.clear()
        self._scenario.world.tell({"kind": "faults"})

    async def control(self, p: Params) -> Words:
        """id, and the days it asks for: run a control of the demonstration"""
        for control in self._controls:
            if control.id == p.text("id"):
                running = asyncio.create_task(self._pressed(control, p))
                self._running.add(running)
                running.add_done_callback(self._running.discard)
                # whoever pressed it may close the page, and half a new beginning is none
                return await asyncio.shield(running)
        raise ScenarioError(f"there is no control {p.text('id')}")

    async def _pressed(self, control: Control, p: Params) -> Words:
        # nothing may come between the look and the run: two would find it usable
        if control.usable is not None and not control.usable():
            raise ScenarioError(f"the control {control.id} is not usable now")
        return await control.run(**{day.id: p.text(day.id) for day in control.days})

    def menu(self, p: Params) -> list[Json]:
        """chat_id, user_id: the commands this person is shown in this chat"""
        world = self._scenario.world
        return self._scenario.profile.menu(
            world.chat(self._chat(p)), world.user(p.count("user_id", 0))
        )

    def _chat(self, p: Params) -> int:
        return self._scenario.api.chats.chat_id(p)


def _ids(params: Params, name: str) -> list[int]:
    value = params.structure(name) or []
    if not isinstance(value, list):
        raise bad_request(f"{name} must be a list")
    return [int(item) for item in value]


def seconds_to_wait(params: Params) -> float:
    """The `timeout` of a request, at most a minute."""
    # whoever asks for more has given up before, and the wait would outlive the test
    return min(float(params.text("timeout") or 10.0), 60.0)
