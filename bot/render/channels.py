"""A channel is added and set up in private: the key that asks for one, and its set-up by taps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time

from bot.i18n import city, clock, t, zone_place
from bot.languages import LANGUAGES
from bot.model.channels import Board
from bot.model.chats import USUAL, Chat, Editorial, Post, Sound, Style
from bot.render.board import how_it_is
from bot.render.buttons import back_button, rows_of, switch
from bot.render.cutting import cut
from bot.render.phrases import phrase
from bot.render.settings import how_rates_come, table_choice
from bot.render.subscriptions import (
    currency_order,
    hour_switches,
    order_button,
    said_hours,
    said_week,
    switches,
    week_switch,
)
from bot.render.text import Button, Colour, Message, Rich, bold, join, lines, message, one_line
from bot.render.wire import ChannelWanted, Keys, one_key

#: Which of a key's requests it is that brings a channel.
REQUEST = 1
#: The kinds of post that come to a channel.
POSTS = (Post.RATES, Post.STORIES, Post.DIGESTS)
#: Rights that Telegram wants to be told of, whether they are asked for or not.
_OTHER_RIGHTS = (
    "is_anonymous",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
#: What the bot does in a channel: it posts, edits what it posted, and pins its board, which in a
#: channel is a part of the right to edit.
RIGHTS: Mapping[str, bool] = {
    **dict.fromkeys(_OTHER_RIGHTS, False),
    "can_manage_chat": True,
    "can_post_messages": True,
    "can_edit_messages": True,
}


def ask(language: str) -> Message:
    """The explanation of the key below the field."""
    return message(phrase("channel.ask", language))


def key(language: str) -> Keys:
    """The key that lets its reader choose a channel, and gives the bot its place there."""
    request: ChannelWanted = {
        "request_id": REQUEST,
        "chat_is_channel": True,
        # both are what the bot needs: it may get no right that its user has not
        "user_administrator_rights": dict(RIGHTS),
        "bot_administrator_rights": dict(RIGHTS),
        "request_title": True,
    }
    return one_key({"text": t("channel.choose", language), "request_chat": request})


def mine(channels: Sequence[tuple[int, str]], language: str) -> Message:
    """The channels that its reader set up, by number and title: data `chan:7:open`."""
    rows = [[Button(one_line(title), f"chan:{number}:open")] for number, title in channels]
    return message(bold(t("channel.mine", language)), rows)


def setup(
    number: int,
    chat: Chat,
    language: str,
    *,
    now: datetime,
    digests: Iterable[time],
    week: time | None = None,
    following: Sequence[str],
    board: Board | None = None,
) -> Message:
    """A channel's choices about its posts, and a tap for each: data `chan:7:language`,
    `chan:7:zone`, `chan:7:style`, `chan:7:topics`, `chan:7:digest`, `chan:7:sounds`,
    `chan:7:policy`, `chan:7:tables`, `chan:7:board:on`, `chan:7:preview`, `chan:7:remove`.
    """
    follows = phrase("channel.follows_nothing", language)
    if following:
        follows = phrase("channel.follows", language, what=", ".join(following))
    zone = chat.time_zone
    said: list[Rich] = [
        phrase("settings.language", language, language=t("language.name", chat.language)),
        phrase("settings.time", language, zone=zone_place(zone, language), time=clock(now, zone)),
        phrase("settings.style", language, style=t(f"style.{chat.style.value}", language)),
        follows,
        phrase("channel.policy_is", language, policy=t(f"policy.{chat.policy.value}", language)),
        said_hours(set(digests), language),
        *filter(None, [said_week(week, language)]),
        how_it_is(board, language),
        how_rates_come(language, tables=chat.tables),
    ]
    buttons = _setup_buttons(number, board, language)
    return message(lines(bold(one_line(chat.title)), *said), buttons)


def _setup_buttons(number: int, board: Board | None, language: str) -> list[list[Button]]:
    """A tap for each thing that a channel's set-up says."""
    has_board = board is not None and board.kept
    pages = (
        ("language", "settings.change_language", "zone", "settings.change_zone"),
        ("topics", "settings.change_topics", "digest", "post.digests"),
        ("style", "channel.style", "sounds", "sound.title"),
    )
    buttons: list[list[Button]] = []
    for left, left_name, right, right_name in pages:
        buttons.append(
            [
                Button(t(left_name, language), f"chan:{number}:{left}"),
                Button(t(right_name, language), f"chan:{number}:{right}"),
            ]
        )
    return [
        *buttons,
        [Button(t("channel.policy", language), f"chan:{number}:policy")],
        [
            switch(t("channel.board", language), _board_data(number, on=has_board), on=has_board),
            Button(t("settings.change_tables", language), f"chan:{number}:tables"),
        ],
        [Button(t("channel.preview", language), f"chan:{number}:preview")],
        [Button(t("channel.remove", language), f"chan:{number}:remove")],
    ]


def _board_data(number: int, *, on: bool) -> str:
    return f"chan:{number}:board:{'off' if on else 'on'}"


def languages(number: int, chat: Chat, language: str) -> Message:
    """The languages, each in its own name: data `chan:7:lang:ru`."""
    rows: list[list[Button]] = []
    for one in LANGUAGES:
        name = t("language.name", one)
        rows.append([switch(name, f"chan:{number}:lang:{one}", on=one == chat.language)])
    return _menu(number, phrase("language.choose", language), rows, language)


def zones(number: int, chat: Chat, offered: Sequence[str], language: str) -> Message:
    """Time zones by their cities: data `chan:7:zone:Asia/Bishkek`."""
    cities: list[Button] = []
    for one in offered:
        data = f"chan:{number}:zone:{one}"
        cities.append(switch(city(one, language), data, on=one == chat.time_zone))
    text = phrase("settings.zone", language, zone=zone_place(chat.time_zone, language))
    return _menu(number, text, rows_of(cities, 2), language)


def styles(number: int, chat: Chat, language: str) -> Message:
    """The lengths of a told story: data `chan:7:style:brief`."""
    rows: list[list[Button]] = []
    for one in Style:
        name = t(f"style.{one.value}", language)
        rows.append([switch(name, f"chan:{number}:style:{one.value}", on=one is chat.style)])
    text = phrase("settings.style", language, style=t(f"style.{chat.style.value}", language))
    return _menu(number, text, rows, language)


def topics(
    number: int,
    chat: Chat,
    language: str,
    *,
    currencies: Sequence[str],
    offered: Sequence[str],
    chosen: Collection[str],
) -> Message:
    """Switches of currencies and topics: data `chan:7:cur:USD`, `chan:7:top:economy`; and the way
    to the order of currencies: `chan:7:order`.
    """
    rows = switches(language, currencies, offered, chosen, before=f"chan:{number}:")
    rows += order_button(chosen, f"chan:{number}:order", language)
    title = bold(one_line(chat.title))
    return _menu(number, phrase("channel.topics", language, title=title), rows, language)


def order(number: int, codes: Sequence[str], language: str) -> Message:
    """The order of its currencies: data `chan:7:first:RUB`."""
    before = f"chan:{number}:"
    return currency_order(codes, language, before=before, back=f"{before}topics")


def hours(number: int, digests: Collection[time], language: str, *, week: time | None) -> Message:
    """Switches of the hours of digests and of the summary of the week: data `chan:7:hour:0800`,
    `chan:7:week:on`.
    """
    rows = [*rows_of(hour_switches(digests, f"chan:{number}:hour:"), 4)]
    rows.append([week_switch(week, f"chan:{number}:", language)])
    return _menu(number, phrase("channel.hours", language), rows, language)


def sounds(number: int, chat: Chat, language: str) -> Message:
    """The loudness of each kind of post; a tap makes it the next: data `chan:7:sound:rates`."""
    rows: list[list[Button]] = []
    for post in POSTS:
        how = t(f"sound.{chat.sounds.get(post, USUAL[post]).value}", language)
        named = join(": ", [t(f"post.{post.value}", language), how])
        rows.append([Button(named.text, f"chan:{number}:sound:{post.value}")])
    text = lines(bold(t("sound.title", language)), t("sound.what", language))
    return _menu(number, text, rows, language)


def louder(sound: Sound) -> Sound:
    """The sound that a tap leads to."""
    ways = tuple(Sound)
    return ways[(ways.index(sound) + 1) % len(ways)]


def policies(number: int, chat: Chat, operators: Editorial, language: str) -> Message:
    """The policies of when a story about security is posted: data `chan:7:policy:approve`.

    What the `operators` ask of every story first is said where that is more.
    """
    rows: list[list[Button]] = []
    for one in Editorial:
        name = t(f"policy.{one.value}", language)
        rows.append([switch(name, f"chan:{number}:policy:{one.value}", on=one is chat.policy)])
    title = bold(one_line(chat.title))
    said = phrase("channel.policy_what", language, title=title)
    if operators.is_stricter(chat.policy):
        said = lines(said, t(f"channel.policy_by_{operators.value}", language))
    return _menu(number, said, rows, language)


def question(delivery: int, mark: str, title: str, post: Message, language: str) -> Message:
    """Whether a channel should post this: data `post:send:7:1a2b3c4d`, `post:reject:7:1a2b3c4d`."""
    asks = phrase("asked.title", language, channel=bold(one_line(title)))
    send = Button(t("button.send", language), f"post:send:{delivery}:{mark}", colour=Colour.GREEN)
    reject = Button(
        t("button.reject", language), f"post:reject:{delivery}:{mark}", colour=Colour.RED
    )
    words = join("\n\n", [asks, post.body])
    whole = cut(message(words, [[send, reject]]))
    return replace(whole, shown=post.shown)


def tables(number: int, chat: Chat, language: str) -> Message:
    """Whether its rates are to come as tables: data `chan:7:tables:on`."""
    before, title = f"chan:{number}:", one_line(chat.title)
    back = f"{before}open"
    return table_choice(language, on=chat.tables, before=before, back=back, channel=title)


def removal(number: int, title: str, language: str) -> Message:
    """Asks before a channel is left: data `chan:7:remove:yes`."""
    yes = [
        Button(t("channel.remove_yes", language), f"chan:{number}:remove:yes", colour=Colour.RED)
    ]
    question = phrase("channel.remove_ask", language, title=bold(one_line(title)))
    return _menu(number, question, [yes], language)


def _menu(number: int, text: Rich, rows: Iterable[list[Button]], language: str) -> Message:
    """A page of the set-up, with the way back to it."""
    return message(text, [*rows, [back_button(language, f"chan:{number}:open")]])
