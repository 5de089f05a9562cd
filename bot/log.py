"""Logs: JSON lines, or a readable console on a terminal; no token or secret ever gets through."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType, TracebackType
from typing import Any
from urllib.parse import quote

import structlog
from structlog.typing import EventDict

#: A bot token, also percent-encoded; a user and password in an address; a password as a parameter
#: or a DSN's word.
_SECRET = re.compile(
    r"(?<!\d)\d{6,}(?::|%3A)[\w-]{30,}"
    r"|(?<=://)(?!user:password@)[^/\s:@]*:[^\s@]+(?=@)"  # our own examples say user:password
    r"|(?<=\bpassword=)(?:'[^']*'|\"[^\"]*\"|[^\s&\"']+)",
    re.IGNORECASE,
)
# escapes of terminals, turned letters
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: The parts of an event that are lines as they are.
_OF_LINES = frozenset({"exception", "stack"})
SHORTEST_SECRET = 6  # characters; shorter ones are words that occur anywhere
#: What a text inside another is written with a backslash for, by Python or as JSON.
_ESCAPED = re.compile(r"[^ !#-&(-\[\]-~]")
_NAMED = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r"}
_hidden: set[str] = set()
_about: ContextVar[Mapping[str, int]] = ContextVar("about", default=MappingProxyType({}))
_verbose = False
_as_json = False


def hide(*secrets: str | None) -> None:
    """Redact these from now on wherever they occur: as they are, percent-encoded, or quoted."""
    for secret in secrets:
        if secret is not None and len(secret) >= SHORTEST_SECRET:
            _hidden.update({secret, quote(secret, safe=""), quote(secret)})


@cache
def _quoted(secret: str) -> re.Pattern[str] | None:
    """A secret as a text has it that quotes it, or quotes a quotation of it; None where it is
    written as it is.
    """
    if _ESCAPED.search(secret) is None:
        return None
    return re.compile("".join(map(_however_quoted, secret)))


def _however_quoted(char: str) -> str:
    """A pattern of a character, which each quotation may put a backslash more before."""
    if char == "\\":
        return r"\\+"
    if char in "\"'":
        return rf"\\*{char}"
    if not _ESCAPED.match(char):
        return re.escape(char)
    code = ord(char)
    forms = [re.escape(char), rf"\\+x{code:02x}", rf"\\+u{code:04x}", rf"\\+U{code:08x}"]
    if code > 0xFFFF:  # JSON has it in two halves
        halves = char.encode("utf-16-be").hex()
        forms.append(rf"\\+u{halves[:4]}\\+u{halves[4:]}")
    if char in _NAMED:
        forms.append(rf"\\+{_NAMED[char]}")
    return f"(?:{'|'.join(forms)})"


def redact(text: str) -> str:
    """A text without bot tokens, passwords of addresses, and what was hidden."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, "***")
        if (quoted := _quoted(secret)) is not None:
            text = quoted.sub("***", text)
    return _SECRET.sub("***", text)


def one_line(text: str) -> str:
    """A message as one line of a terminal: redacted, without breaks and control characters."""
    line = redact(" ".join(text.splitlines()))
    return _CONTROL.sub(_spelt, line)


def _spelt(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


def _in_lines(text: str) -> str:
    """A text of several lines, such as a traceback, that does nothing to a terminal but say it: an
    error's words may be anybody's.
    """
    return "\n".join(_CONTROL.sub(_spelt, line) for line in text.split("\n"))


def _harmless(name: str, value: object) -> object:
    """A part of an event, whose words do nothing to a terminal but say it."""
    if name in _OF_LINES:
        return _in_lines(str(value))
    if name == "event" or isinstance(value, str):
        return _CONTROL.sub(_spelt, str(value))
    return value  # which is shown as Python quotes it


def crashed(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """Print what nobody caught, redacted: as JSON where events are, else as Python does."""
    if _as_json and error is not None:
        structlog.get_logger(__name__).critical("crashed", exc_info=(kind, error, trace))
    else:
        said = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(redact(_in_lines(said)))


def _crashed_in_a_thread(crash: threading.ExceptHookArgs) -> None:
    crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)


def _crashed_unraisably(crash: sys.UnraisableHookArgs) -> None:
    crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)


def guard_tracebacks() -> None:
    """Redact the tracebacks that Python itself prints, of program, threads and finalizers."""
    sys.excepthook = crashed
    threading.excepthook = _crashed_in_a_thread
    sys.unraisablehook = _crashed_unraisably


def _renderer(*, console: bool) -> structlog.typing.Processor:
    """Make the line, then redact it, whatever its values, lists or tracebacks brought along."""
    base: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer()
    )

    def render(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:  # noqa: ANN401 - structlog's own type
        if console:  # which shows words without a blank as they are, and its own colours besides
            event.update({name: _harmless(name, value) for name, value in event.items()})
        return redact(str(base(logger, name, event)))

    return render


class telling:  # noqa: N801 - read as a verb: with telling(alert=7)
    """Each line that is logged meanwhile, in the tasks begun meanwhile too, names these.

    By its ids something is followed from the update or the alert to the last message that was sent.
    (structlog's own way to bind costs fifteen times as much, and every message pays it.)
    """

    __slots__ = ("_before", "_ids")

    def __init__(self, **ids: int) -> None:
        self._ids = ids

    def __enter__(self) -> None:
        before = _about.get()
        self._before = _about.set({**before, **self._ids} if before else self._ids)

    def __exit__(self, *_error: object) -> None:
        _about.reset(self._before)


def name_ids(_logger: object, _name: str, event: EventDict) -> EventDict:
    """A line's ids (structlog's processor)."""
    return {**_about.get(), **event}


def verbose() -> bool:
    """Whether lines of the level debug are shown: asking structlog costs more than most of them."""
    return _verbose


def set_up(log_format: str | None, level: str) -> None:
    """Send everything, the libraries' logs too, to stderr in one form."""
    global _verbose, _as_json  # noqa: PLW0603 - as the logs themselves, one for the process
    _verbose = level.upper() == "DEBUG"
    console = log_format == "console" or (log_format is None and sys.stderr.isatty())
    _as_json = not console
    renderer = _renderer(console=console)
    shared: list[structlog.typing.Processor] = [
        name_ids,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)  # Python's own are two lines of words
    for name in (
        "httpx",
        "httpcore",
        "aiohttp.access",
        "alembic",
        "aiosqlite",
        "telegram",
        "asyncio",
        "procrastinate",
        "psycopg",
    ):
        # httpx and telegram would log addresses with the token
        logging.getLogger(name).setLevel(logging.WARNING)
