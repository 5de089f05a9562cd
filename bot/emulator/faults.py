"""Faults on order: what goes wrong with which calls, and how often.

The ones that matter most are the ambiguous ones: a connection that dies, or a body cut short,
*after* the message was accepted. The client cannot know; the emulator does, and its call log says
`accepted`.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TypedDict, Unpack

from bot.emulator.errors import ApiError


class Kind(StrEnum):
    """The ways in which a call fails."""

    ERROR = "error"  # a refusal in JSON: `code`, `description`, `retry_after`, `migrate_to`
    HTML = "html"  # what a proxy in front of the server says: status `code`, an HTML page
    GATEWAY = "gateway"  # what another says: status `code`, JSON that is no answer of the Bot API
    TRUNCATED = "truncated"  # 200, and half a JSON body
    RESET = "reset"  # the connection is reset instead of an answer
    SLOW = "slow"  # answers properly after `delay` seconds
    HANG = "hang"  # never answers


class Scope(TypedDict, total=False):
    """The calls that fail, and for how long; nothing said means all calls for ever."""

    method: str
    chat_id: int
    times: int
    seconds: float
    probability: float
    seed: int
    after: bool


_FORBIDDEN = {
    "blocked": "bot was blocked by the user",
    "deactivated": "user is deactivated",
    "kicked": "bot was kicked from the supergroup chat",
    "kicked from channel": "bot was kicked from the channel chat",
    "never started": "bot can't initiate conversation with a user",
}


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    `method` may be a pattern ("send*"), and is "download" for a file that is fetched; `times`
    counts down and then the fault is gone, `seconds` limits its life from the moment it is added;
    with `after`, the call takes effect before it fails. A `name` is what it can be taken back by.
    """

    kind: Kind
    _: KW_ONLY
    method: str | None = None
    chat_id: int | None = None
    times: int | None = None
    seconds: float | None = None
    probability: float = 1.0
    seed: int = 0
    after: bool = False
    code: int = 500
    description: str = ""
    retry_after: int | None = None
    migrate_to: int | None = None
    delay: float = 0.0
    name: str = ""
    hits: int = 0
    expires_at: float | None = None
    dice: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.kind = Kind(self.kind)  # as text from a scenario's file
        self.dice = random.Random(self.seed)

    @classmethod
    def flood(cls, retry_after: int | None = 30, **scope: Unpack[Scope]) -> Fault:
        """429; `retry_after=None` leaves the field out, as some proxies do."""
        description = "Too Many Requests"
        if retry_after is not None:  # the real server says it in the words too
            description += f": retry after {retry_after}"
        return cls(
            Kind.ERROR,
            code=429,
            description=description,
            retry_after=retry_after,
            **scope,
        )

    @classmethod
    def forbidden(cls, why: str = "blocked", **scope: Unpack[Scope]) -> Fault:
        """403: blocked, deactivated, kicked (from a channel), never started, or other words."""
        return cls(
            Kind.ERROR, code=403, description=f"Forbidden: {_FORBIDDEN.get(why, why)}", **scope
        )

    @classmethod
    def bad_request(cls, description: str, **scope: Unpack[Scope]) -> Fault:
        """400 with any description, given without "Bad Request: "."""
        return cls(Kind.ERROR, code=400, description=f"Bad Request: {description}", **scope)

    @classmethod
    def migrated(cls, migrate_to: int, **scope: Unpack[Scope]) -> Fault:
        """400: the group is a supergroup now."""
        description = "Bad Request: group chat was upgraded to a supergroup chat"
        return cls(Kind.ERROR, code=400, description=description, migrate_to=migrate_to, **scope)

    @classmethod
    def unauthorized(cls, **scope: Unpack[Scope]) -> Fault:
        """401: the token is not known."""
        return cls(Kind.ERROR, code=401, description="Unauthorized", **scope)

    @classmethod
    def server_error(cls, code: int = 502, **scope: Unpack[Scope]) -> Fault:
        """500, 502, 503 with an HTML body."""
        return cls(Kind.HTML, code=code, **scope)

    @classmethod
    def truncated(cls, **scope: Unpack[Scope]) -> Fault:
        """The call takes effect and its answer arrives cut in half."""
        scope.setdefault("after", True)
        return cls(Kind.TRUNCATED, **scope)

    @classmethod
    def reset(cls, **scope: Unpack[Scope]) -> Fault:
        """The connection is reset and the call has no effect."""
        return cls(Kind.RESET, **scope)

    @classmethod
    def lost_reply(cls, **scope: Unpack[Scope]) -> Fault:
        """The call takes effect and the connection is reset."""
        scope.setdefault("after", True)
        return cls(Kind.RESET, **scope)

    @classmethod
    def slow(cls, delay: float, **scope: Unpack[Scope]) -> Fault:
        """The answer comes `delay` seconds late; with `after` the effect does not."""
        return cls(Kind.SLOW, delay=delay, **scope)

    @classmethod
    def hang(cls, **scope: Unpack[Scope]) -> Fault:
        """No answer at all; the connection stays open."""
        return cls(Kind.HANG, **scope)

    def error(self) -> ApiError:
        """The refusal of an `error` fault."""
        return ApiError(
            self.code, self.description or "Internal Server Error",
            retry_after=self.retry_after, migrate_to=self.migrate_to,
        )  # fmt: skip

    def applies(self, method: str, chat_id: int | None) -> bool:
        """Whether this call is in scope and the dice say so."""
        if self.method is not None and not fnmatchcase(method, self.method):
            return False
        if self.chat_id is not None and chat_id != self.chat_id:
            return False
        return self.probability >= 1.0 or self.dice.random() < self.probability


class Faults:
    """The faults in force, first come first served."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._active: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force; returns it, so that `hits` can be read later."""
        if fault.seconds is not None:
            fault.expires_at = self._clock() + fault.seconds
        self._active.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Lift one fault; one that is already gone is no error."""
        if fault in self._active:
            self._active.remove(fault)

    def take_back(self, name: str) -> None:
        """Lift the faults of a name."""
        self._active = [fault for fault in self._active if fault.name != name]

    def clear(self) -> None:
        """Lift all faults."""
        self._active.clear()

    def active(self) -> list[Fault]:
        """The faults that can still hit."""
        self._expire()
        return list(self._active)

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """The fault that hits this call, counted, or None."""
        if not self._active:
            return None
        self._expire()
        for fault in self._active:
            if fault.applies(method, chat_id):
                fault.hits += 1
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._active.remove(fault)
                return fault
        return None

    def _expire(self) -> None:
        now = self._clock()
        for fault in list(self._active):
            if fault.expires_at is not None and fault.expires_at <= now:
                self._active.remove(fault)


@dataclass(slots=True, kw_only=True)
class Limits:
    """Telegram's real limits, as 429s. None: no such limit.

    A call is let through when fewer than the limit were accepted in the window. Windows are 5 %
    short: a client that keeps the rate exactly must not be punished for the network's jitter.
    """

    per_chat: int | None = None  # a second, private chats
    per_group: int | None = None  # a minute, groups and channels
    per_second: int | None = None  # over all chats
    actions: int | None = None  # "typing…" and the like, in five seconds of a chat
    clock: Callable[[], float] = time.monotonic
    _windows: dict[int | None, deque[float]] = field(default_factory=dict, repr=False)
    _actions: dict[int, deque[float]] = field(default_factory=dict, repr=False)

    def check(self, chat_id: int) -> None:
        """Count a message to `chat_id`; raises the 429 it would get."""
        if self.per_chat is None and self.per_group is None and self.per_second is None:
            return
        now = self.clock()
        limit, length = self.per_chat, 1.0
        if chat_id < 0:
            limit, length = self.per_group, 60.0
        windows: list[deque[float]] = []
        if limit is not None:
            windows.append(self._window(chat_id, limit, length, now))
        if self.per_second is not None:
            windows.append(self._window(None, self.per_second, 1.0, now))
        # Counted only now: what one limit refuses does not fill the other's window.
        for window in windows:
            window.append(now)

    def check_action(self, chat_id: int) -> None:
        """Count an action shown in `chat_id`, which is no message; raises the 429 it would get."""
        if self.actions is None:
            return
        now = self.clock()
        window = self._actions.setdefault(chat_id, deque())
        self._room(window, self.actions, 5.0, now)
        window.append(now)

    def _window(self, key: int | None, limit: int, length: float, now: float) -> deque[float]:
        window = self._windows.setdefault(key, deque())
        self._room(window, limit, length, now)
        return window

    def _room(self, window: deque[float], limit: int, length: float, now: float) -> None:
        """Forget what is over; raises the 429 where there is no room for one more."""
        while window and window[0] <= now - 0.95 * length:
            window.popleft()
        if len(window) >= limit:
            wait = max(1, round(window[0] + length - now))
            raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
