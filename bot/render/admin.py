"""The operator's desk: one message with the whole at a glance, and pages behind its buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.i18n import name_of, span, t
from bot.log import redact
from bot.model.alerts import Lane
from bot.model.news import Story
from bot.model.overview import HeldRate, LaneWaits, Overview
from bot.model.status import SourceStatus, Status
from bot.reasons import Reason
from bot.render.broadcasts import chats_by_kind
from bot.render.buttons import back_button
from bot.render.cutting import cut
from bot.render.news import headline
from bot.render.numbers import as_printed
from bot.render.phrases import phrase, when
from bot.render.reasons import told
from bot.render.status import source_line, stopped_line
from bot.render.text import Button, Colour, Message, Rich, Rows, bold, lines, message, one_line

SOURCES_A_PAGE = 8  # one screen of a phone
LABEL = 40  # characters of a name on a button
MOST_ASKED = 10  # rates or stories that wait for a word on one page
MOST_ERRORS = 10
LONGEST_ERROR = 300  # characters of a source's last trouble
LANES = {
    Lane.URGENT: "admin.lane.urgent",
    Lane.ALERT: "admin.lane.alert",
    Lane.ROUTINE: "admin.lane.routine",
}
#: Gives a source's key a short form that fits a button.
Short = Callable[[str], str]


def desk(status: Status, found: Overview, language: str, *, second: int = 0) -> Message:
    """All at a glance; `second` is how many stories wait for a second source."""
    bad = sum(1 for one in status.sources if is_bad(one))
    paused = sum(1 for one in status.sources if one.paused)
    counts = {"all": len(status.sources), "bad": bad, "paused": paused}
    shown: list[Rich | str] = [bold(t("admin.title", language))]
    if status.stopped_at is not None:
        shown.append(stopped_line(status.now - status.stopped_at, language))
    shown.append(phrase("admin.sources", language, **counts))
    shown += [_lane(one, language) for one in found.lanes]
    shown.append(phrase("admin.waiting", language, rates=found.held, stories=found.stories))
    if second:
        shown.append(phrase("admin.second", language, n=second))
    shown.append(phrase("admin.chats", language, what=chats_by_kind(found.chats, language)))
    shown.append(phrase("admin.subscriptions", language, n=found.subscriptions))
    return message(lines(*shown), _desk_buttons(status, found, language, second))


def _desk_buttons(status: Status, found: Overview, language: str, second: int) -> Rows:
    def button(name: str, data: str) -> Button:
        return Button(t(name, language), data=data)

    pages = [
        button("button.admin_sources", "admin:sources:0"),
        button("button.admin_errors", "admin:errors"),
    ]
    asked: list[Button] = []
    if found.held:
        asked.append(button("button.admin_held", "admin:held"))
    if found.stories:
        asked.append(button("button.admin_stories", "admin:stories"))
    alone = [button("button.admin_second", "admin:second")] if second else []
    switch = button("button.stop_all", "admin:off")
    if status.stopped_at is not None:
        switch = button("button.start_all", "admin:on")
    last = [button("button.refresh", "admin:desk"), switch]
    return tuple(tuple(row) for row in (pages, asked, alone, last) if row)


def _lane(one: LaneWaits, language: str) -> Rich:
    lane = t(LANES[one.lane], language)
    if one.oldest is None:
        return phrase("admin.empty", language, lane=lane)
    return phrase("admin.waits", language, lane=lane, n=one.waiting, age=span(one.oldest, language))


def is_bad(source: SourceStatus) -> bool:
    """Whether a source is in trouble: not one that nobody polls."""
    if source.paused:
        return False
    return source.failures > 0 or source.error is not None or source.stuck_on is not None


def sources(status: Status, number: int, short: Short, language: str) -> Message:
    """A page of sources, each a button; those in trouble first."""
    in_order = sorted(status.sources, key=lambda one: (not is_bad(one), not one.paused))
    pages = max(1, -(-len(in_order) // SOURCES_A_PAGE))
    number = min(number, pages - 1)
    page = in_order[number * SOURCES_A_PAGE : (number + 1) * SOURCES_A_PAGE]
    rows: list[list[Button]] = []
    for one in page:
        name = cut(message(_name(one, language)), LABEL).text
        rows.append([Button(name, data=f"admin:source:{short(one.key)}")])
    turns = []
    if number:
        turns.append(Button("‹", data=f"admin:sources:{number - 1}"))
    if number + 1 < pages:
        turns.append(Button("›", data=f"admin:sources:{number + 1}"))
    rows += [turns, [back_button(language, "admin:desk")]]
    title = bold(t("button.admin_sources", language))
    return message(lines(title, *[source_line(one, status, language) for one in page]), rows)


def source(one: SourceStatus, status: Status, short: Short, zone: str, language: str) -> Message:
    """One source: how fresh, its last trouble, when it is asked next; poll now, pause, resume."""
    shown: list[Rich | str] = [source_line(one, status, language)]
    if one.error is not None:
        shown.append(
            phrase(
                "admin.error",
                language,
                why=_trouble(one.error, status, language),
            )
        )
    if one.next_due_at is not None and not one.paused:
        at = when(one.next_due_at, language, zone, now=status.now)
        shown.append(phrase("admin.next", language, at=at))
    key = short(one.key)
    buttons = [Button(t("button.poll_now", language), data=f"admin:poll:{key}")]
    buttons.append(Button(t("button.pause", language), data=f"admin:pause:{key}"))
    if one.paused:
        buttons = [Button(t("button.resume", language), data=f"admin:resume:{key}")]
    return message(lines(*shown), (buttons, [back_button(language, "admin:sources:0")]))


def held(rates: Sequence[HeldRate], names: Callable[[str], str], language: str) -> Message:
    """The rates that wait for a word, each with its two buttons."""
    shown: list[Rich | str] = [bold(t("button.admin_held", language))]
    rows: list[list[Button]] = []
    for number, one in enumerate(rates[:MOST_ASKED], 1):
        figure = as_printed(one.rate.value, language)
        shown.append(f"{number}. {names(one.rate.source)}: {one.rate.pair} {figure}")
        approve = Button(
            f"{number}. {t('button.approve', language)}",
            f"held:approve:{one.id}",
            colour=Colour.GREEN,
        )
        reject = Button(
            f"{number}. {t('button.reject', language)}", f"held:reject:{one.id}", colour=Colour.RED
        )
        rows.append([approve, reject])
    return message(lines(*shown), [*rows, [back_button(language, "admin:desk")]])


def stories(waiting: Sequence[tuple[int, Story]], language: str) -> Message:
    """The stories that wait for a word, each leading to its card."""
    rows: list[list[Button]] = []
    for number, story in waiting[:MOST_ASKED]:
        label = cut(message(headline(story.told_in(language))), LABEL).text
        rows.append([Button(label, data=f"admin:story:{number}")])
    title = bold(t("button.admin_stories", language))
    return message(title, [*rows, [back_button(language, "admin:desk")]])


def second(alone: Sequence[Story], names: Callable[[str], str], language: str) -> Message:
    """The stories that wait for a second source, each with who reports it and its button."""
    shown: list[Rich | str] = [bold(t("button.admin_second", language))]
    rows: list[list[Button]] = []
    for number, one in enumerate(alone[:MOST_ASKED], 1):
        feeds = ", ".join(names(key) for key in one.feeds)
        shown.append(f"{number}. {headline(one.told_in(language))} · {feeds}")
        rows.append([Button(f"{number}. {t('button.send_now', language)}", f"admin:tell:{one.pk}")])
    if not alone:
        shown.append(phrase("admin.second", language, n=0))
    return cut(message(lines(*shown), [*rows, [back_button(language, "admin:desk")]]))


def errors(status: Status, notices: Sequence[tuple[str, str]], language: str) -> Message:
    """The sources' troubles now, and the operator's notices: when, and in which words."""
    shown: list[Rich | str] = []
    for one in status.sources:
        if is_bad(one) and one.error is not None:
            shown.append(f"🟠 {_name(one, language)}: {_trouble(one.error, status, language)}")
    shown += [f"{when} · {_in_short(words)}" for when, words in notices]
    if not shown:
        shown.append(phrase("admin.no_errors", language))
    shown = [bold(t("button.admin_errors", language)), *shown[:MOST_ERRORS]]
    whole = message(lines(*shown), [[back_button(language, "admin:desk")]])
    return cut(whole)


def sure_off(language: str) -> Message:
    """The second tap that stops all alerts."""
    yes = Button(t("button.sure_stop", language), data="admin:off:sure", colour=Colour.RED)
    return message(
        phrase("admin.sure_stop", language), ((yes,), (back_button(language, "admin:desk"),))
    )


def sure_on(language: str) -> Message:
    """The second tap that lets them go again."""
    yes = Button(t("button.sure_start", language), data="admin:on:sure")
    return message(
        phrase("admin.sure_start", language), ((yes,), (back_button(language, "admin:desk"),))
    )


def _trouble(why: Reason, status: Status, language: str) -> str:
    return _in_short(told(why, language, today=status.now.date()).text)


def _in_short(trouble: str) -> str:
    """A trouble on one line, without secrets."""
    return one_line(redact(trouble))[:LONGEST_ERROR]


def _name(one: SourceStatus, language: str) -> str:
    return one_line(name_of(one.names, language) or one.key)
