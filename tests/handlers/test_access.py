"""Messages that are for us at all, and whether they name the bot: read as from the wire."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from telegram import Bot, Message, Update, User
from telegram.ext import filters

import handlers
from bot.emulator import TEST_TOKEN
from bot.errors import ConfigError, UserError
from bot.model.chats import ChatKind
from handlers import (
    BUTTONS,
    COMMANDS,
    EDITABLE,
    MOVED,
    WORDS,
    press,
    problems,
    route,
)
from handlers.access import (
    Commanded,
    ForUs,
    Mentioned,
    Route,
    Where,
    Who,
    always_looking,
    is_anothers,
    mention,
)
from handlers.context import Context
from handlers.parts import With, lacking, misfitting, unfit, unreachable

US, READER, OTHER_BOT = 900, 5, 77
GROUP = {"id": -100, "type": "supergroup", "title": "Talk"}
ALONE = {"id": READER, "type": "private", "first_name": "Aigul"}
AIGUL = {"id": READER, "is_bot": False, "first_name": "Aigul"}
HELPER = {"id": OTHER_BOT, "is_bot": True, "first_name": "Helper", "username": "helper_bot"}
OURSELVES = {"id": US, "is_bot": True, "first_name": "Jarchy", "username": "jarchy_bot"}
ANONYMOUS = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
FORWARDED = {"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}}
FORWARDED_BEFORE_7 = {"forward_date": 1}


@pytest.fixture(scope="module")
def bot() -> Bot:
    """The library's bot, as it is after `getMe`."""
    made = Bot(TEST_TOKEN)
    made._bot_user = User.de_json(OURSELVES, made)
    return made


def message(bot: Bot, chat: dict[str, Any], **fields: Any) -> Message:
    """A message as Telegram sends it; `None` leaves a field out."""
    whole = {"message_id": 1, "date": 1, "chat": chat, "from": AIGUL, "text": "rates", **fields}
    read = Message.de_json({name: value for name, value in whole.items() if value is not None}, bot)
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("chat", "fields", "read"),
    [
        (ALONE, {}, True),
        (ALONE, {"from": None}, True),
        (ALONE, {"from": {**AIGUL, "id": 6}}, False),
        (ALONE, {"from": {**AIGUL, "is_bot": True}}, False),
        (ALONE, FORWARDED, True),
        (ALONE, {"via_bot": HELPER}, True),
        (ALONE, {"via_bot": OURSELVES}, False),
        (GROUP, {}, True),
        (GROUP, {"from": None, "sender_chat": GROUP}, True),
        (GROUP, {"from": HELPER}, False),
        (GROUP, {"from": ANONYMOUS, "sender_chat": GROUP}, True),
        (
            GROUP,
            {"from": CHANNEL_BOT, "sender_chat": {"id": -200, "type": "channel", "title": "Posts"}},
            True,
        ),
        (GROUP, {"from": ANONYMOUS}, False),
        (GROUP, {"from": HELPER, "sender_chat": GROUP}, False),
        (GROUP, {"is_automatic_forward": True}, False),
        (GROUP, FORWARDED, False),
        (GROUP, FORWARDED_BEFORE_7, False),
        (GROUP, {"via_bot": HELPER}, False),
        (GROUP, {"via_bot": OURSELVES}, False),
    ],
)
def test_G23_what_is_for_us(
    bot: Bot, chat: dict[str, Any], fields: dict[str, Any], read: bool
) -> None:
    """A person's words; alone with us also those they forward or had made, but never our own."""
    assert ForUs().filter(message(bot, chat, **fields)) is read


@pytest.mark.parametrize(
    ("fields", "counts"),
    [({}, True), (FORWARDED, False), (FORWARDED_BEFORE_7, False), ({"via_bot": HELPER}, False)],
)
def test_S9_a_forwarded_command_commands_nothing(
    bot: Bot, fields: dict[str, Any], counts: bool
) -> None:
    """Nor one that another bot made, in a chat of one's own either."""
    assert Commanded().filter(message(bot, ALONE, **fields)) is counts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@jarchy_bot 100 usd", (0, 11)),
        ("100 usd @JARCHY_BOT", (8, 19)),
        ("👋 @jarchy_bot", (2, 13)),
        ("ask @jarchy_bot, please", (4, 15)),
        ("@jarchy_bot. Thanks", (0, 11)),
        ("@jarchy_bot2 100 usd", None),
        ("write to news@jarchy_bot", None),
        ("@jarchy_bot.example", None),
        ("@jarchy_bot@social.example", None),
        ("x.example/@jarchy_bot", None),
        ("jarchy_bot", None),
        ("", None),
        (None, None),
    ],
)
def test_the_bot_is_named_by_its_whole_name(
    bot: Bot, text: str | None, found: tuple[int, int] | None
) -> None:
    """In any case of letters; not inside a longer name, nor an address of mail or web."""
    said = message(bot, GROUP, text=text)
    assert mention(said, "jarchy_bot") == found
    assert Mentioned().filter(said) is (found is not None)


@pytest.mark.parametrize(
    ("entity", "quoted"),
    [
        ({"type": "code", "offset": 3, "length": 11}, True),
        ({"type": "pre", "offset": 0, "length": 14}, True),
        ({"type": "url", "offset": 3, "length": 11}, True),
        ({"type": "email", "offset": 3, "length": 11}, True),
        ({"type": "text_link", "offset": 3, "length": 11, "url": "https://x.example"}, True),
        ({"type": "bold", "offset": 3, "length": 11}, False),
        ({"type": "code", "offset": 4, "length": 10}, False),
        ({"type": "code", "offset": 0, "length": 3}, False),
        ({"type": "mention", "offset": 3, "length": 11}, False),
    ],
)
def test_a_name_in_code_or_a_link_names_nobody(
    bot: Bot, entity: dict[str, Any], quoted: bool
) -> None:
    """Places count in UTF-16: the hand before it is two units wide."""
    said = message(bot, GROUP, text="👋 @jarchy_bot", entities=[entity])
    assert (mention(said, "jarchy_bot") is None) is quoted


def test_of_two_names_the_one_that_is_not_quoted_counts(bot: Bot) -> None:
    said = message(
        bot,
        GROUP,
        text="@jarchy_bot @jarchy_bot",
        entities=[{"type": "code", "offset": 0, "length": 11}],
    )
    assert mention(said, "jarchy_bot") == (12, 23)


@pytest.mark.parametrize(
    ("chat", "who", "anothers"),
    [
        (ALONE, AIGUL, False), (ALONE, {**AIGUL, "id": 6}, True), (ALONE, None, False),
        (GROUP, AIGUL, False), (GROUP, None, False),
    ],
)  # fmt: skip
def test_G26_a_private_chat_is_its_owners(
    bot: Bot, chat: dict[str, Any], who: dict[str, Any] | None, anothers: bool
) -> None:
    """A group is everybody's."""
    fields = {"message_id": 1, "date": 1, "chat": chat, "text": "x"} | (
        {"from": who} if who else {}
    )
    assert is_anothers(Update.de_json({"update_id": 1, "message": fields}, bot)) is anothers


def test_an_update_without_a_chat_is_nobodys(bot: Bot) -> None:
    query = {"id": "1", "from": AIGUL, "query": "", "offset": ""}
    assert not is_anothers(Update.de_json({"update_id": 1, "inline_query": query}, bot))


async def nothing() -> None:
    """Handle nothing."""


async def test_a_menu_offers_what_is_said_or_else_who_may() -> None:
    """A route that decides by its use says to whom it is offered."""

    assert Route(nothing, Who.ADMINISTRATOR).menu is Who.ADMINISTRATOR
    assert Route(nothing, Who.ANYBODY, offered=Who.ADMINISTRATOR).menu is Who.ANYBODY
    assert Route(nothing, always_looking, offered=Who.ADMINISTRATOR).menu is Who.ADMINISTRATOR
    assert Route(nothing, always_looking).menu is Who.ANYBODY


def test_a_command_that_lacks_a_part_is_told_by_its_name() -> None:
    """Whom its menu shows it to, where its use decides who may; and what the menu says of it."""
    assert lacking(COMMANDS) == []
    unoffered, unsaid = Route(nothing, always_looking), Route(nothing, Who.ANYBODY)
    assert lacking({"Status-All": unsaid})[0] == (
        "command /Status-All: its name is not 1 to 32 of a-z, 0-9 and _"
    )
    # what is no route is told as that, and hides none behind it
    odd = {"status": cast("Any", nothing), "digest": unoffered, "telepathy": unsaid}
    assert lacking(odd) == [
        "command /digest: its route lacks `offered`, whom the menu shows it to",
        "command /telepathy: the texts lack command.telepathy, what the menu says of it",
    ]


@pytest.mark.parametrize(
    ("table", "key", "called"),
    [
        (COMMANDS, "status", "command /status"),
        (BUTTONS, ("why", 1), "button why with 1 words"),
        (WORDS, "place", "what is written, place"),
    ],
)
@pytest.mark.parametrize(
    ("half", "lacks"),
    [
        (Route(cast("Any", None), Who.ANYBODY), "its route lacks a handler"),
        (nothing, "its line is no Route"),
        (Route(nothing), "its route lacks `who`, who may use it"),
        (Route(nothing, cast("Any", "me")), "its route lacks `who`, who may use it"),
        (Route(nothing, cast("Any", print)), "its route lacks `who`, who may use it"),
        (Route(nothing, Who.ANYBODY, where=cast("Any", None)), "its route lacks `where`"),
        (Route(nothing, Who.ANYBODY, heard=cast("Any", None)), "its route lacks `heard`"),
        (
            Route(nothing, Who.ANYBODY, elsewhere="error.stale"),
            "`elsewhere` of its route is no text",
        ),
        (
            Route(nothing, Who.ANYBODY, where=Where.GROUP, elsewhere="error.no_such"),
            "`elsewhere` of its route is no text",
        ),
        (Route(nothing, Who.POSTER), "a poster's route has `names`"),
        (Route(nothing, Who.ANYBODY, names=cast("Any", nothing)), "a poster's route has `names`"),
        (Route(nothing, Who.ANYBODY, offered=cast("Any", "all")), "`offered` of its route is no"),
        (Route(cast("Any", print), Who.ANYBODY), "its handler is no coroutine function"),
    ],
)
def test_no_program_starts_with_half_a_route(
    monkeypatch: pytest.MonkeyPatch,
    table: dict[Any, Any],
    key: Any,
    called: str,
    half: Route[Any],
    lacks: str,
) -> None:
    """It would have failed each time that somebody used it."""
    monkeypatch.setitem(table, key, half)
    with pytest.raises(ConfigError, match=f"{called}: {lacks}"):
        route(cast("Any", None), cast("Any", None))


def test_no_program_starts_while_a_command_lacks_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "telepathy", Route(nothing, Who.ANYBODY))
    with pytest.raises(ConfigError, match="command /telepathy: the texts lack"):
        route(cast("Any", None), cast("Any", None))


def test_words_for_a_command_that_there_is_not_are_told_with_their_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a command gets another name, whoever asks by its words meets no fault of ours."""
    monkeypatch.setitem(COMMANDS, "quite", COMMANDS["quiet"])
    monkeypatch.delitem(COMMANDS, "quiet")
    assert [one for one in problems() if "is no command" in one] == [
        *(
            f"handlers/{module}.py: quiet is no command; did you mean quite?"
            for module in ("follow_up", "asked")
        ),
        *(
            f"language {code}: bot/languages/{code}/commands.py: called: quiet is no command; "
            "did you mean quite?"
            for code in ("en", "ru", "ky")
        ),
    ]


def test_no_program_starts_with_written_words_that_hide_all_behind_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A shared place is heard by its own line, and not everything else with it."""
    monkeypatch.setitem(WORDS, "place", replace(WORDS["place"], heard=filters.ALL))
    assert problems() == ["what is written, place: its route lacks `heard`, which part is meant"]


@pytest.mark.parametrize(
    ("table", "called"),
    [
        ("MEMBERSHIP", "the bot's membership"),
        ("MOVED", "a group that moved"),
        ("INLINE", "what is asked inline"),
    ],
)
def test_no_program_starts_with_half_a_route_that_stands_alone(
    monkeypatch: pytest.MonkeyPatch, table: str, called: str
) -> None:
    assert problems() == []
    monkeypatch.setattr(handlers, table, Route(cast("Any", None), Who.ANYBODY))
    assert problems() == [f"{called}: its route lacks a handler"]


def test_a_button_that_nobody_could_press_is_told_by_its_name() -> None:
    """`press` takes data apart at its colons, and Telegram takes 64 bytes of it."""
    line = BUTTONS["lift", 1]
    assert unreachable({("ж" * 32, 0): line, ("x" * 63, 1): line}) == []
    assert unreachable(
        {("li:ft", 1): line, ("", 1): line, ("x", -1): line, ("x" * 63, 2): line}
    ) == [
        "button li:ft with 1 words: its first word is one without a colon",
        "button  with 1 words: its first word is one without a colon",
        "button x with -1 words: so much data no button can send",
        f"button {'x' * 63} with 2 words: so much data no button can send",
    ]


def test_a_line_with_another_number_of_words_is_told_by_its_button() -> None:
    """Else the first press would fail; a line that is none or without a handler is told elsewhere,
    and hides none behind it.
    """

    async def ready_made(_context: Context) -> None:
        """Say what was put together before."""

    nameless = partial(ready_made)
    wrong = {
        ("mute", 1): cast("Any", nothing),
        ("news", 1): Route(cast("Any", None), Who.ANYBODY),
        ("top", 1): Route(With(cast("Any", None), "top"), Who.ANYBODY),
        ("why", 2): BUTTONS["why", 1],
        ("cur", 0): BUTTONS["cur", 1],
        ("news", 2): BUTTONS["news", 2],
        ("again", 0): Route(nameless, Who.ANYBODY),
        ("again", 1): Route(nameless, Who.ANYBODY),
    }
    assert misfitting(wrong) == [
        "button why with 2 words: why should take (Context, str, str)",
        "button cur with 0 words: toggle should take (Context, str)",
        f"button again with 1 words: {nameless} should take (Context, str)",
    ]


def test_a_handler_is_told_whose_values_are_others_whether_its_file_writes_types_as_text() -> None:
    """Two values that were not meant for it would be taken by their number alone."""

    async def asked(_update: object, _context: object) -> None:
        """Answer a command."""

    wanted = ("Update", "Context")
    for update, context in ((Update, Context), wanted):
        asked.__annotations__ |= {"_update": update, "_context": context}
        line: Route[Any] = Route(asked, Who.ANYBODY)
        assert unfit({"it": line}, *wanted) == []
        assert unfit({"it": line}, "Services", "Update") == [
            "it: its handler, asked, should take (Services, Update)"
        ]


async def test_S11_a_press_goes_to_the_button_of_its_word_and_number_of_words(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other, and what is no button's data, is out of date; with what its word is about before
    the rest, where that is the word itself.
    """
    heard: list[tuple[Any, ...]] = []

    async def pressed(context: Context, *words: str) -> None:
        heard.append((context, *words))

    monkeypatch.setitem(BUTTONS, ("probe", 2), Route(pressed, Who.ANYBODY))
    monkeypatch.setitem(BUTTONS, ("about", 1), Route(With(pressed, "about"), Who.ANYBODY))
    chat = SimpleNamespace(kind=ChatKind.PRIVATE)
    for data, words in (
        ("probe:1:2", ("1", "2")),
        ("about:x", ("about", "x")),
        ("probe:1", None),
        ("probe:1:2:3", None),
        ("other:1:2", None),
        ("", None),
        (None, None),
    ):
        query = {"id": "1", "from": AIGUL, "chat_instance": "1", "data": data}
        update = Update.de_json({"update_id": 1, "callback_query": query}, bot)
        context = cast("Context", SimpleNamespace(incoming=update, chat=chat))
        if words is None:
            with pytest.raises(UserError, match=r"^error\.stale$"):
                await press(update, context)
        else:
            await press(update, context)
            assert heard.pop() == (context, *words)
    nothing_pressed = cast("Context", SimpleNamespace(incoming=Update(1)))
    with pytest.raises(UserError, match=r"^error\.stale$"):
        await press(Update(1), nothing_pressed)
    assert heard == []


ASKED = {"message_id": 7, "date": 1, "chat": ALONE, "from": OURSELVES, "text": "№7 · A headline?"}
PLACE = {"text": None, "location": {"latitude": 42.8, "longitude": 74.6}}
SHARED = {"text": None, "chat_shared": {"request_id": 1, "chat_id": -200}}
LIST = {"text": None, "document": {"file_id": "x", "file_unique_id": "x", "file_name": "a.opml"}}
PHOTO = {"text": None, "photo": []}
TITLED = {"text": None, "new_chat_title": "Talk"}


@pytest.mark.parametrize(
    ("fields", "alone", "in_a_group"),
    [
        ({}, ["text", "anything"], []),
        ({"text": "@jarchy_bot 100 usd"}, ["text", "anything"], ["text"]),
        ({"reply_to_message": ASKED}, ["headline", "text", "anything"], []),
        (PLACE, ["place", "anything"], []),
        (SHARED, ["channel"], []),
        (LIST, ["list of feeds", "anything"], []),
        (PHOTO, ["anything"], []),
        (TITLED, [], []),
    ],
    ids=["words", "mention", "reply", "place", "chat shared", "list", "photo", "event"],
)
def test_what_is_written_is_heard_where_it_is_meant_for_us(
    bot: Bot, fields: dict[str, Any], alone: list[str], in_a_group: list[str]
) -> None:
    """The first that hears it takes it; a group is heard where it names us alone."""
    for chat, expected in ((ALONE, alone), (GROUP, in_a_group)):
        update = Update(1, message=message(bot, chat, **fields))
        assert [name for name, to in WORDS.items() if to.listens().check_update(update)] == expected


def test_S9_an_operators_command_is_heard_in_a_private_chat_alone(bot: Bot) -> None:
    """Every other anywhere. Of an edit words are heard, and nothing else."""
    for chat, deaf in ((ALONE, set()), (GROUP, {"admin", "broadcast"})):
        update = Update(1, message=message(bot, chat))
        assert {
            name for name, to in COMMANDS.items() if not to.listens().check_update(update)
        } == deaf
    assert {"headline", "text"} == EDITABLE


def test_only_a_groups_move_is_read_as_one(bot: Bot) -> None:
    """From either of its two chats."""
    for fields in ({"migrate_to_chat_id": -1001}, {"migrate_from_chat_id": -100}):
        moved = message(bot, GROUP, text=None, **fields)
        assert MOVED.heard.check_update(Update(1, message=moved))
    assert not MOVED.heard.check_update(Update(1, message=message(bot, GROUP)))
