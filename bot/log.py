"""Logs: JSON lines, or a readable console on a terminal; no token or secret ever gets through."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

import structlog

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
SHORTEST_SECRET = 6  # characters; shorter ones are words that occur anywhere
_hidden: set[str] = set()


def hide(*secrets: str | None) -> None:
    """Redact these from now on wherever they occur, as they are or percent-encoded."""
    for secret in secrets:
        if secret is not None and len(secret) >= SHORTEST_SECRET:
            _hidden.update({secret, quote(secret, safe=""), quote(secret)})


def redact(text: str) -> str:
    """The same text without bot tokens, passwords of addresses, and what was hidden."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _SECRET.sub("***", text)


def one_line(text: str) -> str:
    """A message as one line of a terminal: redacted, without breaks and control characters."""
    line = redact(" ".join(text.splitlines()))
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], line)


def _crashed(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """Print what nobody caught as Python does, redacted."""
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


def _crashed_in_a_thread(crash: threading.ExceptHookArgs) -> None:
    _crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)


def _crashed_unraisably(crash: sys.UnraisableHookArgs) -> None:
    _crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)


def guard_tracebacks() -> None:
    """Redact the tracebacks that Python itself prints, of program, threads and finalizers."""
    sys.excepthook = _crashed
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
        return redact(str(base(logger, name, event)))

    return render


def set_up(log_format: str | None, level: str) -> None:
    """Send everything, the libraries' logs too, to stderr in one form."""
    console = log_format == "console" or (log_format is None and sys.stderr.isatty())
    renderer = _renderer(console=console)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
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
