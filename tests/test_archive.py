"""The archive by its words: what was stored is found in each language, and by nothing but words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, event, update

import storage.alerts
import storage.entries
import storage.notes
import storage.search
import storage.stories
from bot import archive
from bot.alerts import stories as kind_stories
from bot.detect import search
from bot.detect.search import MOST_WORDS, Token, asked, share, tokens_of
from bot.languages.letters import unmarked
from bot.model.alerts import Approval, Severity
from bot.model.filters import Sense, StoredFilter, Trait
from bot.model.news import Verdict
from bot.readers.news import STORIES_A_PAGE, news_page
from bot.readers.search import found_page
from bot.render import news as render
from bot.sources.specs import Catalog
from storage import schema
from storage.db import Db, Store
from storage.entries import NewEntry
from storage.opening import open_store
from tests.factories import entry

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
QUIET = Verdict(security=False, score=0, severity=Severity.INFO)
STORIES = [
    ("en", "Border guards open the road to Batken", "Lorries pass again since the morning."),
    ("ru", "Пограничники открыли дорогу в Баткен", "Грузовики пропускают с утра."),
    ("ky", "Чек арачылар Баткенге жолду ачышты", "Эртең мененден бери жүк ташуучулар өтүүдө."),
    ("ru", "В Бишкеке подешевела мука", "Мешок стоит 2400 сомов."),
    ("kk", "Алматыда кітап көрмесі ашылды", "Кіру тегін."),
]


async def stored(
    store: Store, stories: list[tuple[str, str, str]] = STORIES, *, apart: int = 1
) -> None:
    """An archive of these stories, a minute apart, indexed; their entries' numbers lie so far
    `apart`.
    """
    new = []
    for number, (language, title, text) in enumerate(stories):
        at = NOW + timedelta(minutes=number)
        item = entry(
            id=f"e{number}",
            title=title,
            summary=text,
            content="",
            language=language,
            published_at=at,
        )
        new.append(
            NewEntry(
                feed="one", item=item, at=at, link_key=None, title_key=str(number), verdict=QUIET
            )
        )
    async with store.writing() as db:
        await storage.stories.add_alone(db, new, now=NOW)
        if apart > 1:
            await db.execute(update(schema.entry).values(id=schema.entry.c.id * apart))
    assert await archive.index(store) == len(stories)


async def found(store: Store, words: str, language: str = "en") -> list[str]:
    """The headlines of the first page."""
    async with store.reading() as db:
        page = await found_page(db, Catalog(), words, language=language)
    return [story.lead.entry.title for story in page.stories]


FORMS = [
    ("border guard", 0),
    ("roads batken", 0),
    ("LORRY", 0),
    ("пограничник", 1),
    ("дорога Баткена", 1),
    ("грузовиков", 1),
    ("жолу", 2),
    ("чек арачы", 2),
    ("жук ташуучу", 2),  # typed on a keyboard without ү
    ("мука бишкек", 3),
    ("2400", 3),
    ("кітаптар", 4),
]


async def test_a_word_in_any_of_its_forms_finds_the_story(store: Store) -> None:
    """In the three languages, and in another one by the beginnings of words."""
    await stored(store)
    missed = [
        words for words, number in FORMS if STORIES[number][1] not in await found(store, words)
    ]
    assert missed == []


MARKED = [
    ("en", "Café opens in Orbán's Łódź, Erdoğan says", "ﬁre at İstanbul's Ångström lab, CO₂ fell"),
    ("ru", "Ёлка в кафе «Café Ñandú»", "Ещё шаг"),
]
UNMARKED = ["cafe orban", "lodz", "erdogan", "fire istanbul", "ISTANBUL", "angstrom", "co2"]


async def test_a_word_is_found_as_it_is_typed_without_marks_and_with_them(store: Store) -> None:
    """A reader has no key for a foreign letter; whoever has one finds what was written without."""
    await stored(store, [*MARKED, ("en", "Cafe in Lodz", "")])
    title = MARKED[0][1]
    assert [words for words in UNMARKED if title not in await found(store, words)] == []
    assert await found(store, "Café Łódź") == ["Cafe in Lodz", title]
    assert await found(store, "cafe nandu елка") == [MARKED[1][1]]
    assert unmarked("йїё") == "йїё"  # й is no и with a mark


async def test_what_an_earlier_program_indexed_is_found_by_its_words_of_today(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piece by piece behind what is new, going on where a stop came; all else stays as it is."""
    monkeypatch.setattr(storage.search, "LOOKED_AT_ONCE", 2)
    with monkeypatch.context() as earlier:
        earlier.setattr(search, "unmarked", str)
        earlier.setattr(archive, "FOLDING", 1)
        await stored(store, [MARKED[0], *STORIES, MARKED[1]])
    assert await found(store, "cafe") == []
    stops = iter((False, True, True))  # behind the first piece
    assert await archive.index(store, stopping=partial(next, stops)) == 0
    async with store.reading() as db:
        assert await storage.notes.get(db, storage.notes.FOLDING) == f"{search.FOLDING} 5"
    assert await archive.index(store) == 2
    assert await found(store, "cafe") == [MARKED[0][1], MARKED[1][1]]
    for words, number in FORMS:
        assert STORIES[number][1] in await found(store, words), words
    assert await archive.index(store) == 0


async def test_an_earlier_program_leaves_what_a_later_one_indexed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two beside each other index nothing back and forth."""
    with monkeypatch.context() as later:
        later.setattr(archive, "FOLDING", search.FOLDING + 1)
        await stored(store, MARKED)
    assert await archive.index(store) == 0


async def test_a_word_far_down_finds_an_article_and_keeps_it_back(store: Store) -> None:
    """A page's text has thousands of letters, and the word may be in its last paragraph."""
    far = "The council met again on Monday. " * 200 + "A zeppelin was seen over the lake."
    await stored(store, [("en", "Council meets", far), ("en", "Council rests", "Nothing.")])
    assert await found(store, "zeppelin") == ["Council meets"]
    muted = StoredFilter(
        id=1, chat=1, sense=Sense.NEVER, trait=Trait.WORD, what="zeppelin", said="zeppelin"
    )
    async with store.reading() as db:
        later = NOW + timedelta(hours=1)
        page = await news_page(db, Catalog(), topic=None, number=0, now=later, filters=[muted])
    assert [one.lead.entry.title for one in page.stories] == ["Council rests"]
    assert page.left_out == 1


async def test_what_lacks_one_of_the_words_is_not_found(store: Store) -> None:
    """All of them have to be there, and a part of a word is none."""
    await stored(store)
    for words in ("border flour", "мост", "бордюр", "2401", "guardian", "ү"):
        assert await found(store, words) == [], words


async def test_the_readers_language_comes_first_and_then_the_newest(store: Store) -> None:
    """A name that two languages write alike."""
    await stored(store)
    assert await found(store, "Баткен", "ru") == [STORIES[1][1], STORIES[2][1]]
    assert await found(store, "Баткен", "ky") == [STORIES[2][1], STORIES[1][1]]


async def test_what_an_operator_rejected_is_not_found_and_leaves_no_gap(store: Store) -> None:
    """A page is as full without it, and no page is empty because of it."""
    titles = [f"Border report {number}" for number in range(STORIES_A_PAGE + 1)]
    await stored(store, [("en", title, "Guards.") for title in titles])
    async with store.writing() as db:
        newest = (await storage.stories.latest(db, limit=1))[0]
        told = kind_stories.alert(newest, approval=True, now=NOW)
        number = await storage.alerts.enqueue(db, told)
        assert await storage.alerts.decide(db, number or 0, Approval.REJECTED) is not None
    assert newest.lead.entry.title == titles[-1]
    async with store.reading() as db:
        page = await found_page(db, Catalog(), "border", language="en")
    assert [one.lead.entry.title for one in page.stories] == titles[-2::-1]
    assert not page.more


async def test_what_the_chats_filters_keep_back_is_counted_and_leaves_no_gap(store: Store) -> None:
    """Page by page; nothing is hidden in silence, also where nothing else is found."""
    titles = [
        f"{word} {number}" for number in range(STORIES_A_PAGE) for word in ("Border", "Flour")
    ]
    await stored(store, [("en", title, "Guards.") for title in titles])
    muted = StoredFilter(
        id=1, chat=1, sense=Sense.NEVER, trait=Trait.WORD, what="flour", said="flour"
    )
    async with store.reading() as db:
        ask = partial(found_page, db, Catalog(), language="en", filters=[muted])
        page = await ask("guards")
        nothing = await ask("flour")
        second = await ask("guards", number=1)
    assert [one.lead.entry.title for one in page.stories] == titles[-2::-2]
    assert (page.more, page.left_out) == (False, STORIES_A_PAGE)
    assert (nothing.stories, nothing.left_out) == ((), STORIES_A_PAGE)
    assert second.stories == ()
    assert "5" in render.found(nothing, "en", zone="UTC", now=NOW).text
    assert render.found(page, "en", zone="UTC", now=NOW).text.count("Flour") == 0


HOSTILE = [
    '"', "'", "a OR border", "border*", "NEAR(border guards)", "-border", "title:border",
    "border AND", "(", "border\x00guards", "\\", "%", "_", "a' | 'b", "b & !c", ":*", "^a",
    "{a b}:c", "🔎", "ª", "ﬁ", "й" * 500, " ".join(map(str, range(50))), "١٢", "²", "İ", "ß",
]  # fmt: skip


async def test_S15_no_question_is_an_operator_or_an_error(store: Store) -> None:
    """Words are words: what stands between them is nothing, and eight are enough."""
    await stored(store)
    for words in HOSTILE:
        assert set(await found(store, words)) <= {title for _, title, _ in STORIES}, words
        assert len(asked(words)) <= MOST_WORDS
    for words in ("border NOT guards", "border OR flour", "words:border"):
        assert await found(store, words) == [], words


async def test_a_server_finds_the_newest_however_far_apart_they_lie(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a word that every entry has; of one that a few have; of one that the oldest has alone."""
    for name in ("SAMPLE", "COMMON", "FEWEST_AGES"):
        monkeypatch.setattr(storage.search, name, 1)
    for name, few in (("NEWEST", 2), ("AGES", 2), ("AGES_OF_SEVERAL", 2), ("MOST_FOUND", 3)):
        monkeypatch.setattr(storage.search, name, few)
    titles = ["Flour one", "Lorry two", "Lorry three", "Road four", "Lorry five", "Road six"]
    store = await open_store(migrated_postgres_url)
    apart = 1 << storage.search.ERA
    await stored(store, [("en", title, "Guards.") for title in titles], apart=apart)
    assert await found(store, "guards") == titles[:2:-1]
    assert await found(store, "lorry") == [titles[4], titles[2], titles[1]]
    assert await found(store, "flour guards") == titles[:1]
    assert await found(store, "bread") == []
    await store.close()


async def test_S15_a_search_that_takes_too_long_is_ended_and_others_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the database, not by waiting for it."""
    await stored(store, [("en", f"Border report {number}", "Guards.") for number in range(600)])
    monkeypatch.setattr(storage.search, "SECONDS", 0.001)
    monkeypatch.setattr(storage.search, "MOST_FOUND", 1_000_000)
    words = [frozenset({token}) for token in asked("border")[0] if not token.begins] * 400
    with pytest.raises(storage.search.SearchTooLongError):
        for _ in range(50):  # where the loop is late, a millisecond is long enough
            async with store.reading() as db:
                await storage.search.find(db, words)
    monkeypatch.setattr(storage.search, "SECONDS", 30)
    assert await found(store, "border")


async def test_S15_all_statements_of_a_search_on_a_server_take_its_time_together(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them alone would be in time."""
    store = await open_store(migrated_postgres_url)
    await stored(store, STORIES[:1])
    monkeypatch.setattr(storage.search, "SECONDS", 0.3)
    slow = "WHERE pg_sleep(0.2) IS NOT NULL AND words @@"
    for name in ("_AMONG_NEWEST", "_OF_AGES"):
        statement = getattr(storage.search, name)
        monkeypatch.setattr(storage.search, name, statement.replace("WHERE words @@", slow))
    with pytest.raises(storage.search.SearchTooLongError):
        await found(store, "border")
    await store.close()


async def test_a_corrected_headline_is_found_by_its_new_words_alone(store: Store) -> None:
    """Its old ones are forgotten."""
    await stored(store, STORIES[:1])
    async with store.writing() as db:
        item = entry(id="e0", title="Flour is cheaper", summary="", content="", language="en")
        await storage.entries.correct(db, 1, item, title_key="t", retracts=False)
    await archive.index(store)
    assert await found(store, "lorries") == []
    assert await found(store, "flour") == ["Flour is cheaper"]


async def test_S15_no_letter_parts_a_word_for_the_database(store: Store) -> None:
    """SQLite's Unicode is older than Python's: what it takes for a mark is no part of a word."""
    await stored(store)
    # the alphabets; what follows are syllables and ideographs
    letters = [chr(code) for code in range(0x80, 0x3400) if chr(code).isalnum()]
    words = [asked(f"a{letter}b")[0] for letter in letters]
    async with store.reading() as db:
        for start in range(0, len(words), 500):
            assert await storage.search.find(db, words[start : start + 500]) == []


async def test_what_is_changed_forgotten_or_set_aside_while_it_is_indexed_is_not_by_its_old_words(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words that it has by then are indexed, and of what is gone or set aside none, until it is
    let through; also what an earlier program had set aside.
    """
    await stored(store, STORIES[:1])
    item = entry(id="e1", title="Lorries wait", summary="", content="", language="en")
    gone = entry(id="e2", title="Lorries go", summary="", content="", language="en")
    aside = entry(id="e3", title="Lorries burn", summary="", content="", language="en")
    put = storage.search.put
    new = [
        NewEntry(feed="one", item=one, at=NOW, link_key=None, title_key=one.id, verdict=QUIET)
        for one in (item, gone, aside)
    ]

    async def late(db: Db, tokens: Mapping[storage.search.Unindexed, Sequence[str]]) -> int:
        monkeypatch.setattr(storage.search, "put", put)
        corrected = entry(id="e1", title="Flour waits", summary="", content="", language="en")
        await storage.entries.correct(db, 2, corrected, title_key="t", retracts=False)
        await db.execute(delete(schema.entry).where(schema.entry.c.guid == "e2"))
        await storage.entries.set_aside(db, "one", "e3")
        return await put(db, tokens)

    async with store.writing() as db:
        await storage.stories.add_alone(db, new, now=NOW)
    monkeypatch.setattr(storage.search, "put", late)
    assert await archive.index(store) == 1
    assert await found(store, "lorries") == [STORIES[0][1]]
    assert await found(store, "flour") == ["Flour waits"]
    async with store.writing() as db:
        await db.execute(update(schema.entry).where(schema.entry.c.id == 4).values(indexed=True))
        await storage.entries.let_through(db, 4)
    assert await archive.index(store) == 1
    assert await found(store, "lorries") == ["Lorries burn", STORIES[0][1]]


async def test_whoever_leaves_a_search_leaves_nothing_behind(store: Store) -> None:
    """Its statement ends with it, and the connection serves others."""
    await stored(store, STORIES[:1])
    words = [frozenset({Token("x" * 40, begins=True)})] * 3000

    async def search() -> None:
        async with store.reading() as db:
            await storage.search.find(db, words)

    asked = asyncio.Event()

    def ask(*told: Any) -> None:
        if "archive" in told[2]:  # the statement
            asked.set()

    engine = store._reader.sync_engine
    event.listen(engine, "before_cursor_execute", ask)
    before = asyncio.all_tasks()
    task = asyncio.create_task(search())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    event.remove(engine, "before_cursor_execute", ask)
    assert asyncio.all_tasks() <= before
    assert await found(store, "lorries")


def test_how_much_of_a_question_a_headline_has() -> None:
    """For whoever ranks what was found."""
    assert share("border flour", "Border guards", "en") == 0.5
    assert share("", "Border guards", "en") == 0.0
    assert share("Баткен", "Чек арачылар Баткенге жетти", "ky") == 1.0
    assert tokens_of("", None) == []
