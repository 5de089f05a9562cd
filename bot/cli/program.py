"""The parts of every verb: its program, settings and catalog, the database, lines of output."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import orjson
import typer

from bot import log
from bot.config import Settings, catalog_path, load_settings
from bot.errors import BotError, ConfigError
from bot.sources.catalog import load_catalog
from bot.sources.specs import Catalog

if TYPE_CHECKING:
    from bot.fetch import Fetcher
    from storage.db import Db, Store

LONGEST_NAME_SHOWN = 200  # letters of a file's name in an error line
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
LARGEST_CHAT_ID = 2**53  # the Bot API's ids have 52 bits and a sign
PROGRESS_EVERY = 0.1  # seconds between two words about how far long work is
LARGEST_PORT = 65535  # a port has 16 bits
LONGEST_RUN = 366 * 86400.0  # seconds of --exit-after and --pause

ChatId = Annotated[
    int,
    typer.Argument(
        min=-LARGEST_CHAT_ID,
        max=LARGEST_CHAT_ID,
        help="the chat's number; -- before a negative one",
    ),
]

cli = typer.Typer(
    name="jarchy",
    help=(
        "The verbs: `jarchy VERB`. "
        "Machine output is JSON on stdout, progress and logs go to stderr."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, secrets among them
    rich_markup_mode=None,
)
inspect_verbs = typer.Typer(
    rich_markup_mode=None,
    help="What a parser sees in a file or at an address.",
    no_args_is_help=True,
)
detect_verbs = typer.Typer(
    rich_markup_mode=None, help="What a detector decides.", no_args_is_help=True
)
db_verbs = typer.Typer(rich_markup_mode=None, help="The database.", no_args_is_help=True)
subscriber_verbs = typer.Typer(
    rich_markup_mode=None,
    help="All chats with their settings: to another database, or to another bot's token.",
    no_args_is_help=True,
)
cli.add_typer(inspect_verbs, name="inspect")
cli.add_typer(detect_verbs, name="detect")
cli.add_typer(db_verbs, name="db")
cli.add_typer(subscriber_verbs, name="subscribers")


def fail(why: str) -> NoReturn:
    """End with one line on stderr, without secrets, and 1."""
    try:
        sys.stdout.flush()
    except OSError:  # its end would try again, and say so in words of Python's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stderr.write(f"jarchy: {log.one_line(why)}\n")
    sys.exit(1)


def run_to_end(work: Coroutine[Any, Any, None]) -> None:
    """Run what a verb does, on the faster loop where there is one."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:  # less CPU a message
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.new_event_loop


def prepare(**overrides: Any) -> tuple[Settings, Catalog]:  # noqa: ANN401 - any setting
    """Settings and catalog with all their problems at once, and logs set up."""
    problems: list[str] = []
    settings, catalog = None, None
    # Wrong settings do not keep the catalog from being read: an operator mends both in one go.
    try:
        settings = load_settings(**overrides)
        path = settings.catalog
    except ConfigError as error:
        problems += error.problems
        path = catalog_path()
    try:
        catalog = load_catalog(path)
    except ConfigError as error:
        problems += error.problems
    if settings is None or catalog is None:
        raise ConfigError(problems)
    # before anything can be logged
    log.hide(*settings.secrets, *catalog.secrets)
    log.set_up(settings.log_format, settings.log_level)
    return settings, catalog


@asynccontextmanager
async def store_of(settings: Settings, *, makes: bool = True) -> AsyncIterator[Store]:
    """The database for a verb that writes: migrated where that is needed, and made, unless the verb
    is about what is in it already.
    """
    from storage.connecting import must_be_there
    from storage.opening import open_store

    if not makes:
        must_be_there(settings.database_url)
    store = await open_store(settings.database_url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def view_of(settings: Settings) -> AsyncIterator[Db]:
    """The database for a verb that only looks: it is never changed, not even migrated."""
    from storage.opening import look_at

    store = await look_at(settings.database_url)
    try:
        async with store.reading() as db:
            yield db
    finally:
        await store.close()


def fetcher_of(settings: Settings) -> Fetcher:
    """The way out for a verb that asks sources, by the proxy to all where there is one."""
    # a verb that asks nobody needs no network, and no 50 ms for the system's certificates
    from bot.fetch import Fetcher

    return Fetcher(proxy=settings.proxy_to_others)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """The progress of long work, in one line that changes, for whoever watches a terminal."""
    said_at = 0.0

    def tell(words: str) -> None:
        nonlocal said_at
        now = time.monotonic()
        if sys.stderr.isatty() and now - said_at >= PROGRESS_EVERY:
            said_at = now
            sys.stderr.write(f"\r\x1b[K{words}")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if said_at:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def write_line(value: object) -> None:
    """A value as a line of JSON on stdout."""
    try:
        line = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # a file's name or an argument that is not UTF-8: escaped
        line = json.dumps(value).encode("ascii") + b"\n"
    try:
        sys.stdout.buffer.write(line)
        sys.stdout.flush()  # whoever reads through a pipe sees each line as it is made
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BotError(f"the output cannot be written: {error.strerror}") from error


def known_day(value: datetime) -> date:
    """A day that rates and news may be of; wrong usage for one that no calendar of ours reaches."""
    if not FIRST_DAY <= value.date() <= LAST_DAY:
        raise typer.BadParameter(f"a day from {FIRST_DAY} to {LAST_DAY}")
    return value.date()
