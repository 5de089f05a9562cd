"""The rights to every command and every button: of a stranger, a member, an administrator, an
anonymous one; in private too.

A route without a line here fails: whoever adds one decides who may use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

import storage.alerts
import storage.chats
import storage.entries
import storage.filters
import storage.own_feeds
import storage.rules
import storage.setups
import storage.stories
import storage.withheld
from bot.alerts import asked
from bot.alerts.moves import RateMoved
from bot.alerts.rules import RuleFired
from bot.alerts.stories import StoryBroke
from bot.convert.rules import parse_rule
from bot.detect.filters import source_code
from bot.detect.moves import Moved
from bot.emulator.faults import Fault
from bot.i18n import t
from bot.languages import LANGUAGES
from bot.model.alerts import (
    Alert,
    Approval,
    Audience,
    Lane,
    Severity,
)
from bot.model.chats import OPERATORS_LINK, ChatKind
from bot.model.filters import Filter, Sense, Trait
from bot.model.news import Verdict
from bot.model.own_feeds import OwnFeed
from bot.model.rules import RuleState
from handlers import ADMINISTRATORS, BUTTONS, COMMANDS, MENUS, OPERATORS
from handlers.services import Services
from storage.db import db_now
from storage.entries import NewEntry
from storage.schema import alert as alert_table
from storage.schema import chat as chat_table
from storage.schema import delivery as delivery_table
from storage.schema import news_filter, subscription
from storage.schema import rule as rule_table
from storage.schema import setup as setup_table
from tests.factories import chat, entry, rate
from tests.handlers.conftest import GROUP, NOW, READER, RUSSIAN, STRANGER, World, at_once, no_time

OUTSIDER, MEMBER, ADMINISTRATOR = RUSSIAN, STRANGER, READER
ANYBODY, ADMINISTRATORS_ONLY, OPERATORS_ONLY = "anybody", "administrators", "operators"

pytestmark = pytest.mark.timeout(480)  # a walk over every route
REFUSALS = {t("error.admins_only", language) for language in LANGUAGES}
STALE = {t("error.stale", language) for language in LANGUAGES}
#: What is used in private chats alone is said to be that, to whoever asks.
ELSEWHERE = {t("error.private_only", language) for language in LANGUAGES}
#: First words of buttons that stand in groups alone.
OF_GROUPS = {"anon", "here", "unhere"}
#: Words whose buttons act under the message alone that shows them: their data is anybody's words.
OF_THEIR_OWN = frozenset({"omit", "seek"})

#: Command → what is written after it → who may.
WRITTEN: dict[str, dict[str, str]] = {
    "rates": {"": ANYBODY, "USD": ANYBODY},
    "convert": {"100 usd": ANYBODY},
    "chart": {"USD 90d": ANYBODY},
    "news": {"": ANYBODY},
    "security": {"": ANYBODY},
    "search": {"": ANYBODY, "border": ANYBODY},
    "mute": {"": ANYBODY, "football": ADMINISTRATORS_ONLY},
    "only": {"": ANYBODY, "Osh": ADMINISTRATORS_ONLY},
    "feed": {"": ANYBODY, "add nothing": ADMINISTRATORS_ONLY},
    "feeds": {"": ANYBODY},
    "alert": {"": ADMINISTRATORS_ONLY, "USD 1%": ADMINISTRATORS_ONLY},
    "alerts": {"": ANYBODY},
    "digest": {"": ANYBODY, "10:30": ADMINISTRATORS_ONLY, "off": ADMINISTRATORS_ONLY},
    "quiet": {"": ANYBODY, "23-7": ADMINISTRATORS_ONLY, "off": ADMINISTRATORS_ONLY},
    "here": {"": ADMINISTRATORS_ONLY},
    "board": {"": ANYBODY, "on": ADMINISTRATORS_ONLY, "off": ADMINISTRATORS_ONLY},
    "subscribe": {"": ANYBODY},
    "unsubscribe": {"": ANYBODY},
    "settings": {"": ANYBODY, "Europe/Paris": ADMINISTRATORS_ONLY},
    "channel": {"": ADMINISTRATORS_ONLY},
    "status": {"": ANYBODY},
    "privacy": {"": ANYBODY},
    "mydata": {"": ADMINISTRATORS_ONLY},
    "delete": {"": ADMINISTRATORS_ONLY},
    "cancel": {"": ADMINISTRATORS_ONLY},
    "help": {"": ANYBODY},
    "start": {"": ANYBODY, "USD": ANYBODY, "rule_USD_KGS_official_lt_80": ADMINISTRATORS_ONLY},
    "stop": {"": ADMINISTRATORS_ONLY},
    "broadcast": {"": OPERATORS_ONLY},
    "admin": {"": OPERATORS_ONLY},
}
#: Button → its data, of what `Place` has made → who may.
PRESSED: dict[tuple[str, int], dict[str, str]] = {
    ("news", 2): {"news:-:0": ANYBODY},
    ("find", 1): {"find:0": ANYBODY},
    ("seek", 1): {"seek:border": ANYBODY},
    ("cur", 1): {"cur:EUR": ADMINISTRATORS_ONLY},
    ("top", 1): {"top:economy": ADMINISTRATORS_ONLY},
    ("lang", 1): {"lang:ru": ADMINISTRATORS_ONLY},
    ("style", 1): {"style:headline": ADMINISTRATORS_ONLY},
    ("places", 1): {"places:osh": ADMINISTRATORS_ONLY},
    ("place", 2): {"place:osh:top": ADMINISTRATORS_ONLY},
    ("wakes", 1): {"wakes:urgent": ADMINISTRATORS_ONLY},
    ("zone", 1): {"zone:Europe/Moscow": ADMINISTRATORS_ONLY},
    ("set", 1): {"set:zone": ADMINISTRATORS_ONLY, "set:topics": ADMINISTRATORS_ONLY},
    ("first", 1): {"first:USD": ADMINISTRATORS_ONLY},
    ("done", 0): {"done": ADMINISTRATORS_ONLY},
    ("hour", 1): {"hour:0800": ADMINISTRATORS_ONLY},
    ("digest", 1): {"digest:when": ADMINISTRATORS_ONLY},
    ("at", 1): {"at:0800": ADMINISTRATORS_ONLY, "at:off": ADMINISTRATORS_ONLY},
    ("week", 1): {"week:on": ADMINISTRATORS_ONLY},
    ("chart", 2): {"chart:USD/KGS:30d": ANYBODY},
    ("chart", 3): {"chart:USD/KGS:30d:dark": ANYBODY},
    ("amounts", 1): {"amounts:USD": ANYBODY},
    ("new", 1): {"new:-": ADMINISTRATORS_ONLY, "new:USD": ADMINISTRATORS_ONLY},
    ("rule", 2): {
        "rule:open:{rule}": ADMINISTRATORS_ONLY,
        "rule:list:0": ADMINISTRATORS_ONLY,
        "rule:pause:{rule}": ADMINISTRATORS_ONLY,
        "rule:resume:{rule}": ADMINISTRATORS_ONLY,
        "rule:more:{proposed}": ADMINISTRATORS_ONLY,
        "rule:once:{proposed}": ADMINISTRATORS_ONLY,
        "rule:save:{proposed}": ADMINISTRATORS_ONLY,
        "rule:edit:{rule}": ADMINISTRATORS_ONLY,
    },
    ("held", 2): {"held:approve:1": OPERATORS_ONLY, "held:reject:1": OPERATORS_ONLY},
    ("story", 2): {
        "story:approve:{waiting}": OPERATORS_ONLY,
        "story:reject:{waiting}": OPERATORS_ONLY,
        "story:word:{waiting}": OPERATORS_ONLY,
        "story:same:{waiting}": OPERATORS_ONLY,
        "story:back:{waiting}": OPERATORS_ONLY,
    },
    ("story", 3): {"story:same:{waiting}:1": OPERATORS_ONLY},
    ("admin", 1): {"admin:desk": OPERATORS_ONLY, "admin:off": OPERATORS_ONLY},
    ("admin", 2): {"admin:sources:0": OPERATORS_ONLY, "admin:off:sure": OPERATORS_ONLY},
    ("cast", 2): {
        "cast:send:1": OPERATORS_ONLY,
        "cast:sure:1": OPERATORS_ONLY,
        "cast:back:1": OPERATORS_ONLY,
        "cast:cancel:1": OPERATORS_ONLY,
        "cast:stop:1": OPERATORS_ONLY,
    },
    ("cast", 3): {"cast:to:1:all": OPERATORS_ONLY},
    ("feeds", 1): {"feeds:opml": ANYBODY},
    ("feed", 2): {
        "feed:pause:{feed}": ADMINISTRATORS_ONLY,
        "feed:resume:{feed}": ADMINISTRATORS_ONLY,
        "feed:remove:{feed}": ADMINISTRATORS_ONLY,
    },
    ("why", 1): {"why:{told}": ANYBODY, "why:{own}": ANYBODY},
    ("snooze", 1): {"snooze:{told}": ADMINISTRATORS_ONLY, "snooze:{own}": ADMINISTRATORS_ONLY},
    ("unsnooze", 1): {
        "unsnooze:{told}": ADMINISTRATORS_ONLY,
        "unsnooze:{own}": ADMINISTRATORS_ONLY,
    },
    ("lift", 1): {"lift:all": ADMINISTRATORS_ONLY},
    ("omit", 1): {"omit:football": ADMINISTRATORS_ONLY},
    ("less", 1): {"less:{story}": ADMINISTRATORS_ONLY},
    ("less", 2): {"less:{story}:story": ADMINISTRATORS_ONLY},
    ("less", 3): {f"less:{{story}}:{source_code('f')}:7": ADMINISTRATORS_ONLY},
    ("mute", 1): {"mute:{told}": ADMINISTRATORS_ONLY, "mute:{own}": ADMINISTRATORS_ONLY},
    ("unmute", 1): {"unmute:{told}": ADMINISTRATORS_ONLY, "unmute:{own}": ADMINISTRATORS_ONLY},
    ("quiet", 1): {"quiet:2300-0700": ADMINISTRATORS_ONLY, "quiet:wait": ADMINISTRATORS_ONLY},
    ("sound", 2): {"sound:rates:silent": ADMINISTRATORS_ONLY},
    ("tables", 1): {"tables:on": ADMINISTRATORS_ONLY, "tables:off": ADMINISTRATORS_ONLY},
    ("anon", 1): {"anon:on": ADMINISTRATORS_ONLY, "anon:off": ADMINISTRATORS_ONLY},
    ("board", 1): {"board:on": ADMINISTRATORS_ONLY, "board:off": ADMINISTRATORS_ONLY},
    ("here", 2): {"here:7:rates": ADMINISTRATORS_ONLY, "here:0:all": ADMINISTRATORS_ONLY},
    ("unhere", 1): {"unhere:rates": ADMINISTRATORS_ONLY},
    ("post", 3): {
        "post:send:{post}:0a": ADMINISTRATORS_ONLY,
        "post:reject:{post}:0a": ADMINISTRATORS_ONLY,
    },
    ("chan", 2): {
        "chan:{setup}:open": ADMINISTRATORS_ONLY,
        "chan:{setup}:topics": ADMINISTRATORS_ONLY,
        "chan:{setup}:preview": ADMINISTRATORS_ONLY,
        "chan:{setup}:remove": ADMINISTRATORS_ONLY,
    },
    ("chan", 3): {
        "chan:{setup}:lang:ru": ADMINISTRATORS_ONLY,
        "chan:{setup}:top:economy": ADMINISTRATORS_ONLY,
        "chan:{setup}:board:on": ADMINISTRATORS_ONLY,
        "chan:{setup}:tables:on": ADMINISTRATORS_ONLY,
        "chan:{setup}:remove:yes": ADMINISTRATORS_ONLY,
    },
    ("delete", 1): {"delete:no": ADMINISTRATORS_ONLY, "delete:yes": ADMINISTRATORS_ONLY},
}
#: What a group hears: an operator's commands are nothing there.
IN_GROUPS = {name: uses for name, uses in WRITTEN.items() if OPERATORS_ONLY not in uses.values()}


def test_S10_every_route_has_a_decision() -> None:
    """Here, by hand: what a route says of itself is what is tested."""
    assert set(WRITTEN) == set(COMMANDS)
    assert set(PRESSED) == set(BUTTONS)
    assert {
        data.count(":")
        for (_, words), one in PRESSED.items()
        for data in one
        if data.count(":") != words
    } == set()


def test_S10_a_group_menu_offers_nothing_that_only_administrators_may_use() -> None:
    """Derived from the same table as the rights; administrators and private chats are offered
    everything that there is for them.
    """
    assert {name for name, uses in WRITTEN.items() if OPERATORS_ONLY in uses.values()} == OPERATORS
    for name, written in IN_GROUPS.items():
        assert (name in MENUS["all_group_chats"]) == (name not in ADMINISTRATORS)
        assert written.get("", ANYBODY) == ANYBODY or name in ADMINISTRATORS, name
    of_groups = {"here", "board"}
    assert set(MENUS["default"]) == set(MENUS["all_private_chats"]) | of_groups
    assert set(MENUS["default"]) == set(MENUS["all_chat_administrators"]) | {"channel"}
    assert of_groups.isdisjoint(MENUS["all_private_chats"])
    assert "channel" not in MENUS["all_chat_administrators"]
    assert set(MENUS["default"]) == set(COMMANDS) - OPERATORS
    assert frozenset(
        {
            "alert", "feed", "here", "subscribe", "unsubscribe", "settings", "mydata", "delete",
            "stop", "start", "cancel", "channel", "board",
        }
    ) == ADMINISTRATORS  # fmt: skip


@dataclass
class Place:
    """A chat with a rule, a proposed one, and messages it was told: of a subscription, of its rule,
    of nothing yet.
    """

    world: World
    id: int
    numbers: dict[str, int]

    async def state(self) -> str:
        """All that a command or a button of this chat may change."""
        async with self.world.bot.store.reading() as db:
            found = [
                (await db.execute(table.select().where(table.c.chat_id == self.id))).all()
                for table in (subscription, rule_table, news_filter)
            ]
            theirs = setup_table.select().where(setup_table.c.owner_id == self.id)
            found.append((await db.execute(theirs)).all())
            known = await storage.chats.get(db, self.id)
            approval = await storage.alerts.approval(db, self.numbers["waiting"])
        return repr((known, found, approval))

    async def write(self, text: str, who: int, *, anonymous: bool = False) -> str:
        """A command's answer."""
        world = self.world
        asked = await world.emulator.send_text(self.id, text, user_id=who, anonymous=anonymous)
        answer = await world.emulator.wait_message(
            self.id,
            lambda m: m.get("from", {}).get("id") == world.emulator.bot.id,
            after=asked,
            timeout=40,
        )
        return str(answer.get("text", answer.get("caption", "")))

    async def press(self, data: str, who: int) -> str:
        """The answer to a press."""
        answer = await self.world.emulator.press(
            self.id, 1, data.format_map(self.numbers), user_id=who, timeout=40
        )
        return str(answer.get("text") or "")


async def place(world: World, number: int, kind: ChatKind) -> Place:
    """Make one."""
    rule = parse_rule("USD < 80", home="KGS")
    moved = Moved(
        baseline=rate(),
        previous=rate(),
        new=rate(),
        rules=("fixing",),
        usual=rate().value,
        told=False,
    )
    numbers: dict[str, int] = {"feed": 1}
    async with world.bot.store.writing() as db:
        await storage.chats.add(db, chat(number, kind=kind, language="en"), now=NOW)
        await storage.chats.subscribe(db, number, ["pair:USD/KGS", "topic:security"], now=NOW)
        saved = await storage.rules.propose(db, number, rate().series, rule, now=NOW)
        stored = await storage.rules.get(db, number, saved, pending=True)
        assert stored is not None
        await storage.rules.save(db, stored, RuleState())
        proposed = await storage.rules.propose(db, number, rate().series, rule, now=NOW)
        numbers |= {"rule": saved, "proposed": proposed}
        quiet = Verdict(security=False, score=0, severity=Severity.INFO)
        story = await storage.stories.add_story(db, at=NOW, verdict=quiet)
        item = entry(id=str(number), title="A fire in a market")
        new_entry = NewEntry(
            feed="f", item=item, at=NOW, link_key=None, title_key="", verdict=quiet
        )
        await storage.entries.add_entry(db, new_entry, story_pk=story, now=NOW)
        own = OwnFeed(key="1", url="https://example.org/rss.xml", name="Own")
        await storage.own_feeds.add(db, own, now=NOW)
        await storage.chats.subscribe(db, number, ["feed:1"], now=NOW)
        word = Filter(sense=Sense.NEVER, trait=Trait.WORD, what="flood", said="flood")
        await storage.filters.add(db, number, [word])
        payloads = {
            "told": (RateMoved(moved), Audience(subscription="pair:USD/KGS")),
            "own": (
                RuleFired(number=numbers["rule"], rule=rule, move=moved.headline),
                Audience(chat=number),
            ),
            "story": (
                StoryBroke(story=story, topics=("security",)),
                Audience(subscription="topic:security"),
            ),
            "waiting": (
                StoryBroke(story=1, topics=("security",)),
                Audience(subscription="topic:security"),
            ),
        }
        for name, (payload, audience) in payloads.items():
            new = Alert(
                dedup_key=f"{name}:{number}",
                payload=payload,
                severity=Severity.NOTABLE,
                lane=Lane.ALERT,
                audience=audience,
                created_at=NOW,
                expires_at=NOW
                # the others are told to nobody: it is too late
                + timedelta(hours=name == "waiting"),
                approval=name == "waiting",
            )
            pk = await storage.alerts.enqueue(db, new)
            assert pk is not None
            numbers[name] = pk
    world.bot.services.chats.pop(number, None)
    numbers["setup"], numbers["post"] = await a_channel(world, number, numbers["story"])
    return Place(world, number, numbers)


async def a_channel(world: World, owner: int, story: int) -> tuple[int, int]:
    """A channel that the reader runs, set up in the first message of a chat, which keeps a story's
    alert back until they decide; the numbers of both.
    """
    channel = -1_003_000_000_000 - abs(owner)
    world.emulator.add_channel(channel, "News", owner=READER)
    async with world.bot.store.writing() as db:
        await storage.chats.add(db, chat(channel, kind=ChatKind.CHANNEL), now=NOW)
        setup = await storage.setups.take(db, channel, owner)
        await storage.setups.stands_in(db, setup.id, 1)
        now = await db_now(db)
        row = {"alert_id": story, "chat_id": channel, "lane": 1, "state": "withheld"}
        until = {"not_before": now, "expires_at": now + timedelta(hours=1), "demand": "approve"}
        kept = delivery_table.insert().values(**row, **until).returning(delivery_table.c.id)
        number = (await db.execute(kept)).scalar_one()
        withheld = await storage.withheld.get(db, number)
        assert withheld is not None
        question = await storage.alerts.enqueue(db, asked.alert(withheld, owner, now=now))
        # as if it stood in that message too
        await db.execute(
            alert_table.update().where(alert_table.c.id == question).values(fanned_at=now)
        )
        sent = {**row, "alert_id": question, "chat_id": owner, "state": "sent", "message_id": 1}
        at = {"not_before": now, "expires_at": now}
        await db.execute(delivery_table.insert().values(**sent, **at))
    return setup.id, number


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told to slow down: these people ask a lot."""
    monkeypatch.setattr(Services, "allow", lambda *_: True)


@pytest.fixture
async def group(world: World) -> Place:
    """A group whose administrator is also the bot's operator: in a group that is worth nothing."""
    world.bot.services.admins = frozenset({ADMINISTRATOR})
    # a walk over every route would wait minutes for its turns
    world.bot.services.turn = at_once
    await world.emulator.send_text(GROUP, "hello", user_id=ADMINISTRATOR)
    return await place(world, GROUP, ChatKind.GROUP)


@pytest.mark.cases(keep=1)
@pytest.mark.parametrize("who", [OUTSIDER, MEMBER], ids=["stranger", "member"])
async def test_S10_who_is_no_administrator_of_a_group_may_look_and_change_nothing(
    group: Place, who: int
) -> None:
    """By any command and any button, whatever message it is said to be under."""
    wrong = {}
    before = await group.state()
    for name, written in IN_GROUPS.items():
        for words, may in written.items():
            said = await group.write(f"/{name} {words}", who)
            refused = said in REFUSALS | ELSEWHERE
            if refused != (may == ADMINISTRATORS_ONLY) or said in STALE:
                wrong[f"/{name} {words}"] = said
            if await group.state() != before:
                wrong[f"/{name} {words}"] = "changed it"
    for pressed in PRESSED.values():
        for data, may in pressed.items():
            said = await group.press(data, who)
            expected = {ANYBODY: said not in REFUSALS | STALE, OPERATORS_ONLY: said in STALE}.get(
                may, said in REFUSALS | ELSEWHERE
            )
            if not expected:
                wrong[data] = said
            if await group.state() != before:
                wrong[data] = "changed it"
    assert wrong == {}


@pytest.mark.parametrize(
    "anonymous", [False, True], ids=["administrator", "anonymous administrator"]
)
async def test_S10_a_groups_administrator_may_do_everything_but_an_operators_work(
    group: Place, *, anonymous: bool
) -> None:
    """Writing as the group too; a press comes under one's own name in any case."""
    wrong = {}
    for pressed in PRESSED.values():
        for data, may in pressed.items():
            said = await group.press(data, ADMINISTRATOR)
            if (said in STALE) != (may == OPERATORS_ONLY) or said in REFUSALS:
                wrong[data] = said
    await group.press("anon:on", ADMINISTRATOR)
    for name, written in IN_GROUPS.items():
        for words in written:
            said = await group.write(f"/{name} {words}", ADMINISTRATOR, anonymous=anonymous)
            if said in REFUSALS or said == t("error.unexpected", "en"):
                wrong[f"/{name} {words}"] = said
    assert wrong == {}


async def test_S9_an_operators_commands_are_nothing_in_a_group(group: Place) -> None:
    """Not even an answer, whoever writes them; what comes next is answered."""
    telegram, before = group.world.emulator, await group.state()
    for name in sorted(OPERATORS):
        await telegram.send_text(GROUP, f"/{name}", user_id=ADMINISTRATOR)
    first = await telegram.send_text(GROUP, "/rates USD", user_id=ADMINISTRATOR)
    ours = telegram.bot.id
    await telegram.wait_message(GROUP, lambda m: m["from"]["id"] == ours, after=first, timeout=40)
    said = [one for one in telegram.messages(GROUP) if one["from"]["id"] == ours]
    assert len(said) == 1
    assert await group.state() == before


async def test_S10_only_an_administrator_wakes_a_group(group: Place) -> None:
    """A stopped group stays so until then; the answer to others says why."""
    await group.write("/stop", ADMINISTRATOR)
    asleep = await group.state()
    for words in ("/start", f"/start {OPERATORS_LINK}1"):
        assert await group.write(words, MEMBER) in REFUSALS
    assert await group.state() == asleep
    assert await group.write("/start", ADMINISTRATOR) not in REFUSALS
    assert await group.state() != asleep


async def test_S23_who_writes_as_a_channel_may_look_and_change_nothing(group: Place) -> None:
    """Also when the one behind it is an administrator: nobody can know."""
    mask = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
    channel = {"sender_chat": {"id": -1009, "type": "channel", "title": "A channel"}, "from": mask}
    before = await group.state()
    for text, refused in (("/stop", True), ("/settings Europe/Paris", True), ("/rates USD", False)):
        asked = await group.world.emulator.send_text(
            GROUP, text, user_id=ADMINISTRATOR, extra=channel
        )
        said = await group.world.emulator.wait_message(
            GROUP, lambda m: m["from"]["id"] == group.world.emulator.bot.id, after=asked, timeout=40
        )
        assert (said.get("text") in REFUSALS) == refused, text
    assert await group.state() == before


async def test_S10_rights_are_asked_anew_each_time(group: Place) -> None:
    """Who was an administrator a moment ago is none now, and the other way round."""
    telegram = group.world.emulator
    assert await group.press("lang:ru", ADMINISTRATOR) not in REFUSALS
    telegram.set_member(GROUP, ADMINISTRATOR, "member")
    telegram.set_member(GROUP, MEMBER, "administrator")
    assert await group.press("lang:en", ADMINISTRATOR) in REFUSALS
    assert await group.press("lang:en", MEMBER) not in REFUSALS
    for status in ("left", "kicked", "restricted"):
        telegram.set_member(GROUP, MEMBER, status)
        assert await group.press("lang:ru", MEMBER) in REFUSALS, status


async def test_S10_without_telegrams_word_nobody_is_an_administrator(group: Place) -> None:
    """And is asked to try again, not told that they are none."""
    group.world.bot.services.rest = no_time
    before = await group.state()
    group.world.emulator.faults.add(Fault(kind="error", method="getChatMember", code=502))
    assert await group.press("lang:ru", ADMINISTRATOR) == t("error.unexpected", "en")
    group.world.emulator.faults.clear()
    assert await group.state() == before
    assert await group.press("lang:ru", ADMINISTRATOR) not in REFUSALS


# --- private chats --------------------------------------------------------------------------------


@pytest.fixture
async def private(world: World) -> Place:
    """The reader's own chat; the reader is no operator."""
    # a walk over every button would wait for its turns
    world.bot.services.turn = at_once
    await world.ask("/help")
    async with world.bot.store.writing() as db:
        await db.execute(chat_table.delete().where(chat_table.c.id == READER))
    return await place(world, READER, ChatKind.PRIVATE)


async def test_G26_in_a_private_chat_only_its_owner_is_heard(private: Place) -> None:
    """A press by anybody else is let go without a word, and what they write is not read."""
    world, before = private.world, await private.state()
    shown = len(world.emulator.messages(READER))
    someone = world.emulator.world.user(STRANGER).json()
    for pressed in PRESSED.values():
        for data in pressed:
            assert await private.press(data, STRANGER) == "", data
    for name, written in WRITTEN.items():
        for words in written:
            world.emulator.push_update(
                {
                    "message": {
                        "message_id": 900_000,
                        "date": 1,
                        "chat": {"id": READER, "type": "private", "first_name": "Aigul"},
                        "from": someone,
                        "text": f"/{name} {words}",
                        "entities": [{"type": "bot_command", "offset": 0, "length": len(name) + 1}],
                    }
                }
            )
    # a chat's updates are handled in order: when this is answered, all of the above had its effect
    assert await private.press("set:zone", STRANGER) == ""
    assert len(world.emulator.messages(READER)) == shown
    assert await private.state() == before


async def test_S9_the_owner_of_a_private_chat_may_do_everything_but_an_operators_work(
    private: Place,
) -> None:
    """An operator is one by number, in their own chat; accounts that many people share never
    are.
    """
    wrong = {}
    for (word, _), pressed in PRESSED.items():
        for data, may in pressed.items():
            said = await private.press(data, READER)
            if (said in STALE) != (may == OPERATORS_ONLY or word in OF_GROUPS | OF_THEIR_OWN):
                wrong[data] = said
    assert wrong == {}
    world = private.world
    other = await place(world, STRANGER, ChatKind.PRIVATE)
    world.bot.services.admins = frozenset({READER, 1087968824, 136817688, 777000})
    assert await other.press("story:reject:{waiting}", STRANGER) in STALE
    assert await other.press("story:reject:{waiting}", READER) == ""
    async with world.bot.store.reading() as db:
        assert await storage.alerts.approval(db, other.numbers["waiting"]) is Approval.WAITING
    for shared in (1087968824, 136817688, 777000):
        world.emulator.add_private(world.emulator.add_user(shared, "Shared", "en"))
        theirs = await place(world, shared, ChatKind.PRIVATE)
        assert await theirs.press("story:reject:{waiting}", shared) in STALE


#: Data made by the same recipe that says something: a zone may be an offset.
VALID = frozenset({"done", "new:USD", "cur:USD", "first:USD", "amounts:USD", "zone:-1"})
GARBAGE = (
    "", "x", "0", "-1", "1e3", "٣", "²", "9" * 18, "9" * 40, "USD", "../..", "\u202e", "я" * 40,
    "None", "%s", "{}",
)  # fmt: skip


#: The forged data is so many tests: a press with each in two kinds of chats takes twenty seconds.
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", [ChatKind.PRIVATE, ChatKind.GROUP])
@pytest.mark.cases(keep=2)
async def test_S11_forged_buttons_are_answered_and_change_and_show_nothing(
    world: World, kind: ChatKind, part: int
) -> None:
    """Every button with rubbish, with a word too many or too few, and with the numbers of another
    chat's things.
    """
    here = await place(world, READER if kind is ChatKind.PRIVATE else GROUP, kind)
    there = await place(world, RUSSIAN, ChatKind.PRIVATE)
    await world.emulator.send_text(here.id, "hello", user_id=READER)
    await here.press("x", READER)  # answered after it: from here on nothing may change
    before, theirs = await here.state(), await there.state()
    wrong: dict[str, Any] = {}
    forged = []
    for (verb, count), rubbish, more in product(BUTTONS, GARBAGE, (-1, 0, 1)):
        if count + more >= 0:
            forged.append(":".join([verb, *[rubbish] * (count + more)]))
    forged = [data for data in dict.fromkeys(forged) if data not in VALID][part::PARTS]
    forged += [
        "",
        ":",
        "::::::::",
        "rates",
        "rule",
        "done:",
        "DONE",
        "news:-:9999",
        "set:",
        "rule::1",
        "why:\ud7ff",
    ]
    for data in forged:
        said = await here.press(data.replace("{", "{{").replace("}", "}}"), READER)
        if said == t("error.unexpected", "en"):
            wrong[data] = said
    assert wrong == {}
    assert await here.state() == before
    shown = len(world.emulator.messages(here.id))
    for key in ("rule", "own", "setup"):
        for data in [one for pressed in PRESSED.values() for one in pressed if f"{{{key}}}" in one]:
            said = await here.press(data.replace(f"{{{key}}}", str(there.numbers[key])), READER)
            assert said in STALE | {t("error.private_only", "en")}, data
    for verb in ("save", "cancel", "more", "less", "once"):
        assert await here.press(f"rule:{verb}:{there.numbers['proposed']}", READER) in STALE, verb
    assert await here.press(f"why:{there.numbers['waiting']}", READER) in STALE
    assert len(world.emulator.messages(here.id)) == shown
    assert (await here.state(), await there.state()) == (before, theirs)
