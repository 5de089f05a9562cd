"""The outcome of one request to Telegram: six of them, told apart in one place.

Each has its own reaction. The Bot API tells most refusals apart by its English `description` only,
so the phrases are listed here and nowhere else. The lists are from the API's own answers; an
unknown 400 counts as "our message is bad" and is tried once without entities and buttons, an
unknown 403 as "gone". Of a missing right the method says what it means: one that is missing for
pictures or pins is no reason to give a chat up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

import orjson

from bot.log import redact
from bot.reasons import Reason, reason, said


@dataclass(frozen=True, slots=True)
class Sent:
    """Telegram has it. `message_id` is 0 for methods that make no message, and of one that is
    there no more.
    """

    message_id: int
    result: Any = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not accepted now; it may be later, `after` so many seconds if Telegram said so."""

    why: Reason
    after: float | None = None
    flood: bool = False  # 429: this chat (or everybody) must wait


@dataclass(frozen=True, slots=True)
class Migrated:
    """The group lives on under another id."""

    chat: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Nobody can be reached there until they come back by themselves."""

    why: Reason


@dataclass(frozen=True, slots=True)
class Rejected:
    """This message cannot be sent as it is; `plain` when it may do without entities and buttons."""

    why: Reason
    plain: bool = False
    thread: bool = False  # the forum topic is closed or gone: General may do
    token: bool = False  # 401: Telegram does not know the token
    # the message is there no more, or may not be changed or pinned: nobody misses the change
    unneeded: bool = False
    conflict: bool = False  # 409: a webhook is set, or somebody else asks for updates
    webhook: bool = False  # the conflict is with a webhook
    long: bool = False  # it has too many letters


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Perhaps delivered; `body` is what a complete answer said, when that was no JSON."""

    why: Reason
    body: bytes = field(default=b"", repr=False, compare=False)


Outcome = Sent | Retry | Migrated | Gone | Rejected | Ambiguous
_LABELS: dict[type, str] = {one: one.__name__.lower() for one in get_args(Outcome)}
#: Every outcome's name where it is counted.
LABELS = tuple(_LABELS.values())


def label(outcome: Outcome) -> str:
    """An outcome's name where it is counted."""
    return _LABELS[type(outcome)]


def answers(outcome: Outcome) -> bool:
    """Whether an outcome is Telegram's own answer, however unkind, and nothing else's."""
    if isinstance(outcome, Retry):
        return outcome.flood or outcome.after is not None
    return not isinstance(outcome, Ambiguous)


def is_final(outcome: Outcome) -> bool:
    """Whether an outcome is Telegram's last word: the same request again would bring no other."""
    return not isinstance(outcome, Retry | Ambiguous)


def wait_of(outcome: Outcome) -> float:
    """The seconds that Telegram asks to wait with an outcome; 0 where it asks for none."""
    if isinstance(outcome, Retry):
        return outcome.after or 0.0
    return 0.0


BLOCKED = Gone(reason("gone.blocked", "blocked"))
DEACTIVATED = Gone(reason("gone.deactivated", "deactivated"))
KICKED = Gone(reason("gone.kicked", "kicked"))
NOT_FOUND = Gone(reason("gone.not_found", "not found"))
NO_RIGHT = Gone(reason("gone.no_right_to_write", "no right to write"))
NEVER_STARTED = Gone(reason("gone.never_started", "never started"))
TOO_MANY = reason("telegram.too_many", "too many requests")
AWAY = reason("telegram.away", "Telegram is away")
UNKNOWN_TOKEN = reason("telegram.unknown_token", "Telegram does not know this token")
#: There is no such file to download, or it is too large.
NO_FILE = Rejected(reason("telegram.unexpected", "{outcome}", outcome="no file"))
#: The message to change or to pin is there no more.
NO_MESSAGE = "telegram.no_message"


def why(outcome: Outcome) -> Reason:
    """The reason of an outcome; where it has none of its own, that it was not expected."""
    if isinstance(outcome, Sent | Migrated):
        return reason("telegram.unexpected", "{outcome}", outcome=type(outcome).__name__)
    return outcome.why


# ── reading an answer ───────────────────────────────────────────────────────

FLOOD_UNSAID = 5.0  # seconds to wait after a 429 that does not say how long
SLOW_UNSAID = 30.0  # and in a group in slow mode
#: Longer than any flood of Telegram's: asked again then, and no number becomes a time no clock has.
FLOOD_MOST = 7 * 86400.0

_GONE = (
    ("bot was blocked", BLOCKED),
    ("user is deactivated", DEACTIVATED),
    ("bot was kicked", KICKED),
    ("bot is not a member", KICKED),
    ("chat not found", NOT_FOUND),
    ("group chat was deactivated", DEACTIVATED),
    ("bot can't initiate conversation", NEVER_STARTED),
    ("peer_id_invalid", NOT_FOUND),
    ("channel_private", KICKED),
)
#: A right is missing; which one, the method says or the refusal itself.
_NO_RIGHT = (
    "chat_write_forbidden",
    "chat_send_",
    "not enough rights",
    "need administrator rights",
    "have no rights to send",
    "have no write access",
    "chat_admin_required",
    "chat_restricted",
)
#: It names something else than words, as the Bot API's server says it and as those behind it do.
_NOT_WORDS = re.compile(r"rights to send (?!text|a message)|chat_send_(?!plain)\w+_forbidden")
#: What sends words, or asks whether they are taken.
_OF_WORDS = frozenset({"sendMessage", "sendRichMessage", "sendChatAction"})
#: How the methods begin that change what is there.
_OF_CHANGES = ("edit", "pin", "unpin", "delete")
#: How long to wait, in words: something on the way may have left the field out.
_WAIT = re.compile(r"(?:retry after |slowmode_wait_)([1-9][0-9]{0,8})")
_THREAD = ("topic_closed", "topic_deleted", "message thread not found")
_NO_MESSAGE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message is too old",
    "message to be edited is too old",
    "message to pin not found",
)
#: It was sent, and somebody, another bot of the group perhaps, was faster than the answer.
_DELETED = "sent message was immediately deleted"
#: Refused for its words: without entities and buttons they are the same.
_HOPELESS = ("message is too long", "text is empty", "text must be non-empty")


def read(status: int, body: bytes, method: str) -> Outcome:
    """Classify one complete HTTP answer to a method of the Bot API."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        # a page in its place, or words: Telegram has none
        if status >= 300 or body.lstrip()[:1] not in {b"{", b""}:
            return _not_its_own(status)
        # cut off after Telegram acted, perhaps
        no_json = reason("telegram.no_json", "HTTP {status} without JSON", status=str(status))
        return Ambiguous(no_json, body)
    if not isinstance(answer, dict):
        return _not_its_own(status)
    if answer.get("ok") is True and "result" in answer:  # which the Bot API always says
        result = answer["result"]
        message_id = None
        if isinstance(result, dict):
            message_id = whole(result.get("message_id"))
        return Sent(message_id or 0, result)
    if answer.get("ok") is not False or not {"error_code", "description"} & answer.keys():
        return _not_its_own(status)
    # Something on the way may have made the answer: nothing in it is sure to be of its kind.
    code = whole(answer.get("error_code"))
    if code is None:
        code = status
    parameters = answer.get("parameters")
    if not isinstance(parameters, dict):
        parameters = {}
    return _refused(code, str(answer.get("description", "")), parameters, method)


def _not_its_own(status: int) -> Retry:
    """The outcome of no answer of Telegram's own: a proxy's page, a gateway's JSON, the way to
    another address, or a refusal cut short. Nothing was done, and whatever its status means, it
    says nothing of a chat, a message or the token.
    """
    if status == 429:
        return Retry(TOO_MANY, after=FLOOD_UNSAID, flood=True)
    return Retry(reason("telegram.status", "HTTP {status}", status=str(status)))


def _refused(  # noqa: C901, PLR0911, PLR0912 - a table
    code: int, description: str, parameters: dict[str, Any], method: str
) -> Outcome:
    text = description.lower()
    # Whoever repeats what it was told says our token. What is kept is given away with a chat's
    # data, and a token that was cut is known for none any more.
    description = redact(description)
    if code == 429:
        return Retry(TOO_MANY, after=_seconds(parameters.get("retry_after"), text), flood=True)
    if _DELETED in text:
        return Sent(0)
    if code >= 500 or code == 200:
        return Retry(reason("telegram.error", "error {code}", code=str(code)))
    if code == 401 or (code == 404 and text == "not found"):
        return Rejected(UNKNOWN_TOKEN, token=True)
    if code == 409:
        return Rejected(said(description), conflict=True, webhook="webhook" in text)
    new = whole(parameters.get("migrate_to_chat_id"))
    if new:
        return Migrated(new)
    if _says(text, _THREAD):
        return Rejected(said(description), thread=True)
    if _says(text, _NO_MESSAGE):
        return Rejected(reason(NO_MESSAGE, "{words}", words=description), unneeded=True)
    if "slow mode" in text or "slowmode" in text:
        slow = reason("telegram.slow_mode", "slow mode")
        return Retry(slow, after=_seconds(None, text, unsaid=SLOW_UNSAID), flood=True)
    for phrase, gone in _GONE:
        if phrase in text:
            return gone
    if _says(text, _NO_RIGHT):
        return _without_right(method, description)
    if code == 403:
        return Gone(said(description.removeprefix("Forbidden: ")[:100]))
    if "message is not modified" in text:
        return Sent(0)
    long = "too long" in text
    return Rejected(said(description), plain=not _says(text, _HOPELESS), long=long)


def _without_right(method: str, description: str) -> Outcome:
    """The outcome of a request for which the bot lacks a right: Gone where words are refused.

    A group that wants no pictures takes words, and what may not be pinned stands where it is.
    """
    if method.startswith(_OF_CHANGES):
        return Rejected(said(description), unneeded=True)
    of_words = method in _OF_WORDS and _NOT_WORDS.search(description.lower()) is None
    if method.startswith("send") and not of_words:
        return Rejected(said(description), plain=True)
    return NO_RIGHT


def whole(value: object) -> int | None:
    """A whole number that a database can hold, or None for anything else."""
    # to Python True is a number too
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    return None


def _seconds(value: object, text: str, *, unsaid: float = FLOOD_UNSAID) -> float:
    """Seconds that a refusal asks to wait, by its field or else its words; `unsaid` where it names
    no such time.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        found = _WAIT.search(text)
        value = float(found[1]) if found else unsaid
    return min(float(value), FLOOD_MOST)


def _says(text: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases is in what Telegram said."""
    return any(phrase in text for phrase in phrases)
