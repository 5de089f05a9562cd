"""The verbs that move: a database to another one, all chats to another database or bot's token."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from bot import log
from bot.cli.program import (
    db_verbs,
    prepare,
    progress,
    run_to_end,
    subscriber_verbs,
    view_of,
    write_line,
)
from bot.config import Settings
from bot.database_address import password_in

if TYPE_CHECKING:
    from storage.belonging import Unmet
    from storage.db import Db

DryRun = Annotated[bool, typer.Option("--dry-run", help="say what would be, change nothing")]
NEXT = {
    "private": "press Start at this bot",
    "group": "let this bot in",
    "channel": "make this bot an administrator",
}


@db_verbs.command("move")
def db_move(
    url: Annotated[str, typer.Argument(help="the empty database to move to")],
    dry_run: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--dry-run", help="look at both, change nothing")
    ] = False,
) -> None:
    """Move everything from DATABASE_URL to another database, file or server, and compare every
    table; all or nothing. The bot must be stopped.

    Leave the password out of the address, and in PGPASSWORD or ~/.pgpass: others see a command's
    words.

    Example: jarchy db move postgresql://jarchy@db/jarchy
    """
    settings, _ = prepare()
    if password := password_in(url):
        # as it stands in the address, and as drivers say it in their errors
        log.hide(password, unquote(password))
    run_to_end(_db_move(settings, url, dry_run=dry_run))


async def _db_move(settings: Settings, url: str, *, dry_run: bool) -> None:
    from storage.moving import move

    with progress() as tell:
        moved = await move(settings.database_url, url, dry_run=dry_run, tell=tell)
    tables: dict[str, dict[str, int | str]] = {}
    for name, digest in moved.tables.items():
        tables[name] = {"rows": digest.rows}
        if not dry_run:
            tables[name]["digest"] = digest.hex
    write_line({"moved": not dry_run, "from": moved.source, "to": moved.target, "tables": tables})
    if not dry_run:
        typer.echo(
            f"moved and compared: now set DATABASE_URL to {moved.target} and start the bot; "
            f"{moved.source} is as it was, start none on it",
            err=True,
        )


@subscriber_verbs.command("export")
def export_subscribers(
    file: Annotated[Path, typer.Argument(help="the file to be made, for your eyes only (0600)")],
) -> None:
    """Write all chats with subscriptions, rules, filters and settings into one file. It is private
    data: who reads what.

    Example: jarchy subscribers export /safe/subscribers.jsonl
    """
    settings, _ = prepare()
    run_to_end(_export(settings, file))


async def _export(settings: Settings, file: Path) -> None:
    import storage.subscribers

    async with view_of(settings) as db:
        count = await storage.subscribers.export(db, file)
    write_line({"exported": str(file), "chats": count})
    typer.echo(
        f"{file} says who reads what: keep it to yourself, and delete it when done", err=True
    )


@subscriber_verbs.command("import")
def import_subscribers(
    file: Annotated[Path, typer.Argument(help="a file of `subscribers export`")],
    dry_run: DryRun = False,  # noqa: FBT002 - an option
) -> None:
    """Take in the chats of a file; those that are here stay as they are. Under another bot's token
    each is written to only once that bot has met it: a line of JSON for each says who that is. The
    bot must be stopped.

    Example: jarchy subscribers import /safe/subscribers.jsonl --dry-run
    """
    settings, _ = prepare()
    run_to_end(_import(settings, file, dry_run=dry_run))


@asynccontextmanager
async def _changing(settings: Settings, *, dry_run: bool) -> AsyncIterator[Db]:
    """One transaction of the database that nobody else has; of a trial it leaves nothing."""
    import storage.replicas
    from storage.opening import held_store, trial_store

    opened = trial_store if dry_run else held_store
    async with opened(settings.database_url) as store, store.writing() as db:
        await storage.replicas.must_rest(db)
        yield db
        if dry_run:
            await db.rollback()
            typer.echo("this was a trial: nothing is changed", err=True)


async def _import(settings: Settings, file: Path, *, dry_run: bool) -> None:
    import storage.belonging
    import storage.subscribers

    async with _changing(settings, dry_run=dry_run) as db:
        await storage.belonging.claim(db, settings.token_name)
        brought = await storage.subscribers.bring(db, file, settings.token_name)
        unmet = await storage.belonging.unmet(db)
    typer.echo(f"{brought.chats} chats taken in, {brought.skipped} were here already", err=True)
    _say(unmet)


@subscriber_verbs.command("adopt")
def adopt(dry_run: DryRun = False) -> None:  # noqa: FBT002 - an option
    """Give this database to the bot of BOT_TOKEN, after the token was changed. Chats keep their
    settings, and are written to once the bot has met them; what waited is not sent, and no old
    message is edited or answered. The bot must be stopped.

    Example: jarchy subscribers adopt --dry-run
    """
    settings, _ = prepare()
    run_to_end(_adopt(settings, dry_run=dry_run))


async def _adopt(settings: Settings, *, dry_run: bool) -> None:
    import storage.belonging
    from storage.connecting import must_be_there

    # first: a store that is opened makes the file that is not there
    must_be_there(settings.database_url)
    async with _changing(settings, dry_run=dry_run) as db:
        given = await storage.belonging.give(db, settings.token_name)
        unmet = await storage.belonging.unmet(db)
    typer.echo(
        f"from bot {given.was} to bot {settings.token_name}: {given.unsent} waiting messages are "
        f"not sent, {given.unanswered} questions not answered",
        err=True,
    )
    _say(unmet)


@subscriber_verbs.command("unmet")
def list_unmet() -> None:
    """The chats that this bot has not met yet, a line of JSON each. Example: jarchy subscribers
    unmet
    """
    settings, _ = prepare()
    run_to_end(_list_unmet(settings))


async def _list_unmet(settings: Settings) -> None:
    import storage.belonging

    async with view_of(settings) as db:
        unmet = await storage.belonging.unmet(db)
    _say(unmet)


def _say(unmet: Sequence[Unmet]) -> None:
    """Write the chats that must meet the bot, each with its next step, and how many they are."""
    for one in unmet:
        line = {
            "chat": one.id,
            "kind": one.kind,
            "title": one.title,
            "next": NEXT.get(one.kind, ""),
        }
        write_line(line)
    counts = Counter(one.kind for one in unmet)
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    typer.echo(f"to be met anew: {said or 'none'}", err=True)
