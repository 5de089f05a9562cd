"""The queue of jobs that replicas share: connections that end in the middle, and more to do than
can be done.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

import storage.replicas
from bot import cluster
from bot.cluster.batches import BATCH, BATCHES, OF_ONE_HOST, QUEUE, WAITING, catalog_of
from bot.ingest.side_by_side import POLLS_AT_ONCE
from bot.jobs import Doer, Job, Work
from bot.recurring import JOBS
from storage.db import Store
from storage.opening import open_store

pytestmark = pytest.mark.postgres

# ends the connection that comes to the armed statement, once: a sequence moves on whatever becomes
# of its transaction
_KILLER = """
CREATE SEQUENCE shots MINVALUE 0 START 0;
SELECT nextval('shots'), setval('shots', 1);
CREATE TABLE armed (task text, op text);
CREATE FUNCTION shoot() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE job procrastinate_jobs;
BEGIN
  IF TG_OP = 'DELETE' THEN job := OLD; ELSE job := NEW; END IF;
  IF EXISTS (SELECT FROM armed WHERE task = job.task_name AND op = TG_OP || TG_WHEN)
     AND nextval('shots') = 1 THEN
    PERFORM pg_terminate_backend(pg_backend_pid());
    PERFORM pg_sleep(1);
  END IF;
  RETURN job;
END $$;
CREATE TRIGGER shoot_before BEFORE INSERT OR UPDATE OR DELETE ON procrastinate_jobs
FOR EACH ROW EXECUTE FUNCTION shoot();
CREATE TRIGGER shoot_after AFTER INSERT OR UPDATE OR DELETE ON procrastinate_jobs
FOR EACH ROW EXECUTE FUNCTION shoot();
"""


class Done:
    """Counts of each kind of work that was done; a source is due again as soon as it was polled."""

    def __init__(self, due: int = 1, *, brings: bool = False) -> None:
        self.brings = brings  # whether something follows a poll
        self.count: Counter[str] = Counter()
        self.news = asyncio.Condition()
        self.due = [f"source{number}" for number in range(due)]
        self.polled: set[str] = set()

    async def note(self, kind: str) -> None:
        """Done once more."""
        async with self.news:
            self.count[kind] += 1
            self.news.notify_all()

    async def more(self, *kinds: str, times: int = 2) -> None:
        """Wait until each was done so many times from now; fails when that takes too long."""
        goal = {kind: self.count[kind] + times for kind in kinds}
        async with asyncio.timeout(60), self.news:
            await self.news.wait_for(lambda: all(self.count[kind] >= goal[kind] for kind in kinds))

    def work(self) -> list[Work]:
        """The work of one replica."""

        async def due() -> list[str]:
            await self.note("look")
            return self.due

        async def poll(key: str) -> bool:
            self.polled.add(key)
            await self.note("poll")
            return self.brings

        def doing(job: Job) -> Callable[..., Awaitable[object]]:
            if job.name == "poll":
                return poll
            return lambda: self.note(job.name)

        return [
            Work(
                job=self.faster(job),
                do=doing(job),
                due=due if job.due else None,
                host=self.host,
                known=(lambda: self.due) if job.due else None,
            )
            for job in JOBS
            if job.who is Doer.ONE
        ]

    def host(self, _key: str) -> str | None:
        """The host that a source asks: each has its own."""
        return None

    def faster(self, job: Job) -> Job:
        """A job as it is, but that it comes every second at least."""
        return replace(job, every=1.0) if job.every else job


class Held(Done):
    """Work in which the first look takes long, and no poll ends."""

    def __init__(self, due: int) -> None:
        super().__init__(due)
        self.ended = asyncio.Event()
        self._looked = False

    async def note(self, kind: str) -> None:
        """Done once more, as soon as it is let go."""
        await super().note(kind)
        if kind == "poll":
            await self.ended.wait()
        elif kind == "look" and not self._looked:
            self._looked = True
            await self.more("tidy", times=5)  # a second apart: two more looks' time has come


class Overtaken(Done):
    """Work of which most is done by others as soon as it was looked for."""

    async def note(self, kind: str) -> None:
        """Done once more; the second time somebody asks is when a batch begins."""
        await super().note(kind)
        if self.count["look"] > 1:
            self.due = self.due[:10]


class Meeting(Done):
    """Work whose first look ends when another one's does, and whose polls end when they are let."""

    def __init__(self, both: asyncio.Barrier, ended: asyncio.Event) -> None:
        super().__init__()
        self._both, self._ended = both, ended

    async def note(self, kind: str) -> None:
        """Done once more."""
        await super().note(kind)
        if kind == "poll":
            await self._ended.wait()
        elif kind == "look" and self.count[kind] == 1:
            await self._both.wait()


class Hanging(Done):
    """Work in which all sources but the last ask one host, which does not answer."""

    async def note(self, kind: str) -> None:
        """Done once more; who asks that host waits for ever."""
        await super().note(kind)
        if kind == "poll" and self.due[-1] not in self.polled:
            await asyncio.Event().wait()

    def host(self, key: str) -> str:
        """The host that hangs, or the one that does not."""
        return "sound" if key == self.due[-1] else "slow"


@asynccontextmanager
async def replicas(url: str, works: list[list[Work]]) -> AsyncIterator[Store]:
    """A replica for each list of works, at its jobs; ended with the block."""
    stores = [await open_store(url) for _ in works]
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(cluster.run(store, work, lambda: datetime.now(UTC), stop))
        for store, work in zip(stores, works, strict=True)
    ]
    try:
        yield stores[0]
    finally:
        stop.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                await asyncio.gather(*tasks)
        for store in stores:
            await store.close()


@pytest.mark.parametrize(
    "task",
    [
        "poll",
        pytest.param("tidy", marks=pytest.mark.slow),
        pytest.param("look", marks=pytest.mark.slow),
        pytest.param("digests", marks=pytest.mark.slow),
    ],
)
async def test_P25_a_job_whose_connection_ends_at_any_statement_is_done_again(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    """Deferred, fetched, finished: whichever fails, its worker lives on, and the work is soon done
    by somebody.
    """
    for name, sooner in (
        ("RESCUE_EVERY", 1),
        ("QUEUE_LOOK", 0.25),
        ("FORGOTTEN", 0.5),
    ):
        monkeypatch.setattr(cluster, name, sooner)
    done = Done()
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        operator.execute(_KILLER)
        async with replicas(migrated_postgres_url, [done.work()]):
            await done.more("look", "poll", "digests", "tidy", times=1)
            for op in ("INSERT", "UPDATE", "DELETE"):
                for when in ("BEFORE", "AFTER"):
                    operator.execute("DELETE FROM armed")
                    operator.execute("SELECT setval('shots', 0)")
                    operator.execute("INSERT INTO armed VALUES (%s, %s)", (task, op + when))
                    async with asyncio.timeout(60):
                        while operator.execute("SELECT last_value FROM shots").fetchone() == (0,):  # noqa: ASYNC110 - a database
                            await asyncio.sleep(0.05)
                    await done.more("look", "poll", "digests", "tidy")


_DEAD = """
WITH dead AS (
  INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id
)
INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id)
SELECT 'jarchy-batches', 'poll', '{"keys": ["source0"]}', 'doing', id FROM dead
"""


async def test_T5_P25_sources_that_a_dead_replica_was_at_are_polled_though_clocks_differ(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rescuer's machine is a day ahead of the server, as it is when that one's clock was set
    back: what it gives back does not wait for that day.
    """
    monkeypatch.setattr(cluster, "RESCUE_EVERY", 1)
    monkeypatch.setattr(cluster, "QUEUE_LOOK", 0.25)
    ahead = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr("procrastinate.utils.utcnow", lambda: ahead)
    done = Done()
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        operator.execute(_DEAD)
        async with replicas(migrated_postgres_url, [done.work()]):
            await done.more("poll", times=1)
            waits = "SELECT count(*) FROM procrastinate_jobs WHERE scheduled_at > now()"
            assert number(operator, waits) == 0


def test_P25_what_is_lost_comes_back_within_ten_seconds() -> None:
    """By its own worker, which looks twice, or by another's rescue; then it is found, and what it
    looked for is found too.
    """
    forgotten = 2 * cluster.FORGOTTEN
    dead = cluster.STALLED + cluster.RESCUE_EVERY
    found = cluster.TICK + cluster.QUEUE_LOOK
    assert max(forgotten, dead) + found <= 10
    looked_for = max(job.every or 0 for job in JOBS if job.due is not None)
    assert forgotten + found + looked_for + cluster.QUEUE_LOOK <= 10


@pytest.mark.parametrize("sources", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_P26_thousands_of_sources_due_at_once_make_no_errors_and_no_long_queue(
    migrated_postgres_url: str, sources: int
) -> None:
    """The queue holds what will soon be done, and each source once, whichever replica looks."""
    done = Done(due=sources)
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        operator.execute("CREATE SEQUENCE tries")
        operator.execute(
            "CREATE FUNCTION try() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.task_name = 'poll' THEN PERFORM nextval('tries'); END IF; RETURN NEW; END $$"
        )
        operator.execute(
            "CREATE TRIGGER try BEFORE INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION "
            "try()"
        )
        longest = 0
        async with replicas(migrated_postgres_url, [done.work(), done.work()]):
            goal = done.count["look"] + 4
            async with asyncio.timeout(120):
                while done.count["look"] < goal or done.count["poll"] < 150:
                    longest = max(
                        longest, number(operator, "SELECT count(*) FROM procrastinate_jobs")
                    )
                    await asyncio.sleep(0.2)
        waits = number(operator, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'poll'")
        tried = number(operator, "SELECT last_value FROM tries")
        assert longest <= WAITING + 2 * cluster.AT_ONCE + 10
        polled = done.count["poll"] / BATCH
        assert tried - waits - polled <= 2 * cluster.AT_ONCE, "each insert is a batch of polls"


@pytest.mark.slow
async def test_P26_a_source_is_in_one_batch_however_long_looks_and_polls_take(
    migrated_postgres_url: str,
) -> None:
    """Whichever replica looks, and however often meanwhile: each would be asked twice at a time."""
    done = Held(due=300)
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        async with replicas(migrated_postgres_url, [done.work(), done.work()]):
            async with asyncio.timeout(60), done.news:
                await done.news.wait_for(lambda: done.count["poll"] >= POLLS_AT_ONCE)
            await done.more("look", times=3)
            batches = operator.execute(
                "SELECT args->'keys' FROM procrastinate_jobs WHERE task_name = 'poll'"
            ).fetchall()
            done.ended.set()
    assert sorted(key for (keys,) in batches for key in keys) == sorted(done.due)
    assert len(batches) == 6  # a job costs the server as much as storing a hundred polls


async def test_P26_of_a_batch_only_what_is_still_due_is_polled(migrated_postgres_url: str) -> None:
    """Some of it was done by a replica that died over it; the one that works is one, whatever
    number of queues it works on.
    """
    done = Overtaken(due=100)
    async with replicas(migrated_postgres_url, [done.work()]) as store:
        await done.more("poll", times=20)
        async with store.reading() as db:
            assert await storage.replicas.replicas(db) == 1
    assert done.polled == {f"source{number}" for number in range(10)}


@pytest.mark.slow
async def test_P26_what_a_replicas_catalog_lacks_is_left_to_those_that_have_it(
    migrated_postgres_url: str,
) -> None:
    """While a new catalog is rolled out: who has the old one takes a batch of the new one first.
    What waits for a catalog that nobody has any more is forgotten.
    """
    old, new = Done(), Done()
    new.due = ["elsewhere"]
    catalog = catalog_of(new.work())
    theirs = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name LIKE 'jarchy-batches-"
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        async with replicas(migrated_postgres_url, [old.work()]):
            await old.more("look", times=1)
            operator.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES (%s, 'poll', "
                "jsonb_build_object('keys', array['elsewhere', 'source0'], 'key', %s::text))",
                (BATCHES, catalog),
            )
            await old.more("tidy")  # a second apart: by then it has been taken
            assert number(operator, f"{theirs}%'") == 1
        assert old.polled == {"source0"}
        async with replicas(migrated_postgres_url, [new.work()]):
            await new.more("poll", times=1)
            operator.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES "
                "('jarchy-batches-gone', 'poll', '{}'), (%s, 'prune', '{\"timestamp\": 0}')",
                (QUEUE,),
            )
            await new.more("tidy")
            assert number(operator, f"{theirs}gone'") == 0
        assert new.polled == {"elsewhere"}


@pytest.mark.slow
async def test_P26_what_two_catalogs_have_is_put_once_by_looks_at_one_moment(
    migrated_postgres_url: str,
) -> None:
    """While a new catalog is rolled out: a source of both is not polled by two replicas at once."""
    both, ended = asyncio.Barrier(2), asyncio.Event()
    old, new = Meeting(both, ended), Meeting(both, ended)
    new.due = [*old.due, "elsewhere"]
    async with replicas(migrated_postgres_url, [old.work(), new.work()]):
        await asyncio.gather(old.more("look", times=4), new.more("look", times=4))
        begun = old.count["poll"] + new.count["poll"]
        ended.set()
    assert begun == len(new.due)


async def test_P26_many_sources_of_a_host_that_hangs_keep_no_other_waiting(
    migrated_postgres_url: str,
) -> None:
    """They would be all batches that are under way, none of which ended before its last."""
    done = Hanging(due=BATCH * cluster.BATCHES_AT_ONCE + 1)
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        async with replicas(migrated_postgres_url, [done.work()]):
            async with asyncio.timeout(60), done.news:
                await done.news.wait_for(lambda: done.due[-1] in done.polled)
            await done.more("look")
            batches = operator.execute(
                "SELECT args->'keys' FROM procrastinate_jobs WHERE task_name = 'poll'"
            ).fetchall()
    begun = [key for (keys,) in batches for key in keys if done.host(key) == "slow"]
    assert len(begun) == OF_ONE_HOST


async def test_P26_more_polls_than_can_be_done_keep_no_other_job_waiting(
    migrated_postgres_url: str,
) -> None:
    """Digests go out, and a dead replica is noticed, however long the polls under way take; and the
    server's log has no error: nothing is put into the queue that waits there.
    """
    done = Held(due=BATCH * (WAITING + 2 * cluster.AT_ONCE + 4))
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        operator.execute(REFUSED)
        async with replicas(migrated_postgres_url, [done.work(), done.work()]):
            async with asyncio.timeout(60), done.news:
                await done.news.wait_for(lambda: done.count["poll"] >= 2 * POLLS_AT_ONCE)
            await done.more("tidy", "digests", "look", times=3)
            tried = number(operator, "SELECT last_value FROM tries")
            put = number(operator, "SELECT last_value FROM put")
            done.ended.set()
    assert tried == put


async def test_P26_two_replicas_put_the_same_at_once_and_the_servers_log_has_no_error(
    migrated_postgres_url: str,
) -> None:
    """However long it takes until what one has put is seen by the other: by time, and what follows
    batches that end side by side.
    """
    done = Done(due=4 * BATCH, brings=True)
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        operator.execute(SLOW)
        operator.execute(REFUSED)
        async with replicas(migrated_postgres_url, [done.work(), done.work()]):
            await done.more("tidy", "digests", times=3)
        tried = number(operator, "SELECT last_value FROM tries")
        assert tried == number(operator, "SELECT last_value FROM put")


#: What waits once is seen a tenth of a second after it was put.
SLOW = """
CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON procrastinate_jobs DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.queueing_lock IS NOT NULL) EXECUTE FUNCTION linger();
"""
REFUSED = """
CREATE SEQUENCE tries;
CREATE SEQUENCE put;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM nextval(TG_ARGV[0]); RETURN NEW; END $$;
CREATE TRIGGER try BEFORE INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION note('tries');
CREATE TRIGGER put AFTER INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION note('put');
"""


@pytest.mark.slow
async def test_P26_no_more_batches_wait_than_will_soon_be_done(migrated_postgres_url: str) -> None:
    """The others are looked for again: each fetch of a job looks through all that wait."""
    done = Held(due=BATCH * (WAITING + 2 * cluster.AT_ONCE + 4))
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'poll' AND status = 'todo'"
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        async with replicas(migrated_postgres_url, [done.work()]):
            async with asyncio.timeout(60), done.news:
                await done.news.wait_for(lambda: done.count["poll"] > 0)
            await done.more("tidy")  # another look's time has come, and none of these ends
            assert 0 < number(operator, waiting) <= WAITING
            done.ended.set()
            await done.more("look", times=3)
            assert number(operator, waiting) <= WAITING


def number(operator: psycopg.Connection[Any], query: str) -> int:
    """The one figure of a query."""
    row = operator.execute(query).fetchone()
    assert row is not None
    return int(row[0])


async def test_G18_a_replica_whose_jobs_are_cancelled_leaves_nobody_at_work(
    migrated_postgres_url: str,
) -> None:
    """As when another task ends the program: its worker ends while it has its connections, and
    says nothing of them.
    """
    done = Done()
    store = await open_store(migrated_postgres_url)
    before = asyncio.all_tasks()
    running = asyncio.create_task(
        cluster.run(store, done.work(), lambda: datetime.now(UTC), asyncio.Event())
    )
    await done.more("look", times=1)
    running.cancel()
    await asyncio.wait({running})
    assert {task.get_name() for task in asyncio.all_tasks() - before if not task.done()} <= {
        task.get_name() for task in before
    }
    await store.close()


class Clinging(Done):
    """Work that goes on for a while after it was broken off."""

    def __init__(self, takes: float) -> None:
        super().__init__()
        self.takes = takes  # seconds
        self.broken_off = asyncio.Event()

    async def note(self, kind: str) -> None:
        """Done once more, and a poll not to its end."""
        await super().note(kind)
        if kind != "poll":
            return
        try:
            await asyncio.Event().wait()
        finally:
            self.broken_off.set()
            await asyncio.sleep(self.takes)


@pytest.mark.parametrize(("takes", "says_so"), [(0.5, True), (2.0, False)])
async def test_G18_a_job_broken_off_at_a_stop_that_takes_too_long_says_so_all_the_same(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch, takes: float, *, says_so: bool
) -> None:
    """Before the connections end: nobody is at work then, and nothing comes out unhandled, also of
    one that takes longer than is waited for, and is found by the others.
    """
    monkeypatch.setattr(cluster, "DRAIN", 0.1)
    monkeypatch.setattr(cluster, "LEAVE", 1.5)
    store = await open_store(migrated_postgres_url)
    done, stop = Clinging(takes), asyncio.Event()
    before = asyncio.all_tasks()
    running = asyncio.create_task(cluster.run(store, done.work(), lambda: datetime.now(UTC), stop))
    await done.more("poll", times=1)
    stop.set()
    await done.broken_off.wait()
    running.cancel()
    await asyncio.wait({running})
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()
    await store.close()
    with psycopg.connect(migrated_postgres_url, autocommit=True) as operator:
        doing = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
        assert (number(operator, doing) == 0) is says_so
