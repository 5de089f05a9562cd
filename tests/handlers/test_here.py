"""Forum topics of a group: /here chooses what comes where, /settings shows it and takes it back;
what is closed or gone falls back to General, and the group hears of it once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import storage.alerts
import storage.chats
import storage.privacy
from bot.alerts.feeds import FeedBrought
from bot.alerts.moves import RateMoved
from bot.i18n import t
from bot.languages import LANGUAGES
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Chat, Post
from bot.render.here import message_address
from tests.handlers.conftest import GROUP, READER, STRANGER, World
from tests.handlers.test_quiet_hours import MOVED, data

FORUM = -1002000000077
RATES, NEWS = 7, 9


@pytest.fixture
def forum(patient: World) -> World:
    """A group with two topics, which one administers and another is a member of."""
    telegram = patient.emulator
    telegram.add_group(FORUM, "Forum", members=[STRANGER], admins=[READER], is_forum=True)
    telegram.add_topic(FORUM, RATES, "Rates")
    telegram.add_topic(FORUM, NEWS, "News")
    return patient


async def write(
    world: World, text: str, thread: int | None = None, *, chat: int = FORUM, user: int = READER
) -> dict[str, Any]:
    """The answer to what is written in a topic."""
    asked = await world.emulator.send_text(chat, text, user_id=user, thread_id=thread)
    return await world.emulator.wait_message(chat, by_us(world), after=asked, timeout=60)


def by_us(world: World) -> Any:
    """Whether a message is the bot's."""
    return lambda one: one.get("from", {}).get("id") == world.emulator.bot.id


async def press(
    world: World, message: dict[str, Any], what: str, *, user: int = READER
) -> dict[str, Any]:
    """The answer to a press."""
    answer = await world.emulator.press(
        FORUM, message["message_id"], what, user_id=user, timeout=60
    )
    return dict(answer)


def shown_now(world: World, message: dict[str, Any]) -> dict[str, Any]:
    """A message of the group's as it is now."""
    return dict(world.emulator.world.chat(FORUM).messages[message["message_id"]])


async def known(world: World) -> Chat:
    """The group as it is stored."""
    async with world.bot.store.reading() as db:
        found = await storage.chats.get(db, FORUM)
    assert found is not None
    return found


async def decided(world: World, payload: Payload, key: str) -> int:
    """Something to tell the group, on its way."""
    now = world.bot.clock()
    async with world.bot.store.writing() as db:
        made = Alert(
            dedup_key=key,
            payload=payload,
            severity=Severity.NOTABLE,
            lane=Lane.ALERT,
            audience=Audience(chat=FORUM),
            created_at=now,
            expires_at=now + timedelta(hours=12),
        )
        number = await storage.alerts.enqueue(db, made)
    world.bot.worker.wake()
    assert number is not None
    return number


def brought(title: str) -> FeedBrought:
    """News of a feed that the group added."""
    return FeedBrought(feed="1", name="Mine", title=title, text="")


async def arrived(world: World, words: str) -> dict[str, Any]:
    """The message in which something is told."""
    return await world.emulator.wait_message(FORUM, lambda one: words in one.get("text", ""))


# --- choosing -------------------------------------------------------------------------------------


async def test_here_in_a_topic_brings_kinds_of_post_there(forum: World) -> None:
    """A tap brings, a second one sends back; the answer stands in the topic itself."""
    asked = await write(forum, "/here", RATES)
    assert asked["message_thread_id"] == RATES
    every = [f"here:{RATES}:{post.value}" for post in Post]
    assert data(asked) == [*every, f"here:{RATES}:all"]

    await press(forum, asked, f"here:{RATES}:rates")
    await press(forum, asked, f"here:{RATES}:rules")
    assert (await known(forum)).threads == {Post.RATES: RATES, Post.RULES: RATES}
    other = await write(forum, "/here", NEWS)
    await press(forum, other, f"here:{NEWS}:rules")
    assert (await known(forum)).threads == {Post.RATES: RATES, Post.RULES: NEWS}
    await press(forum, other, f"here:{NEWS}:rules")
    assert (await known(forum)).threads == {Post.RATES: RATES}

    await press(forum, other, f"here:{NEWS}:all")
    assert (await known(forum)).threads == dict.fromkeys(Post, NEWS)
    general = await write(forum, "/here")
    await press(forum, general, "here:0:digests")
    assert Post.DIGESTS not in (await known(forum)).threads
    await press(forum, general, "here:0:all")
    assert (await known(forum)).threads == {}


async def test_the_settings_show_where_posts_go_and_take_it_back(forum: World) -> None:
    asked = await write(forum, "/here", RATES)
    await press(forum, asked, f"here:{RATES}:rates")
    shown = await write(forum, "/settings")
    links = [one["url"] for one in shown["entities"] if one["type"] == "text_link"]
    assert links == [message_address(FORUM, RATES)] == ["https://t.me/c/2000000077/7"]
    await press(forum, shown, "set:here")
    opened = shown_now(forum, shown)
    assert data(opened) == ["unhere:rates", "set:back"]
    await press(forum, shown, "unhere:rates")
    assert (await known(forum)).threads == {}
    assert data(shown_now(forum, shown)) == ["set:back"]


async def test_S11_made_up_taps_choose_nothing(forum: World) -> None:
    asked = await write(forum, "/here", RATES)
    for made_up in ("here:7:nothing", "here:x:rates", "here:-1:rates", "here:99999999999:rates"):
        answer = await press(forum, asked, made_up)
        assert answer["text"] == t("error.stale", "en"), made_up
    answer = await press(forum, asked, "unhere:all-of-it")
    assert answer["text"] == t("error.stale", "en")
    assert (await known(forum)).threads == {}


async def test_S10_members_choose_nothing(forum: World) -> None:
    refused = await write(forum, "/here", RATES, user=STRANGER)
    assert refused["text"] == t("error.admins_only", (await known(forum)).language)
    asked = await write(forum, "/here", RATES)
    answer = await press(forum, asked, f"here:{RATES}:rates", user=STRANGER)
    assert answer["show_alert"]
    assert (await known(forum)).threads == {}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_where_there_are_no_topics_here_says_so(forum: World, language: str) -> None:
    """Also in a reply, which has a thread of its own there; and in a private chat."""
    for place in (GROUP, READER):
        await write(forum, "/settings", chat=place)
        async with forum.bot.store.writing() as db:
            await storage.chats.change(db, place, language=language)
        forum.bot.services.chats.pop(place, None)
        said = await write(forum, "/here", chat=place)
        assert said["text"] == t("error.no_topics", language)


# --- where it goes --------------------------------------------------------------------------------


async def test_each_kind_of_post_goes_to_its_topic(forum: World) -> None:
    """Posts of a kind without one go to General."""
    asked = await write(forum, "/here", RATES)
    await press(forum, asked, f"here:{RATES}:rates")
    await decided(forum, RateMoved(moved=MOVED), "moved")
    await decided(forum, brought("Tulips"), "tulips")
    assert (await arrived(forum, "86.4"))["message_thread_id"] == RATES
    assert "message_thread_id" not in await arrived(forum, "Tulips")


@pytest.mark.parametrize("ends", [pytest.param("closed", marks=pytest.mark.slow), "deleted"])
async def test_G9_what_a_topic_no_longer_takes_comes_to_general_and_the_group_hears_once(
    forum: World, ends: str
) -> None:
    """Whatever was on its way, tried once more in its topic; the kinds that had another keep it."""
    asked = await write(forum, "/here", RATES)
    await press(forum, asked, f"here:{RATES}:feeds")
    await press(forum, asked, f"here:{RATES}:rates")
    other = await write(forum, "/here", NEWS)
    await press(forum, other, f"here:{NEWS}:digests")
    if ends == "closed":
        forum.emulator.close_topic(FORUM, RATES)
    else:
        forum.emulator.delete_topic(FORUM, RATES)
    await decided(forum, brought("Tulips"), "tulips")
    await decided(forum, brought("Poppies"), "poppies")
    for words in ("Tulips", "Poppies"):
        assert "message_thread_id" not in await arrived(forum, words)
    language = (await known(forum)).language
    told = await arrived(forum, t("notice.thread_gone", language).split("{posts}")[1])
    assert "message_thread_id" not in told
    for post in ("rates", "feeds"):
        assert t(f"post.{post}", language) in told["text"]
    assert (await known(forum)).threads == {Post.DIGESTS: NEWS}
    await decided(forum, brought("Roses"), "roses")
    await arrived(forum, "Roses")
    said = [one for one in forum.emulator.messages(FORUM) if one.get("text") == told["text"]]
    assert len(said) == 1


# --- what is stored -------------------------------------------------------------------------------


async def test_S21_the_topics_are_given_out_and_erased_with_the_group(forum: World) -> None:
    asked = await write(forum, "/here", RATES)
    await press(forum, asked, f"here:{RATES}:rates")
    async with forum.bot.store.reading() as db:
        given = (await storage.privacy.export(db, FORUM)).tables
    assert [one["threads"] for one in given["chat"]] == ["rates=7"]
    erasing = await write(forum, "/delete")
    await press(forum, erasing, "delete:yes")
    async with forum.bot.store.reading() as db:
        found = await storage.chats.get(db, FORUM)
    assert found is None or not found.threads


# --- who writes as the group ----------------------------------------------------------------------


async def test_S10_who_writes_as_the_group_is_obeyed_after_an_administrator_allowed_it(
    forum: World,
) -> None:
    """They may look all the same; a member allows nothing."""

    async def write_as_the_group(text: str) -> dict[str, Any]:
        asked = await forum.emulator.send_text(FORUM, text, user_id=READER, anonymous=True)
        return await forum.emulator.wait_message(FORUM, by_us(forum), after=asked, timeout=60)

    shown = await write_as_the_group("/settings")
    language = (await known(forum)).language
    assert "anon:on" in data(shown)
    refused = t("error.anonymous", language)
    assert (await write_as_the_group("/here"))["text"] == refused
    answer = await press(forum, shown, "anon:on", user=STRANGER)
    assert answer["show_alert"]
    assert (await write_as_the_group("/here"))["text"] == refused

    await press(forum, shown, "anon:on")
    assert (await write_as_the_group("/here"))["text"] != refused
    await press(forum, shown, "anon:off")
    assert (await write_as_the_group("/here"))["text"] == refused
