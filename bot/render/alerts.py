"""The common parts of messages of several kinds of alert: their first line, and their buttons.

A channel's readers have no settings here, so a channel's message carries no buttons that change
any.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.i18n import day_at, name_of, percent, t
from bot.model.rates import Move, Pair, Rate, RateKind
from bot.render.buttons import rows_of
from bot.render.numbers import arrow, as_printed
from bot.render.phrases import phrase
from bot.render.rates import kind_name
from bot.render.text import Button, Message, Rich, Rows, bold, lines, message

CHART = "90d"


#: The texts under an alert that can be muted, and of one that is about a rate.
MUTED_TEXTS = ("button.why", "button.snooze", "button.snoozed", "button.mute", "button.unmute")
RATE_TEXTS = ("move.effective", "button.chart", *MUTED_TEXTS)


def rate_moved(
    shift: Move,
    *said: Rich | None,
    alert: int,
    language: str,
    source_names: dict[str, str],
    channel: bool,
    doubt: Rich | None = None,
    headlines: Sequence[Rich] = (),
    silencers: Sequence[Button] = (),
    done: bool = False,
) -> Message:
    """A rate that moved: by how much, what its kind has `said`, whose rate it is, any `doubt`, and
    the `headlines` of the day. `silencers` are the buttons that make it silent, where one that
    mutes its currency is not all; what is `done` and speaks no more cannot be snoozed.
    """
    text = lines(
        _first_line(shift, language),
        *said,
        source_line(shift.new, language, source_names=source_names),
        doubt,
        *("• " + one for one in headlines),
    )
    silencers = silencers or [mute_button(alert, shift.new.pair.base, language)]
    if not done:
        silencers = [snooze_button(alert, language), *silencers]
    buttons = _rate_buttons(shift.new.pair, alert, language, channel=channel, silencers=silencers)
    return message(text, buttons)


def _first_line(shift: Move, language: str) -> Rich:
    """The pair that moved, by how much, from what to what."""
    old, new = as_printed(shift.old.per_unit, language), as_printed(shift.new.per_unit, language)
    size = percent(shift.percent, language, 1)
    # where nothing moved there is no arrow, and its space must not begin the line
    return bold(f"{arrow(shift.percent)} {shift.new.pair} {size}".strip()) + f"  {old} → {new}"


def source_line(rate: Rate, language: str, *, source_names: dict[str, str]) -> Rich:
    """The source of a rate, its kind, and the day it is for."""
    source = name_of(source_names, language) or rate.source
    if rate.kind not in {RateKind.OFFICIAL, RateKind.REFERENCE}:
        source = f"{source} · {kind_name(rate.kind, language)}"
    on = day_at(rate.effective_on, language)
    return phrase("move.effective", language, source=source, day=on)


def _rate_buttons(
    pair: Pair, alert: int, language: str, *, channel: bool, silencers: Sequence[Button]
) -> Rows:
    """Rows of two: four words in a row are cut off on a phone in Russian and Kyrgyz."""
    chart = Button(t("button.chart", language), f"chart:{pair}:{CHART}")
    if channel:
        return ((chart,),)
    first, others = tuple(silencers[:2]), rows_of(silencers[2:], 2)
    return ((chart, why_button(alert, language)), first, *map(tuple, others))


def in_a_day(old: date, new: date, language: str) -> Rich:
    """Between which rates a change lies: "in a day", where they are of days side by side."""
    if (new - old).days == 1:
        return phrase("move.day", language)
    return phrase("move.fixing", language, day=day_at(old, language, today=new))


def changed_in_a_day(change: Rich | str, old: date, new: date, language: str) -> Rich:
    """The `change`, and between which rates it lies behind it."""
    if (new - old).days == 1:
        return phrase("why.day", language, change=change)
    return phrase("why.fixing", language, change=change, day=day_at(old, language, today=new))


def why_button(alert: int, language: str) -> Button:
    """The button that asks why an alert was told."""
    return Button(t("button.why", language), f"why:{alert}")


def mute_button(alert: int, what: str, language: str, *, muted: bool = False) -> Button:
    """Silences what an alert was about; when `muted`, undoes it."""
    verb = "mute"
    if muted:
        verb = "unmute"
    return Button(phrase(f"button.{verb}", language, what=what).text, f"{verb}:{alert}")


def topic_button(alert: int, language: str, *, left: bool = False) -> Button:
    """Ends the subscription to the topic of a story; when `left`, subscribes to it again."""
    if left:
        return Button(t("button.subscribe", language), f"unmute:{alert}")
    return Button(t("button.unsubscribe", language), f"mute:{alert}")


def pause_button(alert: int, language: str, *, paused: bool = False, what: str = "") -> Button:
    """Pauses the chat's own rule that an alert was about; when `paused`, resumes it.

    It says `what` that rule asks for where there are several.
    """
    if what:
        verb, said = ("unmute", "resume_one") if paused else ("mute", "pause_one")
        return Button(phrase(f"button.{said}", language, what=what).text, f"{verb}:{alert}")
    if paused:
        return Button(t("button.resume", language), f"unmute:{alert}")
    return Button(t("button.pause_alert", language), f"mute:{alert}")


def snooze_button(alert: int, language: str, *, until: str | None = None) -> Button:
    """Silences it for a while; with the hour that lasts `until`, undoes it."""
    if until is None:
        return Button(t("button.snooze", language), f"snooze:{alert}")
    return Button(phrase("button.snoozed", language, time=until).text, f"unsnooze:{alert}")
