"""The freshness of each source, and the queue."""

from __future__ import annotations

from datetime import date, timedelta

from bot.i18n import ago, day, day_at, name_of, span, t
from bot.model.status import SourceStatus, Status
from bot.render.phrases import counted, phrase
from bot.render.text import Message, Rich, bold, join, lines, message, one_line

SHOWN_SOURCES = 40  # a status of a hundred feeds would not fit a message


def status(status: Status, language: str) -> Message:
    """A verdict, how fresh each source is, how long the queue, when the last message went out."""
    shown = [bold(_verdict(status, language))]
    if status.stopped_at is not None:
        shown.insert(0, stopped_line(status.now - status.stopped_at, language))
    shown += [source_line(source, status, language) for source in status.sources[:SHOWN_SOURCES]]
    hidden = len(status.sources) - SHOWN_SOURCES
    if hidden > 0:
        shown.append(counted("status.more", hidden, language))
    return message(lines(*shown, "\n" + _queue(status, language), _last_sent(status, language)))


def _verdict(status: Status, language: str) -> Rich:
    """The number of sources that answer, and whether that is as it should be."""
    if not status.sources:
        return phrase("status.no_sources", language)
    # neither those that never answered nor those that fail by now
    answering = [one for one in status.sources if one.last_ok_at is not None and not one.failures]
    said = "status.answering"
    if len(answering) == len(status.sources):
        said = "status.all_well"
        today = status.now.date()
        if any(trouble_of(one, today=today, language=language) for one in status.sources):
            said = "status.answering"
    return phrase(said, language, n=len(answering), total=len(status.sources))


def _queue(status: Status, language: str) -> Rich:
    """The number of messages that wait, and the oldest one's age; an empty queue has none."""
    if not status.waiting:
        return phrase("status.empty", language)
    waiting = counted("status.waiting", status.waiting, language)
    if status.oldest is None:
        return waiting
    oldest = phrase("status.oldest", language, age=span(status.oldest, language))
    return join(", ", [waiting, oldest])


def _last_sent(status: Status, language: str) -> Rich:
    if status.last_sent_at is None:
        return phrase("status.sent_nothing", language)
    return phrase("status.sent", language, ago=ago(status.now - status.last_sent_at, language))


def stopped_line(age: timedelta, language: str) -> Rich:
    """The line that no alert leaves, and since when."""
    return phrase("status.stopped", language, ago=ago(age, language))


def source_line(source: SourceStatus, status: Status, language: str) -> Rich:
    """A source's line: green when all is well, white before its first answer, else its trouble."""
    name = one_line(name_of(source.names, language) or source.key)
    seen = t("status.never", language)
    mark = "⚪"
    if source.last_ok_at is not None:
        seen = ago(status.now - source.last_ok_at, language)
        if source.newest_on is not None:
            # "just now" beside Friday's rate would say of the poll what is read of the rate
            on = day_at(source.newest_on, language, today=status.now.date())
            seen = phrase("status.rates_for", language, day=on).text
        mark = "🟢"
    trouble = trouble_of(source, today=status.now.date(), language=language)
    if trouble:
        mark = "🟠"
    if source.paused:
        mark, trouble = "⏸", [phrase("status.paused", language)]
    return join(" · ", [f"{mark} {name} – {seen}", *trouble])


def trouble_of(source: SourceStatus, *, today: date, language: str) -> list[Rich]:
    """The troubles of a source, the worst first."""
    found = []
    if source.failures:
        found.append(counted("status.failures", source.failures, language))
    elif source.error is not None:  # it answered, and one of its documents could not be read
        found.append(phrase("status.partly", language))
    if source.stuck_on is not None:
        on = day(source.stuck_on, language, today=today)
        found.append(phrase("status.stuck", language, day=on))
    return found
