"""The words of a chat's own rules: alone, beside each other, and with a move."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import orjson
import pytest

import storage.alerts
import storage.chats
import storage.filters
import storage.rules
from bot.alerts import KINDS
from bot.alerts.kind import Kit, Reader
from bot.alerts.rules import RuleFired
from bot.deliver.compose import Composer
from bot.detect.rules import initial_state
from bot.model.chats import Style
from bot.model.filters import Filter, Sense, Trait
from bot.model.rates import Move, Series
from bot.model.rules import Condition, Direction, Rule
from bot.render.text import Message
from bot.sources.specs import Catalog
from storage.db import Db, Store
from tests.alerts.test_headlines import stored
from tests.factories import NOW, rate
from tests.storage.test_deliveries import claim, fan_all
from tests.storage.test_joined import NEW, PAIR, a_move, decided, following, of_rule
from tests.storage.test_quiet import people

#: The words are the case, and not the database.
pytestmark = pytest.mark.cases

#: A rule that looks back for a week, beside one that looks at a level.
WEEK = RuleFired(
    number=2,
    rule=Rule(
        pair=NEW.pair,
        condition=Condition.PERCENT,
        amount=Decimal(2),
        direction=Direction.UP,
        window=7,
    ),
    move=Move(old=rate(value="84.5", on="2021-10-13"), new=NEW),
)


DEARER = Filter(sense=Sense.NEVER, trait=Trait.WORD, what="dearer", said="dearer")


def a_reader(language: str) -> Reader:
    """The chat whose rules they are."""
    return Reader(chat=1, language=language, style=Style.BRIEF, home="KGS", time_zone="UTC")


async def said(db: Db, language: str, pk: int) -> tuple[Message, Message]:
    """A rule's message and its *Why?*."""
    told = await storage.alerts.get(db, pk)
    assert told is not None
    kit = Kit(db=db, catalog=Catalog(), kinds=KINDS)
    reader = a_reader(language)
    kind = KINDS[RuleFired.KIND]
    words, why = await kind.words(kit, told, reader), await kind.why(kit, told, reader)
    assert words is not None
    assert why is not None
    return words, why


def buttons(of: Message) -> list[str]:
    """The words on its buttons."""
    return [one.text for row in of.buttons for one in row]


LEVEL_SAID = {
    "ru": ("Ваше оповещение: USD/KGS > 86", "▲ +1,89\xa0% за день: 84,7935 → 86,4"),
    "ky": ("Эскертүүңүз: USD/KGS > 86", "бир күндө ▲ +1,89\xa0%: 84,7935 → 86,4"),
}
WEEK_SAID = {
    "ru": (
        "Ваше оповещение: USD/KGS +2\xa0% за 7\xa0дней",
        "▲ +2,2\xa0% к курсу на 13\xa0октября",
        "▲ +2,25\xa0% к курсу на 13\xa0октября: 84,5 → 86,4",
    ),
    "ky": (
        "Эскертүүңүз: USD/KGS 7\xa0күн ичинде +2\xa0%",
        "13‑октябрдагы курска караганда ▲ +2,2\xa0%",
        "13‑октябрдагы курска караганда ▲ +2,25\xa0%: 84,5 → 86,4",
    ),
}


@pytest.mark.parametrize(
    ("language", "lasted", "pause", "about", "own"),
    [
        ("ru", "за день", "Пауза", "Почему я написал о USD/KGS:", "Все ваши оповещения: /alerts"),
        (
            "ky",
            "бир күндө",
            "Тындыруу",
            "USD/KGS тууралуу эмне үчүн жаздым:",
            "Бардык эскертүүлөрүңүз: /alerts",
        ),
    ],
    ids=["ru", "ky"],
)
async def test_a_rule_alone_is_said_in_the_readers_language(
    store: Store, language: str, lasted: str, pause: str, about: str, own: str
) -> None:
    async with store.writing() as db:
        await people(db, 1)
        (pk,) = await decided(db, of_rule(1))
        await fan_all(db)
        words, why = await said(db, language, pk)
    rule, measured = LEVEL_SAID[language]
    assert words.text.split("\n")[1:3] == [rule, lasted]
    assert buttons(words)[-1] == pause
    assert why.text.split("\n") == [about, f"• {rule}", f"• {measured}", own]


@pytest.mark.parametrize("language", ["ru", "ky"])
@pytest.mark.parametrize("follows", [False, True])
async def test_of_rules_told_together_each_says_what_it_measured_where_that_is_not_shown(
    store: Store, language: str, follows: bool
) -> None:
    """A rule that looks back for a week; the day's figure stands above, and suits a level."""
    async with store.writing() as db:
        await people(db, 1)
        pk, _ = await decided(db, of_rule(1), of_rule(2, payload=WEEK))
        if follows:
            await storage.chats.subscribe(db, 1, [PAIR], now=NOW)
            await decided(db, a_move())
        await fan_all(db)
        words, why = await said(db, language, pk)
    level, level_measured = LEVEL_SAID[language]
    week, shown, week_measured = WEEK_SAID[language]
    told = [line for line in words.text.split("\n") if line.startswith((level, week))]
    assert told == [level, f"{week} · {shown}"]
    because = [f"• {one}" for one in (level, level_measured, week, week_measured)]
    assert why.text.split("\n")[-5:-1] == because


async def test_a_headline_stands_under_a_move_that_rules_are_told_with(store: Store) -> None:
    async with store.writing() as db:
        await people(db, 1)
        await storage.chats.subscribe(db, 1, [PAIR], now=NOW)
        await stored(db, "The dollar is dearer", hours=2, language="en")
        pk, _ = await decided(db, of_rule(1), a_move())
        await fan_all(db)
        words, _ = await said(db, "en", pk)
        assert words.text.split("\n")[-1] == "• The dollar is dearer"
        await storage.filters.add(db, 1, [DEARER])
        words, _ = await said(db, "en", pk)
        assert "•" not in words.text.split("\n")[-1]


async def test_no_chat_gets_a_headline_under_a_move_that_its_filters_keep_back(
    store: Store,
) -> None:
    """It gets the next best; whoever muted nothing, the best, whoever was first."""
    async with store.writing() as db:
        await following(db, 1, 2, 3)
        await stored(db, "Dollar: two pages of it", hours=3, language="en")
        await stored(db, "The dollar is dearer", hours=2, language="en")
        await storage.filters.add(db, 1, [DEARER])
        await storage.filters.add(db, 3, [DEARER, replace(DEARER, what="pages")])
        await decided(db, a_move())
        await fan_all(db)
        claimed = (await claim(db)).deliveries
    composer, told = Composer(store, Catalog()), {}
    for item in claimed:
        request = await composer.compose(item)
        assert isinstance(request, tuple)
        told[item.chat] = orjson.loads(request[1])["text"].split("\n")[-1]
    assert (told[1], told[2]) == ("• Dollar: two pages of it", "• The dollar is dearer")
    assert "•" not in told[3]


async def test_a_rule_that_waited_is_told_with_its_rate_unless_it_is_off(store: Store) -> None:
    """Among others that are told together."""
    async with store.writing() as db:
        await people(db, 1)
        series = Series(NEW.source, NEW.pair, NEW.kind)
        number = await storage.rules.propose(db, 1, series, WEEK.rule, now=NOW)
        own = await storage.rules.get(db, 1, number, pending=True)
        assert own is not None
        (pk,) = await decided(db, of_rule(number, payload=replace(WEEK, number=number)))
        told = await storage.alerts.get(db, pk)
        assert told is not None
        kind, kit = KINDS[RuleFired.KIND], Kit(db=db, catalog=Catalog(), kinds=KINDS)
        assert await kind.brief(kit, told, a_reader("ky")) is None  # nobody saved it
        await storage.rules.save(db, own, initial_state(own.rule, []))
        brief = await kind.brief(kit, told, a_reader("ky"))
        assert brief is not None
        assert brief.line is not None
        assert (brief.move, brief.line.text) == (WEEK.move, WEEK_SAID["ky"][0])
