"""The hours of a chat's digests: several, written or tapped, and found from the digest itself."""

from __future__ import annotations

import pytest

import storage.chats
from bot.i18n import t
from bot.model.subjects import MOST_DIGESTS
from tests.handlers.conftest import READER, RUSSIAN, STRANGER, World
from tests.handlers.test_channels import CHANNEL, set_up
from tests.handlers.test_tables import now

READERS = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}


async def hours(world: World, chat: int) -> list[str]:
    """The hours at which digests come to a chat, as they are stored."""
    async with world.bot.store.reading() as db:
        keys = await storage.chats.subscriptions(db, chat)
    return [key.removeprefix("digest:").partition("@")[0] for key in keys if "digest:" in key]


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("8:30 20:00", "8.30, 20", "0830 and 8 pm", "at 8:30 and 20:00 every day")),
        ("ru", ("8:30 20:00", "08:30 и 20:00", "в 8:30 и в 8 вечера", "20, 8:30 каждый день")),
        ("ky", ("8:30 20:00", "8:30 жана 20:00", "таңкы 8:30, кечки 8", "күн сайын 8:30, 20")),
    ],
)
async def test_several_hours_of_digests_are_read_as_they_are_written(
    scene: World, language: str, words: tuple[str, ...]
) -> None:
    """Bare hours too, as /quiet reads them; what is kept is said."""
    chat = READERS[language]
    for written in words:
        await scene.ask("/digest off", chat=chat)
        said = (await scene.ask(f"/digest {written}", chat=chat, fits="20:00"))["text"]
        assert "08:30, 20:00" in said, written
        assert await hours(scene, chat) == ["08:30", "20:00"], written


@pytest.mark.parametrize("language", READERS)
async def test_an_hour_that_is_replaced_is_named_with_what_keeps_both(
    scene: World, language: str
) -> None:
    """And that works as it stands."""
    chat = READERS[language]
    await scene.ask("/digest 8:30", chat=chat, fits="08:30")
    answer = await scene.ask("/digest 20:00", chat=chat, fits="20:00")
    both = "/digest 08:30 20:00"
    assert both in answer["text"]
    assert await hours(scene, chat) == ["20:00"]
    await scene.ask(both, chat=chat, fits="08:30")
    assert await hours(scene, chat) == ["08:30", "20:00"]


@pytest.mark.parametrize("language", READERS)
async def test_a_chat_that_is_stopped_is_promised_nothing(scene: World, language: str) -> None:
    """What it asks for is kept, and what wakes it is said."""
    chat = READERS[language]
    await scene.ask("/stop", chat=chat, fits="/start")
    kept = (await scene.ask("/digest 9", chat=chat, fits="09:00"))["text"]
    assert kept.endswith(t("rule.saved_asleep", language)), kept
    menu = (await scene.ask("/subscribe", chat=chat))["message_id"]
    await scene.press(chat, menu, "cur:USD")
    await scene.press(chat, menu, "done")
    done = now(scene, chat, menu)["text"]
    assert done.endswith(t("rule.saved_asleep", language)), done


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize("words", ["8:30-20:00", "25:00", "8:77", "soon", "8 usd", "9" * 70])
async def test_what_is_no_list_of_hours_is_answered_with_one(scene: World, words: str) -> None:
    """In quotation marks, and nothing is kept of it."""
    said = (await scene.ask(f"/digest {words}"))["text"]
    assert "/digest 08:30 20:00" in said
    assert f"“{words[:20]}”" in said
    assert await hours(scene, READER) == []


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "spans"),
    [
        ("en", ("from 9 to 18", "between 9 and 18", "9 to 18", "9 until 18")),
        ("ru", ("с 9 до 18", "от 9 до 18", "с 9:00 по 18:00")),
        ("ky", ("9дан 18ге чейин", "саат 9дан 18ге", "9дан баштап")),
    ],
)
async def test_a_span_of_hours_is_no_list_of_them(
    scene: World, language: str, spans: tuple[str, ...]
) -> None:
    """It has no digest in it, and its two ends are not what was asked for."""
    chat = READERS[language]
    for span in spans:
        said = (await scene.ask(f"/digest {span}", chat=chat))["text"]
        assert span in said, said
        assert "/digest 08:30 20:00" in said, said
        assert await hours(scene, chat) == [], span


@pytest.mark.parametrize("language", READERS)
async def test_the_digest_leads_to_its_hours_and_so_do_the_settings(
    scene: World, language: str
) -> None:
    """A tap puts an hour in, another takes it out, and one switches all off."""
    chat = READERS[language]
    shown = await scene.ask("/digest", chat=chat)
    (row,) = shown["reply_markup"]["inline_keyboard"]
    assert [(key["text"], key["callback_data"]) for key in row] == [
        (t("button.digest_hours", language), "digest:when")
    ]
    await scene.press(chat, shown["message_id"], "digest:when")
    below = scene.emulator.messages(chat)[-1]["message_id"]
    await scene.press(chat, below, "at:2000")
    await scene.press(chat, below, "at:0800")
    assert await hours(scene, chat) == ["08:00", "20:00"]
    await scene.press(chat, below, "at:0800")
    assert await hours(scene, chat) == ["20:00"]
    assert "20:00" in scene.emulator.messages(chat)[-1]["text"]

    settings = (await scene.ask("/settings", chat=chat))["message_id"]
    await scene.press(chat, settings, "set:digest")
    await scene.press(chat, settings, "at:off")
    now = scene.emulator.messages(chat)[-1]
    assert await hours(scene, chat) == []
    assert "set:back" in str(now["reply_markup"])
    assert now["text"].startswith(t("settings.no_digest", language))
    for forged in ("at:2500", "at:8:30", "at:", "at:٠٨٠٠"):
        answer = await scene.press(chat, settings, forged)
        assert t("error.stale", language) in answer, forged


@pytest.mark.parametrize("language", READERS)
async def test_a_number_after_the_digest_is_no_hour_of_it(scene: World, language: str) -> None:
    """It is an amount, as at any other time."""
    chat = READERS[language]
    await scene.ask("/digest 8:30 20:00", chat=chat, fits="20:00")
    for written in ("1500", "12.50", "20", "0,5", "20 30"):
        alone = (await scene.ask(written, chat=chat))["text"]
        await scene.ask("/digest", chat=chat)
        assert (await scene.ask(written, chat=chat))["text"] == alone, written
        assert await hours(scene, chat) == ["08:30", "20:00"], written


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "written", "off"),
    [
        ("en", ("12:15", "at 3 pm"), "off"),
        ("ru", ("12:15", "в 3 часа дня"), "выкл"),
        ("ky", ("12:15", "кечки 3"), "өчүр"),
    ],
)
async def test_an_hour_after_the_digest_is_one_more(
    scene: World, language: str, written: tuple[str, str], off: str
) -> None:
    """Whoever only looked at it loses none; a word for none ends all."""
    chat = READERS[language]
    await scene.ask("/digest 8:30", chat=chat, fits="08:30")
    for one in written:
        await scene.ask("/digest", chat=chat)
        assert "08:30, 12:15" in (await scene.ask(one, chat=chat, fits="12:15"))["text"]
    assert await hours(scene, chat) == ["08:30", "12:15", "15:00"]
    await scene.ask("/digest", chat=chat)
    assert (await scene.ask(off, chat=chat))["text"].startswith(t("digest.off", language)[:10])
    assert await hours(scene, chat) == []


@pytest.mark.parametrize("language", READERS)
async def test_a_day_has_so_many_digests_and_no_more(scene: World, language: str) -> None:
    """However they are asked for: in words, one after another, or by a button that was made up.

    What keeps the old hours beside new ones is read, however many they are.
    """
    chat = READERS[language]
    full = t("error.digests", language).replace("{most}", str(MOST_DIGESTS))
    every = [f"{hour:02}:30" for hour in range(MOST_DIGESTS + 1)]
    joined = {"en": " and ", "ru": " и ", "ky": " жана "}[language]
    assert (await scene.ask(f"/digest {joined.join(every)}", chat=chat))["text"] == full
    assert await hours(scene, chat) == []

    first, more = every[: MOST_DIGESTS // 2], every[MOST_DIGESTS // 2 : -1]
    await scene.ask(f"/digest {' '.join(first)}", chat=chat, fits=first[0])
    shown = (await scene.ask(f"/digest {' '.join(more)}", chat=chat, fits=more[0]))["text"]
    both = f"/digest {' '.join(every[:-1])}"
    assert both in shown
    await scene.ask(both, chat=chat, fits=every[0])
    assert await hours(scene, chat) == every[:-1]

    await scene.ask("/digest", chat=chat)
    assert (await scene.ask("22:10", chat=chat))["text"] == full
    menu = (await scene.ask("/settings", chat=chat))["message_id"]
    await scene.press(chat, menu, "set:digest")
    assert full in await scene.press(chat, menu, "at:2210")
    assert await hours(scene, chat) == every[:-1]
    await scene.press(chat, menu, "at:0030")
    assert await hours(scene, chat) == every[1:-1]


async def test_a_channel_has_no_more_digests_than_a_chat(scene: World) -> None:
    """Made-up hours are counted as those of its menu are."""
    setup = await set_up(scene)
    for hour in range(MOST_DIGESTS):
        assert await setup.press(f"hour:{hour:02}30") == t("settings.saved", "en")
    full = t("error.digests", "en").replace("{most}", str(MOST_DIGESTS))
    assert await setup.press("hour:2210") == full
    assert len(await hours(scene, CHANNEL)) == MOST_DIGESTS
    assert await setup.press("hour:0030") == t("settings.saved", "en")
    assert await setup.press("hour:2210") == t("settings.saved", "en")
