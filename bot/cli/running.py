"""The verbs that run the bot, or a part of it, and those that say whether it could run."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot import i18n, log
from bot.cli import given
from bot.cli.program import (
    LARGEST_PORT,
    LONGEST_RUN,
    cli,
    fetcher_of,
    known_day,
    prepare,
    run_to_end,
    store_of,
    write_line,
)
from bot.cli.whole import must_be_whole
from bot.config import Settings
from bot.errors import BotError, ConfigError, SourceError, first_of
from bot.heap import share_one_heap
from bot.sockets import is_taken, refusal, unheard
from bot.sources.specs import Catalog
from bot.typed import typed

if TYPE_CHECKING:
    from bot.sources.specs import NewsSpec, RateSpec
    from storage.db import Store

T = TypeVar("T")

#: How often a running bot looks for garbage: as Python does by itself, and not as at its start.
USUAL = (700, 10, 10)


@cli.command()
def run() -> None:
    """The bot, until SIGTERM or SIGINT. Example: jarchy run"""
    settings, catalog = prepare()
    settings.token  # noqa: B018 - refuses to start without one
    must_be_whole(catalog)
    share_one_heap()
    from bot.app import run as run_bot

    run_to_end(run_bot(settings, catalog, on_ready=_leave_to_itself))


def _leave_to_itself(_bot: object) -> None:
    """Take all objects made until now out of garbage collection: they live as long as the process,
    and looking through them takes tens of milliseconds of every answer under way. Objects made from
    now on are looked through as often as ever.
    """
    gc.freeze()
    gc.set_threshold(*USUAL)


@cli.command()
def demo(
    port: Annotated[
        int, typer.Option(min=0, max=LARGEST_PORT, help="of the chat page; 0 picks a free one")
    ] = 8088,
    exit_after: Annotated[
        float | None, typer.Option(min=0, max=LONGEST_RUN, help="seconds, for scripts")
    ] = None,
) -> None:
    """The whole bot on this machine, without token or network.

    Example: jarchy demo --port 0 --exit-after 20
    """
    if wrong := [*i18n.problems(), *given.unshown()]:
        raise ConfigError(wrong)
    from bot.demo.show import show

    # flushed: a script that reads through a pipe waits for the address
    run_to_end(show(port=port, exit_after=exit_after, say=lambda line: print(line, flush=True)))


@cli.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,  # noqa: FBT002 - an option
    sources: Annotated[bool, typer.Option(help="also fetch and read each source once")] = False,  # noqa: FBT002 - an option
) -> None:
    """Settings, token, database, catalog. Example: jarchy check --sources"""
    settings, catalog = prepare()
    # here alone: it reads 5 MB that a running bot keeps
    must_be_whole(catalog, given.problems())
    run_to_end(_check(settings, catalog, as_json=as_json, sources=sources))


async def _check(settings: Settings, catalog: Catalog, *, as_json: bool, sources: bool) -> None:
    found: dict[str, str] = {"settings": "ok", "catalog": f"ok, {len(catalog.polled)} sources"}
    untried = [spec.key for spec in catalog.polled if not spec.verified]
    if untried:
        found["catalog"] += f", {len(untried)} that nobody tried (verified = false)"
    troubles: list[BotError] = []
    for name, look in (("database", _check_database), ("listening", _check_listening)):
        try:
            found[name] = await look(settings)
        except BotError as error:  # the others are looked at all the same
            troubles.append(error)
            found[name] = str(error)
    found["backups"] = await _check_backups(settings)
    found["token"] = await _check_token(settings)
    found["heartbeat"] = await _check_heartbeat(settings)
    found["meaning"] = _check_meaning()
    if sources:
        found |= await _check_sources(settings, catalog)
    # a path, or a source's address, may carry a key
    found = {name: log.redact(verdict) for name, verdict in found.items()}
    if as_json:
        write_line(found)
    else:
        width = max(map(len, found))
        for name, verdict in found.items():
            typer.echo(f"{name:<{width}}  {verdict}")
    if len(troubles) > 1:
        raise ConfigError([str(trouble) for trouble in troubles])
    if troubles:
        raise troubles[0]
    # "ok" alone, or "ok, …"
    if not all(verdict.partition(",")[0] == "ok" for verdict in found.values()):
        raise typer.Exit(1)


async def _check_backups(settings: Settings) -> str:
    """The line about the folder of tonight's copy, and those in it that are the database's own."""
    from storage.keeping import made, nights_by_setting, refusal_of_copies

    nights = nights_by_setting(settings.database_url, settings.backups)
    if nights is None:
        return "ok, no nightly copies: name a folder in BACKUPS"
    if (why := refusal_of_copies(settings.database_url, nights)) is not None:
        return why
    copies = await _asked(settings, lambda store: made(store, nights))
    if copies is None:
        return f"ok, nightly copies in {nights.folder}"
    return f"ok, {len(copies)} nightly copies in {nights.folder}"


async def _check_heartbeat(settings: Settings) -> str:
    """Whether the dead man's switch takes a sign of life; this look is one."""
    if settings.heartbeat_url is None:
        return "ok, no dead man's switch: HEARTBEAT_URL names one"
    async with fetcher_of(settings) as fetcher:
        try:
            await fetcher.get(settings.heartbeat_url, own_service=True)
        except SourceError as error:
            return str(error)
    return "ok, it was told"


def _check_meaning() -> str:
    from bot.detect.meaning import installed

    return "ok, installed" if installed() else "ok, not installed: an extra, docs/detection.md"


async def _check_sources(settings: Settings, catalog: Catalog) -> dict[str, str]:
    """The findings of one look at each source, all side by side; progress goes to a terminal."""
    from bot.ingest.side_by_side import SideBySide
    from bot.ingest.trial import try_source
    from bot.workers import Workers

    # Made whole beforehand: the lines come in the catalog's order, whoever answers first.
    found = {f"source {spec.key}": "" for spec in catalog.polled}
    done = 0

    async def look(spec: RateSpec | NewsSpec) -> None:
        nonlocal done
        trial = await try_source(spec, fetcher, workers, now=datetime.now(UTC))
        words = trial.words
        if not spec.verified:
            words += "; nobody had tried it before (verified = false)"
        found[f"source {spec.key}"] = f"ok, {words}" if trial.ok else words
        done += 1
        if sys.stderr.isatty():
            typer.echo(f"{done} of {len(found)}  {spec.key}", err=True)

    async with fetcher_of(settings) as fetcher, Workers() as workers, asyncio.TaskGroup() as tasks:
        looks = SideBySide(tasks, look)
        for spec in catalog.polled:
            looks.start(spec)
    return found


async def _check_database(settings: Settings) -> str:
    """Whether a start could use it, and what that would do to it."""
    import storage.belonging
    from storage import migrate
    from storage.address import absent, parse_url
    from storage.connecting import connect

    if (path := absent(parse_url(settings.database_url))) is not None:
        migrate.must_be_makeable(path)
        return (
            f"ok, {path} is not there yet: `{typed('run')}` (or `{typed('db upgrade')}`) makes it"
        )
    store = connect(settings.database_url)
    try:
        version = await migrate.schema_of(store)
        words = migrate.awaits(version)
        if version is not None and settings.bot_token is not None:
            async with store.reading() as db:
                await storage.belonging.must_be_of(db, settings.token_name)
    finally:
        await store.close()
    if words is None:
        return "ok"
    return f"ok, {words}"


async def _check_listening(settings: Settings) -> str:
    """Whether a start could listen where it would; ConfigError where it could not.

    What is taken while a bot runs on the database is that bot's.
    """
    wanted = {"OPS_LISTEN": settings.ops_listen}
    if settings.updates == "webhook":
        wanted["WEBHOOK_LISTEN"] = settings.webhook_listen
    wrong: list[str] = []
    for name, listen in wanted.items():
        error = None if listen == "off" else refusal(listen)
        if error is not None and not (is_taken(error) and await _runs(settings)):
            wrong.append(f"{name}: {unheard(listen, error)}")
    if wrong:
        raise ConfigError(wrong)
    return "ok"


async def _runs(settings: Settings) -> bool:
    """Whether a bot runs on the database; not known of one that cannot be asked."""
    from storage.replicas import runs

    return bool(await _asked(settings, runs))


async def _asked(settings: Settings, ask: Callable[[Store], Awaitable[T]]) -> T | None:
    """What the database says; None where it is not there yet, away, or too old to know."""
    from storage.connecting import connect

    try:
        store = connect(settings.database_url)
    except BotError:
        return None
    try:
        return await ask(store)
    except BotError:
        return None
    finally:
        await store.close()


async def _check_token(settings: Settings) -> str:
    """Whether Telegram knows the token, and whose it is."""
    if settings.bot_token is None:
        return "missing: put BOT_TOKEN into .env"
    from bot.telegram.api import Api
    from bot.telegram.outcomes import Rejected, Sent
    from bot.telegram.results import username_of
    from bot.telegram.retry import QUESTION, taken
    from bot.telegram.session import open_session, proxy_of

    url = settings.bot_api_url
    proxy = await proxy_of(settings)
    async with open_session(proxy=proxy) as session:
        api = Api(session, url=url, token=settings.token, proxy=proxy)
        outcome = await taken(api, "getMe", policy=QUESTION)
    match outcome:
        case Sent() if (name := username_of(outcome)) is not None:
            return f"ok, @{name}"
        case Sent():
            return "ok"
        case Rejected():
            return str(outcome.why)
        case _:
            return "Telegram cannot be reached"


@cli.command()
def poll(
    keys: Annotated[
        list[str] | None, typer.Argument(help="sources; all when none is named")
    ] = None,
) -> None:
    """One poll now, with everything that follows except sending. Example: jarchy poll nbkr"""
    settings, catalog = prepare()
    known = [spec.key for spec in catalog.polled]
    for key in keys or ():
        if key not in known:
            raise typer.BadParameter(f"no source {key!r}; there are: {', '.join(known)}")
    run_to_end(_poll(settings, catalog, keys or known))


async def _poll(settings: Settings, catalog: Catalog, keys: Iterable[str]) -> None:
    from bot import archive
    from bot.ingest import Ingest
    from bot.ingest.side_by_side import POLLS_AT_ONCE, SideBySide
    from bot.workers import Workers
    from storage.shared_clock import shared_clock

    known = {spec.key: spec for spec in catalog.polled}
    failed = False
    async with store_of(settings) as store, Workers() as workers, fetcher_of(settings) as fetcher:
        clock = await shared_clock(store)  # this machine may be anybody's, with one of its own
        ingest = Ingest.composed(
            settings, catalog, store=store, fetcher=fetcher, workers=workers, clock=clock
        )

        async def one(spec: RateSpec | NewsSpec) -> None:
            nonlocal failed
            report = await ingest.poll(spec)
            failed = failed or report.error is not None
            write_line(
                {
                    "source": report.source,
                    "fetched": report.fetched,
                    "new": report.new,
                    "alerts": report.alerts,
                    "error": report.error and str(report.error),
                }
            )

        try:
            async with asyncio.TaskGroup() as tasks:
                polls = SideBySide(tasks, one, at_once=POLLS_AT_ONCE)
                for key in keys:
                    polls.start(known[key])
            await archive.index(store)
        except* BotError as group:
            # a poll's own trouble is in its line; what comes out is the database's, and one will do
            raise first_of(group) from None
    if failed:
        raise typer.Exit(1)


@cli.command()
def backfill(
    key: Annotated[str, typer.Argument(help="a source of rates in the catalog")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the first day wanted")],
    pause: Annotated[
        float, typer.Option(min=0, max=LONGEST_RUN, help="seconds between requests")
    ] = 3.0,
) -> None:
    """A bank's past rates, slowly; goes on where it was stopped, and never alerts.

    Example: jarchy backfill nbkr --since 2020-01-01
    """
    settings, catalog = prepare()
    if key not in catalog.rates:
        raise typer.BadParameter(
            f"no source of rates {key!r}; there are: {', '.join(catalog.rates)}"
        )
    run_to_end(_backfill(settings, catalog, key, known_day(since), pause))


async def _backfill(
    settings: Settings, catalog: Catalog, key: str, since: date, pause: float
) -> None:
    from zoneinfo import ZoneInfo

    from bot.backfill import Backfill
    from bot.ingest import Ingest
    from bot.workers import Workers
    from storage.shared_clock import shared_clock

    def say(line: str) -> None:
        typer.echo(log.redact(line), err=True)

    spec = catalog.rates[key]
    until = datetime.now(ZoneInfo(spec.poll.zone)).date()  # the bank's own today
    async with store_of(settings) as store, fetcher_of(settings) as fetcher:
        clock = await shared_clock(store)
        # only what a revision leads to is asked of it: no worker process is started
        ingest = Ingest.composed(
            settings, catalog, store=store, fetcher=fetcher, workers=Workers(), clock=clock
        )
        work = Backfill(
            store=store, fetcher=fetcher, clock=clock, pause=pause, say=say, revised=ingest.revised
        )
        done = await work.run(spec, since=since, until=until)
    write_line(
        {
            "source": done.source,
            "asked": done.asked,
            "skipped": done.skipped,
            "rates": done.rates,
            "unreadable": done.unreadable,
        }
    )
