"""The verbs that let a detector decide about what is given to it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from bot.cli.program import (
    LONGEST_NAME_SHOWN,
    detect_verbs,
    write_line,
)
from bot.cli.reading import LARGEST_TABLE, TooLargeError, bytes_of, lines_of_input
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.model.news import Entry, Verdict


@detect_verbs.command("security")
def detect_security() -> None:
    """Judge texts: JSON lines {"id","title","text"} on stdin.

    Example: jarchy detect security < texts.jsonl
    """
    for item in _json_lines():
        verdict = judged_as_polled(
            str(item.get("title") or ""), str(item.get("text") or ""), _language_of(item)
        )
        write_line(
            {
                "id": item.get("id"),
                "lang": verdict.language,
                "security": verdict.security,
                # enough to compare two runs, and free of what floats differ in between machines
                "score": round(verdict.score, 4),
                "severity": verdict.severity.value,
                "topics": list(verdict.topics),
                "reasons": [str(reason) for reason in verdict.reasons],
            }
        )


def judged_as_polled(title: str, text: str, language: str | None) -> Verdict:
    """The verdict on a text, with its vector where the flow would ask for it."""
    from bot.detect import meaning
    from bot.detect.security import undecided
    from bot.detect.topics import judged
    from bot.model.news import Entry

    found = judged(title, text, language)
    if not meaning.installed() or not undecided(found):
        return found
    # here, and not in a worker: this process ends with the verb
    (vector,) = meaning.vectors([meaning.as_read(Entry(id="", title=title, summary=text))])
    return judged(title, text, language, vector=vector)


@detect_verbs.command("same-story")
def detect_same_story() -> None:
    """Judge pairs: JSON lines {"id","a":{"title","text"},"b":…} on stdin.

    Example: jarchy detect same-story < pairs
    """
    from bot.detect.stories import same_story

    for item in _json_lines():
        a, b = _side(item, "a"), _side(item, "b")
        match = same_story(a, b, alike=_alike(a, b))
        write_line({"id": item.get("id"), "same": match.same, "score": round(match.score, 4)})


def _alike(a: Entry, b: Entry) -> float | None:
    """The cosine of two texts' vectors where the flow would ask for it: words do not decide."""
    from bot.detect import meaning, stories

    if not meaning.installed() or not stories.undecided(a, b):
        return None
    # here, and not in a worker: this process ends with the verb
    one, other = meaning.vectors([meaning.as_read(a), meaning.as_read(b)])
    return meaning.cosine(one, other)


def _side(item: dict[str, Any], name: str) -> Entry:
    """One side of a pair of texts; BotError when it is no object."""
    from bot.model.news import Entry

    side = item.get(name) or {}
    if not isinstance(side, dict):
        raise BotError(
            f'"{name}" of {str(item.get("id"))[:LONGEST_NAME_SHOWN]!r} is not a JSON object'
        )
    return Entry(
        id=name,
        title=str(side.get("title") or ""),
        summary=str(side.get("text") or ""),
        language=_language_of(side) or _language_of(item),
    )


def _language_of(item: dict[str, Any]) -> str | None:
    """The language that an object names, when it names one by a word."""
    match item.get("lang"):
        case str(language) if language:
            return language
        case _:  # left to the detector, which knows a language by its words
            return None


@detect_verbs.command("moves")
def detect_moves(
    history: Annotated[Path, typer.Option(help="CSV: date,USD,EUR,…", exists=True, dir_okay=False)],
    quote: Annotated[str, typer.Option(help="what the columns are priced in")] = "KGS",
    rule: Annotated[
        str | None, typer.Option(help='instead of the default policy, such as "USD 1%"')
    ] = None,
) -> None:
    """Replay a history day by day. Example: jarchy detect moves --history rates.csv --quote KGS"""

    from bot.convert import currency_at, day_at, plain_text
    from bot.convert.rules import parse_typed_rule
    from bot.detect.replay import replay_csv

    # a rule may be limited to a day to come; today is that of whoever typed it
    day = partial(day_at, today=datetime.now(UTC).date(), ahead=True)
    own = None
    if rule is not None:
        own = parse_typed_rule(plain_text(rule), home=quote.upper(), currency=currency_at, day=day)
    try:
        # spreadsheets begin a CSV with a mark
        table = bytes_of(history, most=LARGEST_TABLE).decode("utf-8-sig")
        for found in replay_csv(StringIO(table, newline=None), quote.upper(), own):
            write_line(found.to_json())
    except (ValueError, csv.Error, TooLargeError) as error:
        raise BotError(f"{history}: {error}") from None


def _json_lines() -> Iterator[dict[str, Any]]:
    """The objects on stdin, a line each; BotError names the line that is none."""
    for number, raw in enumerate(lines_of_input(), 1):
        if not raw.strip():
            continue
        try:
            item = orjson.loads(raw)
        # told below with its number: in a file of thousands the line matters more than the fault
        except orjson.JSONDecodeError:
            item = None
        if not isinstance(item, dict):
            raise BotError(f"line {number} of stdin is not a JSON object")
        yield item
