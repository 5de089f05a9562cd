"""A chat's choices, and the menus that change them: language, time zone, style of news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from bot.i18n import city, clock, t, zone_place
from bot.languages import LANGUAGES
from bot.model.channels import Board
from bot.model.chats import Style, Wakes
from bot.model.filters import StoredFilter
from bot.model.quiet import QuietHours
from bot.render.board import how_it_is
from bot.render.buttons import back_button, rows_of, switch
from bot.render.layout import block
from bot.render.phrases import phrase
from bot.render.quiet import as_said
from bot.render.subscriptions import said_hours, said_week
from bot.render.tables import Align, Column, Table
from bot.render.text import Button, Message, Rich, bold, code, lines, message

#: Offered as buttons; any other is written: /settings Paris, /settings UTC+6.
ZONES = (
    "Asia/Bishkek",
    "Asia/Almaty",
    "Asia/Tashkent",
    "Asia/Dushanbe",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Europe/Berlin",
    "America/New_York",
)
BACK = "set:back"  # what the way back to the settings sends


def settings(
    language: str,
    *,
    zone: str,
    now: datetime,
    style: Style,
    wakes: Wakes,
    digests: Sequence[time] = (),
    week: time | None = None,
    following: Sequence[str] = (),
    quiet: QuietHours | None = None,
    filters: Sequence[StoredFilter] = (),
    places: bool = False,
    near: Sequence[str] = (),
    threads: Rich | None = None,
    forum: bool = False,
    anonymous: bool | None = None,
    board: Board | None = None,
    channels: bool = False,
    tables: bool = False,
) -> Message:
    """The chat's choices, and a button for each thing to change.

    Data `set:language`, `set:zone`, `set:topics`, `set:digest`, `set:style`, `set:wakes`,
    `set:filters`, `set:quiet`, `set:sounds`, `set:tables`, and `set:places` where the catalog has
    places; `near` are the names of those that were chosen. `digests` are the hours of the chat's
    digests, `week` that of its summary of the week, `following` the names of what it subscribes to.
    In a `forum`, `set:here`, and of `threads` which kinds of post have a topic of their own; in a
    group, whether who writes as it may change it (`anonymous`): `anon:on`, and whether it has a
    `board`: `board:on`. Where `channels` can be added, `set:channels`. What the chat's filters keep
    back is counted here: none hides in silence.
    """
    said = [
        phrase("settings.language", language, language=t("language.name", language)),
        phrase("settings.time", language, zone=zone_place(zone, language), time=clock(now, zone)),
        phrase("settings.style", language, style=t(f"style.{style.value}", language)),
        phrase("settings.wakes", language, wakes=t(f"wakes.{wakes.value}", language)),
        said_hours(digests, language),
        said_week(week, language),
        _quiet(quiet, language),
        how_rates_come(language, tables=tables),
    ]
    if filters:
        kept = sum(one.kept for one in filters)
        said.append(phrase("settings.filters", language, n=len(filters), kept=kept))
    if near:
        said.append(phrase("settings.places", language, places=", ".join(near)))
    if threads is not None and threads.text:
        said.append(phrase("settings.threads", language, posts=threads))
    if following:
        said.append(phrase("settings.following", language, what=", ".join(following)))
    if anonymous is not None:
        said.append(how_it_is(board, language))
    buttons = [*_pages(language, places=places)]
    if anonymous is not None:
        buttons += _of_a_group(board, language, anonymous=anonymous)
    if channels:
        buttons.append([Button(t("settings.channels", language), "set:channels")])
    if forum:
        buttons.append([Button(t("here.places", language), "set:here")])
    return message(lines(bold(t("settings.title", language)), *said), buttons)


def styles(chosen: Style, language: str) -> Message:
    """The lengths of a told story, each explained: data `style:brief`, `set:back`."""
    found: list[Button] = []
    for one in Style:
        name = t(f"style.{one.value}", language)
        found.append(switch(name, f"style:{one.value}", on=one is chosen))
    return _choice("channel.style", "settings.length_what", found, language)


def levels(chosen: Wakes, language: str) -> Message:
    """The levels of stories that may wake the reader, in words: data `wakes:urgent`, `set:back`."""
    found: list[Button] = []
    for one in Wakes:
        name = t(f"wakes.{one.value}", language)
        found.append(switch(name, f"wakes:{one.value}", on=one is chosen))
    return _choice("post.stories", "settings.levels_what", found, language)


def how_rates_come(language: str, *, tables: bool) -> Rich:
    """Whether a chat's rates come as text or as tables."""
    return phrase("settings.tables_on" if tables else "settings.tables_off", language)


def table_choice(
    language: str, *, on: bool, before: str = "", back: str = BACK, channel: str | None = None
) -> Message:
    """Whether rates are to come as tables, and what may come of it: data `tables:on`, with what
    stands `before` it, and `tables:off`. In a `channel`, by its title, others read them too.
    """
    said: list[Rich | str] = [bold(t("tables.title", language)), t("tables.what", language)]
    if channel is not None:
        said.append(phrase("tables.channel", language, title=bold(channel)))
    buttons = [
        [switch(t("tables.as_text", language), f"{before}tables:off", on=not on)],
        [switch(t("tables.as_tables", language), f"{before}tables:on", on=on)],
    ]
    return message(lines(*said), [*buttons, [back_button(language, back)]])


def sample(language: str, way_back: str) -> Message:
    """One row of a table, and the way back to words for who sees none: data `way_back`.

    Its button stands where all clients show it.
    """
    columns = (Column(align=Align.LEFT), Column(align=Align.LEFT))
    row = Table(columns=columns, rows=(("✓", t("tables.sample", language)),))
    text = lines(block(row, headed=False), t("tables.blank", language))
    return message(text, [[Button(t("tables.back", language), way_back)]])


def _choice(title: str, what: str, buttons: Sequence[Button], language: str) -> Message:
    text = lines(bold(t(title, language)), t(what, language))
    return message(text, [*rows_of(buttons, 3), [back_button(language, BACK)]])


def _pages(language: str, *, places: bool) -> list[list[Button]]:
    """The buttons to the choices that have a page of their own."""
    rows = [
        [("settings.change_language", "set:language"), ("settings.change_zone", "set:zone")],
        [("settings.change_topics", "set:topics"), ("post.digests", "set:digest")],
        [("channel.style", "set:style"), ("post.stories", "set:wakes")],
        [("settings.change_filters", "set:filters"), ("quiet.title", "set:quiet")],
        [("sound.title", "set:sounds"), ("settings.change_tables", "set:tables")],
    ]
    if places:
        # beside the time zone: both are about where a reader is
        rows[0].append(("settings.change_places", "set:places"))
    found: list[list[Button]] = []
    for row in rows:
        found.append([Button(t(msgid, language), data) for msgid, data in row])
    return found


def _of_a_group(board: Board | None, language: str, *, anonymous: bool) -> list[list[Button]]:
    """The switches that only groups have: data `anon:on`, `board:on`."""
    rows: list[list[Button]] = []
    has_board = board is not None and board.kept
    for data, msgid, on in (
        ("anon", "settings.anonymous", anonymous),
        ("board", "channel.board", has_board),
    ):
        rows.append([switch(t(msgid, language), f"{data}:{'off' if on else 'on'}", on=on)])
    return rows


def _quiet(quiet: QuietHours | None, language: str) -> Rich:
    """The hours of silence, or that there are none."""
    hours = t("quiet.none", language) if quiet is None else as_said(quiet)
    return phrase("settings.quiet", language, hours=hours)


def language_menu(language: str) -> Message:
    """The languages, each in its own name, and back: data `lang:ru`, `set:back`."""
    rows = []
    for one in LANGUAGES:  # each in its own name: who reads only Kyrgyz looks for "Кыргызча"
        rows.append([switch(t("language.name", one), f"lang:{one}", on=one == language)])
    rows.append([back_button(language, BACK)])
    return message(phrase("language.choose", language), rows)


def zone_menu(
    language: str, zones: Sequence[str], *, chosen: str, example: str, place: bool = False
) -> Message:
    """Time zones by their cities: data `zone:Asia/Bishkek`; `example` is how to write any other.

    Where a location can be sent (`place`), it may be found by that: data `set:place`.
    """
    other = phrase("zone.other", language, example=code(example))
    text = lines(phrase("settings.zone", language, zone=zone_place(chosen, language)), other)
    cities = [switch(city(one, language), f"zone:{one}", on=one == chosen) for one in zones]
    rows = [*rows_of(cities, 2)]
    if place:  # Telegram lets a location be asked for in private chats alone
        rows.append([Button(t("zone.place", language), "set:place")])
    return message(text, [*rows, [back_button(language, BACK)]])


def zone_choice(language: str, zones: Sequence[str]) -> Message:
    """The time zones of a country that has several, by their cities: data `zone:Asia/Omsk`."""
    cities = [Button(city(one, language), f"zone:{one}") for one in zones]
    return message(t("zone.which", language), rows_of(cities, 2))
