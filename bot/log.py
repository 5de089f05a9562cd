"""Logs: JSON lines, or a readable console on a terminal; no token or secret ever gets through."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

# structlog and httpx import rich when it is there, for colours nobody sees: a tenth of an idle bot's memory.
sys.modules["rich"] = None  # type: ignore[assignment]  # the documented way to make an import fail
import structlog  # noqa: E402

_SECRET = re.compile(r"\b\d{6,}:[\w-]{30,}\b|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


def redact(text: str) -> str:
    """The same text without bot tokens and passwords in addresses."""
    return _SECRET.sub("***", text)


def _renderer(*, console: bool) -> structlog.typing.Processor:
    """Make the line, then redact it: whatever a value, a nested list or a traceback brought along."""
    base: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if console else structlog.processors.JSONRenderer()
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
        logging.getLogger(name).setLevel(logging.WARNING)  # httpx and telegram would log addresses with the token
