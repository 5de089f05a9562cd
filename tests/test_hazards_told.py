"""A measured event on its way to readers: told at once, in three languages, revised where it
stands, and joined by what agencies report of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import storage.alerts
import storage.chats
import storage.clues
import storage.entries
import storage.stories
from bot.alerts import KINDS
from bot.alerts.kind import Kit, Reader
from bot.alerts.stories import Stories
from bot.archive import index
from bot.detect.filters import Looked
from bot.emulator import TEST_TOKEN, Emulator
from bot.ingest.found import FLOOD
from bot.model.chats import Style
from bot.model.filters import Trait
from bot.model.hazards import Hazard
from bot.model.news import Story
from bot.readers.search import found_page
from bot.render.hazards import headline
from bot.render.news import title
from bot.render.phrases import when
from bot.sources.catalog import parse_catalog
from bot.sources.hazards import measured as measured_in
from bot.sources.specs import Catalog
from bot.sources.standing import led
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store
from storage.schema import entry
from tests.factories import chat as a_chat
from tests.sources.test_hazards import cap, feature, summary
from tests.world import SECURITY, World, polling

pytestmark = pytest.mark.cases

GRAVE = (
    "Bomb explosion at a bazaar in Bishkek",
    "The blast killed 120 people. Residents are being evacuated.",
)
READERS = {"en": 2001, "ru": 2002, "ky": 2003}
ABROAD = 2004  # reads English, too
NEAR = "near = { latitude = 42.87, longitude = 74.59, radius_km = 600 }\nat_least = 4.5\n"


def catalog(url: str) -> Catalog:
    return parse_catalog(
        f'[hazards.usgs]\nname = {{ en = "USGS" }}\nurl = "{url}/usgs"\nformat = "usgs"\n{NEAR}'
        "trust = 1\n"
        f'[hazards.other]\nname = {{ en = "Other" }}\nurl = "{url}/other"\nformat = "usgs"\n{NEAR}'
        f'[hazards.met]\nname = {{ en = "Met" }}\nurl = "{url}/met"\nformat = "cap"\ntrust = 1\n'
        f'[feeds.agency]\nurl = "{url}/agency.xml"\nlanguage = "ru"\n'
        f'[feeds.english]\nurl = "{url}/english.xml"\nlanguage = "en"\n'
    )


def measured(world: World, *events: object, key: str = "usgs") -> None:
    world.serve(key, summary(*events))


def quake(world: World, name: str = "us1", *, minutes: int = 5, **changes: object) -> object:
    at = world.now - timedelta(minutes=minutes)
    return feature(name, time=int(at.timestamp()) * 1000, **changes)


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """All sources polled once, with nothing in them."""
    async with polling(store, catalog, now=datetime.now(UTC)) as made:
        for key in ("usgs", "other"):
            measured(made, key=key)
            assert (await made.poll(key)).error is None
        for key in ("agency", "english"):
            await made.report(key, ("first", "Погода", "Тепло."))
        yield made


async def latest(world: World, limit: int = 20) -> list[Story]:
    async with world.store.reading() as db:
        return list(await storage.stories.latest(db, topics=["security"], limit=limit))


async def stories(world: World) -> list[int]:
    return [len(story.entries) for story in await latest(world)]


async def test_it_is_told_at_once_in_three_languages_and_revised_where_it_stands(
    world: World,
) -> None:
    """Its time is that of each reader's own clock."""
    async with Emulator(TEST_TOKEN) as emulator, open_session() as session:
        for language, number in (*READERS.items(), ("en", ABROAD)):
            emulator.add_private(emulator.add_user(number, "Reader", language))
            async with world.store.writing() as db:
                await storage.chats.add(db, a_chat(number, language=language), now=world.now)
                await storage.chats.subscribe(db, number, [SECURITY], now=world.now)
        async with world.store.writing() as db:
            await storage.chats.change(db, ABROAD, time_zone="Europe/Berlin")
        world.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        world.start()
        measured(world, quake(world))
        assert (await world.poll("usgs")).alerts == 1
        told = {
            "en": ("Earthquake, magnitude 5.4", "40\u00a0km south of Kaji-Say, Kyrgyzstan"),
            "ru": ("Землетрясение, магнитуда 5,4", "Каджи-Сай, Кыргызстан: 40\u00a0км к югу"),
            "ky": (
                "Жер титирөө, магнитудасы 5,4",
                "Кажы-Сай, Кыргызстан: түштүккө карай 40\u00a0км",
            ),
        }
        for language, (title, place) in told.items():
            message = await world.tells(READERS[language], title)
            assert place in message["text"]
            assert "41.77, 77.18" in message["text"]
            opened, *beside = message["reply_markup"]["inline_keyboard"][0]
            assert beside  # four in rows of two
            assert opened["url"].startswith("https://www.openstreetmap.org/?mlat=41.7700&mlon=77")
        for number, zone in ((READERS["en"], "Asia/Bishkek"), (ABROAD, "Europe/Berlin")):
            message = await world.tells(number, "Earthquake, magnitude 5.4")
            assert when(world.now - timedelta(minutes=5), "en", zone).text in message["text"]
        measured(world, quake(world, mag=5.1, place="44 km SSW of Kaji-Say, Kyrgyzstan"))
        assert (await world.poll("usgs")).alerts == 0
        revised = await world.tells(READERS["ru"], "магнитуда 5,1")
        assert "Каджи-Сай, Кыргызстан: 44\u00a0км к юго-западу" in revised["text"]
        await world.report(
            "agency",
            ("q", "Землетрясение магнитудой 5,2 произошло на Иссык-Куле", "Толчки ощущались."),
        )
        grown = await world.tells(READERS["ru"], "на Иссык-Куле")
        assert "магнитуда 5,1" in grown["text"]
        await world.halt()
    assert all(world.accepted(number) == 1 for number in READERS.values())


async def test_it_is_urgent_from_its_size_on(world: World) -> None:
    measured(world, quake(world, mag=6.3))
    await world.poll("usgs")
    assert [row.severity for row in await world.alerts()] == ["urgent"]


async def test_urgent_ones_go_out_however_many_an_hour_told_and_take_no_room(world: World) -> None:
    """They are measured, and no rumour; a lesser one waits for an operator, as an agency's urgent
    words do. So does each where operators are asked about all.
    """
    world.ingest = replace(world.ingest, alerts_per_hour=1)
    urgent = [quake(world, f"us{number}", mag=6.1) for number in range(3)]
    measured(world, *urgent)
    assert (await world.poll("usgs")).alerts == 3
    measured(world, *urgent, quake(world, "us3", mag=5.0), quake(world, "us4", mag=4.9))
    assert (await world.poll("usgs")).alerts == 2
    await world.report("english", ("grave", *GRAVE))
    measured(world, *urgent, quake(world, "us5", mag=6.2))
    await world.poll("usgs")
    told = ["urgent"] * 3 + ["notable", "notable waits", "urgent waits", "urgent"]
    assert await standing(world) == told
    world.ingest = replace(world.ingest, security_policy="approve")
    measured(world, quake(world, "us6", mag=6.3))
    await world.poll("usgs")
    assert await standing(world) == [*told, "urgent waits"]


async def standing(world: World) -> list[str]:
    """The severity of each story's alert, and whether it waits for an operator's word."""
    waits = {None: "", "waiting": " waits"}
    return [row.severity + waits[row.approval] for row in await world.alerts("story")]


async def test_a_revision_that_makes_it_urgent_rings(world: World) -> None:
    """Once; a calmer revision, or a third one, rings nobody."""
    measured(world, quake(world, mag=5.1))
    assert (await world.poll("usgs")).alerts == 1
    for size, alerts in ((6.4, 1), (5.9, 0), (6.6, 0)):
        measured(world, quake(world, mag=size))
        assert (await world.poll("usgs")).alerts == alerts
    first, rise = await world.alerts("story")
    assert (first.severity, rise.severity) == ("notable", "urgent")
    assert rise.payload["answers"] == first.id


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    "word",
    ["earthquakes", "землетрясения", "жер титирөө", "землетрясение Каджи-Сай", "Кажы-Сай"],
)
async def test_it_is_muted_and_found_by_the_words_that_a_reader_reads(
    world: World, word: str
) -> None:
    """Though it is stored in values, with an English headline."""
    measured(world, quake(world))
    await world.poll("usgs")
    async with world.store.reading() as db:
        (story,) = await storage.stories.latest(db, topics=["security"], limit=20)
    assert Looked(story).has(Trait.WORD, word)
    assert not Looked(story).has(Trait.WORD, "наводнение")
    await index(world.store)
    async with world.store.reading() as db:
        found = await found_page(db, world.catalog, word, language="ru")
    assert [one.pk for one in found.stories] == [story.pk]


@pytest.mark.parametrize("mag", [3.9, None], ids=["small", "deleted"])
async def test_whoever_got_it_hears_that_it_was_smaller_or_none(
    world: World, mag: float | None
) -> None:
    """Below what is told, and withdrawn: the message says so; nobody hears of it who did not."""
    measured(world, quake(world, mag=5.8))
    assert (await world.poll("usgs")).alerts == 1
    changes = {"mag": mag} if mag else {"status": "deleted", "mag": 5.8}
    for _ in range(2):
        other = quake(world, "us2", minutes=3, **changes)
        measured(world, quake(world, **changes), other)
        report = await world.poll("usgs")
        assert (report.new, report.alerts) == (0, 0)
        world.now += timedelta(hours=20)  # however late
    assert [row.kind for row in await world.alerts()] == ["story", "edit"]
    async with world.store.reading() as db:
        (story,) = await storage.stories.latest(db, topics=["security"], limit=20)
    hazard = Hazard.read(story.lead.entry.content)
    assert hazard is not None
    assert hazard.withdrawn is (mag is None)
    assert str(hazard.size) == str(mag or 5.8)
    said = {one: headline(hazard, one).split(" ")[0] for one in READERS}
    if mag is None:
        assert said == {"en": "Withdrawn", "ru": "Отозвано", "ky": "Булак"}


async def test_a_warning_of_what_began_days_ago_is_news_when_it_is_given(world: World) -> None:
    """A flood that becomes dangerous on its third day, and worse on its fourth; an earthquake of
    three days ago is none.
    """
    began = (world.now - timedelta(days=2)).isoformat()

    def given(number: str, *names: str, severity: str) -> bytes:
        said = warning(world, number, *names, severity=severity)
        start = said.index("<onset>") + len("<onset>")
        return (said[:start] + began + said[said.index("</onset>") :]).encode()

    world.serve("met", b"<feed/>")
    measured(world, quake(world, minutes=3 * 24 * 60))
    await world.poll("usgs")
    made: list[int] = []
    for number, names, severity in (
        ("KG-A", (), "Minor"),
        ("KG-B", ("KG-A",), "Moderate"),
        ("KG-C", ("KG-A", "KG-B"), "Extreme"),
    ):
        await world.poll("met")
        world.serve("met", given(number, *names, severity=severity))
        made.append((await world.poll("met")).alerts)
        world.now += timedelta(hours=20)
    assert made == [0, 1, 1]
    assert [row.severity for row in await world.alerts("story")] == ["notable", "urgent"]


async def test_a_warning_that_holds_no_more_is_no_news(world: World) -> None:
    """Feeds list it for days; one that was told before it ended stays as it is."""
    ends = (world.now + timedelta(hours=2)).isoformat()

    def listed(*numbers: str) -> bytes:
        said = [
            warning(world, one).replace("<web>", f"<expires>{ends}</expires><web>")
            for one in numbers
        ]
        return f"<feed>{''.join(said)}</feed>".encode()

    made: list[tuple[int, int]] = []
    for hours, numbers in ((0, ()), (1, ("KG-A",)), (2, ("KG-A", "KG-B"))):
        world.serve("met", listed(*numbers))
        report = await world.poll("met")
        made.append((report.new, report.alerts))
        world.now += timedelta(hours=hours)
    assert made == [(0, 0), (1, 1), (1, 1)]
    world.serve("met", listed("KG-A", "KG-B", "KG-C"))
    report = await world.poll("met")
    assert (report.new, report.alerts) == (0, 0)


async def test_an_institute_may_revise_very_many_at_once(world: World) -> None:
    """As after a great earthquake, of which it lists the aftershocks: no editor does."""
    many = [quake(world, f"a{number}", minutes=9) for number in range(FLOOD + 2)]
    measured(world, *many)
    assert (await world.poll("usgs")).alerts == 0  # a flood
    measured(world, quake(world), *many)
    assert (await world.poll("usgs")).alerts == 1
    revised = [quake(world, f"a{number}", minutes=9, mag=5.1) for number in range(FLOOD + 2)]
    measured(world, quake(world, mag=6.4), *revised)
    assert (await world.poll("usgs")).alerts == 1
    assert [row.severity for row in await world.alerts("story")] == ["notable", "urgent"]


async def test_urgent_ones_are_told_however_many_come_at_once(world: World) -> None:
    """A service warns of one in each district; what is lesser among so many is stored."""
    world.serve("met", b"<feed/>")
    assert (await world.poll("met")).error is None
    many = [warning(world, f"KG-{number}", severity="Extreme") for number in range(FLOOD + 1)]
    many.append(warning(world, "KG-lesser", severity="Moderate"))
    world.serve("met", f"<feed>{''.join(many)}</feed>".encode())
    report = await world.poll("met")
    assert (report.new, report.alerts) == (FLOOD + 2, FLOOD + 1)


async def test_what_is_measured_waits_for_no_second_source(world: World) -> None:
    """It is no rumour; what an agency says of another event waits for one."""
    world.ingest = replace(world.ingest, security_policy="two_sources")
    measured(world, quake(world))
    assert (await world.poll("usgs")).alerts == 1
    assert await world.report("english", ("grave", *GRAVE)) == 0
    assert await standing(world) == ["notable"]


async def test_a_warning_of_tomorrow_given_now_is_told_among_a_backlog(world: World) -> None:
    world.serve("met", b"<feed/>")
    assert (await world.poll("met")).error is None
    old = "".join(warning(world, f"KG-{number}") for number in range(FLOOD + 1))
    world.now += timedelta(hours=3)
    said = warning(world, "KG-new", severity="Extreme")
    start = said.index("<onset>") + len("<onset>")
    tomorrow = (world.now + timedelta(days=1)).isoformat()
    said = said[:start] + tomorrow + said[said.index("</onset>") :]
    world.serve("met", f"<feed>{said}{old}</feed>".encode())
    report = await world.poll("met")
    assert (report.new, report.alerts) == (FLOOD + 2, 1)


async def test_the_time_of_an_event_is_revised_as_its_size_is(world: World) -> None:
    """Once; by seconds that nobody is shown it is not."""
    began = world.now - timedelta(minutes=5)
    for seconds in (0, 4, 90, 90):
        at = (began + timedelta(seconds=seconds)).replace(microsecond=0)
        measured(world, feature("us1", time=int(at.timestamp()) * 1000))
        await world.poll("usgs")
    assert [row.kind for row in await world.alerts()] == ["story", "edit"]
    async with world.store.reading() as db:
        (story,) = await storage.stories.latest(db, topics=["security"], limit=20)
    assert story.lead.entry.published_at == at


async def test_what_one_institute_takes_back_and_another_measured_did_happen(world: World) -> None:
    for key, name in (("usgs", "us1"), ("other", "em1")):
        measured(world, quake(world, name), key=key)
        await world.poll(key)
    measured(world, quake(world, status="deleted"))
    await world.poll("usgs")
    async with world.store.reading() as db:
        (story,) = await storage.stories.latest(db, topics=["security"], limit=20)
    shown = measured_in(story, world.catalog.news)
    assert shown is not None
    assert (shown[0].feed, shown[1].withdrawn) == ("other", False)
    assert led(story, world.catalog.news).lead.feed == "other"  # as lists and digests tell it
    measured(world, quake(world, "em1", status="deleted"), key="other")
    await world.poll("other")
    report = ("q", "Earthquake of magnitude 5.4 shakes Issyk-Kul, Kyrgyzstan", "Walls cracked.")
    await world.report("english", report)
    assert sorted(await stories(world)) == [1, 2]  # of another one, then


async def test_a_flood_that_agencies_report_did_happen_though_its_warning_is_called_off(
    world: World,
) -> None:
    """Who got it reads theirs in its place; without a report it reads as withdrawn."""
    world.serve("met", b"<feed/>")
    await world.poll("met")
    for number, reported in (("KG-A", True), ("KG-B", False)):
        world.serve("met", warning(world, number).encode())
        await world.poll("met")
        flood = "Паводок затопил дома на Иссык-Куле, погибли двое"
        if reported:
            await world.report("agency", ("f", flood, "Спасатели работают на месте."))
        world.serve("met", warning(world, f"{number}-over", number, kind="Cancel").encode())
        await world.poll("met")
        found = led((await latest(world))[0], world.catalog.news)
        assert (measured_in(found, world.catalog.news) is None) is reported
        assert (title(found, "ru") == flood) is reported
        assert title(found, "ru").startswith("Отозвано") is not reported
        world.now += timedelta(days=2)


async def test_an_earthquake_that_is_taken_back_is_none_though_agencies_repeated_it(
    world: World,
) -> None:
    measured(world, quake(world))
    await world.poll("usgs")
    report = ("q", "Землетрясение магнитудой 5,4 произошло на Иссык-Куле", "Сообщает институт.")
    await world.report("agency", report)
    measured(world, quake(world, status="deleted"))
    await world.poll("usgs")
    (story,) = await latest(world)
    assert measured_in(story, world.catalog.news) is not None
    assert title(led(story, world.catalog.news), "ru").startswith("Отозвано")


async def test_an_operators_headline_of_a_measured_event_is_what_is_told(world: World) -> None:
    """Above its place and its values, and in lists."""
    measured(world, quake(world))
    await world.poll("usgs")
    async with world.store.writing() as db:
        (story,) = await storage.stories.latest(db, topics=["security"], limit=20)
        await storage.entries.headline(db, story.lead.pk, "Bishkek trembles")
    async with world.store.reading() as db:
        (alert,) = await storage.alerts.by_keys(db, [f"story:{story.pk}"])
        kit = Kit(db=db, catalog=world.catalog, kinds=KINDS)
        reader = Reader(chat=1, language="ru", style=Style.BRIEF, home="KGS", time_zone="UTC")
        shown = await Stories().words(kit, alert, reader)
        (story,) = await storage.stories.latest(db, topics=["security"], limit=20)
    assert shown is not None
    first, *rest = shown.text.split("\n")
    assert first == title(story, "ru") == "Bishkek trembles"
    assert "41.77, 77.18" in "".join(rest)


async def test_an_event_that_gets_another_number_is_told_once(world: World) -> None:
    """The institute lists all numbers that it ever had."""
    measured(world, quake(world, ids=",us1,"))
    assert (await world.poll("usgs")).alerts == 1
    measured(world, quake(world, "ci9", mag=5.1, ids=",us1,ci9,"))
    report = await world.poll("usgs")
    assert (report.new, report.alerts) == (0, 0)
    measured(world, quake(world, "ci9", mag=6.4, ids=",us1,ci9,"))
    assert (await world.poll("usgs")).alerts == 1
    assert await stories(world) == [1]


async def test_a_warning_like_the_last_one_is_told_and_its_cancelling_too(world: World) -> None:
    """Two numbers are two events, whatever they have in common."""
    for number in ("KG-1", "KG-2", "KG-3"):
        said = cap(number).replace("2026-11-28T09:15:00+06:00", world.now.isoformat())
        world.serve("met", said.encode())
        report = await world.poll("met")
        assert (report.new, report.alerts) == (1, int(number != "KG-1"))
        world.now += timedelta(days=1)
    follows = "met@kg.example,KG-3,2026-11-28T09:15:00+06:00"
    world.serve("met", cap("KG-4", references=follows, kind="Cancel").encode())
    assert (await world.poll("met")).alerts == 0
    assert [row.kind for row in await world.alerts()] == ["story", "story", "edit"]


def warning(world: World, number: str, *names: str, kind: str = "Update", **other: str) -> str:
    """A warning of now that follows, or cancels, others."""
    sent = world.now.isoformat()
    references = " ".join(f"met@kg.example,{name},{sent}" for name in names)
    said = cap(number, references=references, kind=kind if names else "Alert", **other)
    return said.replace("2026-11-28T09:15:00+06:00", sent)


async def test_an_update_that_names_several_is_of_the_event_that_was_told(world: World) -> None:
    """Whichever it names first, and however long those have left the document; so is a cancel of
    one that stands beside it.
    """
    world.serve("met", b"<feed/>")
    assert (await world.poll("met")).error is None
    world.serve("met", warning(world, "KG-A", severity="Moderate").encode())
    assert (await world.poll("met")).alerts == 1
    update = warning(world, "KG-C", "KG-B", "KG-A", severity="Extreme")
    world.serve("met", update.encode())
    report = await world.poll("met")
    assert (report.new, report.alerts) == (0, 1)  # it is graver
    cancel = warning(world, "KG-D", "KG-C", kind="Cancel")
    world.serve("met", f"<feed>{update}{cancel}</feed>".encode())
    assert (await world.poll("met")).new == 0
    (stored,) = [row for row in await world.stored(entry) if row.feed == "met"]
    assert stored.title.startswith("Withdrawn: ")


async def test_an_update_that_names_the_one_before_alone_is_of_the_event_that_was_told(
    world: World,
) -> None:
    """Each in a document of its own, as where a feed lists what is in force; so is the cancel."""
    world.serve("met", b"<feed/>")
    assert (await world.poll("met")).error is None
    told: list[tuple[int, int]] = []
    steps: list[tuple[str, tuple[str, ...]]] = [
        ("KG-A", ()),
        ("KG-B", ("KG-A",)),
        ("KG-C", ("KG-B",)),
    ]
    for number, before in steps:
        world.serve("met", warning(world, number, *before, severity="Moderate").encode())
        report = await world.poll("met")
        told.append((report.new, report.alerts))
    assert told == [(1, 1), (0, 0), (0, 0)]
    world.serve("met", f"<feed>{warning(world, 'KG-D', 'KG-C', kind='Cancel')}</feed>".encode())
    assert (await world.poll("met")).new == 0
    (stored,) = [row for row in await world.stored(entry) if row.feed == "met"]
    assert stored.title.startswith("Withdrawn: ")


@pytest.mark.cases(keep=5)
@pytest.mark.parametrize(
    ("title", "entries"),
    [
        ("Землетрясение магнитудой 5,5 произошло в Кыргызстане", [2]),
        ("Землетрясение силой 5 баллов произошло на Иссык-Куле", [2]),
        ("Землетрясение магнитудой 6,3 произошло на Иссык-Куле", [1, 1]),
        ("Мощное землетрясение магнитудой 5,4 произошло в Японии", [1, 1]),
    ],
    ids=["the same", "in points", "another size", "another country"],
)
@pytest.mark.parametrize("first", ["institute", "agency"])
async def test_an_agencys_report_of_the_event_joins_its_story(
    world: World, first: str, title: str, entries: list[int]
) -> None:
    """Whoever was faster; another one is a story of its own."""
    measured(world, quake(world))
    report = ("q", title, "Толчки ощущались в городах, жители вышли на улицы.")
    if first == "institute":
        await world.poll("usgs")
    await world.report("agency", report)
    if first == "agency":
        await world.poll("usgs")
    assert sorted(await stories(world)) == entries


@pytest.mark.cases(keep=7)
@pytest.mark.parametrize(
    ("feed", "title", "entries"),
    [
        ("agency", "Паводок затопил дома на Иссык-Куле", [2]),
        ("agency", "Сель сошел в Чолпон-Ате, затоплены дома", [2]),
        ("english", "Mudflow washes away bridges near Karakol", [2]),
        ("agency", "Паводок затопил дома в Баткенской области", [1, 1]),
        ("agency", "Паводок затопил десятки домов", [1, 1]),
        ("agency", "Пожар на рынке в Караколе на Иссык-Куле", [1, 1]),
    ],
    ids=["the region", "in it", "English", "elsewhere", "nowhere", "another kind"],
)
@pytest.mark.parametrize("first", ["institute", "agency"])
async def test_an_agencys_report_of_what_lasts_joins_its_story(
    world: World, first: str, feed: str, title: str, entries: list[int]
) -> None:
    """Of no size, and told in no words that both have."""
    world.serve("met", b"<feed/>")
    await world.poll("met")
    world.serve("met", warning(world, "KG-A").encode())
    report = ("f", title, "Спасатели работают на месте.")
    if first == "institute":
        await world.poll("met")
    await world.report(feed, report)
    if first == "agency":
        await world.poll("met")
    assert sorted(await stories(world)) == entries


async def test_a_warning_is_told_though_a_flood_was_reported_there_hours_before(
    world: World,
) -> None:
    """In the story of that one it would be told to nobody."""
    world.serve("met", b"<feed/>")
    await world.poll("met")
    title = "Сель сошел на Иссык-Куле, погибли двое"
    assert await world.report("agency", ("f", title, "Спасатели работают.")) == 1
    world.now += timedelta(hours=5)
    world.serve("met", warning(world, "KG-A", severity="Moderate").encode())
    assert (await world.poll("met")).alerts == 1
    assert await stories(world) == [1, 1]


async def test_a_report_of_today_is_of_no_warning_for_tomorrow(world: World) -> None:
    """Nor one that comes days after it was told."""
    world.serve("met", b"<feed/>")
    await world.poll("met")
    now, tomorrow = world.now.isoformat(), (world.now + timedelta(days=1)).isoformat()
    said = warning(world, "KG-A").replace(f"<onset>{now}", f"<onset>{tomorrow}")
    assert tomorrow in said
    world.serve("met", said.encode())
    await world.poll("met")
    title = "Паводок затопил {} на Иссык-Куле"
    told = "Вода пришла в {}, спасатели работают на месте."
    for days, where, entries in (
        (0, "дома", [1, 1]),
        (1.1, "поля", [1, 2]),
        (3, "сады", [1, 1, 2]),
    ):
        world.now += timedelta(days=days)
        await world.report("agency", (where, title.format(where), told.format(where)))
        assert sorted(await stories(world)) == entries


async def test_a_report_is_joined_however_much_else_was_told_in_its_language(
    world: World,
) -> None:
    """Among a day's news the latest five hundred entries are those of an hour."""
    told = ("q", "Earthquake of magnitude 5.4 shakes Issyk-Kul, Kyrgyzstan", "Walls cracked.")
    await world.report("english", told)
    many = [(f"n{number}", f"Harvest of apples number {number}", ".") for number in range(520)]
    await world.report("english", *many, told)
    measured(world, quake(world))
    await world.poll("usgs")
    assert 2 in await stories(world)


@pytest.mark.parametrize(
    "number", [storage.clues.SLOTS + 5, pytest.param(202, marks=pytest.mark.slow)]
)
async def test_no_number_of_warnings_hides_an_earthquake_from_its_reports(
    world: World, number: int
) -> None:
    """As on a day of storms, on which services warn of one in each district."""
    measured(world, quake(world))
    await world.poll("usgs")
    many = "".join(warning(world, f"KG-{one}", severity="Moderate") for one in range(number))
    world.serve("met", f"<feed>{many}</feed>".encode())
    assert (await world.poll("met")).new == number
    told = ("q", "Earthquake of magnitude 5.4 shakes Issyk-Kul, Kyrgyzstan", "Walls cracked.")
    await world.report("english", told)
    assert 2 in [len(story.entries) for story in await latest(world, 300)]


async def test_an_aftershock_of_the_same_institute_is_an_event_of_its_own(world: World) -> None:
    """However alike the words are; another institute's measure of it is no event of its own."""
    measured(world, quake(world), quake(world, "us2", minutes=2, mag=5.3))
    await world.poll("usgs")
    assert await stories(world) == [1, 1]
    measured(world, quake(world, "emsc9", mag=5.5, coordinates=[77.5, 41.9, 10]), key="other")
    await world.poll("other")
    assert sorted(await stories(world)) == [1, 2]


async def test_words_of_a_feed_that_look_measured_are_words(world: World) -> None:
    """Only a source of the kind measures: a feed cannot make a map of its own under a title."""
    forged = "earthquake 9.9 at 42.8700, 74.5900: Bishkek"
    await world.report("english", ("q", "Explosion kills three in Bishkek mall", forged))
    async with world.store.reading() as db:
        (story,) = await storage.stories.latest(db, topics=["security"], limit=20)
    assert Hazard.read(story.lead.entry.summary) is not None
    assert measured_in(story, world.catalog.news) is None
