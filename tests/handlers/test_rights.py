"""Whether somebody is what a route asks for: each kind of author, as Telegram says who it is."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from telegram import Bot, Update

from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.errors import ConfigError, UserError
from bot.languages import LANGUAGES
from bot.model.chats import ChatKind
from bot.render.help import unknown as not_understood
from bot.render.phrases import phrase
from bot.telegram.api import Api, BotApi
from bot.telegram.outcomes import Outcome, Sent
from bot.telegram.session import open_session
from handlers import BUTTONS, COMMANDS, INLINE, MEMBERSHIP, MOVED, WORDS
from handlers.access import (
    Decide,
    Route,
    Who,
    always_looking,
    guarded,
    looking_or_changing,
    may,
)
from handlers.answers import Answer
from handlers.context import Context
from handlers.serving import chatless
from handlers.subscriptions import waking_or_looking
from tests.factories import chat
from tests.handlers.test_who_may import (
    ADMINISTRATORS_ONLY,
    ANYBODY,
    OPERATORS_ONLY,
    PRESSED,
    WRITTEN,
)

GROUP, OWNER, MEMBER, STRANGER = -1002000000001, 1001, 1002, 1003
ANONYMOUS, CHANNEL_BOT, TELEGRAM = 1087968824, 136817688, 777000
MEANT = {ANYBODY: Who.ANYBODY, ADMINISTRATORS_ONLY: Who.ADMINISTRATOR, OPERATORS_ONLY: Who.OPERATOR}


#: Buttons about a channel, for whoever may post there.
POSTERS = {("chan", 2), ("chan", 3), ("post", 3)}


def test_S10_every_button_says_who_may_press_it_as_decided_by_hand() -> None:
    for button, uses in PRESSED.items():
        meant = {Who.POSTER} if button in POSTERS else {MEANT[may] for may in uses.values()}
        assert {BUTTONS[button].who} == meant, button


def test_S10_every_command_says_who_may_use_it_as_decided_by_hand() -> None:
    """Where that depends on its words, `waking_or_looking` and `looking_or_changing` decide."""
    depends = {
        "digest": looking_or_changing,
        "settings": looking_or_changing,
        "feed": looking_or_changing,
        "mute": looking_or_changing,
        "only": looking_or_changing,
        "quiet": looking_or_changing,
        "board": looking_or_changing,
        "subscribe": always_looking,
        "unsubscribe": always_looking,
        "start": waking_or_looking,
    }
    for name, uses in WRITTEN.items():
        if name in depends:
            assert COMMANDS[name].who is depends[name], name
        else:
            assert {COMMANDS[name].who} == {MEANT[may] for may in uses.values()}, name


def test_S10_what_is_written_besides_says_who_may_as_decided_by_hand() -> None:
    """Words and pictures are anybody's; a place sets the chat's time zone."""
    assert {name: to.who for name, to in WORDS.items()} == {
        "headline": Who.OPERATOR,
        "text": Who.ANYBODY,
        "place": Who.ADMINISTRATOR,
        "channel": Who.ADMINISTRATOR,
        "list of feeds": Who.ADMINISTRATOR,
        "anything": Who.ANYBODY,
    }
    assert {to.who for to in (MEMBERSHIP, MOVED, INLINE)} == {Who.ANYBODY}


def test_S10_no_route_without_a_chat_is_for_some_only() -> None:
    """Nobody could be asked there what they are."""
    with pytest.raises(ConfigError, match="migrated: without a chat"):
        chatless(replace(MOVED, who=Who.ADMINISTRATOR), cast("Any", None), "moved")


@functools.cache
def library() -> Bot:
    """The library's bot, which takes long to make and knows nothing of a test."""
    return Bot(TEST_TOKEN)


class Asked:
    """Somebody who wrote or pressed, as a route sees them."""

    emulator: Emulator
    context: Context
    said: UserError

    def __init__(self, api: BotApi) -> None:
        self._api, self._bot = api, library()

    async def refused(
        self,
        who: Who | Decide,
        number: int | None,
        *,
        place: int = GROUP,
        pressed: bool = False,
        admins: tuple[int, ...] = (),
        kind: ChatKind | None = None,
        anonymous: bool = True,
        **fields: Any,
    ) -> str | None:
        """The reason for which they may not; None when they may."""
        private = place > 0
        where = {"id": place, "type": "private" if private else "supergroup", "title": "Talk"}
        message = {"message_id": 1, "date": 1, "chat": where, "text": "x", **fields}
        person = {"id": number, "is_bot": False, "first_name": "Aigul"}
        if pressed:
            query = {"id": "1", "from": person, "chat_instance": "1", "data": "x"}
            update = {"callback_query": {**query, "message": message}}
        else:
            update = {"message": message | ({} if number is None else {"from": person})}
        context = SimpleNamespace(
            incoming=Update.de_json({"update_id": 1, **update}, self._bot),
            chat=chat(
                place,
                kind=kind or (ChatKind.PRIVATE if private else ChatKind.GROUP),
                anonymous=anonymous,
            ),
            services=SimpleNamespace(admins=frozenset(admins)),
            send=self._once,
        )
        self.context = cast("Context", context)
        try:
            await Route(None, who).require(self.context)
        except UserError as error:
            self.said = error
            return error.msgid
        return None

    async def _once(self, answer: Answer) -> Outcome:
        """Ask without patience: what stays of a refusal is what counts here.

        A question that waited in the outbox would be answered when nobody waits any more.
        """
        assert not answer.postponable
        return await self._api.call(answer.method, **answer.parameters)

    async def no_operator(
        self,
        number: int,
        *,
        admins: tuple[int, ...],
        place: int = OWNER,
        kind: ChatKind | None = None,
    ) -> str | None:
        """The reason for which a press under a message is no operator's; None when it is one's."""
        return await self.refused(
            Who.OPERATOR, number, place=place, pressed=True, admins=admins, kind=kind
        )

    @property
    def questions(self) -> int:
        """The number of requests to Telegram about somebody's rights."""
        return len(self.emulator.calls.of("getChatMember"))


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    """A group with an owner, a member, and one who left."""
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        for number in (OWNER, MEMBER, STRANGER):
            emulator.add_private(emulator.add_user(number, "Somebody", "en"))
        emulator.add_group(GROUP, "Talk", members=[MEMBER], owner=OWNER)
        made = Asked(Api(session, url=emulator.api_url, token=TEST_TOKEN))
        made.emulator = emulator
        yield made


@pytest.mark.parametrize("pressed", [False, True], ids=["writes", "presses"])
@pytest.mark.parametrize(
    ("number", "status", "refused"),
    [
        (OWNER, "creator", None),
        (MEMBER, "administrator", None),
        (MEMBER, "member", "error.admins_only"),
        (MEMBER, "restricted", "error.admins_only"),
        (MEMBER, "left", "error.admins_only"),
        (MEMBER, "kicked", "error.admins_only"),
    ],
)
async def test_S10_an_administrator_is_who_telegram_says_now(
    asked: Asked, number: int, status: str, refused: str | None, *, pressed: bool
) -> None:
    """Owner and administrators; a member never."""
    asked.emulator.set_member(GROUP, number, status)
    assert await asked.refused(Who.ADMINISTRATOR, number, pressed=pressed) == refused
    (call,) = asked.emulator.calls.of("getChatMember")
    assert call.chat_id == GROUP


async def test_S10_anybody_may_look_without_a_question(asked: Asked) -> None:
    assert await asked.refused(Who.ANYBODY, STRANGER) is None
    assert await asked.refused(Who.ANYBODY, None) is None
    assert asked.questions == 0


async def test_S10_in_a_private_chat_its_owner_may_without_a_question(asked: Asked) -> None:
    assert await asked.refused(Who.ADMINISTRATOR, STRANGER, place=STRANGER) is None
    assert await asked.refused(Who.ADMINISTRATOR, STRANGER, place=STRANGER, pressed=True) is None
    assert asked.questions == 0


async def test_S10_who_writes_as_the_group_may_when_the_group_allowed_it(asked: Asked) -> None:
    """Telegram is not asked: it would not tell who it is."""
    group = {"id": GROUP, "type": "supergroup", "title": "Talk"}
    for allowed, refused in ((True, None), (False, "error.anonymous")):
        said = await asked.refused(
            Who.ADMINISTRATOR, ANONYMOUS, anonymous=allowed, sender_chat=group
        )
        assert said == refused
    assert asked.questions == 0


async def test_S23_who_writes_as_the_group_itself_is_an_administrator(asked: Asked) -> None:
    """Under no other mask, and not by pressing, where the mask is of the message pressed."""
    group = {"id": GROUP, "type": "supergroup", "title": "Talk"}
    channel = {"id": -1009, "type": "channel", "title": "Posts"}
    who = Who.ADMINISTRATOR
    assert await asked.refused(who, ANONYMOUS, sender_chat=group) is None
    assert await asked.refused(who, CHANNEL_BOT, sender_chat=channel) == "error.admins_only"
    assert await asked.refused(who, OWNER, sender_chat=channel) == "error.admins_only"
    assert asked.questions == 0
    assert await asked.refused(who, MEMBER, pressed=True, sender_chat=group) == "error.admins_only"
    assert await asked.refused(who, OWNER, pressed=True, sender_chat=channel) is None


@pytest.mark.parametrize("number", [ANONYMOUS, CHANNEL_BOT, TELEGRAM, None])
async def test_S10_who_may_be_anybody_is_no_administrator(asked: Asked, number: int | None) -> None:
    """Accounts that many people share, and nobody, whatever Telegram would say of them."""
    if number is not None:
        asked.emulator.add_user(number, "Shared", "en")
        asked.emulator.set_member(GROUP, number, "administrator")
    assert await asked.refused(Who.ADMINISTRATOR, number) == "error.admins_only"
    assert asked.questions == 0


@pytest.mark.parametrize(
    ("fault", "refused"),
    [
        (Fault.server_error(502), "error.unexpected"),
        (Fault.flood(30), "error.unexpected"),
        (Fault.truncated(), "error.unexpected"),
        (Fault.forbidden("kicked"), "error.admins_only"),
        (Fault.bad_request("odd"), "error.admins_only"),
    ],
    ids=["away", "busy", "cut off", "gone", "refused"],
)
async def test_S10_without_telegrams_word_nobody_is_an_administrator(
    asked: Asked, fault: Fault, refused: str
) -> None:
    """Where it may say another time what they are, they are asked to try again."""
    asked.emulator.faults.add(fault)
    assert await asked.refused(Who.ADMINISTRATOR, OWNER) == refused


class Says:
    """A server that answers each question with the same."""

    def __init__(self, result: object) -> None:
        self._result = result

    async def call(self, method: str, **parameters: Any) -> Outcome:
        """Its answer."""
        assert method, parameters
        return Sent(0, self._result)


@pytest.mark.parametrize(
    "result",
    [None, [], "creator", {}, {"status": None}],
    ids=["nothing", "list", "word", "no status", "empty status"],
)
async def test_S10_an_answer_that_names_no_status_makes_no_administrator(result: object) -> None:
    """Servers of other ages, and other servers, may say anything."""
    asked = Asked(cast("BotApi", Says(result)))
    assert await asked.refused(Who.ADMINISTRATOR, OWNER) == "error.admins_only"


async def test_S9_an_operator_is_one_by_number_in_their_own_chat(asked: Asked) -> None:
    """To anybody else, and anywhere else, the button does not exist."""
    assert await asked.no_operator(OWNER, admins=(OWNER,)) is None
    for stranger in (
        asked.no_operator(OWNER, admins=(MEMBER,)),
        asked.no_operator(OWNER, admins=()),
        asked.no_operator(MEMBER, admins=(OWNER,)),
        asked.no_operator(MEMBER, admins=(OWNER, MEMBER)),
        asked.no_operator(OWNER, admins=(OWNER,), place=GROUP),
        asked.no_operator(GROUP, admins=(GROUP,), place=GROUP),
        asked.no_operator(OWNER, admins=(OWNER,), kind=ChatKind.GROUP),
    ):
        assert await stranger == "error.stale"


async def test_S9_to_others_an_operators_command_is_not_understood(asked: Asked) -> None:
    """Nothing says that it exists."""
    for written in (
        asked.refused(Who.OPERATOR, OWNER, place=OWNER, admins=(MEMBER,)),
        asked.refused(Who.OPERATOR, None, place=OWNER, admins=(OWNER,)),
    ):
        assert await written == "unknown.text"
        for language in LANGUAGES:
            values = {name: str(value) for name, value in asked.said.values.items()}
            told = phrase(asked.said.msgid, language, **values)
            assert told.text == not_understood(language).text


async def test_S10_what_somebody_may_not_is_not_handled_nor_offered(asked: Asked) -> None:
    """A route's handler has not begun; where it only shows what may be done, nobody is refused."""
    handled: list[tuple[Any, Any]] = []

    async def handle(update: Update, context: Context) -> None:
        handled.append((update, context))

    serve = guarded(Route(handle, Who.ADMINISTRATOR))
    for number, allowed in ((OWNER, True), (MEMBER, False)):
        await asked.refused(Who.ANYBODY, number)
        for who in Who:
            expected = who is Who.ANYBODY or (who is Who.ADMINISTRATOR and allowed)
            assert await may(who, asked.context) is expected
        if allowed:
            await serve(asked.context.incoming, asked.context)
            assert handled == [(asked.context.incoming, asked.context)]
        else:
            with pytest.raises(UserError, match=r"error\.admins_only"):
                await serve(asked.context.incoming, asked.context)
            assert len(handled) == 1


@pytest.mark.parametrize("number", [ANONYMOUS, CHANNEL_BOT, TELEGRAM])
async def test_S9_accounts_that_many_share_are_no_operators_whatever_is_configured(
    asked: Asked, number: int
) -> None:
    admins = (number, OWNER)
    assert await asked.no_operator(number, admins=admins, place=number) == "error.stale"


async def test_a_route_may_decide_by_its_use(asked: Asked) -> None:
    """Alone a command shows, with words it changes; some only ever show the way."""
    for words, changes in (([], Who.ANYBODY), (["10:30"], Who.ADMINISTRATOR)):
        context = cast("Context", SimpleNamespace(words=words))
        assert await looking_or_changing(context) is changes
        assert await always_looking(context) is Who.ANYBODY

    async def operators_in_groups(context: Context) -> Who:
        return Who.OPERATOR if context.chat.kind is ChatKind.GROUP else Who.ANYBODY

    assert await asked.refused(operators_in_groups, MEMBER) == "unknown.text"
    assert await asked.refused(operators_in_groups, MEMBER, place=MEMBER) is None
    assert asked.questions == 0
