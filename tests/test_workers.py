"""Worker processes: jobs that end well, jobs that do not, and everybody else's."""

from __future__ import annotations

import asyncio
import io
import operator
import os
import pickle
import resource
import signal
import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import psutil
import pytest

from bot.errors import FetchError, ParseError
from bot.model.news import Entry
from bot.reasons import said
from bot.sources.entries import Feed
from bot.sources.feeds import parse_feed
from bot.workers import WorkerError, Workers, _Replies
from tests import forkserver
from tests.conftest import ROOT
from tests.publishers import bank_page
from tests.waiting import until

ENDLESS = 600.0  # a job that would outlast the whole suite
BANK = bank_page("29.11.2026", {"USD": "87,4500"})
CATALOG = """
[rates.nbkr]
name = { en = "National Bank" }
urls = ["https://www.nbkr.kg/XML/daily.xml"]
kind = "official"
"""
FEED = (
    b"<rss version='2.0'><channel><title>t</title><item><title>one</title></item></channel></rss>"
)


def test_what_only_workers_and_servers_need_is_not_in_the_bots_memory() -> None:
    """Nor another HTTP client than ours, also after a bank was read."""
    heavy = (
        "feedparser chardet lxml cssselect Stemmer trafilatura matplotlib numpy alembic "
        "procrastinate psycopg sqlalchemy.dialects.postgresql httpx._client xml.sax"
    )
    code = f"""
import sys
from bot.__main__ import leave_out
leave_out()
import bot.cli.running, bot.app, bot.sources.kinds, handlers
from bot.sources.catalog import parse_catalog
bank = parse_catalog({CATALOG!r}).rates["nbkr"]
assert bank.parse({BANK!r}, url=bank.urls[0]).rates
print(*set({heavy.split()}) & set(sys.modules))
"""
    ended = forkserver.run("-c", code, cwd=ROOT, env=forkserver.PLAIN, copy=True)
    assert (ended.stdout, ended.stderr) == (b"\n", b"")


async def test_a_job_returns_its_value_from_another_process() -> None:
    async with Workers() as workers:
        assert await workers.run(operator.add, 2, 3, timeout=30) == 5
        assert await workers.run(os.getpid, timeout=30) != os.getpid()


async def test_a_feed_crosses_the_boundary_as_our_own_values() -> None:
    async with Workers() as workers:
        feed = await workers.run(partial(parse_feed, url="https://e.org/rss"), FEED, timeout=30)
    assert isinstance(feed, Feed)
    assert isinstance(feed.entries[0], Entry)
    assert feed == parse_feed(FEED)


async def test_nothing_is_started_before_it_is_needed() -> None:
    async with Workers() as workers:
        assert workers.processes == ()
        await workers.run(os.getpid, timeout=30)
        assert len(workers.processes) == 1


async def test_one_process_serves_jobs_that_follow_each_other() -> None:
    async with Workers() as workers:
        pids = {await workers.run(os.getpid, timeout=30) for _ in range(5)}
    assert len(pids) == 1


async def test_our_own_errors_come_out_as_themselves_and_the_worker_lives_on() -> None:
    async with Workers() as workers:
        pid = await workers.run(os.getpid, timeout=30)
        with pytest.raises(ParseError, match="not a feed"):
            await workers.run(parse_feed, b"<html>", timeout=30)
        assert await workers.run(os.getpid, timeout=30) == pid


async def test_a_foreign_error_is_told_by_its_name_only() -> None:
    async with Workers() as workers:
        with pytest.raises(WorkerError) as caught:
            await workers.run(int, "canary", timeout=30)
    assert str(caught.value) == "int failed: ValueError"


async def test_S16_an_overlong_job_is_killed_and_others_go_on_beside_it() -> None:
    async with Workers(size=2) as workers:
        # both have started: what is asked beside the long one does not wait for a start
        await asyncio.gather(*(workers.run(time.sleep, 0.5, timeout=30) for _ in range(2)))
        both = set(workers.processes)
        assert len(both) == 2
        slow = asyncio.create_task(workers.run(time.sleep, ENDLESS, timeout=5.0))
        await asyncio.sleep(0)
        assert await workers.run(operator.add, 1, 1, timeout=30) == 2
        assert not slow.done()
        with pytest.raises(WorkerError, match="longer than 5 s"):
            await slow
        (killed,) = both - set(workers.processes)
        assert not psutil.pid_exists(killed)
        assert await workers.run(operator.add, 1, 1, timeout=30) == 2


@pytest.mark.parametrize(
    ("job", "argument"), [(os._exit, 3), (signal.raise_signal, signal.SIGKILL)]
)
async def test_S16_a_crash_costs_its_own_job_only(job: object, argument: int) -> None:
    async with Workers(size=1) as workers:
        with pytest.raises(WorkerError, match="the worker died"):
            await workers.run(job, argument, timeout=30)  # type: ignore[arg-type]
        assert await workers.run(operator.add, 1, 1, timeout=30) == 2


async def test_S16_a_job_cannot_take_more_memory_than_allowed() -> None:
    async with Workers(memory=300 * 1024 * 1024) as workers:
        with pytest.raises(WorkerError, match="MemoryError"):
            await workers.run(bytearray, 600 * 1024 * 1024, timeout=30)
        assert await workers.run(len, bytes(1000), timeout=30) == 1000


async def test_S16_processor_time_is_limited_to_the_jobs_own() -> None:
    async with Workers() as workers:
        soft, _ = await workers.run(resource.getrlimit, resource.RLIMIT_CPU, timeout=30)
        assert 30 < soft <= 35


async def test_a_worker_that_died_at_rest_is_replaced_unnoticed() -> None:
    async with Workers() as workers:
        pid = await workers.run(os.getpid, timeout=30)
        process = psutil.Process(pid)
        process.kill()
        await until(lambda: pid not in workers.processes)
        assert await workers.run(operator.add, 1, 1, timeout=30) == 2


async def test_an_idle_worker_leaves() -> None:
    async with Workers(idle=0.05) as workers:
        pid = await workers.run(os.getpid, timeout=30)
        await until(lambda: not workers.processes)
        assert not psutil.pid_exists(pid)
        assert await workers.run(operator.add, 1, 1, timeout=30) == 2


async def test_a_process_that_stays_warm_outlasts_others_and_serves_readers_alone() -> None:
    """Whatever it did last: who looks at one chart looks at another."""
    async with Workers(idle=0.05) as workers:
        warm = await workers.run(os.getpid, timeout=30, awaited=True, warm=ENDLESS)
        assert await workers.run(os.getpid, timeout=30, awaited=True) == warm
        assert await workers.run(os.getpid, timeout=30) != warm
        await until(lambda: len(workers.processes) == 1)
        assert workers.processes == (warm,)
        assert await workers.run(os.getpid, timeout=30, awaited=True) == warm
    assert not psutil.pid_exists(warm)


async def test_a_cancelled_job_takes_its_process_with_it_and_confuses_nobody() -> None:
    async with Workers(size=1) as workers:
        await workers.run(operator.add, 1, 1, timeout=30)
        job = asyncio.create_task(workers.run(time.sleep, ENDLESS, timeout=ENDLESS))
        await asyncio.sleep(0)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert await workers.run(operator.add, 2, 2, timeout=30) == 4


async def test_closing_ends_every_process_even_a_busy_one() -> None:
    workers = Workers()
    await workers.run(os.getpid, timeout=30)
    job = asyncio.create_task(workers.run(time.sleep, ENDLESS, timeout=ENDLESS))
    await asyncio.sleep(0.05)
    pids = workers.processes
    await workers.close()
    with pytest.raises(WorkerError):
        await job
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_what_a_job_prints_does_not_mix_with_its_answer(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with Workers() as workers:
        assert await workers.run(os.write, 1, b"hello", timeout=30) == 5
        assert await workers.run(operator.add, 1, 1, timeout=30) == 2
    assert capfd.readouterr().out == ""


async def test_the_loop_runs_on_while_a_worker_works() -> None:
    async with Workers() as workers:
        job = asyncio.create_task(workers.run(time.sleep, 0.3, timeout=30))
        turns = 0
        while not job.done():
            turns += 1
            await asyncio.sleep(0.01)
    assert turns > 5


async def test_a_worker_knows_no_secret_of_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "1234567:canary")
    async with Workers() as workers:
        assert await workers.run(os.getenv, "BOT_TOKEN", timeout=30) is None


async def test_a_large_answer_arrives_whole() -> None:
    async with Workers() as workers:
        assert await workers.run(bytes, 20_000_000, timeout=30) == bytes(20_000_000)


@pytest.mark.parametrize(
    "value",
    [
        None,
        (1, 2.5, "текст", b"\0", True),
        {"a": [Decimal("1.10")]},
        datetime(2021, 10, 20, tzinfo=UTC),
        Entry(id="1", title="t", published_at=datetime(2021, 10, 20, tzinfo=UTC)),
    ],
)
def test_replies_carry_plain_values_and_our_own(value: object) -> None:
    assert _Replies(io.BytesIO(pickle.dumps(value))).load() == value


def test_an_error_keeps_its_fields_across_the_boundary() -> None:
    error = _Replies(io.BytesIO(pickle.dumps(FetchError(said("gone"), status=410)))).load()
    assert (str(error), error.status) == ("gone", 410)


class Forged:
    """Unpickled by the book, it would run a command."""

    def __init__(self, function: object, *args: object) -> None:
        self.recipe = (function, args)

    def __reduce__(self) -> object:
        return self.recipe  # type: ignore[return-value]


@pytest.mark.parametrize(
    "forged",
    [
        Forged(os.system, "true"),
        Forged(eval, "1"),
        Forged(getattr, object, "__subclasses__"),
        Forged(io.open, "/etc/x"),
    ],
)
def test_a_forged_answer_cannot_run_code(forged: Forged) -> None:
    with pytest.raises(pickle.UnpicklingError):
        _Replies(io.BytesIO(pickle.dumps(forged))).load()


@pytest.mark.parametrize("name", ["asyncio", "serve", "TracebackType", "no_such_name"])
def test_a_forged_answer_reaches_nothing_but_our_own_classes(name: str) -> None:
    import bot.workers

    assert hasattr(bot.workers, name) == (name != "no_such_name")
    with pytest.raises(pickle.UnpicklingError):
        _Replies(io.BytesIO(f"cbot.workers\n{name}\n.".encode())).load()


async def test_a_job_that_a_reader_waits_for_does_not_wait_behind_others() -> None:
    """A process is kept for them, whatever feeds are being read."""
    async with Workers(size=1, kept=1) as workers:
        slow = [asyncio.create_task(workers.run(time.sleep, 60, timeout=90)) for _ in range(3)]
        assert await workers.run(abs, -7, timeout=60, awaited=True) == 7
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_S16_what_strangers_wrote_leaves_a_process_to_the_operators_sources() -> None:
    """However much of it there is to read, and however long that takes."""
    async with Workers(size=2) as workers:
        slow = [workers.run(time.sleep, ENDLESS, timeout=30, stranger=True) for _ in range(3)]
        tasks = [asyncio.create_task(one) for one in slow]
        await asyncio.sleep(0)
        assert await workers.run(abs, -7, timeout=60) == 7
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_has_patience_for_so_long_is_told_that_no_process_is_free() -> None:
    """And takes nobody's place: the next has the process when it is free."""
    async with Workers(size=1) as workers:
        slow = asyncio.create_task(workers.run(time.sleep, ENDLESS, timeout=90))
        await asyncio.sleep(0)
        with pytest.raises(WorkerError, match=r"no worker was free for add in 0\.1 s"):
            await workers.run(operator.add, 1, 1, timeout=30, patience=0.1)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert await workers.run(operator.add, 1, 1, timeout=30, patience=30) == 2
