"""The world of a test: publishers, a store, the poll flow, a sender, an emulated Telegram, in the
parts it asks for.

Three ways in: `polling` has publishers and the poll flow; `World.send_through` adds a sender and
its Telegram; `running` is the whole program in this process. The verbs are the same in each:
publish, poll, ask, press, look.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import urlsplit

from sqlalchemy import func, select

import handlers
import storage.alerts
import storage.chats
import storage.rates
from bot import app, assembly, presence
from bot.alerts.notices import Notice
from bot.config import load_settings
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.emulator import TEST_TOKEN, Emulator
from bot.emulator.calls import Call
from bot.fetch import Fetcher, Limits
from bot.ingest import Ingest, IngestReport
from bot.model.alerts import Alert, Audience, Lane, Severity, State
from bot.model.chats import Chat, ChatKind
from bot.model.places import Place
from bot.model.rates import Rate
from bot.reasons import Reason, reasons_from_json
from bot.running import Running, process_name
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog, NewsSpec, RateSpec
from bot.telegram.api import Api
from bot.workers import Workers
from storage.db import Store
from storage.opening import open_store
from storage.schema import alert, chat, delivery
from tests.factories import NOW, a_notice, carried, in_words
from tests.factories import chat as a_chat
from tests.publishers import Publishers, bank_page, rss
from tests.waiting import pauses

T = TypeVar("T")
OPERATOR, READER = 77, 1001
SECURITY = "topic:security"
#: Looked for once: the program looks at each start, and a process of tests starts it often.
#: In a copy that is mutated never: what a button sends is read out of the source, which has all
#: mutants.
PROBLEMS = functools.cache(list if "MUTANT_UNDER_TEST" in os.environ else handlers.problems)
#: The number of alerts that are still to be given to chats, and of deliveries that wait.
OPEN = select(
    select(func.count()).where(alert.c.fanned_at.is_(None)).scalar_subquery()
    + select(func.count())
    .where(delivery.c.state.in_([State.PENDING.value, State.LEASED.value]))
    .scalar_subquery()
)
SAMPLE = {"USD": "84,7935", "EUR": "98,8523", "RUB": "1,1948"}


def migrated_copy(path: Path) -> str:
    """The address of a migrated, empty SQLite database, made there by copying one: migrating takes
    longer than most tests.
    """
    shutil.copy(migrated_file(), path)
    return f"sqlite:///{path}"


@functools.cache
def migrated_file() -> Path:
    """The one that is copied, made by whoever asks first; ends with that process."""
    folder = Path(tempfile.mkdtemp(prefix="jarchy-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "jarchy.db"

    async def migrate() -> None:
        await (await open_store(f"sqlite:///{path}")).close()

    with ThreadPoolExecutor(1) as pool:  # in this thread a loop may be running
        pool.submit(asyncio.run, migrate()).result()
    return path


class Here(Workers):
    """Parses and draws in this process, for tests in which where that is done does not matter."""

    async def run(
        self,
        job: Callable[..., T],
        *args: object,
        timeout: float,  # noqa: ARG002, ASYNC109 - as Workers
        awaited: bool = False,
        warm: float = 0.0,  # noqa: ARG002 - likewise
        stranger: bool = False,  # noqa: ARG002 - likewise
        patience: float | None = None,  # noqa: ARG002 - likewise
    ) -> T:
        """Just call it; beside the loop what a reader waits for, for the first chart imports what
        all of them are drawn with.
        """
        if not awaited:
            return job(*args)
        async with self._kept:  # of Workers: one at a time
            return await asyncio.to_thread(job, *args)


def loopback_fetcher(tls: ssl.SSLContext | None = None) -> Fetcher:
    """The way out without a pause between two requests to one host: all publishers of a test are
    one host.
    """
    return Fetcher(limits=Limits(pause=0.0), tls=tls)


def poll_flow(
    store: Store,
    fetcher: Fetcher,
    workers: Workers | None = None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    admins: Sequence[int] = (),
    feeds: Mapping[str, NewsSpec] = MappingProxyType({}),
    places: Mapping[str, Place] = MappingProxyType({}),
    meaning: bool = False,
) -> Ingest:
    """The poll flow as the program composes it."""
    return Ingest(
        store=store,
        fetcher=fetcher,
        workers=workers or Here(),
        clock=clock,
        admins=admins,
        feeds=feeds,
        places=places,
        meaning=meaning,
    )


class World:
    """The parts that a test asked for; touching one that was not opened is an AttributeError."""

    publishers: Publishers
    ingest: Ingest
    emulator: Emulator
    worker: Worker
    bot: Running

    def __init__(
        self, store: Store, catalog: Catalog | None = None, *, now: datetime = NOW
    ) -> None:
        self.store, self.catalog, self.now = store, catalog or Catalog(), now
        self.told: list[tuple[str, dict[str, str]]] = []  # what the sender told the operators
        self._count = 0

    def at(self, day: date, hour: int = 12) -> None:
        """Let it be that day, at an hour of UTC."""
        self.now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)

    # ── publishers ──────────────────────────────────────────────────────────

    def spec(self, key: str) -> RateSpec | NewsSpec:
        """A source of the catalog."""
        return self.catalog.rates.get(key) or self.catalog.news[key]

    def serve(self, key: str, body: bytes, *, status: int = 200) -> None:
        """Let a source of the catalog serve a document from now on."""
        spec = self.spec(key)
        address = spec.urls[0] if isinstance(spec, RateSpec) else spec.url
        self.publishers.put(urlsplit(address).path, body, status=status)

    def feed(self, key: str, *entries: tuple[str, str, str]) -> None:
        """Let an agency serve (id, title, text), all published now."""
        self.serve(key, rss(*entries))

    def bank(self, day: date, key: str = "nbkr", **values: str) -> None:
        """Let a bank serve its rates for a day; the sample's where nothing else is said, "" leaves
        one out.
        """
        shown = {**SAMPLE, **values}
        self.serve(key, bank_page(day, {code: value for code, value in shown.items() if value}))

    async def poll(self, key: str = "nbkr") -> IngestReport:
        """One poll of one source; a sender that is there looks what came of it."""
        report = await self.ingest.poll(self.spec(key))
        with suppress(AttributeError):
            self.worker.wake()
        return report

    async def publish(self, day: date, key: str = "nbkr", **values: str) -> IngestReport:
        """A bank publishes and is polled."""
        self.bank(day, key, **values)
        return await self.poll(key)

    async def report(self, key: str, *entries: tuple[str, str, str]) -> int:
        """An agency publishes and is polled without an error; how many alerts that made."""
        self.feed(key, *entries)
        made = await self.poll(key)
        assert made.error is None
        return made.alerts

    # ── what is stored ──────────────────────────────────────────────────────

    async def stored(self, table: Any) -> list[Any]:
        """Everything in a table, by its key: a row that was changed is the last on PostgreSQL."""
        async with self.store.reading() as db:
            return list((await db.execute(select(table).order_by(*table.primary_key))).all())

    async def alerts(self, *kinds: str) -> list[Any]:
        """The decided alerts, in order; notices only when asked for."""
        async with self.store.reading() as db:
            rows = (await db.execute(select(alert).order_by(alert.c.id))).all()
        return [row for row in rows if row.kind in kinds or (not kinds and row.kind != "notice")]

    async def notices(self) -> list[tuple[str, dict[str, str]]]:
        """The notices that the operators were told, or will be."""
        found = []
        for row in await self.alerts("notice"):
            told = Notice.from_json(row.payload)
            found.append((told.msgid, carried(told, reasons_from_json(row.reasons))))
        return found

    async def notice_reasons(self) -> list[tuple[Reason, ...]]:
        """For what reasons, notice by notice."""
        return [reasons_from_json(row.reasons) for row in await self.alerts("notice")]

    async def rows(self, number: int) -> list[tuple[str, str | None]]:
        """State and error of a chat's deliveries."""
        query = (
            select(delivery.c.state, delivery.c.error)
            .where(delivery.c.chat_id == number)
            .order_by(delivery.c.id)
        )
        async with self.store.reading() as db:
            return [(row.state, in_words(row.error)) for row in await db.execute(query)]

    async def deliveries(self, kind: str) -> list[Any]:
        """Deliveries of alerts of a kind."""
        query = (
            select(delivery)
            .join(alert, alert.c.id == delivery.c.alert_id)
            .where(alert.c.kind == kind)
        )
        async with self.store.reading() as db:
            return list((await db.execute(query.order_by(delivery.c.id))).all())

    async def active(self, number: int) -> bool:
        """Whether we write to a chat."""
        async with self.store.reading() as db:
            return bool(
                (await db.execute(select(chat.c.active).where(chat.c.id == number))).scalar_one()
            )

    async def done(self) -> None:
        """Wait until nothing is open any more."""
        async with asyncio.timeout(60):
            # a commit of the worker's makes no event here, and a server does not even count it
            version = None
            for pause in pauses():
                now = self.store.version()  # before we look: what is written meanwhile counts
                if (now is None or now != version) and not await self._open():
                    return
                version = now
                await asyncio.sleep(pause)

    async def _open(self) -> int:
        async with self.store.reading() as db:
            return int((await db.execute(OPEN)).scalar_one())

    async def keep(self, rates: Sequence[Rate]) -> None:
        """Store rates, as a backfill does."""
        async with self.store.writing() as db:
            await storage.rates.add_history(db, rates, seen_at=self.now)
        with suppress(AttributeError):
            self.bot.services.cards.forget()

    # ── a sender ────────────────────────────────────────────────────────────

    def send_through(
        self,
        emulator: Emulator,
        api: Api,
        *,
        rate: float = 500.0,
        token_name: str = "t",  # noqa: S107 - a name
    ) -> None:
        """Add a Telegram and a worker that sends to it."""
        self.emulator, self._api, self._rate, self._token_name = emulator, api, rate, token_name
        self.restart()

    def restart(self) -> None:
        """A worker as a new process has it."""
        self.worker = Worker(
            store=self.store,
            api=self._api,
            composer=Composer(self.store, self.catalog),
            editor=ChannelEditor(feeds=self.catalog.news),
            unread=UnreadAlerts(self._tell),
            token_name=self._token_name,
            holder=process_name(),
            rate=self._rate,
            on_trouble=self._tell,
        )

    def start(self) -> None:
        """Let the worker send from now on."""
        self._sending = asyncio.create_task(self.worker.run())

    async def halt(self) -> None:
        """The worker ends, with what it had begun."""
        self.worker.stop()
        await self._sending

    async def _tell(self, told: Notice, *why: Reason) -> None:
        self.told.append((told.msgid, carried(told, why)))

    async def reader(self, number: int, kind: ChatKind = ChatKind.PRIVATE, **changes: Any) -> None:
        """A chat that wants the alerts of security."""
        await self._readers([a_chat(number, kind=kind, **changes)])

    async def readers(self, numbers: Iterable[int], **changes: Any) -> None:
        """Private chats that want the alerts of security, in one transaction."""
        await self._readers([a_chat(number, **changes) for number in numbers])

    async def _readers(self, chats: Sequence[Chat]) -> None:
        async with self.store.writing() as db:
            for one in chats:
                await storage.chats.add(db, one, now=self.now)
                await storage.chats.subscribe(db, one.id, [SECURITY], now=self.now)

    async def alert(
        self,
        lane: Lane = Lane.ALERT,
        *,
        lasts: timedelta = timedelta(days=365),
        supersede: str | None = None,
        again: bool = False,
    ) -> None:
        """Enqueue one and wake the worker; `again` is the last one, found once more."""
        self._count += not again
        new = Alert(
            dedup_key=str(self._count),
            payload=a_notice("notice.gone", {"chat": str(self._count), "why": "a test"}),
            severity=Severity.NOTABLE,
            lane=lane,
            audience=Audience(subscription=SECURITY),
            created_at=self.now,
            expires_at=self.now + lasts,
            supersede_key=supersede,
        )
        async with self.store.writing() as db:
            await storage.alerts.enqueue(db, new)
        self.worker.wake()

    # ── Telegram ────────────────────────────────────────────────────────────

    async def ask(
        self, text: str, *, chat: int = READER, fits: str = "", reply_to: int | None = None
    ) -> dict[str, Any]:
        """Write to the bot, perhaps in reply to a message; its answer."""
        asked = await self.emulator.send_text(chat, text, reply_to=reply_to)
        return await self.emulator.wait_message(
            chat,
            lambda m: (
                m.get("from", {}).get("is_bot", False)
                and fits in (m.get("text") or m.get("caption") or "")
            ),
            after=asked,
            timeout=20,
        )

    async def press(self, who: int, message: int, data: str) -> str | None:
        """Press a button in one's private chat; what it was answered with."""
        # on a busy machine a commit alone may take seconds
        answer = await self.emulator.press(who, message, data, user_id=who, timeout=40)
        return answer.get("text") or None

    async def tells(self, number: int, words: str) -> dict[str, Any]:
        """The chat's message with these words, waited for."""
        return await self.emulator.wait_message(
            number, lambda m: words in m.get("text", ""), timeout=20
        )

    async def calls(self, method: str) -> list[Any]:
        """The bot's calls of one method to Telegram, in order."""
        return [call for call in self.emulator.calls if call.method == method]

    async def arrived(self, number: int, count: int = 1, *, timeout: float = 30.0) -> Call:  # noqa: ASYNC109 - passed on
        """Wait until so many messages were accepted for a chat; the last of them."""
        after = 0
        while True:
            call = await self.emulator.calls.wait(
                lambda c: c.chat_id == number and c.accepted and c.method != "sendChatAction",
                after=after,
                timeout=timeout,
            )
            after, count = call.number, count - 1
            if count <= 0:
                return call

    async def asked(self, number: int) -> None:
        """Wait for the first call about a chat."""
        await self.emulator.calls.wait(lambda c: c.chat_id == number)

    def accepted(self, number: int) -> int:
        """The number of messages that a chat has of us."""
        return sum(c.accepted for c in self.emulator.calls.of("sendMessage", number))


class Sending:
    """The worker at work until the block ends; then stopped as a shutdown stops it, with all marks
    written.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    async def __aenter__(self) -> None:
        self.world.start()

    async def __aexit__(self, *_exc: object) -> None:
        await self.world.halt()


@asynccontextmanager
async def polling(
    store: Store,
    catalog: Callable[[str], Catalog],
    *,
    now: datetime,
    admins: Sequence[int] = (OPERATOR,),
    in_workers: bool = False,
    meaning: bool = False,
) -> AsyncIterator[World]:
    """Publishers and the poll flow; nothing polled yet. `catalog` gets the publishers' address;
    feeds are parsed in this process, or `in_workers` as the program does; `meaning` asks vectors.
    """
    async with (
        Publishers() as publishers,
        Workers() if in_workers else Here() as workers,
        loopback_fetcher() as fetcher,
    ):
        world = World(store, catalog(publishers.url), now=now)
        world.publishers = publishers
        world.ingest = poll_flow(
            store,
            fetcher,
            workers,
            clock=lambda: world.now,
            admins=admins,
            feeds=world.catalog.news,
            places=world.catalog.places,
            meaning=meaning,
        )
        yield world


async def _nothing(*_: object) -> None:
    """A program's introduction, where a test is not about it."""


@asynccontextmanager
async def running(
    folder: Path,
    telegram: Emulator,
    catalog: str,
    *,
    now: datetime,
    in_workers: bool = False,
    introduces: bool = True,
    **settings: Any,
) -> AsyncIterator[World]:
    """The whole program in this process, ready; stopped and without an error at the end. `settings`
    override ours; feeds are parsed and charts drawn in this process too, or `in_workers`. One that
    never `introduces` itself sets no menus and descriptions: two dozen calls, a fifth of a start.
    """
    values: dict[str, Any] = {
        "bot_token": TEST_TOKEN,
        "bot_api_url": telegram.api_url,
        "ops_listen": "off",
        **settings,
    }
    path = folder / "jarchy.db"
    if "database_url" not in values:
        values["database_url"] = f"sqlite:///{path}"
        if not path.exists():
            migrated_copy(path)
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    world: World | None = None

    def clock() -> datetime:
        return world.now if world is not None else now

    program = asyncio.create_task(
        app.run(
            load_settings(**values),
            parse_catalog(catalog),
            clock=clock,
            stop=stop,
            on_ready=ready.set_result,
            limits=Limits(pause=0.0),  # all publishers of a test are one host
        )
    )
    here = nullcontext() if in_workers else patch.object(assembly, "Workers", Here)
    said = nullcontext() if introduces else patch.object(presence, "introduce", _nothing)
    with here, said, patch.object(handlers, "problems", PROBLEMS):
        await asyncio.wait([program, ready], return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        await program
        raise AssertionError("it ended before it was ready")
    bot: Running = ready.result()
    world = World(bot.store, bot.catalog, now=now)
    world.bot, world.ingest, world.worker, world.emulator = bot, bot.ingest, bot.worker, telegram
    # on a busy machine any answer takes half a second, and tests count what is asked of Telegram
    bot.services.signs.after = 3600.0
    try:
        yield world
    finally:
        stop.set()
        await program
