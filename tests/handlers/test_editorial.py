"""A channel's editorial policy: chosen by taps, and what becomes of a story that it withholds; the
whole program on each database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

import storage.chats
import storage.privacy
import storage.setups
import storage.stories
import storage.withheld
from bot import recurring
from bot.alerts import KINDS, Kit, Reader, boards
from bot.alerts.digests import DigestDue
from bot.alerts.stories import LASTS
from bot.deliver.upkeep import Upkeep
from bot.emulator import TEST_TOKEN, Emulator
from bot.i18n import t
from bot.model.alerts import Severity, StoredForm
from bot.model.chats import Editorial
from bot.sources.catalog import parse_catalog
from handlers.services import Services
from storage.alerts import StoredAlert
from storage.db import Db
from storage.schema import delivery, subscription
from storage.withheld import Demands
from tests.factories import rate
from tests.handlers.conftest import (
    CATALOG,
    GROUP,
    NOW,
    READER,
    RUSSIAN,
    STRANGER,
    World,
    at_once,
)
from tests.handlers.test_channels import SetUp, ask_for_one, data, set_up
from tests.handlers.test_membership import CHANNEL, known
from tests.publishers import ATTACK, QUIET, Publishers
from tests.test_edits import CALM, GRAVE
from tests.world import running

AGAIN = ("other-id", ATTACK[1], "The same event, told by another agency.")
HEADLINE = "border post"
STALE = t("error.stale", "en")
FEED = '[feeds.{0}]\nname = {{ en = "Agency {0}" }}\nurl = "{1}/{0}.xml"\nlanguage = "en"\n'
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def telegram(listening: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """One with the three readers of these tests, each of a language."""
    monkeypatch.setattr(Services, "allow", lambda *_args, **_options: True)
    emulator = Emulator(TEST_TOKEN, "jarchy_bot", privacy=False)
    await emulator.start()
    for number, name, language in (
        (READER, "Aigul", "en"),
        (STRANGER, "Bakyt", "ky"),
        (RUSSIAN, "Vera", "ru"),
    ):
        emulator.add_private(emulator.add_user(number, name, language))
    yield emulator
    await emulator.stop()


@asynccontextmanager
async def program(
    folder: Path, telegram: Emulator, url: str, agencies: Publishers
) -> AsyncIterator[World]:
    """The whole program on a database that outlasts it, beside two agencies."""
    async with running(
        folder, telegram, CATALOG, now=NOW, introduces=False, database_url=url
    ) as world:
        world.bot.services.turn = at_once
        world.publishers = agencies
        world.catalog = parse_catalog("".join(FEED.format(key, agencies.url) for key in "ab"))
        yield world


@pytest.fixture
async def world(tmp_path: Path, telegram: Emulator, migrated_url: str) -> AsyncIterator[World]:
    """Started and ready; both agencies were polled once, so that what follows is news."""
    async with AsyncExitStack() as stack:
        agencies = await stack.enter_async_context(Publishers())
        made = await stack.enter_async_context(program(tmp_path, telegram, migrated_url, agencies))
        await made.keep([rate(), rate("EUR/KGS", "98.8523"), rate("RUB/KGS", "1.1948")])
        for key in "ab":
            await made.report(key, QUIET)
        yield made


@pytest.fixture
def unlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks now and then: what leaves does so by the transaction that lets it."""

    async def look(_db: Db, _unmet: Demands) -> int:
        return 0

    monkeypatch.setattr(storage.withheld, "look", look)


async def channel_with(world: World, policy: Editorial) -> SetUp:
    """A channel that somebody set up with a policy."""
    setup = await set_up(world)
    assert await setup.press(f"policy:{policy}") == t("settings.saved", "en")
    return setup


async def question(world: World, who: int = READER, after: int = 0) -> dict[str, Any]:
    """The owner's question."""
    return await world.emulator.wait_message(
        who, lambda m: any(one.startswith("post:") for one in data(m)), after=after, timeout=40
    )


def posted(world: World, words: str = HEADLINE) -> list[str]:
    """The channel's messages with these words."""
    said = [one.get("text", "") for one in world.emulator.messages(CHANNEL)]
    return [one for one in said if words in one]


async def in_channel(world: World, words: str = HEADLINE) -> dict[str, Any]:
    """The channel's message with these words, waited for."""
    return await world.emulator.wait_message(
        CHANNEL, lambda m: words in m.get("text", ""), timeout=40
    )


async def settled(world: World) -> None:
    """Wait until all that was decided is fanned out and sent."""
    world.bot.worker.wake()
    await world.done()


async def states(world: World) -> list[str]:
    """The states of the channel's stories."""
    return [one.state for one in await world.deliveries("story") if one.chat_id == CHANNEL]


# --- choosing -------------------------------------------------------------------------------------


@pytest.mark.cases
@pytest.mark.parametrize("who", [READER, RUSSIAN, STRANGER])
async def test_the_policy_is_chosen_by_taps_and_the_current_one_is_marked(
    world: World, who: int
) -> None:
    """In each language; the set-up says it, and the page says how long a story waits."""
    assert timedelta(hours=6) == LASTS
    setup = await set_up(world, who)
    language = {READER: "en", RUSSIAN: "ru", STRANGER: "ky"}[who]
    assert t("policy.publish", language) in setup.shown["text"]
    for policy in reversed(Editorial):
        assert await setup.press("policy") == ""
        assert setup.shown["text"].startswith(
            t("channel.policy_what", language).split("{title}")[0]
        )
        assert await setup.press(f"policy:{policy}") == t("settings.saved", language)
        assert t(f"policy.{policy}", language) in setup.shown["text"]
        channel = await known(world, CHANNEL)
        assert channel is not None
        assert channel.policy is policy
        await setup.press("policy")
        rows = [one for row in setup.shown["reply_markup"]["inline_keyboard"] for one in row]
        marked = [one["callback_data"] for one in rows if one["text"].startswith("✓")]
        assert marked == [f"chan:{setup.number}:policy:{policy}"]
    assert await setup.press("policy:loud") == t("error.stale", language)


@pytest.mark.cases
@pytest.mark.parametrize("policy", [Editorial.TWO_SOURCES, Editorial.APPROVE])
async def test_the_page_says_so_where_the_operator_asks_more(
    world: World, policy: Editorial
) -> None:
    """And not where the channel asks as much."""
    services = world.bot.services
    services.settings = services.settings.model_copy(update={"security_policy": policy.value})
    setup = await set_up(world)
    said = t(f"channel.policy_by_{policy}", "en")
    await setup.press("policy")
    assert said in setup.shown["text"]
    await setup.press(f"policy:{policy}")
    await setup.press("policy")
    assert said not in setup.shown["text"]


# --- at once, and with two sources ----------------------------------------------------------------


async def test_without_another_policy_a_story_is_posted_at_once(world: World) -> None:
    """As ever: nobody is asked."""
    await set_up(world)
    await world.report("a", ATTACK, QUIET)
    await in_channel(world)
    await settled(world)
    assert await states(world) == ["sent"]
    assert await world.alerts("asked") == []


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize("label", ["", "Correction: ", "Retracted: "])
@pytest.mark.usefixtures("unlooked")
async def test_with_two_sources_it_is_posted_when_a_second_agency_reports_it(
    world: World, label: str
) -> None:
    """Once, and with both; the first agency again is no second one, nor who takes it back."""
    await channel_with(world, Editorial.TWO_SOURCES)
    await world.report("a", ATTACK, QUIET)
    await settled(world)
    again = ("again", ATTACK[1], "The same event, told once more by the same agency.")
    await world.report("a", again, ATTACK, QUIET)
    await settled(world)
    async with world.bot.store.reading() as db:
        (story,) = await storage.stories.latest(db, topics=["security"])
    assert len(story.entries) == 2
    assert await states(world) == ["withheld"]
    assert posted(world) == []
    await world.report("b", (AGAIN[0], f"{label}{AGAIN[1]}", AGAIN[2]), QUIET)
    if label == "Retracted: ":
        await settled(world)
        assert (await states(world), posted(world)) == (["withheld"], [])
        return
    found = await in_channel(world)
    assert "2" in found["text"]
    await settled(world)
    assert await states(world) == ["sent"]
    assert len(posted(world)) == 1


@pytest.mark.usefixtures("unlooked")
async def test_a_looser_policy_posts_what_waits_at_once(world: World) -> None:
    """And a stricter one is asked of what comes."""
    setup = await channel_with(world, Editorial.TWO_SOURCES)
    await world.report("a", ATTACK, QUIET)
    await settled(world)
    await setup.press("policy:approve")
    await settled(world)
    assert posted(world) == []
    assert await world.alerts("asked") == []
    await setup.press("policy:publish")
    await in_channel(world)
    await settled(world)
    assert len(posted(world)) == 1


async def test_what_is_over_before_it_was_posted_is_not_posted(world: World) -> None:
    """Though it is a second agency that says so."""
    setup = await channel_with(world, Editorial.TWO_SOURCES)
    await world.report("a", ATTACK, QUIET)
    await settled(world)
    over = (
        "over",
        "Attack on the border post is over, calm restored",
        "Border guards: the armed attack is over; three soldiers were killed and five wounded.",
    )
    await world.report("b", over, QUIET)
    await settled(world)
    assert await states(world) == ["cancelled"]
    await setup.press("policy:publish")
    await settled(world)
    assert posted(world) == []


async def test_whoever_fans_out_withholds_what_the_policy_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender, or a job beside it."""

    async def nothing(_upkeep: Upkeep) -> bool:
        return False

    await channel_with(world, Editorial.TWO_SOURCES)
    monkeypatch.setattr(Upkeep, "fan_out", nothing)
    await world.report("a", ATTACK, QUIET)
    await recurring.fan_out(world.bot)
    assert await states(world) == ["withheld"]


# --- with the owner's word ------------------------------------------------------------------------


@pytest.mark.cases
async def test_an_approved_story_is_posted_once_as_it_was_shown(world: World) -> None:
    """In the channel's language; a second press says that it is decided."""
    setup = await channel_with(world, Editorial.APPROVE)
    await setup.press("lang:ru")
    await world.report("a", ATTACK, QUIET)
    asked = await question(world)
    head, _, post = asked["text"].partition("\n\n")
    assert head == t("asked.title", "en").format(channel="News")
    assert posted(world) == []
    send, reject = data(asked)
    assert await world.press(READER, asked["message_id"], send) is None
    found = await in_channel(world)
    assert found["text"] == post
    shown = world.emulator.world.chat(READER).messages[asked["message_id"]]
    assert shown["text"] == t("asked.sent", "en").format(channel="News", title=ATTACK[1])
    assert data(shown) == []
    for button in (send, reject):
        said = await world.press(READER, asked["message_id"], button)
        assert said == t("error.story_approved", "en")
    await settled(world)
    assert len(posted(world)) == 1
    await world.report("b", AGAIN, QUIET)  # more is reported: its message is edited
    await settled(world)
    assert len(posted(world)) == 1
    assert len(await world.alerts("asked")) == 1


@pytest.mark.cases
async def test_a_rejected_story_is_in_nothing_that_the_channel_posts(world: World) -> None:
    """Nor is one that waits; others have both."""
    setup = await channel_with(world, Editorial.APPROVE)
    await setup.press("board:on")
    await world.report("a", ATTACK, QUIET)
    asked = await question(world)
    await setup.press("preview")
    shown = await world.tells(READER, "USD 84.79")
    assert HEADLINE not in shown["text"]
    _, reject = data(asked)
    assert await world.press(READER, asked["message_id"], reject) is None
    said = await world.press(READER, asked["message_id"], reject)
    assert said == t("error.asked_dropped", "en")
    await settled(world)
    assert await states(world) == ["cancelled"]
    assert HEADLINE in (await world.ask("/news"))["text"]
    assert HEADLINE in (await world.ask("/digest"))["text"]


@pytest.mark.cases
async def test_what_waits_is_in_no_digest_and_on_no_board(world: World) -> None:
    """Of that channel; once it may be posted, it is in both."""
    setup = await channel_with(world, Editorial.APPROVE)
    await world.report("a", ATTACK, QUIET)
    await question(world)
    await settled(world)
    assert [HEADLINE in one for one in await _others(world)] == [False, False]
    await setup.press("policy:publish")
    await settled(world)
    assert [HEADLINE in one for one in await _others(world)] == [True, True]


async def _others(world: World) -> tuple[str, str]:
    """The words of the channel's digest and of its board now."""
    due = DigestDue(day=NOW.date(), late=False)
    told = StoredAlert(
        id=7,
        payload=StoredForm(due.KIND, due.to_json()),
        severity=Severity.INFO,
        reasons=(),
        created_at=NOW,
    )
    async with world.bot.store.reading() as db:
        kit = Kit(db=db, catalog=world.bot.catalog, kinds=KINDS)
        channel = await storage.chats.get(db, CHANNEL)
        assert channel is not None
        reader = Reader(
            chat=CHANNEL,
            language="en",
            style=channel.style,
            home=channel.home,
            time_zone=channel.time_zone,
            channel=True,
        )
        digest = await KINDS[due.KIND].words(kit, told, reader)
        assert digest is not None
        board = await boards.body(kit, channel, now=NOW)
    return digest.text, board.text


@pytest.mark.cases
async def test_what_reads_otherwise_by_now_is_shown_again_before_it_is_posted(
    world: World,
) -> None:
    """Its new words are not posted unseen, and its old ones not at all; so with what its publisher
    puts right by a report of its own.
    """
    await channel_with(world, Editorial.APPROVE)
    await world.report("a", ATTACK, QUIET)
    asked = await question(world)
    send, _ = data(asked)
    corrected = "Armed men attack border post, four soldiers killed"
    await world.report("a", (ATTACK[0], corrected, ATTACK[2]), QUIET)
    await settled(world)
    assert posted(world) == []
    assert await world.press(READER, asked["message_id"], send) == t("asked.changed", "en")
    shown = world.emulator.world.chat(READER).messages[asked["message_id"]]
    assert corrected in shown["text"]
    again, _ = data(shown)
    assert again != send
    mended = ("mended", "Correction: Armed men attack border post, five soldiers killed", "Five.")
    await world.report("a", mended, (ATTACK[0], corrected, ATTACK[2]), QUIET)
    assert await world.press(READER, asked["message_id"], again) == t("asked.changed", "en")
    shown = world.emulator.world.chat(READER).messages[asked["message_id"]]
    assert mended[1] in shown["text"]
    assert posted(world) == []
    assert await world.press(READER, asked["message_id"], data(shown)[0]) is None
    await in_channel(world, mended[1])
    await settled(world)
    assert len(posted(world)) == 1


@pytest.mark.cases
async def test_S11_the_question_is_bound_to_its_owner_its_channel_and_its_message(
    world: World,
) -> None:
    """Another's press, another message, a forged number or word: out of date, nothing posted."""
    setup = await channel_with(world, Editorial.APPROVE)
    await world.report("a", ATTACK, QUIET)
    asked = await question(world)
    await settled(world)
    send, reject = data(asked)
    number = asked["message_id"]
    world.emulator.add_group(GROUP, "Market", members=[], admins=[READER])
    said = await world.emulator.send_text(GROUP, "hello", user_id=READER)
    pressed = await world.emulator.press(GROUP, said, send, user_id=READER, timeout=40)
    assert pressed.get("text") == t("error.private_only", "en")
    mark = send.split(":")[3]
    other = await world.ask("/help")
    theirs = await world.ask("/help", chat=STRANGER)
    assert await world.press(READER, other["message_id"], send) == STALE
    assert await world.press(STRANGER, theirs["message_id"], send) == t("error.stale", "ky")
    for forged in (
        f"post:send:999999:{mark}",
        f"post:send:x:{mark}",
        f"post:send:{'9' * 40}:{mark}",
        send.replace("send", "loud"),
        send.rsplit(":", 1)[0],
        f"{send}:1",
    ):
        assert await world.press(READER, number, forged) == STALE, forged
    (told,) = await world.deliveries("asked")
    assert await world.press(READER, number, f"post:send:{told.id}:{mark}") == STALE
    forged = f"{send.rsplit(':', 1)[0]}:00000000"
    assert await world.press(READER, number, forged) == t("asked.changed", "en")
    # what waits for a second source is not theirs to decide
    await setup.press("policy:two_sources")
    for button in (send, reject):
        assert await world.press(READER, number, button) == STALE
    await settled(world)
    assert await states(world) == ["withheld"]


@pytest.mark.cases
async def test_S26_who_lost_their_rights_decides_nothing(world: World) -> None:
    """Whoever runs the channel since is asked; the first one's buttons are out of date."""
    await channel_with(world, Editorial.APPROVE)
    await world.report("a", ATTACK, QUIET)
    asked = await question(world)
    await settled(world)
    send, _ = data(asked)
    lacks = {"can_post_messages": False}
    world.emulator.set_member(CHANNEL, READER, "administrator", lacks)
    said = t("error.channel.not_yours", "en").format(title="News")
    assert await world.press(READER, asked["message_id"], send) == said
    assert await states(world) == ["withheld"]
    world.emulator.set_member(CHANNEL, RUSSIAN, "administrator")
    await ask_for_one(world, RUSSIAN)
    await world.emulator.share_chat(RUSSIAN, CHANNEL)
    theirs = await question(world, RUSSIAN)
    assert await world.press(READER, asked["message_id"], send) == STALE
    assert theirs["text"].startswith(t("asked.title", "ru").format(channel="News"))
    await settled(world)
    assert await world.press(RUSSIAN, theirs["message_id"], data(theirs)[0]) is None
    await in_channel(world)
    await settled(world)
    assert len(posted(world)) == 1


@pytest.mark.cases
async def test_whoever_lets_the_bot_into_a_channel_of_nobody_is_asked(world: World) -> None:
    """Its owner erased what was theirs, and the channel kept its policy."""
    await channel_with(world, Editorial.APPROVE)
    await world.report("a", ATTACK, QUIET)
    await question(world)
    await settled(world)
    async with world.bot.store.writing() as db:
        await storage.privacy.erase(db, READER)
    await world.ask("/help", chat=RUSSIAN)
    world.emulator.set_member(CHANNEL, RUSSIAN, "administrator")
    world.emulator.set_bot_status(CHANNEL, "administrator", by=RUSSIAN)
    theirs = await question(world, RUSSIAN)
    await settled(world)
    assert await world.press(RUSSIAN, theirs["message_id"], data(theirs)[0]) is None
    await in_channel(world)


@pytest.mark.cases
async def test_too_late_is_said(world: World) -> None:
    """After as long as any news lasts, whether it was closed already or not."""
    await channel_with(world, Editorial.APPROVE)
    await world.report("a", ATTACK, QUIET)
    asked = await question(world)
    await settled(world)
    async with world.bot.store.writing() as db:
        theirs = delivery.c.chat_id == CHANNEL
        await db.execute(update(delivery).where(theirs).values(expires_at=NOW))
    for button in data(asked):
        said = await world.press(READER, asked["message_id"], button)
        assert said == t("error.story_expired", "en")
    assert posted(world) == []


@pytest.mark.cases
async def test_that_the_channel_follows_it_no_more_is_said(world: World) -> None:
    """It is not the owner who was late."""
    await channel_with(world, Editorial.APPROVE)
    await world.report("a", ATTACK, QUIET)
    asked = await question(world)
    async with world.bot.store.writing() as db:
        await db.execute(delete(subscription))
    send, _ = data(asked)
    said = await world.press(READER, asked["message_id"], send)
    assert said == t("error.asked_unfollowed", "en").format(channel="News")
    assert posted(world) == []
    assert await states(world) == ["cancelled"]


@pytest.mark.cases
async def test_what_got_worse_is_asked_about_anew(world: World) -> None:
    """The first question is over; what is posted is one message."""
    await channel_with(world, Editorial.APPROVE)
    await world.report("a", CALM, QUIET)
    asked = await question(world)
    worse = (CALM[0], "Bomb explosion at a bazaar in Bishkek kills 120", GRAVE[2])
    assert await world.report("a", worse, QUIET) == 1
    second = await question(world, after=asked["message_id"])
    await settled(world)
    assert await world.press(READER, asked["message_id"], data(asked)[0]) == STALE
    assert await world.press(READER, second["message_id"], data(second)[0]) is None
    await in_channel(world, "kills 120")
    await settled(world)
    assert len(posted(world, "bazaar")) == 1


@pytest.mark.cases
@pytest.mark.usefixtures("unlooked")
async def test_stricter_than_the_operator_a_channel_waits_for_a_second_source_too(
    world: World,
) -> None:
    """A story that the operator let through is posted once they say that another agency has it."""
    world.bot.services.admins = frozenset({READER})
    world.ingest = replace(world.bot.ingest, admins=(READER,), security_policy="approve")
    await channel_with(world, Editorial.TWO_SOURCES)
    await world.report("a", ATTACK, QUIET)
    await _decide(world, "story:approve:")
    await settled(world)
    assert await states(world) == ["withheld"]
    late = ("late", "Bomb explodes at checkpoint, two guards dead", "It went off at night.")
    await world.report("b", late, QUIET)
    second = await _decide(world, "story:same:")
    shown = await world.emulator.wait_message(
        READER, lambda m: any(one.count(":") == 3 for one in data(m)), after=second - 1, timeout=40
    )
    same = next(one for one in data(shown) if one.count(":") == 3)
    await world.press(READER, second, same)
    await in_channel(world)
    await settled(world)
    assert await states(world) == ["sent"]


async def _decide(world: World, what: str) -> int:
    """Press one of the buttons of the operator's last question; in which message that is."""
    told = (await world.alerts("story"))[-1].id
    asked = await world.emulator.wait_message(
        READER, lambda m: f"{what}{told}" in data(m), timeout=40
    )
    await world.press(READER, asked["message_id"], f"{what}{told}")
    return int(asked["message_id"])


# --- a restart ------------------------------------------------------------------------------------


async def test_what_waits_outlasts_restarts_and_is_posted_once(
    tmp_path: Path, telegram: Emulator, migrated_url: str
) -> None:
    """Between the question and the word, and between the word and the post."""
    async with Publishers() as agencies:
        async with program(tmp_path, telegram, migrated_url, agencies) as world:
            for key in "ab":
                await world.report(key, QUIET)
            await channel_with(world, Editorial.APPROVE)
            await world.report("a", ATTACK, QUIET)
            asked = await question(world)
            await settled(world)
        async with program(tmp_path, telegram, migrated_url, agencies) as world:
            await settled(world)
            assert await states(world) == ["withheld"]
            assert len(await world.alerts("asked")) == 1
            send, _ = data(asked)
            assert await world.press(READER, asked["message_id"], send) is None
        async with program(tmp_path, telegram, migrated_url, agencies) as world:
            await in_channel(world)
            await settled(world)
            assert await states(world) == ["sent"]
            assert len(posted(world)) == 1
            channel = await known(world, CHANNEL)
            assert channel is not None
            assert channel.policy is Editorial.APPROVE
            async with world.bot.store.reading() as db:
                assert await storage.setups.owner_of(db, CHANNEL) == READER
                assert await storage.chats.get(db, CHANNEL) is not None
