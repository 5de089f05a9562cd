"""A channel is added from the chat, and set up in private by whoever added it: who may, what each
tap changes, and what is said where that is over.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

import storage.chats
import storage.setups
from bot.alerts.notices import lost
from bot.emulator.faults import Fault
from bot.i18n import t
from bot.model.chats import ChatKind, Post, Sound, Style
from bot.render.channels import RIGHTS
from bot.sources.catalog import parse_catalog
from bot.telegram.outcomes import KICKED
from tests.factories import chat
from tests.handlers.conftest import CATALOG, GROUP, NOW, READER, RUSSIAN, STRANGER, World, no_time
from tests.handlers.test_membership import CHANNEL, DEFAULTS, follows, known

LANGUAGES = {READER: "en", RUSSIAN: "ru", STRANGER: "ky"}


@dataclass
class SetUp:
    """A channel's set-up in somebody's private chat."""

    world: World
    who: int
    number: int
    message: int

    async def press(self, what: str) -> str:
        """Tap one of its buttons; what that was answered with."""
        data = f"chan:{self.number}:{what}"
        answer = await self.world.emulator.press(
            self.who, self.message, data, user_id=self.who, timeout=40
        )
        return str(answer.get("text") or "")

    @property
    def shown(self) -> dict[str, Any]:
        """The message as it stands."""
        return self.world.emulator.world.chat(self.who).messages[self.message]


async def ask_for_one(world: World, who: int = READER) -> int:
    """/channel; the number of the message that asks."""
    said = await world.ask("/channel", chat=who, fits=t("channel.ask", LANGUAGES[who]))
    return int(said["message_id"])


async def set_up(world: World, who: int = READER) -> SetUp:
    """A channel that somebody owns, added by them; its set-up."""
    world.emulator.add_channel(CHANNEL, "News", owner=who, bot_status="left")
    asked = await ask_for_one(world, who)
    await world.emulator.share_chat(who, CHANNEL)
    found = await world.emulator.wait_message(
        who,
        lambda m: any(":preview" in one for one in data(m)),
        after=asked,
        timeout=40,
    )
    while True:  # the message is written down after it was sent
        async with world.bot.store.reading() as db:
            (setup,) = await storage.setups.of_owner(db, who)
        if setup.message is not None:
            break
        await asyncio.sleep(0.01)
    return SetUp(world, who, setup.id, int(found["message_id"]))


def data(message: dict[str, Any]) -> list[str]:
    """The data of the buttons under a message."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [one.get("callback_data", "") for row in rows for one in row]


# --- adding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", LANGUAGES)
async def test_a_channel_is_added_by_a_key_and_set_up_in_private(scene: World, who: int) -> None:
    """In the language, and the zone, of who added it; it follows what every channel begins with.
    The set-up is all that is said of it, though Telegram tells of the key and of the bot's place.
    """
    setup = await set_up(scene, who)
    assert setup.shown["text"].startswith("News\n")
    channel = await known(scene, CHANNEL)
    await scene.done()
    said = [one for one in scene.emulator.messages(who) if "News" in one.get("text", "")]
    assert len(said) == 1
    assert channel is not None
    assert (channel.kind, channel.language, channel.active) == (
        ChatKind.CHANNEL,
        LANGUAGES[who],
        True,
    )
    assert await follows(scene, CHANNEL) == DEFAULTS


async def test_the_key_asks_for_a_channel_and_for_the_rights_to_post_and_to_pin(
    scene: World,
) -> None:
    """Those that its user has: a bot gets no other."""
    await ask_for_one(scene)
    keyboard = scene.emulator.world.chat(READER).keyboard
    assert keyboard is not None
    request = keyboard["keyboard"][0][0]["request_chat"]
    assert request["chat_is_channel"] is True
    assert request["bot_administrator_rights"] == request["user_administrator_rights"] == RIGHTS
    menu = await scene.ask("/settings")
    assert "set:channels" in data(menu)
    await scene.press(READER, menu["message_id"], "set:channels")
    await scene.tells(READER, t("channel.ask", "en"))
    assert "set:channels" not in data(await scene.ask("/settings", chat=GROUP))


async def test_S26_a_channel_is_not_set_up_by_who_may_not_post_in_it(scene: World) -> None:
    """By a member, by an administrator without that right, by one who was one when the key came."""
    scene.emulator.add_channel(CHANNEL, "News", owner=STRANGER)
    scene.emulator.set_member(CHANNEL, READER, "administrator")
    for status, rights in (
        ("administrator", {"can_post_messages": False}),
        ("member", None),
        ("left", None),
    ):
        await ask_for_one(scene)
        scene.emulator.set_member(CHANNEL, READER, status, rights)
        message = {"request_id": 1, "chat_id": CHANNEL, "title": "News"}
        number = scene.emulator._say(READER, {"chat_shared": message}, READER)
        said = await scene.emulator.wait_message(
            READER, lambda m: m["from"]["is_bot"], after=number, timeout=40
        )
        assert said["text"] == t("error.channel.not_yours", "en").format(title="News"), status
    assert await known(scene, CHANNEL) is None


@pytest.mark.parametrize(
    ("status", "rights", "words"),
    [
        ("left", None, "error.channel.no_bot"),
        ("kicked", None, "error.channel.no_bot"),
        ("member", None, "error.channel.no_bot"),
        ("administrator", {"can_post_messages": False}, "error.channel.no_right"),
    ],
)
async def test_S26_where_the_bot_may_not_post_one_short_answer_says_so_and_nothing_is_stored(
    scene: World, status: str, rights: dict[str, bool] | None, words: str
) -> None:
    """As where its user may give it no rights."""
    scene.emulator.add_channel(CHANNEL, "News", owner=STRANGER, bot_status=status, rights=rights)
    scene.emulator.set_member(CHANNEL, READER, "administrator", {"can_promote_members": False})
    await ask_for_one(scene)
    asked = await scene.emulator.share_chat(READER, CHANNEL)
    said = await scene.emulator.wait_message(
        READER, lambda m: m["from"]["is_bot"], after=asked, timeout=40
    )
    assert said["text"] == t(words, "en").format(title="News")
    assert await known(scene, CHANNEL) is None


async def test_a_channel_of_the_catalog_is_set_up_there(scene: World) -> None:
    """It would be what that says again, at the next start."""
    scene.bot.services.catalog = parse_catalog(CATALOG + '[channels."@news"]\ndigest = ["09:00"]\n')
    scene.emulator.add_channel(CHANNEL, "News", "news", owner=READER)
    await ask_for_one(scene)
    asked = await scene.emulator.share_chat(READER, CHANNEL)
    said = await scene.emulator.wait_message(
        READER, lambda m: m["from"]["is_bot"], after=asked, timeout=40
    )
    assert said["text"] == t("error.channel.catalog", "en").format(title="News")


async def test_S26_without_telegrams_word_nothing_is_said_of_rights(scene: World) -> None:
    """And nothing stored; a group, or another key's answer, is no channel."""
    scene.bot.services.rest = no_time
    scene.emulator.add_channel(CHANNEL, "News", owner=READER)
    await ask_for_one(scene)
    scene.emulator.faults.add(Fault(kind="error", method="getChat", code=502))
    asked = await scene.emulator.share_chat(READER, CHANNEL)
    said = await scene.emulator.wait_message(
        READER, lambda m: m["from"]["is_bot"], after=asked, timeout=60
    )
    assert said["text"] == t("error.unexpected", "en")
    scene.emulator.faults.clear()
    for message in ({"request_id": 1, "chat_id": GROUP}, {"request_id": 9, "chat_id": CHANNEL}):
        asked = scene.emulator._say(READER, {"chat_shared": message}, READER)
        said = await scene.emulator.wait_message(
            READER, lambda m: m["from"]["is_bot"], after=asked, timeout=40
        )
        assert said["text"] == t("error.stale", "en")
    assert await known(scene, CHANNEL) is None


async def test_G19_of_a_group_that_moved_nobody_else_moves(scene: World) -> None:
    """Chosen by a client that does as it likes it is no channel; its chooser stays who they are."""
    await ask_for_one(scene)
    reader = await known(scene, READER)
    scene.emulator.faults.add(Fault.migrated(GROUP, chat_id=-2001))
    chosen = {"request_id": 1, "chat_id": -2001}
    asked = scene.emulator._say(READER, {"chat_shared": chosen}, READER)
    said = await scene.emulator.wait_message(
        READER, lambda m: m["from"]["is_bot"], after=asked, timeout=40
    )
    assert said["text"] == t("error.stale", "en")
    assert await known(scene, READER) == reader
    assert await known(scene, GROUP) is None


# --- the set-up -----------------------------------------------------------------------------------


async def test_each_tap_changes_the_channel_and_shows_it_in_place(scene: World) -> None:
    """Language, zone, length, topics, currencies, hours of digests and their zone, sound."""
    setup = await set_up(scene)
    for page in ("language", "zone", "style", "topics", "digest", "sounds", "open"):
        assert await setup.press(page) == ""
        assert f"chan:{setup.number}:open" in data(setup.shown) or page == "open"
    for change in (
        "lang:ky",
        "style:headline",
        "cur:EUR",
        "cur:EUR",
        "top:economy",
        "hour:0900",
        "hour:1800",
        "hour:0700",
        "hour:0700",
        "zone:Europe/Moscow",
        "sound:stories",
    ):
        assert await setup.press(change) == t("settings.saved", "en"), change
    channel = await known(scene, CHANNEL)
    assert channel is not None
    assert (channel.language, channel.style, channel.time_zone) == (
        "ky",
        Style.HEADLINE,
        "Europe/Moscow",
    )
    assert channel.sounds == {Post.STORIES: Sound.SILENT}
    assert await follows(scene, CHANNEL) == (DEFAULTS - {"pair:EUR/KGS"}) | {
        "pair:EUR/KGS",
        "topic:economy",
        "digest:09:00@Europe/Moscow",
        "digest:18:00@Europe/Moscow",
    }
    await setup.press("open")
    assert "09:00, 18:00" in setup.shown["text"]
    reader = await known(scene, READER)
    assert reader is not None
    assert (reader.language, reader.style) == ("en", Style.BRIEF)


async def test_the_preview_is_the_channels_next_digest_in_its_own_language(scene: World) -> None:
    """And goes to nobody else."""
    setup = await set_up(scene)
    await setup.press("lang:ru")
    await setup.press("preview")
    shown = await scene.tells(READER, "USD 84,79")
    assert "Национальный банк" in shown["text"]
    assert scene.emulator.messages(CHANNEL) == []


async def test_a_channel_is_removed_after_asking(scene: World) -> None:
    """The bot leaves it and forgets it."""
    setup = await set_up(scene)
    await setup.press("remove")
    assert "News" in setup.shown["text"]
    await setup.press("remove:yes")
    assert setup.shown["text"] == t("channel.removed", "en").format(title="News")
    assert scene.emulator.world.chat(CHANNEL).bot.status == "left"
    assert await follows(scene, CHANNEL) == set()
    async with scene.bot.store.reading() as db:
        assert await storage.setups.of_owner(db, READER) == []


async def test_S11_S26_buttons_are_bound_to_their_owner_their_channel_and_their_message(
    scene: World,
) -> None:
    """Another's press, an older message, a forged number or word: out of date, nothing changed."""
    setup = await set_up(scene)
    stale = t("error.stale", "en")
    older = await scene.ask("/help")
    for change in ("lang:ru", "top:economy", "remove:yes", "sounds"):
        told = SetUp(scene, READER, setup.number, older["message_id"])
        assert await told.press(change) == stale
        forged = SetUp(scene, STRANGER, setup.number, setup.message)
        assert await forged.press(change) == t("error.stale", "ky")
        assert await SetUp(scene, READER, setup.number + 1, setup.message).press(change) == stale
    for change in (
        "lang:xx", "zone:Mars", "style:loud", "cur:KGS", "top:x", "hour:25", "hour:2500",
        "hour:٠٨٠٠", "sound:feeds", "remove:no", "x:y", "x", "",
    ):  # fmt: skip
        assert await setup.press(change) == stale, change
    channel = await known(scene, CHANNEL)
    assert channel is not None
    assert channel.language == "en"
    assert await follows(scene, CHANNEL) == DEFAULTS
    # the list opens the set-up in another message, and the first one is out of date then
    await scene.ask("/channel", fits=t("channel.mine", "en"))
    shown = scene.emulator.messages(READER)[-1]["message_id"]
    newer = SetUp(scene, READER, setup.number, shown)
    assert await newer.press("open") == ""
    assert await newer.press("lang:ru") == t("settings.saved", "en")
    assert await setup.press("lang:en") == stale


async def test_S26_rights_are_looked_at_again_at_each_tap(scene: World) -> None:
    """Who may not post any more is told so; a channel that is gone, or that the bot is not in, is
    one clear word, and so is one where Telegram is away.
    """
    setup = await set_up(scene)
    scene.emulator.set_member(CHANNEL, READER, "administrator", {"can_post_messages": False})
    said = t("error.channel.not_yours", "en").format(title="News")
    assert await setup.press("lang:ru") == said
    scene.emulator.set_member(CHANNEL, READER, "creator")
    scene.emulator.set_bot_status(CHANNEL, "kicked", by=STRANGER)
    said = t("error.channel.gone", "en").format(title="News")
    assert await setup.press("lang:ru") == said
    del scene.emulator.world.chats[CHANNEL]
    assert await setup.press("open") == said
    async with scene.bot.store.reading() as db:
        channel = await storage.chats.get(db, CHANNEL)
    assert channel is not None
    assert channel.language == "en"


async def test_S26_in_a_group_nothing_is_set_up(scene: World) -> None:
    """Not even shown."""
    scene.emulator.add_channel(CHANNEL, "News", owner=READER)
    asked = await scene.emulator.send_text(GROUP, "/channel", user_id=READER)
    said = await scene.emulator.wait_message(
        GROUP, lambda m: m["from"]["is_bot"], after=asked, timeout=40
    )
    assert said["text"] == t("error.private_only", "en")


# --- lost rights ----------------------------------------------------------------------------------


async def test_G9_lost_rights_are_told_once_in_private_to_who_set_the_channel_up(
    scene: World,
) -> None:
    """Whoever took them; not again before they were given back and lost once more."""
    await set_up(scene)
    scene.emulator.set_bot_status(
        CHANNEL, "administrator", by=STRANGER, rights={"can_post_messages": False}
    )
    await scene.tells(READER, t("notice.channel_lost", "en").split("{")[0])
    scene.emulator.set_bot_status(CHANNEL, "member", by=STRANGER)
    scene.emulator.set_bot_status(CHANNEL, "kicked", by=STRANGER)
    await known(scene, CHANNEL)
    async with scene.bot.store.writing() as db:
        await lost(db, CHANNEL, KICKED.why, now=NOW)
        assert await storage.setups.to_be_told(db, CHANNEL) is None
    told = [one for one in await scene.notices() if one[0] == "notice.channel_lost"]
    assert told == [("notice.channel_lost", {"chat": str(CHANNEL), "why": "no right to write"})]
    scene.emulator.set_bot_status(CHANNEL, "administrator", by=STRANGER)
    await known(scene, CHANNEL)
    async with scene.bot.store.writing() as db:
        assert await storage.setups.to_be_told(db, CHANNEL) == READER


async def test_G9_who_takes_the_rights_away_is_not_told_that_they_are_gone(scene: World) -> None:
    """They know; made its administrator without the right to post, the bot says just that."""
    await set_up(scene)
    scene.emulator.set_bot_status(CHANNEL, "left", by=READER)
    await known(scene, CHANNEL)
    assert [one for one in await scene.notices() if one[0] == "notice.channel_lost"] == []
    scene.emulator.set_bot_status(
        CHANNEL, "administrator", by=READER, rights={"can_post_messages": False}
    )
    await scene.tells(READER, t("channel.no_right", "en").split("{title}")[1])
    welcome = t("channel.welcome", "en").split("{")[0]
    said = [m.get("text", "") for m in scene.emulator.messages(READER)]
    assert not any(text.startswith(welcome) for text in said)


async def test_the_welcome_leads_to_the_set_up(scene: World) -> None:
    """Of whoever added the bot by the channel's own settings."""
    scene.emulator.add_channel(CHANNEL, "News", owner=READER, bot_status="left")
    await scene.ask("/help")
    scene.emulator.set_bot_status(CHANNEL, "administrator", by=READER)
    welcome = await scene.tells(READER, t("channel.welcome", "en").split("{")[0])
    (to,) = data(welcome)
    await scene.press(READER, welcome["message_id"], to)
    shown = scene.emulator.world.chat(READER).messages[welcome["message_id"]]
    assert f"{to.removesuffix('open')}topics" in data(shown)


async def test_a_channel_that_has_chosen_is_told_what_it_posts_and_not_what_others_begin_with(
    scene: World,
) -> None:
    """Let in once more, by whomever; another right alone is no news."""
    setup = await set_up(scene)
    for what in ("cur:USD", "cur:EUR", "top:security"):
        await setup.press(what)
    scene.emulator.set_bot_status(CHANNEL, "left", by=READER)
    await known(scene, CHANNEL)
    scene.emulator.set_bot_status(CHANNEL, "administrator", by=READER)
    thanks = t("channel.may_post", "en").format(title="News")
    told = await scene.tells(READER, f"{thanks}\n{t('channel.follows', 'en').format(what='RUB')}")
    assert data(told) == [f"chan:{setup.number}:open"]
    before = len(scene.emulator.messages(READER))
    rights = {"can_post_messages": True, "can_edit_messages": True}
    scene.emulator.set_bot_status(CHANNEL, "administrator", by=READER, rights=rights)
    await known(scene, CHANNEL)
    assert len(scene.emulator.messages(READER)) == before + 2, "the question and its answer"


async def test_a_channel_of_the_catalog_is_given_nothing_and_is_nobodys(scene: World) -> None:
    """Whoever lets the bot in is told who sets it up."""
    scene.bot.services.catalog = parse_catalog(CATALOG + '[channels."@news"]\ndigest = ["09:00"]\n')
    scene.emulator.add_channel(CHANNEL, "News", "news", owner=READER, bot_status="left")
    await scene.ask("/help")
    scene.emulator.set_bot_status(CHANNEL, "administrator", by=READER)
    told = await scene.tells(READER, t("error.channel.catalog", "en").format(title="News"))
    assert told["text"].startswith(t("channel.may_post", "en").format(title="News"))
    assert data(told) == []
    assert await known(scene, CHANNEL) is not None
    assert await follows(scene, CHANNEL) == set()
    async with scene.bot.store.reading() as db:
        assert await storage.setups.owner_of(db, CHANNEL) is None


async def test_a_channel_that_others_set_up_goes_on_with_who_chose_it_last(scene: World) -> None:
    """Another of its administrators may set it up too; then it is theirs."""
    setup = await set_up(scene)
    scene.emulator.set_member(CHANNEL, RUSSIAN, "administrator")
    await ask_for_one(scene, RUSSIAN)
    await scene.emulator.share_chat(RUSSIAN, CHANNEL)
    await scene.emulator.wait_message(
        RUSSIAN, lambda m: any(":preview" in one for one in data(m)), timeout=40
    )
    assert await setup.press("lang:ru") == t("error.stale", "en")
    async with scene.bot.store.writing() as db:
        assert await storage.setups.owner_of(db, CHANNEL) == RUSSIAN
        await storage.chats.add(db, chat(CHANNEL), now=NOW)
        await storage.setups.adopt(db, CHANNEL, READER)
        assert await storage.setups.owner_of(db, CHANNEL) == RUSSIAN
