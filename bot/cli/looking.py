"""The verbs that only look: what readers would be told, what is found, what waits to be sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bot.cli.program import (
    LARGEST_CHAT_ID,
    cli,
    known_day,
    prepare,
    run_to_end,
    view_of,
    write_line,
)
from bot.cli.reading import lines_of_input
from bot.config import Settings
from bot.errors import BotError, UserError
from bot.grammar import parse_currency, parse_language
from bot.languages import LANGUAGES
from bot.model.decisions import Decision, Question
from bot.sources.kind import written
from bot.sources.specs import Catalog
from bot.typed import typed

#: What an operator was asked → the key of the answer, as `jarchy detect` prints its own.
LABELS = {
    Question.SECURITY: "security",
    Question.SAME_STORY: "same",
    Question.HEADLINE: "better",
}

if TYPE_CHECKING:
    from bot.convert import Question as MoneyQuestion
    from bot.model.rates import SeenRate
    from storage.overview import Summary


@cli.command()
def convert(
    text: Annotated[
        str, typer.Argument(help="such as 100$ в сомах; - reads a text a line from stdin")
    ],
    language: Annotated[
        str | None,
        typer.Option(
            parser=parse_language, metavar="|".join(LANGUAGES), help="decides what 1,500 is"
        ),
    ] = None,
    home: Annotated[str | None, typer.Option(help="the currency meant where none is said")] = None,
    parse_only: Annotated[bool, typer.Option("--parse-only", help="without rates")] = False,  # noqa: FBT002 - an option
) -> None:
    """Read free text as the bot does. Example: jarchy convert "100 usd kgs" --parse-only"""
    from bot.convert import parse_question
    from bot.render.answers import explain

    settings, catalog = prepare()
    try:
        quoted = parse_currency(home or settings.home_currency)
    except ValueError as error:
        raise typer.BadParameter(f"--home should be {error}") from None
    rates: Sequence[SeenRate] = ()
    if not parse_only:
        rates = _rates_now(settings, catalog)

    def answer(question: str) -> dict[str, Any]:
        asked = parse_question(question, language=language, home=quoted)
        line = _question_line(asked)
        if not parse_only:
            line |= _answer_line(asked, rates, quoted)
        return line

    if text != "-":
        try:
            write_line(answer(text))
        except UserError as error:
            raise BotError(explain(error, language or "en").text) from None
        return
    for raw in lines_of_input():  # bytes: a line that is no UTF-8 ends none of the others
        try:
            write_line(answer(raw.decode("utf-8", "replace").rstrip("\r\n")))
        except UserError as error:
            write_line({"error": explain(error, language or "en").text})


def _rates_now(settings: Settings, catalog: Catalog) -> Sequence[SeenRate]:
    """The rates that hold now, of the store; BotError where it has none, which no verb fetches."""
    from bot.readers.rates import current_rates
    from storage.db import db_now

    rates: list[SeenRate] = []

    async def read() -> None:
        async with view_of(settings) as db:
            rates.extend(await current_rates(db, catalog, now=await db_now(db)))

    run_to_end(read())
    if not rates:
        raise BotError(
            f"no rates of the catalog's sources are stored: `{typed('run')}` fetches them"
        )
    return rates


def _question_line(asked: MoneyQuestion) -> dict[str, Any]:
    # "f" because a Decimal of a million may write itself 1E+6
    line = {"amount": format(asked.amount, "f"), "from": asked.source, "to": asked.target}
    if asked.other is not None:
        line["other_amount"] = format(asked.other, "f")
    return line


def _answer_line(asked: MoneyQuestion, rates: Sequence[SeenRate], home: str) -> dict[str, Any]:
    """The first reading by today's rates; `in` names the result's currency where none was said."""
    from bot.convert.answers import conversions
    from bot.detect.quoted import must_know

    stored = [rate.series for rate in rates]
    known = partial(must_know, stored=stored, home=home)
    found = conversions(asked, rates, home=home, must_know=known)[0]
    path = found.answer.path
    return {
        "in": found.quote,
        "result": format(found.answer.result, "f"),
        "rate": format(found.answer.rate, "f"),
        "source": path[0].source,
        "effective_on": min(rate.effective_on for rate in path).isoformat(),
    }


@cli.command()
def search(
    words: Annotated[list[str], typer.Argument(help="what to look for: stories with all of them")],
    language: Annotated[
        str | None,
        typer.Option(parser=parse_language, metavar="|".join(LANGUAGES), help="comes first"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="a line of JSON a story")] = False,  # noqa: FBT002 - an option
) -> None:
    """The archive, as /search reads it. Example: jarchy search "border guards" """
    from bot.detect.search import asked

    if not asked(" ".join(words)):
        raise UserError("error.search")
    settings, catalog = prepare()
    run_to_end(
        _search(
            settings, catalog, " ".join(words), language or settings.default_language, json=json
        )
    )


async def _search(
    settings: Settings, catalog: Catalog, words: str, language: str, *, json: bool
) -> None:
    from bot.detect.search import share
    from bot.readers.search import found_page
    from bot.render.news import title

    number, more = 0, True
    while more:
        async with view_of(settings) as db:
            page = await found_page(db, catalog, words, language=language, number=number)
        for story in page.stories:
            lead = story.told_in(language).lead
            line = {
                "story": story.pk,
                "title": title(story.told_in(language), language),
                "source": lead.feed,
                "published_at": lead.at.isoformat(),
                "link": lead.entry.link,
                "score": share(words, lead.entry.title, lead.entry.language),
            }
            if json:
                write_line(line)
            else:
                typer.echo(f"{lead.at:%Y-%m-%d %H:%M}  {lead.feed}  {line['title']}")
        number, more = number + 1, page.more


@cli.command()
def digest(
    date_: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="the day")],
    style: Annotated[
        Literal["full", "brief", "headline"], typer.Option(help="how much of the story")
    ] = "brief",
    plain: Annotated[bool, typer.Option(help="without marks")] = False,  # noqa: FBT002 - an option
    language: Annotated[
        str | None,
        typer.Option(parser=parse_language, metavar="|".join(LANGUAGES), help="of the words"),
    ] = None,
) -> None:
    """The digest a channel would get for a day.

    Example: jarchy digest --date 2021-10-20 --plain --style full
    """
    settings, catalog = prepare()
    run_to_end(
        _digest(
            settings,
            catalog,
            known_day(date_),
            style,
            language or settings.default_language,
            plain=plain,
        )
    )


async def _digest(
    settings: Settings, catalog: Catalog, day: date, style: str, language: str, *, plain: bool
) -> None:
    from bot.i18n import name_of
    from bot.model.chats import Style
    from bot.readers.digest import day_digest
    from bot.render import digest as render

    async with view_of(settings) as db:
        found = await day_digest(
            db,
            catalog,
            day=day,
            home=settings.home_currency,
            zone=settings.time_zone,
            language=language,
        )
    names: dict[str, str] = {}
    if found.source:  # none on a day without rates
        # by the catalog and not by the store: a source that was renamed is called by its new name
        names = dict(catalog.rates[found.source].names)
    message = render.digest(
        found.rates,
        found.story,
        Style(style),
        language,
        day,
        plain=plain,
        source_name=name_of(names, language),
        feed_names=catalog.feed_names,
    )
    typer.echo(message.text)


@cli.command()
def outbox(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,  # noqa: FBT002
) -> None:
    """What waits to be sent, and what became of the rest. Example: jarchy outbox --json"""
    settings, _ = prepare()
    run_to_end(_outbox(settings, as_json=as_json))


async def _outbox(settings: Settings, *, as_json: bool) -> None:
    import storage.overview
    from bot.render.reasons import in_english
    from storage.db import db_now

    async with view_of(settings) as db:
        found = await storage.overview.summary(db, now=await db_now(db))
    if as_json:
        write_line(_outbox_line(found))
        return
    for item in found.counts:
        typer.echo(f"{item.state:<11}{item.lane.name.lower():<9}{item.count:>9}")
    oldest = "–"
    if found.oldest is not None:
        oldest = f"{found.oldest.total_seconds():.0f} s"
    typer.echo(f"alerts to fan out: {found.open_alerts} · oldest waiting: {oldest}")
    if found.last_error is not None:
        typer.echo(f"last error: {in_english(found.last_error)}")


def _outbox_line(found: Summary) -> dict[str, Any]:
    from bot.render.reasons import in_english

    counts: list[dict[str, Any]] = []
    for item in found.counts:
        counts.append({"state": item.state, "lane": item.lane.name.lower(), "count": item.count})
    oldest = None
    if found.oldest is not None:
        oldest = found.oldest.total_seconds()
    return {
        "counts": counts,
        "open_alerts": found.open_alerts,
        "waiting": found.waiting,
        "oldest_seconds": oldest,
        "last_sent_at": written(found.last_sent_at),
        "last_error": in_english(found.last_error),
    }


@cli.command()
def export(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CHAT", help="the chat's number (-- before a negative one), or `decisions`"
        ),
    ],
) -> None:
    """All that is stored about a chat, as its own /mydata gives it; or the operators' decisions
    about news, a JSON line each, in the form that `jarchy detect` takes, with their answer.

    Example: jarchy export 123456789, or jarchy export decisions
    """
    settings, _ = prepare()
    if what == "decisions":
        run_to_end(_export_decisions(settings))
    else:
        run_to_end(_export_chat(settings, _chat_number(what)))


def _chat_number(typed: str) -> int:
    digits = typed.removeprefix("-")
    # its length first: of thousands of digits Python makes no number
    numeric = digits.isascii() and digits.isdecimal() and len(digits) <= len(str(LARGEST_CHAT_ID))
    if not numeric or int(digits) > LARGEST_CHAT_ID:
        raise typer.BadParameter(f"{typed[:40]!r} is no chat's number, and not `decisions`")
    return int(typed)


async def _export_chat(settings: Settings, chat: int) -> None:
    import storage.privacy

    async with view_of(settings) as db:
        found = await storage.privacy.export(db, chat)
    # bytes, because a terminal of another encoding must not spoil names in the file
    sys.stdout.buffer.write(found.to_json() + b"\n")


async def _export_decisions(settings: Settings) -> None:
    import storage.decisions

    async with view_of(settings) as db:
        found = await storage.decisions.every(db)
    for number, made in found:
        write_line(_decision_line(number, made))


def _decision_line(number: int, made: Decision) -> dict[str, Any]:
    about: dict[str, Any] = made.first.form
    if made.second is not None:
        about = {"lang": made.first.language, "a": made.first.form, "b": made.second.form}
    kept = {"id": str(number), "question": made.question.value, "at": written(made.at)}
    return {**kept, **about, LABELS[made.question]: made.answer}
