"""One table: what Telegram answers, and what it means for the message."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reasons import said
from bot.telegram import outcomes, results
from bot.telegram.outcomes import (
    BLOCKED,
    KICKED,
    NO_RIGHT,
    Ambiguous,
    Gone,
    Migrated,
    Outcome,
    Rejected,
    Retry,
    Sent,
)

UNKNOWN = Rejected(said("Telegram does not know this token"), token=True)
GONE = [
    (403, "Forbidden: bot was blocked by the user", BLOCKED),
    (403, "Forbidden: user is deactivated", Gone(said("deactivated"))),
    (403, "Forbidden: the group chat was deactivated", Gone(said("deactivated"))),
    (403, "Forbidden: bot was kicked from the supergroup chat", KICKED),
    (403, "Forbidden: bot was kicked from the group chat", KICKED),
    (403, "Forbidden: bot was kicked from the channel chat", KICKED),
    (403, "Forbidden: bot is not a member of the channel chat", KICKED),
    (403, "Forbidden: bot is not a member of the supergroup chat", KICKED),
    (403, "Forbidden: bot can't initiate conversation with a user", Gone(said("never started"))),
    (403, "Forbidden: CHAT_WRITE_FORBIDDEN", NO_RIGHT),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN", NO_RIGHT),
    (400, "Bad Request: chat not found", Gone(said("not found"))),
    (400, "Bad Request: PEER_ID_INVALID", Gone(said("not found"))),
    (400, "Bad Request: CHANNEL_PRIVATE", KICKED),
    (400, "Bad Request: CHAT_ADMIN_REQUIRED", NO_RIGHT),
    (400, "Bad Request: CHAT_RESTRICTED", NO_RIGHT),
    (400, "Bad Request: not enough rights to send text messages to the chat", NO_RIGHT),
    (400, "Bad Request: have no rights to send a message", NO_RIGHT),
    (400, "Bad Request: need administrator rights in the channel chat", NO_RIGHT),
    (403, "Forbidden: CHAT_SEND_PLAIN_FORBIDDEN", NO_RIGHT),
    (400, "Bad Request: have no write access to the chat", NO_RIGHT),
    (403, "Forbidden: something nobody has seen", Gone(said("something nobody has seen"))),
]
BUSY = "too many requests"
CONFLICT = "Conflict: terminated by other getUpdates request"
POSTED = "Conflict: can't use getUpdates method while webhook is active"
PLAIN = [
    "Bad Request: can't parse entities: Unsupported start tag",
    "Bad Request: BUTTON_URL_INVALID",
    "Bad Request: BUTTON_DATA_INVALID",
    "Bad Request: inline keyboard button URL 'x' is invalid: Wrong HTTP URL",
    "Bad Request: can't parse reply markup JSON object",
    "Bad Request: ENTITY_BOUNDS_INVALID",
    "Bad Request: something nobody has seen",
]
BAD = [
    "Bad Request: message is too long",
    "Bad Request: message text is empty",
    "Bad Request: text must be non-empty",
]
NO_MESSAGE = [
    "Bad Request: message to edit not found",
    "Bad Request: message can't be edited",
    "Bad Request: MESSAGE_ID_INVALID",
    "Bad Request: message is too old",
    "Bad Request: message to be edited is too old",
    "Bad Request: message to pin not found",
]
THREAD = [
    "Bad Request: TOPIC_CLOSED",
    "Bad Request: TOPIC_DELETED",
    "Bad Request: message thread not found",
]


def body(code: int, description: str, **parameters: int) -> bytes:
    """A refusal as the server writes it."""
    answer: dict[str, object] = {"ok": False, "error_code": code, "description": description}
    return orjson.dumps(answer | ({"parameters": parameters} if parameters else {}))


TABLE: list[tuple[int, bytes, Outcome]] = [
    (200, b'{"ok":true,"result":{"message_id":42}}', Sent(42, {"message_id": 42})),
    (200, b'{"ok":true,"result":true}', Sent(0, True)),
    (
        429,
        body(429, "Too Many Requests: retry after 1", retry_after=1),
        Retry(said("too many requests"), 1.0, True),
    ),
    (
        429,
        body(429, "Too Many Requests: retry after 3600", retry_after=3600),
        Retry(said("too many requests"), 3600.0, True),
    ),
    (429, body(429, "Too Many Requests"), Retry(said("too many requests"), 5.0, True)),
    # its words say it too, where something on the way left the field out
    (429, body(429, "Too Many Requests: retry after 90"), Retry(said(BUSY), 90.0, True)),
    (429, body(429, "Too Many Requests: retry after 0"), Retry(said(BUSY), 5.0, True)),
    # nobody waits longer than a week without asking again
    (429, body(429, "Too Many Requests", retry_after=10**9), Retry(said(BUSY), 604800.0, True)),
    (429, b"<html>429</html>", Retry(said("too many requests"), 5.0, True)),
    (500, body(500, "Internal Server Error"), Retry(said("error 500"))),
    # by its own word it was sent: once more, and it would come twice, or as often as it is deleted
    (
        500,
        body(
            500, "Internal Server Error: sent message was immediately deleted and can't be returned"
        ),
        Sent(0),
    ),
    (502, body(502, "Bad Gateway"), Retry(said("error 502"))),
    (502, b"<html>Bad Gateway</html>", Retry(said("HTTP 502"))),
    (503, b"", Retry(said("HTTP 503"))),
    (403, b"<html>a proxy says no</html>", Retry(said("HTTP 403"))),
    (400, b'{"ok":false,"error_co', Retry(said("HTTP 400"))),
    (302, b"<html>sign in first</html>", Retry(said("HTTP 302"))),
    # a gateway's own words are no refusal of Telegram's, whatever their status is elsewhere
    (401, b'{"message":"Unauthorized"}', Retry(said("HTTP 401"))),
    (403, b'{"ok":false,"error":"Forbidden"}', Retry(said("HTTP 403"))),
    # its documentation promises the words, and a code besides
    (403, b'{"ok":false,"description":"Forbidden: bot was blocked by the user"}', BLOCKED),
    (404, b'{"description":"Not Found"}', Retry(said("HTTP 404"))),
    (400, b'{"error_code":400,"description":"chat not found"}', Retry(said("HTTP 400"))),
    (403, b"null", Retry(said("HTTP 403"))),
    (429, b'{"message":"slow down"}', Retry(said("too many requests"), 5.0, True)),
    (200, b'{"ok":false}', Retry(said("HTTP 200"))),
    (200, b'{"ok":true}', Retry(said("HTTP 200"))),
    (200, b'{"ok":true,"result":null}', Sent(0)),
    (200, b'{"ok":true,"result":{"mess', Ambiguous(said("HTTP 200 without JSON"))),
    (200, b" <html>hello</html>", Retry(said("HTTP 200"))),
    (200, b"", Ambiguous(said("HTTP 200 without JSON"))),
    # whole, and no answer of the Bot API's: nothing in it is half of one
    (200, b"[]", Retry(said("HTTP 200"))),
    (200, b'{"status":"maintenance"}', Retry(said("HTTP 200"))),
    (200, b"Back in five minutes", Retry(said("HTTP 200"))),
    (401, body(401, "Unauthorized"), UNKNOWN),
    (404, body(404, "Not Found"), UNKNOWN),
    (
        400,
        body(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=-1001,
        ),
        Migrated(-1001),
    ),
    (400, body(400, "Bad Request: message is not modified: same content"), Sent(0)),
    (400, body(400, "Bad Request: SLOWMODE_WAIT_30"), Retry(said("slow mode"), 30.0, True)),
    (400, body(400, "Bad Request: SLOWMODE_WAIT_600"), Retry(said("slow mode"), 600.0, True)),
    (400, body(400, "Bad Request: slow mode is enabled"), Retry(said("slow mode"), 30.0, True)),
    # the answer's own number counts, whatever stands above it
    (200, body(403, "Forbidden: bot was blocked by the user"), BLOCKED),
    (404, body(404, "Not Found: method"), Rejected(said("Not Found: method"), plain=True)),
    (400, body(400, "Not Found"), Rejected(said("Not Found"), plain=True)),
    (409, body(409, CONFLICT), Rejected(said(CONFLICT), conflict=True)),
    (409, body(409, POSTED), Rejected(said(POSTED), conflict=True, webhook=True)),
    # a refusal that says nothing has no words made up for it
    (400, b'{"ok":false,"error_code":400}', Rejected(said(""), plain=True)),
    *((code, body(code, text), found) for code, text, found in GONE),
    *((400, body(400, text), Rejected(said(text), plain=True)) for text in PLAIN),
    *((400, body(400, text), Rejected(said(text), long="long" in text)) for text in BAD),
    *((400, body(400, text), Rejected(said(text), thread=True)) for text in THREAD),
    *((400, body(400, text), Rejected(said(text), unneeded=True)) for text in NO_MESSAGE),
]


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    TABLE,
    ids=[f"{row[0]} {row[1].decode():.90}" for row in TABLE],
)
def test_each_answer_has_its_outcome(status: int, answer: bytes, expected: Outcome) -> None:
    """G4-G11."""
    found = outcomes.read(status, answer, "sendMessage")
    assert str(outcomes.why(found)) == str(outcomes.why(expected))
    if not isinstance(found, Sent | Migrated) and not isinstance(expected, Sent | Migrated):
        found = replace(found, why=expected.why)
    assert found == expected


@pytest.mark.parametrize(
    ("method", "code", "text", "closes"),
    [
        ("sendPhoto", 400, "Bad Request: not enough rights to send photos to the chat", False),
        ("sendPhoto", 403, "Forbidden: CHAT_SEND_PHOTOS_FORBIDDEN", False),
        ("sendDocument", 403, "Forbidden: CHAT_SEND_MEDIA_FORBIDDEN", False),
        # words may be refused too; they say it themselves
        ("sendPhoto", 400, "Bad Request: CHAT_WRITE_FORBIDDEN", False),
        # for what is around them
        ("sendMessage", 403, "Forbidden: CHAT_SEND_WEBPAGE_FORBIDDEN", False),
        ("sendRichMessage", 403, "Forbidden: CHAT_SEND_MEDIA_FORBIDDEN", False),
        ("sendRichMessage", 400, "Bad Request: CHAT_ADMIN_REQUIRED", True),
        ("sendChatAction", 400, "Bad Request: CHAT_WRITE_FORBIDDEN", True),
        ("getChatMember", 400, "Bad Request: CHAT_ADMIN_REQUIRED", True),
    ],
)
def test_G9_a_missing_right_closes_a_chat_for_words_alone(
    method: str, code: int, text: str, *, closes: bool
) -> None:
    """What was around them, or the picture over them, is left out."""
    found = outcomes.read(code, body(code, text), method)
    assert found == (NO_RIGHT if closes else Rejected(said(text), plain=True))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (400, "Bad Request: not enough rights to manage pinned messages in the chat"),
        (400, "Bad Request: CHAT_ADMIN_REQUIRED"),
        (403, "Forbidden: CHAT_WRITE_FORBIDDEN"),
    ],
)
@pytest.mark.parametrize(
    "method", ["pinChatMessage", "unpinChatMessage", "editMessageText", "deleteMessage"]
)
def test_G9_a_message_that_may_not_be_changed_closes_no_chat(
    method: str, code: int, text: str
) -> None:
    found = outcomes.read(code, body(code, text), method)
    assert found == Rejected(said(text), unneeded=True)


def test_a_refusal_is_of_one_kind_and_has_one_reaction() -> None:
    """An answer that says nothing of a kind is none of it, nor a flood."""
    for status, answer, _ in TABLE:
        found = outcomes.read(status, answer, "sendMessage")
        if isinstance(found, Rejected):
            kinds = (found.plain, found.thread, found.token, found.unneeded, found.conflict)
            assert sum(kinds) <= 1, answer
        if isinstance(found, Retry):
            assert found.flood is (found.after is not None), answer
    assert not Retry(said("later")).flood


@pytest.mark.parametrize(
    ("code", "begins", "most"), [(400, "", 200), (409, "", 200), (403, "Forbidden: ", 100)]
)
def test_what_telegram_says_at_length_is_kept_in_part(code: int, begins: str, most: int) -> None:
    """It stands in a row of the ledger and in a notice."""
    found = outcomes.read(code, body(code, begins + "x" * 300), "sendMessage")
    assert str(outcomes.why(found)) == "x" * most


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (400, ""),
        (403, "Forbidden: "),
        (409, ""),
        (400, "message thread not found "),
        (400, "message to edit not found "),
        (400, "not enough rights to send photos "),
    ],
)
def test_S6_a_refusal_that_repeats_the_token_is_kept_without_it(code: int, words: str) -> None:
    """In whole or in part, wherever its words are cut: a chat's own file has what is kept."""
    key = "AAsparrow-token-sparrow_token-sparrow-tok"
    for before in range(0, 200, 7):
        said_so = f"{words}{'x' * before} /bot7654321:{key}/sendMessage"
        found = outcomes.read(code, body(code, said_so), "sendPhoto")
        assert key[:10] not in str(outcomes.why(found))


def test_what_was_no_json_is_there_to_be_looked_at() -> None:
    """Which update it broke off in, its bytes tell; a log shows none."""
    found = outcomes.read(200, b'{"hello', "sendMessage")
    assert isinstance(found, Ambiguous)
    assert found.body == b'{"hello'
    assert "hello" not in repr(found)


@pytest.mark.parametrize(
    ("outcome", "last", "wait"),
    [
        (Sent(1), True, 0.0),
        (Migrated(-1), True, 0.0),
        (BLOCKED, True, 0.0),
        (Rejected(said("bad")), True, 0.0),
        (Retry(said("too many requests"), 7.0, True), False, 7.0),
        (Retry(said("HTTP 502")), False, 0.0),
        (Ambiguous(said("reset")), False, 0.0),
    ],
)
def test_G15_which_word_is_the_last_and_how_long_to_wait_after_others(
    outcome: Outcome, wait: float, *, last: bool
) -> None:
    assert outcomes.is_final(outcome) is last
    assert outcomes.wait_of(outcome) == wait


@pytest.mark.parametrize(
    ("number", "kept"),
    [(2**63 - 1, 2**63 - 1), (2**63, 0), (-(2**63), -(2**63)), (-(2**63) - 1, 0), (True, 0)],
)
def test_G13_a_number_is_kept_to_the_last_that_a_database_holds(number: int, kept: int) -> None:
    """One further is as if it was not said."""
    answer = b'{"ok":true,"result":{"message_id":%s}}' % json.dumps(number).encode()
    found = outcomes.read(200, answer, "sendMessage")
    assert isinstance(found, Sent)
    assert found.message_id == kept


@pytest.mark.parametrize(
    ("outcome", "its_own", "words"),
    [
        (Sent(1), True, "Sent"),
        (Migrated(-1), True, "Migrated"),
        (BLOCKED, True, "blocked"),
        (KICKED, True, "kicked"),
        (NO_RIGHT, True, "no right to write"),
        (Rejected(said("bad")), True, "bad"),
        (Retry(said("busy"), 1.0, True), True, "busy"),
        (Retry(said("busy"), None, True), True, "busy"),
        (Retry(said("later"), 1.0), True, "later"),
        (Retry(said("error 502")), False, "error 502"),
        (Ambiguous(said("reset")), False, "reset"),
    ],
)
def test_G15_what_is_telegrams_own_answer_and_what_a_log_says_of_it(
    outcome: Outcome, words: str, *, its_own: bool
) -> None:
    """Or a proxy's, or nobody's: then it may be away."""
    assert outcomes.answers(outcome) is its_own
    assert str(outcomes.why(outcome)) == words


@pytest.mark.parametrize(
    ("status", "rights", "lacks"),
    [
        ("left", {}, KICKED),
        ("kicked", {}, KICKED),
        ("creator", {}, None),
        ("member", {}, None),
        ("member", {"can_post_messages": False, "can_send_messages": False}, None),
        ("administrator", {}, None),
        ("administrator", {"can_post_messages": True}, None),
        ("administrator", {"can_send_messages": False}, None),
        ("administrator", {"can_post_messages": False}, NO_RIGHT),
        ("restricted", {}, None),
        ("restricted", {"can_send_messages": True, "is_member": True}, None),
        ("restricted", {"can_send_messages": False, "is_member": True}, NO_RIGHT),
        ("restricted", {"can_send_messages": True, "is_member": False}, NO_RIGHT),
        ("restricted", {"can_post_messages": False}, None),
        (None, {"is_member": False}, None),
    ],
)
def test_G7_what_a_member_lacks_to_write(
    status: str | None, rights: dict[str, bool], lacks: Gone | None
) -> None:
    """Rights that are not said are there; each counts for whom it is made for."""
    assert results.member({"status": status, **rights}).lacks == lacks


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.integers(100, 599), JSON, JSON, JSON)
def test_no_refusal_however_odd_raises_or_counts_as_sent(
    status: int, code: object, text: object, rest: object
) -> None:
    """G5: fields of the wrong type are a trouble of the answer, not of ours."""
    answer = {"ok": False, "error_code": code, "description": text, "parameters": rest}
    assert not isinstance(outcomes.read(status, orjson.dumps(answer), "sendMessage"), Sent)


@given(
    st.sampled_from([200, 400, 429]),
    st.sampled_from([200, 400, 429, True]),
    JSON | st.floats(allow_nan=False, allow_infinity=False),
    JSON | st.floats(allow_nan=False, allow_infinity=False),
)
def test_G4_G8_a_wait_and_a_new_number_of_any_type_are_read(
    status: int, code: object, wait: object, chat: object
) -> None:
    """Such an answer ended the program: what is no time or number is one that was not said."""
    said = {"retry_after": wait, "migrate_to_chat_id": chat}
    answer = {"ok": False, "error_code": code, "description": "x", "parameters": said}
    outcome = outcomes.read(status, orjson.dumps(answer), "sendMessage")
    if isinstance(outcome, Retry) and outcome.after is not None:
        assert 0 < outcome.after <= outcomes.FLOOD_MOST
        timedelta(seconds=outcome.after)


@given(JSON | st.floats(allow_nan=False, allow_infinity=False))
def test_G13_a_messages_number_of_any_type_is_one_that_the_ledger_can_hold(number: object) -> None:
    """0, as of what makes no message, where it is none."""
    answer = {"ok": True, "result": {"message_id": number}}
    outcome = outcomes.read(200, orjson.dumps(answer), "sendMessage")
    assert isinstance(outcome, Sent | Ambiguous)  # no JSON where it is beyond 64 bits
    if isinstance(outcome, Sent):
        assert type(outcome.message_id) is int
        assert abs(outcome.message_id) <= 2**63
