"""Rules in the store, on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

import storage.alerts
import storage.chats
import storage.rules
from bot.alerts import kind_of, reads
from bot.alerts.moves import RateMoved
from bot.alerts.rules import RuleFired
from bot.detect.moves import Moved
from bot.errors import NewerError
from bot.model.alerts import Alert, Audience, Lane, Severity, StoredForm
from bot.model.rates import Move
from bot.model.rules import Condition, Direction, Rule, RuleState
from bot.telegram.outcomes import BLOCKED
from storage.alerts import StoredAlert
from storage.db import Db, Store
from storage.schema import rule as rule_table
from tests.factories import NOW, chat, rate

SERIES = rate().series


def rule(level: int = 1) -> Rule:
    """A level of so many som."""
    return Rule(
        pair=SERIES.pair, condition=Condition.LEVEL, amount=Decimal(level), direction=Direction.UP
    )


async def proposed(db: Db, chat_id: int = 1001) -> int:
    """A rule that waits for its Save."""
    await storage.chats.add(db, chat(chat_id), now=NOW)
    return await storage.rules.propose(db, chat_id, SERIES, rule(), now=NOW)


async def saved(db: Db, number: int, chat_id: int = 1001) -> None:
    """The chat says Save."""
    waiting = await storage.rules.get(db, chat_id, number, pending=True)
    assert waiting is not None
    await storage.rules.save(db, waiting, RuleState())


async def test_a_change_takes_the_place_of_the_rule_it_changes(store: Store) -> None:
    """Under the same number, with what is proposed; nothing waits any more."""
    async with store.writing() as db:
        number = await proposed(db)
        await saved(db, number)
        change = await storage.rules.propose(db, 1001, SERIES, rule(2), now=NOW, replaces=number)
        await storage.rules.change(db, change, rule(3))
        await saved(db, change)
        (found,) = await storage.rules.of_chat(db, 1001)
        assert (found.id, found.rule, found.state) == (number, rule(3), RuleState())
        assert await storage.rules.get(db, 1001, change, pending=True) is None


@pytest.mark.parametrize("column", ["rule", "state"])
async def test_a_rule_that_a_newer_program_saved_is_kept_and_does_not_watch(
    store: Store, column: str
) -> None:
    """By the fields that are known of it, it might come true of something else."""
    async with store.writing() as db:
        number = await proposed(db)
        await saved(db, number)
        other = await proposed(db)
        await saved(db, other)
        assert await storage.rules.unread_of_chat(db, 1001) == []
        stored = (await db.execute(select(rule_table).where(rule_table.c.id == number))).one()
        form = stored._mapping[column]
        changed = update(rule_table).where(rule_table.c.id == number)
        # of what is unknown here it may know more
        await db.execute(changed.values({column: {**form, "v": 2}, "kind": "futures"}))
        assert [one.id for one in await storage.rules.of_chat(db, 1001)] == [other]
        assert await storage.rules.get(db, 1001, number) is None
        assert [one.id for one in await storage.rules.unread_of_chat(db, 1001)] == [number]
        assert await storage.rules.unread_of_chat(db, 1002) == []
        # what it told is in the summary of quiet hours
        assert await storage.rules.is_on(db, 1001, number)
        assert not await storage.rules.is_on(db, 1002, number)
        await db.execute(changed.values(kind=SERIES.kind.value))
        for found in (
            await storage.rules.watching(db, SERIES, now=NOW),
            await storage.rules.ever_watching(db, SERIES),
        ):
            assert [one.id for one in found] == [other]
        await db.execute(changed.values({column: form}))
        assert len(await storage.rules.watching(db, SERIES, now=NOW)) == 2


async def test_the_log_is_told_once_of_a_rule_that_a_newer_program_saved(store: Store) -> None:
    """Not by each rate that it would watch."""
    storage.rules._note_unread.cache_clear()
    async with store.writing() as db:
        for _ in range(2):
            await saved(db, await proposed(db))
        await db.execute(update(rule_table).values(rule={**rule().to_json(), "v": 2}))
        with capture_logs() as said:
            for _ in range(3):
                assert await storage.rules.watching(db, SERIES, now=NOW) == []
    assert len({one["rule"] for one in said}) == len(said) == 2


def test_a_rule_of_an_older_version_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the program that writes the next one."""
    form, state = rule().to_json(), RuleState().to_json()
    monkeypatch.setattr("bot.model.rules.VERSION", 2)
    assert Rule.from_json(form) == rule()
    assert RuleState.from_json(state) == RuleState()
    for wrong in (3, True, "2"):
        with pytest.raises(NewerError):
            Rule.from_json({**form, "v": wrong})


def test_an_alert_whose_rule_is_of_a_newer_version_is_not_read() -> None:
    """Nor is it shown among others."""
    fired = RuleFired(number=1, rule=rule(), move=Move(old=rate(), new=rate()))
    form = fired.to_json()
    newer = StoredForm("rule", {**form, "rule": {**form["rule"], "v": 2}})
    with pytest.raises(NewerError, match="rule of version 2, and 1 is the newest known"):
        RuleFired.read(newer)
    told = StoredAlert(id=1, payload=newer, severity=Severity.NOTABLE, reasons=(), created_at=NOW)
    assert not reads(told)
    assert reads(replace(told, payload=StoredForm("rule", form)))


async def test_a_rule_watches_from_save_to_pause(store: Store) -> None:
    """Not before, not while it is snoozed, not when its chat is closed."""
    async with store.writing() as db:
        number = await proposed(db)
        assert await storage.rules.watching(db, SERIES, now=NOW) == []
        await saved(db, number)
        (found,) = await storage.rules.watching(db, SERIES, now=NOW)
        assert (found.id, found.chat, found.series, found.rule) == (number, 1001, SERIES, rule())
        await storage.rules.pause(db, number, paused=True)
        assert await storage.rules.watching(db, SERIES, now=NOW) == []
        await storage.rules.pause(db, number, paused=False)
        await storage.rules.snooze(db, number, until=NOW + timedelta(hours=1))
        assert await storage.rules.watching(db, SERIES, now=NOW) == []
        assert len(await storage.rules.watching(db, SERIES, now=NOW + timedelta(hours=1))) == 1
        await storage.chats.close(db, 1001, why=BLOCKED.why)
        assert await storage.rules.watching(db, SERIES, now=NOW + timedelta(hours=1)) == []


async def test_a_new_proposal_takes_the_place_of_the_oldest_of_five(store: Store) -> None:
    """And never that of a saved rule or of another chat's."""
    async with store.writing() as db:
        kept = await proposed(db)
        await saved(db, kept)
        other = await proposed(db, 1002)
        first, *rest = [await proposed(db) for _ in range(storage.rules.MOST_PENDING + 1)]
        assert await storage.rules.get(db, 1001, first, pending=True) is None
        for later in rest:
            assert await storage.rules.get(db, 1001, later, pending=True) is not None
        assert await storage.rules.get(db, 1002, other, pending=True) is not None
        assert [one.id for one in await storage.rules.of_chat(db, 1001)] == [kept]
        assert await storage.rules.count(db, 1001) == 1


async def test_a_rule_belongs_to_one_chat_and_goes_where_the_chat_goes(store: Store) -> None:
    async with store.writing() as db:
        number = await proposed(db)
        await saved(db, number)
        assert await storage.rules.get(db, 1002, number) is None
        await storage.chats.add(db, chat(1002), now=NOW)
        await storage.rules.migrate(db, 1001, 1002)
        assert await storage.rules.get(db, 1002, number) is not None


async def test_what_a_rule_remembers_and_what_was_told_come_back(store: Store) -> None:
    """Days of big moves are a series' own; a chat's rule is not among them."""
    moved = RateMoved(
        Moved(
            baseline=rate(),
            previous=rate(),
            new=rate(on="2021-10-21"),
            rules=("fixing",),
            usual=rate().value,
        )
    )
    own = RuleFired(number=7, rule=rule(), move=Move(old=rate(), new=rate(on="2021-10-22")))
    async with store.writing() as db:
        number = await proposed(db)
        await saved(db, number)
        await storage.rules.remember(db, number, RuleState(armed=False))
        (found,) = await storage.rules.of_chat(db, 1001)
        assert found.state == RuleState(armed=False)
        for payload in (moved, own):
            alert = Alert(
                dedup_key=payload.KIND,
                payload=payload,
                severity=Severity.NOTABLE,
                lane=Lane.ALERT,
                audience=Audience(chat=1001),
                created_at=NOW,
                expires_at=NOW + timedelta(hours=1),
                supersede_key="move:nbkr:USD/KGS:official",
            )
            pk = await storage.alerts.enqueue(db, alert)
            assert pk is not None
            stored = await storage.alerts.get(db, pk)
            assert stored is not None
            assert kind_of(stored).payload.read(stored.payload) == payload
        assert await storage.alerts.days_told(
            db, RateMoved.KIND, SERIES, since=date(2021, 1, 1)
        ) == [date(2021, 10, 21)]
