"""One fact once, in the store: what tells a chat of one day's rate leaves in one message."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

import storage.alerts
import storage.chats
import storage.deliveries
import storage.fan_out
import storage.joined
import storage.quiet
from bot.alerts import corrections
from bot.alerts.rules import RuleFired
from bot.deliver.compose import Composer
from bot.model.alerts import Alert, Audience, Lane
from bot.model.chats import Post, Sound
from bot.model.rates import Move
from bot.model.rules import Condition, Direction, Rule
from bot.sources.specs import Catalog
from storage.db import Db, Store, db_now
from storage.due import UNREAD
from storage.opening import open_store
from storage.schema import alert, chat, delivery
from tests.factories import NOW, rate, seen_rate
from tests.storage.test_deliveries import an_alert, claim, fan_all, forget_chat_pace, sent, told
from tests.storage.test_quiet import BROUGHT, HOUR, MOVED, over, people, quiet, summaries

#: Both databases in the long run: of each promise here the case differs.
pytestmark = pytest.mark.cases

PAIR = "pair:USD/KGS"
NEW = MOVED.moved.new
LEVEL = Rule(pair=NEW.pair, condition=Condition.LEVEL, amount=Decimal(86), direction=Direction.UP)
FIRED = RuleFired(number=1, rule=LEVEL, move=Move(old=rate(on="2021-10-19"), new=NEW))


def of_the_euro(number: int) -> RuleFired:
    """A rule's measure of another rate."""
    old, new = rate("EUR/KGS", on="2021-10-19"), rate("EUR/KGS", "99", on="2021-10-20")
    return replace(FIRED, number=number, move=Move(old=old, new=new))


def a_move(name: str = "move", **changes: Any) -> Alert:
    """The move, for all who follow the dollar."""
    fields = {"payload": MOVED, "audience": Audience(subscription=PAIR), **changes}
    return an_alert(name, **fields)


def of_rule(number: int, chat: int = 1, **changes: Any) -> Alert:
    """The alert of a chat's rule about the same rate."""
    fields = {"payload": replace(FIRED, number=number), "audience": Audience(chat=chat), **changes}
    return an_alert(f"rule {number} {changes}", supersede_key=f"rule:{number}", **fields)


async def decided(db: Db, *alerts: Alert) -> list[int]:
    """They were decided in this order; their numbers."""
    found = [await storage.alerts.enqueue(db, one) for one in alerts]
    return [one for one in found if one is not None]


async def following(db: Db, *chats: int) -> None:
    """Readers who follow the dollar."""
    await people(db, *chats)
    for number in chats:
        await storage.chats.subscribe(db, number, [PAIR], now=NOW)


async def due(db: Db) -> list[tuple[int, int]]:
    """The messages that a sender takes: for each its chat, and how many alerts it tells."""
    await forget_chat_pace(db)
    got = await claim(db)
    await sent(db, got)
    found = []
    for one in got.deliveries:
        found.append((one.chat, 1 + len(await storage.joined.parts(db, one.alert, one.chat))))
    return sorted(found)


async def test_each_chat_is_due_one_message_in_whatever_chunks(store: Store) -> None:
    """From the first chunk on: chat 2 has two rules, 3 one and no subscription, 4 wants no message
    of rules, 5 none of moves; 1 and 6 follow the pair alone.
    """
    async with store.writing() as db:
        await following(db, 1, 2, 4, 5, 6)
        await people(db, 3)
        await storage.chats.change(db, 4, sounds=f"{Post.RULES}={Sound.OFF}")
        await storage.chats.change(db, 5, sounds=f"{Post.RATES}={Sound.OFF}")
        rules = [of_rule(number, chat) for number, chat in enumerate((2, 2, 3, 4, 5), start=1)]
        # urgent, as its lane goes before that of rules
        await decided(db, a_move(lane=Lane.URGENT), *rules)
    found: list[tuple[int, int]] = []
    steps = 0
    while True:
        async with store.writing() as db:
            if await storage.fan_out.fan_out(db, chunk=2) is None:
                break
            found += await due(db)
            steps += 1
    assert found == [(1, 1), (2, 3), (3, 1), (4, 1), (5, 1), (6, 1)]
    assert steps > 1
    async with store.reading() as db:
        inside = select(delivery.c.finished_at).where(delivery.c.state == "collected")
        ended = list((await db.execute(inside)).scalars())
        assert [one for one in ended if abs(await db_now(db) - one) > HOUR] == []
        assert len(ended) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chunk", "sizes"),
    [
        # of chats 4 and 5, then of 3, the first that is left, of 6, and 1
        (1, [2, 2, 2, 1, None]),
        # of 4, 5 and 6, then of 3, and 1
        (2, [4, 2, 1, None]),
    ],
)
async def test_rules_alone_are_given_out_many_at_a_time(
    store: Store, chunk: int, sizes: list[int | None]
) -> None:
    """Of a chunk's chats at once, all of a chat together; a chat that is left out has its turn."""
    async with store.writing() as db:
        await people(db, *range(1, 7))
        chats = (4, 3, 3, 6, 6, 5, 1)
        await decided(db, *(of_rule(number, chat) for number, chat in enumerate(chats, start=1)))
        given = [await storage.fan_out.fan_out(db, chunk=chunk) for _ in sizes]
        assert given == sizes
        assert await due(db) == [(1, 1), (3, 2), (4, 1), (5, 1), (6, 2)]


async def test_a_chunk_is_no_larger_for_a_rule_of_a_later_chat(store: Store) -> None:
    async with store.writing() as db:
        await following(db, 1, 2, 3)
        await decided(db, a_move(), of_rule(1, 3))
        given = [await storage.fan_out.fan_out(db, chunk=1) for _ in range(5)]
        assert given == [1, 1, 2, 0, None]


async def test_a_move_that_cannot_be_read_keeps_no_rule_waiting(store: Store) -> None:
    async with store.writing() as db:
        await following(db, 1)
        move, rule = await decided(db, a_move(), of_rule(1))
        assert await storage.fan_out.fan_out(db, unread={move: UNREAD}) == 1
        assert [one.alert for one in (await claim(db)).deliveries] == [rule]


@pytest.mark.slow
async def test_rules_alone_are_one_message_and_another_day_is_another(store: Store) -> None:
    async with store.writing() as db:
        await people(db, 1)
        later = replace(FIRED, number=3, move=Move(old=NEW, new=rate(on="2021-10-21")))
        await decided(db, of_rule(1), of_rule(2), of_rule(3, payload=later))
        await fan_all(db)
        assert await due(db) == [(1, 2)]
        assert await due(db) == [(1, 1)]


@pytest.mark.slow
@pytest.mark.postgres
async def test_a_rule_waits_while_another_replica_gives_out_its_move(
    migrated_postgres_url: str,
) -> None:
    """Nobody else takes it: it leaves with that. So where another is at the first of two rules."""
    one = await open_store(migrated_postgres_url)
    two = await open_store(migrated_postgres_url)
    try:
        async with one.writing() as db:
            await following(db, 1, 2)
            euro = of_rule(9, 2, payload=of_the_euro(9))
            await decided(db, a_move(), euro, of_rule(1, 2), of_rule(2, 2))
        async with one.writing() as db:
            assert await storage.fan_out.fan_out(db, chunk=1) == 1  # rules of a later chunk
            async with two.writing() as other:
                assert await storage.fan_out.fan_out(other) == 1  # of another rate
                unread = {0: UNREAD}  # of another alert
                assert await storage.fan_out.fan_out(other, unread=unread) is None
                assert await storage.fan_out.fan_out(other) is None
                await sent(other, await claim(other))
        async with two.writing() as db:
            await fan_all(db)
            assert await due(db) == [(1, 1), (2, 3)]
            first, _ = await decided(db, of_rule(3, 2), of_rule(4, 2))
        async with one.writing() as db:
            await db.execute(select(alert).where(alert.c.id == first).with_for_update())
            async with two.writing() as other:
                assert await storage.fan_out.fan_out(other) is None
    finally:
        await one.close()
        await two.close()


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("gone", "left"),
    [("move", [2, 3]), ("rule", [1, 3]), ("other", [1, 2])],
)
async def test_what_is_taken_back_leaves_the_rest_in_one_message(
    store: Store, gone: str, left: list[int]
) -> None:
    """Before anybody has it, by a withdrawal or by a newer one of its kind; it reached nobody."""
    for newer in (False, True):
        async with store.writing() as db:
            await following(db, 1)
            await db.execute(delivery.delete())
            await db.execute(alert.delete())
            one = a_move(supersede_key="usd")
            pks = await decided(db, one, of_rule(1), of_rule(2))
            await fan_all(db)
            which = ["move", "rule", "other"].index(gone)
            if newer:
                again = [
                    a_move("next", supersede_key="usd"),
                    of_rule(1, at=NOW),
                    of_rule(2, at=NOW),
                ]
                made = await storage.alerts.enqueue(db, again[which])
                assert made is not None
                await db.execute(update(alert).where(alert.c.id == made).values(fanned_at=NOW))
            else:
                back = await storage.alerts.withdraw(db, pks[which])
                assert (back.reached, back.waiting) == (False, True)
            got = await claim(db)
            (carrier,) = [item.alert for item in got.deliveries]
            inside = await storage.joined.parts(db, carrier, 1)
            assert sorted([carrier, *inside]) == [pks[number - 1] for number in left]
            await sent(db, got)
            await forget_chat_pace(db)
            assert (await claim(db)).deliveries == ()


async def test_what_is_taken_back_leaves_messages_of_other_rates_as_they_are(store: Store) -> None:
    async with store.writing() as db:
        await people(db, 1)
        euro = [of_rule(number, payload=of_the_euro(number)) for number in (3, 4)]
        pk, *_ = await decided(db, of_rule(1), of_rule(2), *euro)
        await fan_all(db)
        await storage.alerts.withdraw(db, pk)
        assert await due(db) == [(1, 1)]
        assert await due(db) == [(1, 2)]


async def test_an_urgent_move_takes_the_rules_through_the_night(store: Store) -> None:
    """All of what cannot wait otherwise waits, and is asked part by part in the morning."""
    async with store.writing() as db:
        await following(db, 1, 2, 3)
        await quiet(db, 1)
        await quiet(db, 2, quiet_urgent=False)
        rules = [of_rule(chat, chat) for chat in (1, 2, 3)]
        await decided(db, a_move(lane=Lane.URGENT), *rules)
        await fan_all(db)
        leaves = select(delivery.c.chat_id, delivery.c.lane).where(delivery.c.state == "pending")
        lanes = {row.chat_id: row.lane for row in await db.execute(leaves)}
        assert lanes == {1: Lane.URGENT, 3: Lane.URGENT}
        assert await due(db) == [(1, 2), (3, 2)]
        assert await storage.quiet.hold(db) == 0
        assert await told(db, state="held") == [(2, "held")] * 2


async def test_a_move_right_after_the_night_takes_a_rule_along_that_it_held(store: Store) -> None:
    """Before what was held is told in a summary."""
    async with store.writing() as db:
        await following(db, 1)
        await quiet(db, 1)
        await decided(db, of_rule(1))
        await fan_all(db)
        await db.execute(update(chat).values(quiet_begins_at=None, quiet_ends_at=None))
        await decided(db, a_move())
        await fan_all(db)
        assert await due(db) == [(1, 2)]


async def test_what_is_to_be_tried_later_is_not_hurried_by_what_joins_it(store: Store) -> None:
    async with store.writing() as db:
        await following(db, 1)
        await decided(db, of_rule(1))
        await fan_all(db)
        await db.execute(update(delivery).values(not_before=await db_now(db) + HOUR))
        await decided(db, a_move())
        await fan_all(db)
        assert (await claim(db)).deliveries == ()


@pytest.mark.slow
async def test_what_waited_for_the_night_to_begin_is_told_in_the_morning_part_by_part(
    store: Store,
) -> None:
    """Joined before: what the chat turned off in the night is left out, and the rest told."""
    async with store.writing() as db:
        await following(db, 1)
        move, _, _ = await decided(db, a_move(), of_rule(1), of_rule(2))
        await fan_all(db)
        await quiet(db, 1)
        assert await storage.quiet.hold(db) == 1
        assert (await claim(db)).deliveries == ()
        await storage.chats.change(db, 1, sounds=f"{Post.RULES}={Sound.OFF}")
        await over(db, 1)
        (summary,) = await summaries(db)
        assert await storage.quiet.collected(db, summary.id, 1) == [move]


async def test_what_one_message_told_before_the_night_is_not_told_in_the_morning(
    store: Store,
) -> None:
    async with store.writing() as db:
        await people(db, 1)
        await decided(db, of_rule(1), of_rule(2))
        await fan_all(db)
        assert await due(db) == [(1, 2)]
        await quiet(db, 1)
        pks = await decided(db, of_rule(3), of_rule(4))
        await fan_all(db)
        await over(db, 1)
        (summary,) = await summaries(db)
        assert await storage.quiet.collected(db, summary.id, 1) == pks
        assert await storage.joined.parts(db, summary.id, 1) == []


async def test_a_figure_told_in_the_morning_is_corrected(store: Store) -> None:
    async with store.writing() as db:
        await following(db, 1)
        await quiet(db, 1)
        (pk,) = await decided(db, a_move())
        await fan_all(db)
        await over(db, 1)
        await fan_all(db)
        assert await due(db) == [(1, 1)]
        new = seen_rate(value="85.5", revision=1)
        await decided(db, corrections.alert(pk, NEW, new, now=NOW))
        await fan_all(db)
        assert await due(db) == [(1, 1)]


async def test_a_correction_is_told_by_itself(store: Store) -> None:
    """It answers what told the figure, also where a rule tells the new one."""
    async with store.writing() as db:
        await people(db, 1)
        (pk,) = await decided(db, of_rule(1))
        await fan_all(db)
        assert await due(db) == [(1, 1)]
        new = seen_rate(value="85.5", revision=1)
        await decided(db, corrections.alert(pk, NEW, new, now=NOW), of_rule(2))
        await fan_all(db)
        assert await due(db) == [(1, 1)]
        assert await due(db) == [(1, 1)]


async def test_a_figure_told_once_is_corrected_once(store: Store) -> None:
    """Whoever heard of it by the subscription alone is told too."""
    async with store.writing() as db:
        await following(db, 1, 2)
        pks = await decided(db, a_move(), of_rule(1), of_rule(2))
        await fan_all(db)
        assert await due(db) == [(1, 3), (2, 1)]
        assert all([(await storage.alerts.withdraw(db, pk)).reached for pk in pks])
        new = seen_rate(value="85.5", revision=1)
        for pk in pks:
            await decided(db, corrections.alert(pk, NEW, new, now=NOW))
        await fan_all(db)
        assert await due(db) == [(1, 1), (2, 1)]
        assert (await db.execute(select(delivery).where(delivery.c.state == "pending"))).all() == []


async def test_a_figure_told_twice_in_one_summary_is_corrected_once(store: Store) -> None:
    """By the subscription and by a rule, after quiet hours."""
    async with store.writing() as db:
        await following(db, 1)
        await quiet(db, 1)
        pks = await decided(db, a_move(), of_rule(1))
        await fan_all(db)
        await over(db, 1)
        await fan_all(db)
        assert await due(db) == [(1, 1)]
        new = seen_rate(value="85.5", revision=1)
        for pk in pks:
            await decided(db, corrections.alert(pk, NEW, new, now=NOW))
        await fan_all(db)
        assert [await due(db), await due(db)] == [[(1, 1)], []]


@pytest.mark.slow
async def test_it_is_said_which_rules_a_message_tells_beside_each_other(store: Store) -> None:
    """Of the one that carries it and of the one within; not of a rule beside a subscription."""
    async with store.writing() as db:
        await following(db, 1, 2)
        move, *rules = await decided(db, a_move(), of_rule(1), of_rule(2), of_rule(3, 2))
        await fan_all(db)
        beside = [await storage.joined.rules_beside(db, pk, 1) for pk in rules[:2]]
        assert (beside, await storage.joined.rules_beside(db, rules[2], 2)) == ([True] * 2, False)
        assert await storage.joined.parts(db, rules[2], 2) == [move]
        assert await due(db) == [(1, 3), (2, 2)]
        # in the order of their numbers, not in that of their deliveries
        mine = await decided(db, of_rule(5, 2), of_rule(6, 2), a_move("next", lane=Lane.URGENT))
        await fan_all(db)
        assert await storage.joined.parts(db, mine[0], 2) == mine[1:]
        # of another rate, for a chat that has a message of two
        (euro,) = await decided(db, of_rule(4, payload=of_the_euro(4)))
        await fan_all(db)
        assert not await storage.joined.rules_beside(db, euro, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sounds", "says", "silent"),
    [
        ("rules=off", ["+1.9", "Mute USD"], False),
        ("rates=off", ["Your alert: USD/KGS > 86", "Pause > 86"], False),
        ("rates=off rules=silent", ["Your alert: USD/KGS > 86", "Pause > 86"], True),
        ("rates=off rules=off", [], False),
    ],
)
async def test_what_a_chat_turned_off_since_is_left_out_and_the_rest_is_told(
    store: Store, sounds: str, says: list[str], silent: bool
) -> None:
    """Between the decision and the message; nothing is sent where nothing is left."""
    async with store.writing() as db:
        await following(db, 1)
        await decided(db, a_move(), of_rule(1), of_rule(2))
        # another chat's, of a kind that nobody silenced
        await decided(db, an_alert("other", payload=BROUGHT, audience=Audience(chat=2)))
        await fan_all(db)
        await storage.chats.change(db, 1, sounds=sounds)
        (item,) = (await claim(db)).deliveries
    request = await Composer(store, Catalog()).compose(item)
    assert (request is None) == (not says)
    if request is not None:
        body = orjson.loads(request[1])
        said = body["text"] + str(body["reply_markup"])
        assert [words for words in says if words not in said] == []
        both = "Your alert" in said and "Your subscription" in said
        assert (both, "disable_notification" in body) == (False, silent)


@pytest.mark.slow
async def test_what_one_carried_goes_on_with_it_to_one_that_comes_back(store: Store) -> None:
    """The first rule was on its way when the rest was decided, and was not taken."""
    async with store.writing() as db:
        await following(db, 1, 2)
        await decided(db, of_rule(1), of_rule(11, 2))
        await fan_all(db)
        away = (await claim(db)).deliveries
        await decided(db, a_move(), of_rule(2), of_rule(12, 2))
        await fan_all(db)
        await storage.deliveries.release(db, away)
        await decided(db, of_rule(3), of_rule(13, 2))
        await fan_all(db)
        assert await due(db) == [(1, 4), (2, 4)]
        assert await due(db) == []
