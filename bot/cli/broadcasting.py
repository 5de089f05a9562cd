"""The verb that writes to all chats, or to the readers of a topic."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.program import cli, prepare, run_to_end, store_of, view_of, write_line
from bot.cli.reading import TooLargeError, bytes_of
from bot.config import Settings
from bot.errors import BotError
from bot.sources.specs import Catalog

if TYPE_CHECKING:
    from bot.alerts.broadcasts import Broadcast
    from bot.model.broadcasts import Reach

ALL = "all"
LONGEST_ANSWER = 100  # letters that are read of a yes or no


@cli.command()
def broadcast(
    to: Annotated[str, typer.Option(help=f"a topic, for its readers, or {ALL}")],
    file: Annotated[Path, typer.Option(help="the message, text in UTF-8")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only count")] = False,  # noqa: FBT002 - an option
) -> None:
    """An operator's message to many, through the outbox; asks first.

    Example: jarchy broadcast --to all --file message.txt --dry-run
    """
    settings, catalog = prepare()
    audience = _audience(to, catalog)
    words = _words(file)
    run_to_end(_broadcast(settings, to, audience, words, dry_run=dry_run))


def _audience(to: str, catalog: Catalog) -> str:
    from bot.model.alerts import EVERYBODY
    from bot.model.subjects import TopicSubject
    from bot.sources.values import TOPICS

    if to == ALL:
        return EVERYBODY
    known = dict.fromkeys(TOPICS)
    for channel in catalog.channels.values():
        known |= dict.fromkeys(channel.topics)
    if to not in known:
        raise typer.BadParameter(f"no topic {to[:40]!r}; there are: {ALL}, {', '.join(known)}")
    return str(TopicSubject(to))


def _words(file: Path) -> Broadcast:
    """The text of a file; BotError for one that Telegram would not take."""
    from bot.alerts.broadcasts import Broadcast
    from bot.render.text import LIMIT, units

    try:
        text = bytes_of(file).decode().strip()
    except UnicodeDecodeError:
        raise BotError(f"{file.name}: no text in UTF-8") from None
    except TooLargeError as error:
        raise BotError(f"{file.name}: {error}") from None
    if not text or "\x00" in text:
        raise BotError(f"{file.name}: there is nothing to send")
    if units(text) > LIMIT:
        raise BotError(f"{file.name}: {units(text)} characters, and a message has {LIMIT} at most")
    return Broadcast(text=text)


async def _broadcast(
    settings: Settings, to: str, audience: str, words: Broadcast, *, dry_run: bool
) -> None:
    import storage.alerts
    import storage.broadcasts
    from bot.alerts.broadcasts import alert
    from storage.db import db_now

    async with view_of(settings) as db:
        reach = await storage.broadcasts.reach(db, audience)
    if dry_run:
        write_line(_line(to, reach, queued=False))
        return
    if not reach.total:
        raise BotError("there is nobody to send it to")
    typer.echo(words.text, err=True)
    if not _is_sure(f"Send this to {reach.total} chats? [y/N] "):
        raise BotError("nothing is sent: only y or yes sends it")
    async with store_of(settings) as store, store.writing() as db:
        now = await db_now(db)  # this machine may be anybody's, with a clock of its own
        reach = await storage.broadcasts.reach(db, audience)
        await storage.alerts.enqueue(db, alert(now.isoformat(), words, audience, now=now))
    write_line(_line(to, reach, queued=True))


def _is_sure(question: str) -> bool:
    """Whether the answer is a yes. typer's own question leaves a space on stdout."""
    typer.echo(question, nl=False, err=True)
    answer = sys.stdin.readline(LONGEST_ANSWER)
    if not (answer and sys.stdin.isatty()):  # whoever types it ends the question's line
        typer.echo(err=True)
    return answer.strip().casefold() in {"y", "yes"}


def _line(to: str, reach: Reach, *, queued: bool) -> dict[str, Any]:
    counts = {kind.value: n for kind, n in reach.kinds.items()}
    return {"to": to, **counts, "total": reach.total, "queued": queued}
