"""A kind of alert with an audience and a life of its own is one file: the store knows it by its
terms alone.

Two kinds are put beside ours, each a file that nothing else names. They differ in their terms, and
what becomes of one and not of the other is told here: through the store, the worker and an emulated
Telegram.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, fields, replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import bot.alerts
import storage.alerts
import storage.chats
import storage.fan_out
import storage.switch
import storage.told
from bot.alerts import KINDS, kind_in
from bot.alerts.kind import table
from bot.emulator import TEST_TOKEN, Emulator
from bot.model.alerts import EVERYBODY, About, Alert, Audience, Lane, Severity, Terms
from bot.model.chats import Post, Sound, Wakes, write_sounds
from bot.sources.catalog import parse_catalog
from bot.telegram.api import Api
from bot.telegram.outcomes import BLOCKED
from bot.telegram.session import open_session
from storage.db import Store
from storage.schema import alert
from tests import source
from tests.factories import NOW, rate
from tests.publishers import bank_at
from tests.world import READER, SECURITY, Sending, World, polling

OTHER = READER + 1
HOUR = timedelta(hours=1)
#: The file of a kind, but for its name and its terms.
FILE = """
from dataclasses import dataclass

from bot.alerts.kind import Kind
from bot.model.alerts import Payload, Terms
from bot.render.text import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Payload):
    KIND = "{name}"
    TERMS = Terms({terms})

    road: str

    def to_json(self):
        return {{"v": 1, "road": self.road}}

    @classmethod
    def from_json(cls, data):
        return cls(road=data["road"])


class Roads(Kind):
    payload = Closed
    texts = ()

    async def words(self, desk, told, reader):
        return Message(f"{name}: {{Closed.read(told.payload).road}}")
"""
#: Two kinds: one goes out as news does, the other on every term that there is.
PLAIN, SPECIAL = "detour", "closure"
EVERY_TERM = ", ".join(f"{one.name}=True" for one in fields(Terms))


@pytest.fixture
def kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two more files in the room of kinds."""
    monkeypatch.setattr(bot.alerts, "__path__", [*bot.alerts.__path__, str(tmp_path)])
    for name, terms in ((PLAIN, ""), (SPECIAL, EVERY_TERM)):
        code = FILE.format(name=name, terms=terms)
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        found = table(kind_in(import_module(f"bot.alerts.{name}")))
        monkeypatch.setitem(KINDS, name, found[name])  # type: ignore[arg-type]  # a dict
    yield
    for name in (PLAIN, SPECIAL):
        del sys.modules[f"bot.alerts.{name}"]
        delattr(bot.alerts, name)


@pytest.fixture
async def world(store: Store, kinds: None) -> AsyncIterator[World]:
    """Two readers of security, and a worker that sends."""
    async with Emulator(TEST_TOKEN) as emulator, open_session() as session:
        made = World(store)
        made.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        for number in (READER, OTHER):
            emulator.add_private(emulator.add_user(number, f"Reader {number}", "en"))
            await made.reader(number)
        async with Sending(made):
            yield made
        assert made.told == []


async def decide(world: World, kind: str, road: str, audience: Audience, **changes: Any) -> int:
    """An alert of a kind."""
    new = Alert(
        dedup_key=f"{kind} {road}",
        payload=KINDS[kind].payload(road=road),  # type: ignore[call-arg]  # its own
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=audience,
        created_at=world.now,
        expires_at=world.now + HOUR,
    )
    async with world.store.writing() as db:
        pk = await storage.alerts.enqueue(db, replace(new, **changes))
    assert pk is not None
    world.worker.wake()
    return pk


async def decide_both(world: World, road: str, audience: Audience, **changes: Any) -> None:
    """One of the kind that is as news, and after it one of the other."""
    for kind in (PLAIN, SPECIAL):
        await decide(world, kind, road, audience, **changes)


def texts(world: World, reader: int) -> list[str]:
    """The texts of a reader's chat, in order."""
    return [one["text"] for one in world.emulator.messages(reader) if "text" in one]


async def test_what_is_awaited_comes_also_to_who_wants_no_alerts(world: World) -> None:
    """Not to whom Telegram shut us out from."""
    async with world.store.writing() as db:
        await storage.chats.stop(db, READER)
        await storage.chats.close(db, OTHER, why=BLOCKED.why)
    await decide_both(world, "Bishkek–Osh", Audience(chat=READER))
    await decide_both(world, "Osh–Batken", Audience(chat=OTHER))
    await world.tells(READER, "closure: Bishkek–Osh")
    await world.done()
    assert texts(world, READER) == ["closure: Bishkek–Osh"]
    assert texts(world, OTHER) == []


async def test_what_passes_a_stop_leaves_before_what_waits_for_its_end(world: World) -> None:
    """Also where that was decided first."""
    async with world.store.writing() as db:
        await storage.switch.turn_off(db, "t")
    await decide_both(world, "Bishkek–Osh", Audience(chat=READER))
    await world.tells(READER, "closure: Bishkek–Osh")
    assert texts(world, READER) == ["closure: Bishkek–Osh"]
    async with world.store.writing() as db:
        await storage.switch.turn_on(db, "t")
    world.worker.wake()
    await world.tells(READER, "detour: Bishkek–Osh")


async def test_no_page_tells_of_what_is_personal_nor_hears_an_operator_of_it(world: World) -> None:
    """Neither how far it came nor that nobody has it."""
    await world.halt()
    await decide_both(world, "Bishkek–Osh", Audience(chat=READER))
    async with world.store.writing() as db:
        while await storage.fan_out.fan_out(db) is not None:
            pass
    async with world.store.reading() as db:
        listed = await storage.told.newest(db, most=9)
        unheard = await storage.told.unheard(db, now=NOW + HOUR, after=HOUR)
    assert [one.payload.kind for one in listed] == [PLAIN]
    assert [one.alert for one in unheard] == [one.id for one in listed]
    world.restart()
    world.start()


async def test_what_is_announced_reaches_all_readers_and_tells_nothing(world: World) -> None:
    """Whenever they came, and however grave they want the subject's news."""
    async with world.store.writing() as db:
        await storage.chats.change(db, OTHER, wakes=Wakes.URGENT)
        await storage.chats.subscribe(db, READER, ["topic:sport"], now=NOW + HOUR)
    await decide_both(world, "Bishkek–Osh", Audience(subscription=SECURITY))
    await decide_both(world, "to the stadium", Audience(subscription="topic:sport"))
    await world.tells(READER, "closure: to the stadium")
    await world.done()
    assert texts(world, OTHER) == ["closure: Bishkek–Osh"]
    assert texts(world, READER) == [
        "detour: Bishkek–Osh",
        "closure: Bishkek–Osh",
        "closure: to the stadium",
    ]
    async with world.store.reading() as db:
        told = await storage.alerts.last_told(db, READER, [SECURITY, "topic:sport"])
    assert list(told) == [SECURITY]  # by the other kind


async def test_of_what_is_graded_a_calm_one_is_for_who_wants_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is not, each is for every reader."""
    monkeypatch.setattr(KINDS[SPECIAL].payload, "TERMS", Terms(graded=True))
    async with world.store.writing() as db:
        await storage.chats.change(db, OTHER, wakes=Wakes.ALL)
        for number in (READER, OTHER):
            await storage.chats.subscribe(db, number, ["topic:roads"], now=NOW)
    calm = {"severity": Severity.INFO}
    await decide_both(world, "Bishkek–Osh", Audience(subscription="topic:roads"), **calm)
    await world.tells(OTHER, "closure: Bishkek–Osh")
    await world.done()
    assert texts(world, OTHER) == ["detour: Bishkek–Osh", "closure: Bishkek–Osh"]
    assert texts(world, READER) == ["detour: Bishkek–Osh"]


async def test_any_kind_may_be_for_everybody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """But who turned off the post that it is."""
    monkeypatch.setattr(KINDS[PLAIN].payload, "POST", Post.STORIES)
    silent = write_sounds({Post.STORIES: Sound.OFF})
    async with world.store.writing() as db:
        await storage.chats.unsubscribe(db, READER)
        await storage.chats.change(db, OTHER, sounds=silent)
    await decide_both(world, "Bishkek–Osh", Audience(subscription=EVERYBODY))
    await world.tells(OTHER, "closure: Bishkek–Osh")
    await world.done()
    assert texts(world, READER) == ["detour: Bishkek–Osh", "closure: Bishkek–Osh"]
    assert [state for state, _ in await world.rows(OTHER)] == ["sent"]
    assert texts(world, OTHER) == ["closure: Bishkek–Osh"]


async def test_a_figure_that_it_told_is_corrected_when_its_bank_revises_it(
    store: Store, kinds: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In answer to its message; who waits for it is not told the wrong one any more."""
    kind = KINDS[PLAIN]
    monkeypatch.setattr(kind.payload, "about", property(lambda _: About.rate(rate())))
    monkeypatch.setattr(type(kind), "rate", lambda *_: rate())
    async with (
        polling(store, lambda url: parse_catalog(bank_at(url)), now=NOW) as made,
        Emulator(TEST_TOKEN) as emulator,
        open_session() as session,
    ):
        made.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        emulator.add_private(emulator.add_user(READER, "Reader", "en"))
        await made.reader(READER)
        await made.publish(rate().effective_on)
        async with Sending(made):
            await decide(made, PLAIN, "Bishkek–Osh", Audience(chat=READER))
            told = await made.tells(READER, "detour: Bishkek–Osh")
        await decide(made, PLAIN, "Osh–Batken", Audience(chat=READER))
        assert (await made.publish(rate().effective_on, USD="84,8100")).alerts == 1
        made.restart()
        async with Sending(made):
            corrected = await made.tells(READER, "84.7935 → 84.8100")
        assert corrected["reply_to_message"]["message_id"] == told["message_id"]
        assert texts(made, READER) == ["detour: Bishkek–Osh", corrected["text"]]


async def test_what_is_awaited_is_no_news_with_an_age(world: World) -> None:
    """Late answers are not to be counted as late news."""
    ages = {}
    for kind in (PLAIN, SPECIAL):
        pk = await decide(world, kind, "Bishkek–Osh", Audience(chat=READER))
        await world.tells(READER, f"{kind}: Bishkek–Osh")
        ages[kind] = world.worker.composer.age(pk) is not None
    assert ages == {PLAIN: True, SPECIAL: False}


async def test_an_alert_keeps_the_terms_on_which_it_was_decided(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a column of its own."""
    await world.halt()
    kept = {}
    for term in [one.name for one in fields(Terms)]:
        monkeypatch.setattr(KINDS[SPECIAL].payload, "TERMS", Terms(**{term: True}))
        await decide(world, SPECIAL, term, Audience(chat=READER))
        kept[f"{SPECIAL} {term}"] = asdict(Terms(**{term: True}))
    rows = await world.stored(alert)
    found = {row.dedup_key: {name: getattr(row, name) for name in asdict(Terms())} for row in rows}
    assert found == kept
    world.restart()
    world.start()


def test_the_store_names_no_kind_of_alert() -> None:
    """It asks an alert's terms, or for the kind that it is given."""
    named: list[str] = []
    for path in source.files("storage"):
        if "migrations" not in path.parts and "kind" in source.text(path):
            for node in (*source.nodes(path, ast.Compare), *source.nodes(path, ast.Call)):
                if _asks_kind(node):
                    named.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    assert named == []


def _asks_kind(node: ast.Compare | ast.Call) -> bool:
    """Whether this compares something with the name of a kind, or has it in a condition."""
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if not called.endswith(("text", "in_")):
            return False
    words = ast.unparse(node)
    return "kind" in words and any(f"'{name}'" in words or f'"{name}"' in words for name in KINDS)
