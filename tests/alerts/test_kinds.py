"""Every kind of alert is found by its place, brings its parts, and reads what was ever stored of
it.
"""

from __future__ import annotations

import ast
import inspect
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from bot.alerts import FOLDER, KINDS, NO_KINDS, kind_in, texts_lacking, texts_unlisted
from bot.alerts.answers import Answered
from bot.alerts.asked import StoryAsked
from bot.alerts.boards import BoardDue
from bot.alerts.broadcasts import Broadcast
from bot.alerts.corrections import RateCorrected
from bot.alerts.digest_edits import DigestRead
from bot.alerts.digests import DigestDue, Digests
from bot.alerts.edits import StoryGrew, Wording
from bot.alerts.feeds import FeedBrought
from bot.alerts.greetings import GroupGreeted
from bot.alerts.kind import Kind, is_told_together, lacking, table
from bot.alerts.moves import Moves, RateMoved
from bot.alerts.notices import Notice
from bot.alerts.pins import PinDue
from bot.alerts.rules import RuleFired
from bot.alerts.stories import StoryBroke
from bot.alerts.waited import WhatWaited
from bot.alerts.weeks import WeekDue
from bot.convert.rules import parse_rule
from bot.detect.moves import Moved
from bot.errors import ConfigError, NewerError
from bot.i18n import known
from bot.model.alerts import About, Payload, Severity, StoredForm
from bot.model.calls import Call
from bot.model.chats import Post
from bot.model.entities import Entity
from bot.model.rates import Move
from bot.reasons import ChatNumber, Printed, Quote, Since, SourceKey, Term, said
from handlers import route
from tests.factories import a_notice, rate

RATE = {
    "source": "nbkr",
    "pair": "USD/KGS",
    "kind": "official",
    "value": "84.7935",
    "units": 1,
    "effective_on": "2021-10-20",
}
BEFORE = {**RATE, "value": "83.1", "effective_on": "2021-10-19"}
OLD, NEW = rate(value="83.1", on="2021-10-19"), rate()
RULE = {
    "v": 1,
    "pair": "USD/KGS",
    "kind": "official",
    "condition": "level",
    "amount": "84",
    "direction": "up",
    "inclusive": False,
    "window": None,
    "once": True,
    "until": None,
    "paused": False,
}
FIRED = RuleFired(
    number=7, rule=parse_rule("USD > 84 once", home="KGS"), move=Move(old=OLD, new=NEW)
)
MOVE = {"baseline": BEFORE, "previous": BEFORE, "new": RATE}
#: What was ever written, by kind; the last of each is what is written today.
STORED: dict[str, list[tuple[dict[str, Any], Payload]]] = {
    "board": [
        ({"v": 1, "message": None}, BoardDue()),
        ({"v": 1, "message": 42}, BoardDue(message=42)),
    ],
    "asked": [
        (
            {"v": 1, "delivery": 7, "channel": -1001},
            StoryAsked(delivery=7, channel=-1001),
        )
    ],
    "pin": [({"v": 1, "message": 42}, PinDue(message=42))],
    "move": [
        (
            {**MOVE, "v": 1, "rules": ["fixing"], "usual": "0.51"},
            RateMoved(
                Moved(baseline=OLD, previous=OLD, new=NEW, rules=("fixing",), usual=Decimal("0.51"))
            ),
        ),
        (
            {
                "v": 1,
                "told": False,
                "confirmed": False,
                **MOVE,
                "rules": ["drift", "low"],
                "usual": "0.51",
                "extreme_since": "2021-03-03",
            },
            RateMoved(
                Moved(
                    baseline=OLD,
                    previous=OLD,
                    new=NEW,
                    rules=("drift", "low"),
                    usual=Decimal("0.51"),
                    told=False,
                    confirmed=False,
                    extreme_since=date(2021, 3, 3),
                )
            ),
        ),
    ],
    "rule": [
        (
            {
                "v": 1,
                "told": False,
                "confirmed": True,
                **MOVE,
                "rules": ["USD/KGS > 84 once"],
                "usual": "0",
                "extreme_since": None,
                "rule": 7,
            },
            FIRED,
        ),
        ({"v": 2, "number": 7, "rule": RULE, "old": BEFORE, "new": RATE}, FIRED),
    ],
    "correction": [
        (
            {"v": 1, "told": 3, "old": BEFORE, "new": RATE},
            RateCorrected(told=3, old=OLD, new=NEW),
        ),
        (
            {"v": 2, "told": 3, "old": BEFORE, "new": RATE, "corrects": "rules"},
            RateCorrected(told=3, old=OLD, new=NEW, corrects=Post.RULES),
        ),
    ],
    "story": [
        ({"v": 1, "story": 5, "topics": ["security"]}, StoryBroke(story=5, topics=("security",))),
        (
            {"v": 2, "story": 5, "topics": ["security"], "answers": 3},
            StoryBroke(story=5, topics=("security",), answers=3),
        ),
    ],
    "feed": [
        (
            {
                "v": 1,
                "feed": "a1",
                "name": "Example",
                "title": "A bridge is closed",
                "text": "For a week.",
                "link": "https://example.org/1",
                "language": "en",
                "more": 2,
            },
            FeedBrought(
                feed="a1",
                name="Example",
                title="A bridge is closed",
                text="For a week.",
                link="https://example.org/1",
                language="en",
                more=2,
            ),
        )
    ],
    "waited": [({"v": 1, "hours": "23:00-07:00"}, WhatWaited(hours="23:00-07:00"))],
    "edit": [
        ({"v": 1, "told": 3}, StoryGrew(told=3)),
        (
            {
                "v": 2,
                "told": 3,
                "wording": {
                    "story": 4,
                    "entry": 5,
                    "title": "A bridge is open",
                    "summary": "",
                    "content": "Since noon.",
                    "updated_at": "2021-10-20T04:00:00+00:00",
                },
            },
            StoryGrew(
                told=3,
                wording=Wording(
                    story=4,
                    entry=5,
                    title="A bridge is open",
                    summary="",
                    content="Since noon.",
                    updated_at=datetime(2021, 10, 20, 4, tzinfo=UTC),
                ),
            ),
        ),
    ],
    "digest": [
        ({"v": 1, "day": "2021-10-20", "late": True}, DigestDue(day=date(2021, 10, 20), late=True))
    ],
    "greeting": [({"v": 1}, GroupGreeted())],
    "week": [({"v": 1, "first": "2021-10-11"}, WeekDue(first=date(2021, 10, 11)))],
    "digest_edit": [
        (
            {"v": 1, "told": 3, "story": 4, "language": "ky"},
            DigestRead(told=3, story=4, language="ky"),
        )
    ],
    "notice": [
        (
            {"v": 1, "msgid": "notice.topic", "values": [["chat", "-100"]]},
            Notice.of("notice.topic", {"chat": ChatNumber(-100)}),
        ),
        (
            {
                "v": 1,
                "msgid": "notice.story",
                "values": [
                    *(["feeds", "one, two"], ["held", "7"], ["link", "l"]),
                    *(["severity", "urgent"], ["text", "Since six"], ["title", "Closed"]),
                ],
            },
            Notice(
                msgid="notice.story",
                names=(
                    *(("title", Quote("Closed")), ("text", Quote("Since six")), ("link", "l")),
                    ("feeds", (SourceKey("one"), SourceKey("two"))),
                ),
                held=7,
                severity=Severity.URGENT,
            ),
        ),
        (
            {
                "v": 2,
                "msgid": "notice.dispute",
                "names": [["bank", {"source": "nbkr"}], ["pair", "USD/KGS"]],
                "figures": [
                    *(["rate", {"printed": "84.79"}], ["day", {"day": "2021-10-20"}]),
                    *(["from", {"since": "2021-10-19"}], ["n", 3], ["to", {"chat": "-100"}]),
                    *(["title", {"quote": "Closed"}], ["what", {"several": [{"term": "a.b"}]}]),
                    ["why", {"reason": ["said", {"words": "no"}]}],
                ],
                "held": 7,
                "severity": "urgent",
            },
            Notice.of(
                "notice.dispute",
                {"bank": SourceKey("nbkr"), "pair": "USD/KGS"},
                held=7,
                severity=Severity.URGENT,
                rate=Printed("84.79"),
                day=date(2021, 10, 20),
                **{"from": Since(2021, 10, 19)},
                n=3,
                to=ChatNumber(-100),
                title=Quote("Closed"),
                what=(Term("a.b"),),
                why=said("no"),
            ),
        ),
    ],
    "broadcast": [
        (
            {
                "v": 1,
                "text": "A word",
                "entities": [
                    {"type": "bold", "offset": 0, "length": 1},
                    {"type": "text_link", "offset": 2, "length": 4, "url": "https://e.org/"},
                ],
            },
            Broadcast(
                text="A word",
                entities=(
                    Entity(type="bold", offset=0, length=1),
                    Entity(type="text_link", offset=2, length=4, url="https://e.org/"),
                ),
            ),
        )
    ],
    "answer": [
        (
            {"v": 1, "method": "sendMessage", "body": {"text": "1"}},
            Answered(call=Call(method="sendMessage", parameters={"text": "1"})),
        )
    ],
}
FORMS = [(kind, form, payload) for kind, forms in STORED.items() for form, payload in forms]


def test_every_kind_has_its_stored_forms_here() -> None:
    """A new kind adds what it writes; a new version of one stays beside the older ones."""
    assert STORED.keys() == KINDS.keys()


@pytest.mark.parametrize(("kind", "form", "payload"), FORMS)
def test_what_was_ever_stored_of_a_kind_is_read(
    kind: str, form: dict[str, Any], payload: Payload
) -> None:
    assert KINDS[kind].payload.read(StoredForm(kind, form)) == payload


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_writes_the_last_of_its_forms(kind: str) -> None:
    form, payload = STORED[kind][-1]
    assert KINDS[kind].payload.read(StoredForm(kind, form)).to_json() == form
    assert payload.to_json() == form


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_that_a_kind_does_not_know_is_refused_whatever_else_stands_there(
    kind: str,
) -> None:
    """After going back to an older program its fields would be read as something else."""
    payload = KINDS[kind].payload
    form, _ = STORED[kind][-1]
    assert max(one["v"] for one, _ in STORED[kind]) == payload.VERSION
    newer = {**form, "v": payload.VERSION + 1}
    with pytest.raises(NewerError, match=f"{kind} of version {payload.VERSION + 1}"):
        payload.read(StoredForm(kind, newer))
    unsaid = {name: value for name, value in form.items() if name != "v"}
    for other in (unsaid, {**form, "v": 0}, {**form, "v": True}, {**form, "v": "1"}, [1], None):
        with pytest.raises(NewerError, match=f"{kind} that does not say its version"):
            payload.read(StoredForm(kind, cast("Any", other)))


def test_a_payload_is_not_read_as_another_kinds() -> None:
    """A correction has the fields of an edit, and means something else."""
    with pytest.raises(ValueError, match="a correction is read as a edit"):
        StoryGrew.read(StoredForm("correction", STORED["correction"][0][0]))


@pytest.mark.parametrize(
    ("payload", "about"),
    [
        (FIRED, About(series=NEW.series, day=NEW.effective_on)),
        (STORED["move"][0][1], About(series=NEW.series, day=NEW.effective_on)),
        (STORED["correction"][0][1], About(series=NEW.series, day=NEW.effective_on)),
        (STORED["notice"][0][1], About(chat=-100)),
        (a_notice("notice.topic", {"chat": "number-5-"}), About()),
        (STORED["digest"][0][1], About()),
    ],
)
def test_what_an_alert_is_about_stands_beside_it(payload: Payload, about: About) -> None:
    assert payload.about == about


def test_a_file_beside_the_kinds_is_a_kind() -> None:
    """Each is found by its place; one without a kind, or with two, is refused by its name."""
    names = {path.stem for path in FOLDER.glob("*.py")} - NO_KINDS
    assert len(KINDS) == len(names)
    empty = ModuleType("bot.alerts.empty")
    with pytest.raises(
        ConfigError, match=r"kind of alert empty: bot/alerts/empty\.py .* defines 0"
    ):
        kind_in(empty)


def test_whatever_waits_for_quiet_hours_is_told_with_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kind of post that says nothing there would be lost in the night, so it is refused."""
    together = {name for name, kind in KINDS.items() if is_told_together(kind.payload)}
    assert {"move", "rule", "story"} <= together
    assert not together & {"answer", "digest", "notice"}
    for name in together:
        with monkeypatch.context() as patched:
            patched.setattr(type(KINDS[name]), "brief", Kind.brief)
            assert lacking(type(KINDS[name])) == ["brief"]


def test_every_text_that_a_kind_names_is_one_it_says_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A start can then tell which is missing, before an alert of the kind cannot be told."""
    assert texts_unlisted() == []
    wanted: list[str] = []
    for kind in KINDS.values():
        monkeypatch.setattr(type(kind), "texts", ())
        path = Path(inspect.getfile(type(kind)))
        named: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named.add(node.value)
        said = sorted(msgid for msgid in named if msgid and known(msgid))
        place = f"kind of alert {path.stem}: bot/alerts/{path.name}"
        wanted += [f"{place}: its texts lack {msgid}, which it says" for msgid in said]
    assert texts_unlisted() == wanted


def test_a_text_that_a_kind_lacks_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every language that is shipped whole, and with the kind that needs it."""
    assert [texts_lacking(language) for language in ("en", "ru", "ky")] == [[], [], []]
    monkeypatch.setattr(Moves, "texts", ("move.fixing", "move.sideways"))
    assert texts_lacking("ru") == ["kind of alert move: the texts of ru lack move.sideways"]
    with pytest.raises(ConfigError, match=r"the texts of en lack move\.sideways"):
        route(cast("Any", None), cast("Any", None))


async def one_value(_self: object) -> None:
    """A method that takes too little."""


def one_value_more(_self: object, _more: object) -> None:
    """A method that takes too much."""


PARTS = {
    "texts": {"payload": DigestDue, "words": Moves.words},
    "words": {"payload": DigestDue},
    "payload": {"words": Moves.words},
    "payload.to_json": {"words": Moves.words, "payload": Payload},
    "payload.from_json": {"words": Moves.words, "payload": Payload},
    "payload.KIND": {"words": Moves.words, "payload": Payload},
}


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_kind_that_lacks_a_part_is_refused_by_its_name(part: str) -> None:
    """Nothing half-registered runs."""
    half = type("Half", (Kind,), PARTS[part])
    with pytest.raises(ConfigError, match=f"Half lacks.*{part}"):
        table(half)


#: Parts that are there and do not fit, by what is told of them.
UNFIT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "words, a coroutine function that takes (kit, told, reader)": ({"words": lambda *_: None}, {}),
    "why, a coroutine function that takes (kit, told, reader)": ({"why": one_value}, {}),
    "brief, a coroutine function that takes (kit, told, reader)": ({"brief": None}, {}),
    "ready, a function that takes (told, plain)": ({"ready": lambda _self, told: told}, {}),
    "story, a function that takes (told)": ({"story": lambda _self: None}, {}),
    "texts, ids of texts in round brackets": ({"texts": "move.fixing"}, {}),
    "a way to be made of nothing": ({"__init__": one_value_more}, {}),
    "payload, a Payload": ({"payload": dict}, {}),
    "payload.KIND, the name under which it is stored": ({}, {"KIND": ""}),
    "payload.VERSION, a whole number from 1": ({}, {"VERSION": 0}),
    "payload.POST, a Post or None": ({}, {"POST": ["rates"]}),
    "payload.TERMS, a Terms": ({}, {"TERMS": "news"}),
    "payload.to_json, a function that takes ()": ({}, {"to_json": lambda _self, _version: {}}),
    "payload.from_json, a function that takes (data)": (
        {},
        {"from_json": lambda _self, data: data},
    ),
    "payload.about, a property": ({}, {"about": lambda _self: None}),
    "a use for reply_to; did you mean replies_to?": ({"reply_to": lambda _self, _told: None}, {}),
    "a use for owns; did you mean own?": ({"owns": True}, {}),
    "a use for payload.POSTS; did you mean POST?": ({}, {"POSTS": Post.RATES}),
    "a use for payload.VERSON; did you mean VERSION?": ({}, {"VERSON": 2}),
    "a use for payload.abuot; did you mean about?": ({}, {"abuot": property(lambda _self: ())}),
}


@pytest.mark.parametrize("told", UNFIT)
def test_a_part_of_a_kind_that_does_not_fit_is_refused_by_its_name(told: str) -> None:
    """It would have failed with the first alert of the kind."""
    parts, of_payload = UNFIT[told]
    payload = type("Due", (DigestDue,), of_payload)
    half = type(
        "Half", (Digests,), {"payload": payload, "__module__": "bot.alerts.halves", **parts}
    )
    with pytest.raises(ConfigError) as refused:
        table(half)
    assert refused.value.problems == (
        f"kind of alert halves: bot/alerts/halves.py: Half lacks {told}",
    )


def test_a_whole_kind_lacks_nothing() -> None:
    assert [lacking(type(kind)) for kind in KINDS.values()] == [[] for _ in KINDS]


def test_two_kinds_may_not_have_one_name() -> None:
    with pytest.raises(ConfigError, match="move"):
        table(Moves, Moves)
