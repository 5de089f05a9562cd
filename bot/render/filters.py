"""A chat's filters of the news: listed with what each kept back, and offered under a story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.i18n import clock, day_until, known, name_of, t
from bot.languages import LANGUAGES
from bot.model.filters import Filter, Nameable, Sense, StoredFilter, Trait
from bot.render.buttons import back_button, rows_of
from bot.render.cutting import cut
from bot.render.news import topic_name
from bot.render.phrases import phrase
from bot.render.text import Button, Message, Rich, bold, code, join, lines, message

BUTTON_LETTERS = 24  # of a filter on a button that shares its row,
ROW_LETTERS = 36  # on one that has a row to itself,
LISTED_LETTERS = 45  # and in the list
#: For how many days one may hear less of something; 0: for good.
SPANS = (1, 7, 0)
CANCEL = "cancel"  # in the place of a code
NAMED = {
    Trait.WORD: "filters.word",
    Trait.SOURCE: "filters.source",
    Trait.STORY: "filters.story",
    Trait.PLACE: "filters.place",
    Trait.TOPIC: "filters.topic",
}


def listed(
    filters: Sequence[StoredFilter],
    language: str,
    *,
    zone: str,
    now: datetime,
    saved: bool = False,
    back: str = "",
) -> Message:
    """The filters by what they ask, until when, what they kept back, and a button to lift each:
    `lift:7`.
    """
    examples = {
        "mute": code(t("filters.example_mute", language)),
        "only": code(t("filters.example_only", language)),
    }
    rows: list[Sequence[Button]] = []
    if not filters:
        text = lines(
            bold(t("filters.title", language)), phrase("filters.none", language, **examples)
        )
    else:
        parts: list[Rich | str | None] = [bold(t("filters.title", language))]
        if saved:
            parts = [t("settings.saved", language)]
        for sense in Sense:
            mine = [one for one in filters if one.sense is sense]
            if mine:
                parts.append(bold(t(f"filters.{sense.value}", language)))
                parts += [_item(one, language, zone, now) for one in mine]
        parts.append(phrase("filters.kept", language, n=sum(one.kept for one in filters)))
        parts.append(phrase("filters.hint", language, **examples))
        text = lines(*parts)
        rows += rows_of([_lift(one, language) for one in filters], 2)
    if len(filters) > 1:
        rows.append([Button(t("filters.lift_all", language), "lift:all")])
    if back:
        rows.append([back_button(language, back)])
    return message(text, rows)


def whether_to_omit(words: str, language: str) -> Message:
    """The question after a sentence that may ask to leave news out, "hide football", and may not,
    "hide your phone": data `omit:football`.
    """
    button = Button(t("button.omit", language), f"omit:{words}")
    return message(phrase("filters.ask", language, what=bold(words)), [[button]])


def offered(offers: Mapping[str, Filter], alert: str, language: str) -> Message:
    """The filters offered after a story, or none of them: data `less:8:CODE`, `less:8:cancel`."""
    buttons: list[list[Button]] = []
    for which, one in offers.items():
        label = _short(name(one, language), ROW_LETTERS)
        if one.trait is Trait.STORY:  # its headline stands above, and would be cut here
            label = t("filters.this_story", language)
        buttons.append([Button(label, f"less:{alert}:{which}")])
    buttons.append([Button(t("button.cancel", language), f"less:{alert}:{CANCEL}")])
    example = code(t("filters.example_mute", language))
    other = phrase("filters.other_word", language, example=example)
    return message(lines(bold(t("filters.less", language)), other), buttons)


def spans(one: Filter, alert: str, code: str, language: str) -> Message:
    """The choice for how long a filter lasts: data `less:8:CODE:7`."""
    buttons = []
    for days in SPANS:
        label = t(f"filters.for.{days}", language)
        buttons.append(Button(label, f"less:{alert}:{code}:{days}"))
    text = lines(bold(name(one, language)), t("filters.how_long", language))
    return message(text, [*rows_of(buttons, 3), [back_button(language, f"less:{alert}")]])


def name(one: Filter, language: str) -> str:
    """A filter as its reader calls it, with what it is where that is no word."""
    said = one.said
    if one.trait is Trait.TOPIC:
        said = topic_name(one.what, language)
    return phrase(NAMED[one.trait], language, what=said).text


def topics_by_name(topics: Iterable[str]) -> dict[str, Nameable]:
    """Topics by what each is called in every language, case folded."""
    found: dict[str, Nameable] = {}
    for topic in topics:
        msgid = f"topic.{topic}"
        names = [topic]
        if known(msgid):
            names += [t(msgid, language).casefold() for language in LANGUAGES]
        for said in names:
            found.setdefault(said, Nameable(what=topic, said=topic))
    return found


def sources_by_name(
    feed_names: Mapping[str, Mapping[str, str]], language: str
) -> dict[str, Nameable]:
    """Sources of news by their keys and names in every language; the first of a name has it."""
    found: dict[str, Nameable] = {}
    said = source_names(feed_names, language)
    for key, names in feed_names.items():
        for called in (key, *names.values()):
            found.setdefault(called.casefold(), Nameable(what=key, said=said[key]))
    return found


def source_names(feed_names: Mapping[str, Mapping[str, str]], language: str) -> dict[str, str]:
    """The readers' name of each source of news, by its key."""
    return {key: name_of(names, language) or key for key, names in feed_names.items()}


def _item(one: StoredFilter, language: str, zone: str, now: datetime) -> Rich:
    named = replace(one, said=cut(message(one.said), LISTED_LETTERS).text)
    parts: list[Rich | str] = ["• " + name(named, language)]
    if one.until is not None:
        parts.append(_until(one, one.until, language, zone, now))
    if one.kept:
        parts.append(phrase("filters.kept_one", language, n=one.kept))
    return join(" · ", parts)


def _until(one: StoredFilter, until: datetime, language: str, zone: str, now: datetime) -> Rich:
    """The end of a filter: its hour where that is today or tomorrow in the `zone`, else its day."""
    if (day := one.last_day(zone)) is not None:
        return phrase("rule.until", language, day=day_until(day, language))
    local, today = until.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return phrase("filters.until_today", language, time=clock(local))
    if local.date() == today + timedelta(days=1):
        return phrase("filters.until_tomorrow", language, time=clock(local))
    return phrase("rule.until", language, day=day_until(local.date(), language))


def _lift(one: StoredFilter, language: str) -> Button:
    said = topic_name(one.what, language) if one.trait is Trait.TOPIC else one.said
    return Button(f"✕ {_short(said)}", f"lift:{one.id}")


def _short(text: str, letters: int = BUTTON_LETTERS) -> str:
    return cut(message(text), letters).text
