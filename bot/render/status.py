"""How fresh each source is, and how the queue stands."""

from __future__ import annotations

from bot.i18n import ago, day, name_of, span, t
from bot.model.status import SourceStatus, Status
from bot.render.phrases import counted, phrase
from bot.render.text import Message, Rich, bold, join, lines, message, one_line

SHOWN_SOURCES = 40  # a status of a hundred feeds would not fit a message


def status(status: Status, language: str) -> Message:
    """How fresh each source is, how long the queue, when the last message went out."""
    sources = [_source(source, status, language) for source in status.sources]
    hidden = len(sources) - SHOWN_SOURCES
    queue = counted("status.waiting", status.waiting, language)
    if status.oldest is not None and status.waiting:
        queue = join(
            ", ", [queue, phrase("status.oldest", language, age=span(status.oldest, language))]
        )
    sent = (
        phrase("status.sent", language, ago=ago(status.now - status.last_sent_at, language))
        if status.last_sent_at
        else phrase("status.sent_nothing", language)
    )
    rest = counted("status.more", hidden, language) if hidden > 0 else None
    empty = phrase("status.no_sources", language) if not sources else None
    return message(
        lines(
            bold(t("status.title", language)),
            *sources[:SHOWN_SOURCES],
            rest,
            empty,
            "\n" + queue,
            sent,
        )
    )


def _source(source: SourceStatus, status: Status, language: str) -> Rich:
    name = name_of(source.names, language) or source.key
    seen = (
        ago(status.now - source.last_ok_at, language)
        if source.last_ok_at
        else t("status.never", language)
    )
    stuck = None
    if source.stuck_on is not None:
        stuck = phrase(
            "status.stuck", language, day=day(source.stuck_on, language, today=status.now.date())
        )
    partly = (
        t("status.partly", language) if source.error is not None and not source.failures else None
    )
    if not source.failures and stuck is None and partly is None:
        return Rich(
            f"🟢 {one_line(name)} – {seen}"
            if source.last_ok_at
            else f"⚪ {one_line(name)} – {seen}"
        )
    trouble = counted("status.failures", source.failures, language) if source.failures else None
    return join(" · ", [f"🟠 {one_line(name)} – {seen}", trouble, partly, stuck])
