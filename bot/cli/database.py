"""The verbs for the database and for what it holds of one chat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.program import (
    ChatId,
    cli,
    db_verbs,
    prepare,
    progress,
    run_to_end,
    store_of,
    write_line,
)
from bot.config import Settings


@cli.command()
def erase(chat: ChatId) -> None:
    """Forget all about a chat, as its own /delete does. Example: jarchy erase -- -1001234567890"""
    settings, _ = prepare()

    async def forget() -> None:
        import storage.privacy

        async with store_of(settings, makes=False) as store, store.writing() as db:
            rows = await storage.privacy.erase(db, chat)
        write_line({"chat": chat, "rows": rows})

    run_to_end(forget())


@db_verbs.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this program's schema, after a backup copy.

    Example: jarchy db upgrade
    """
    settings, _ = prepare()

    async def upgrade() -> None:
        from storage.versions import HEAD

        # opening it for writing is the upgrade: a start does no more
        async with store_of(settings):
            typer.echo(f"schema {HEAD}")

    run_to_end(upgrade())


@db_verbs.command("backup")
def db_backup(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="the copy; when not named, beside a SQLite file, where the bot forgets it after "
            "30 days, or in this folder"
        ),
    ] = None,
) -> None:
    """Copy the database while it is in use, for your eyes only: SQLite by itself, PostgreSQL by its
    own pg_dump.

    Example: jarchy db backup /safe/jarchy.db
    """
    # no store is opened: the bot may be running
    from storage.keeping import save

    settings, _ = prepare()
    with progress() as tell:
        target = save(settings.database_url, file, tell=tell)
    typer.echo(target)


@db_verbs.command("restore")
def db_restore(
    file: Annotated[Path, typer.Argument(help="a copy that `db backup` made")],
    force: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--force", help="replace a used database, of which a copy is kept")
    ] = False,
) -> None:
    """Put a checked copy in the place of the database, and bring it to this program's schema.

    Example: jarchy db restore /safe/jarchy.db --force
    """
    from storage.keeping import put_back

    settings, _ = prepare()
    with progress() as tell:
        rows, kept = put_back(settings.database_url, file, settings.backups, force=force, tell=tell)
    if kept is not None:
        typer.echo(f"the old database is now {kept}", err=True)
    run_to_end(_bring_up(settings))
    write_line({"restored": str(file), "rows": rows})


async def _bring_up(settings: Settings) -> None:
    async with store_of(settings):
        pass


@db_verbs.command("check")
def db_check(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,  # noqa: FBT002
) -> None:
    """Integrity, foreign keys, schema and rows; changes nothing. Example: jarchy db check --json"""
    settings, _ = prepare()
    run_to_end(_db_check(settings, as_json=as_json))


async def _db_check(settings: Settings, *, as_json: bool) -> None:
    from storage.connecting import connect
    from storage.health import health

    # without the look at its schema: a check is for a database that may be damaged
    store = connect(settings.database_url)
    try:
        found = await health(store)
    finally:
        await store.close()
    if as_json:
        write_line(
            {
                "schema": found.schema,
                "rows": {f"{table}": count for table, count in found.rows.items()},
                "problems": found.problems,
            }
        )
    else:
        if found.schema is not None:
            typer.echo(f"schema {found.schema}")
        for table, count in found.rows.items():
            typer.echo(f"{table:<14}{count:>10}")
        for problem in found.problems or ("sound",):
            typer.echo(problem)
    if found.problems:
        raise typer.Exit(1)
