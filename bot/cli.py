"""The verbs: `jarchy VERB`. Machine output is JSON on stdout, progress and logs go to stderr.

Exit codes: 0 success, 1 a failure explained in one line, 2 wrong usage, 78 wrong configuration.
Heavy modules are imported by the verb that needs them.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import partial
from io import StringIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, NoReturn, Protocol, runtime_checkable

import orjson
import typer

from bot import log
from bot.config import Settings, catalog_path, load_settings
from bot.errors import BotError, ConfigError, SourceError, UserError
from bot.grammar import parse_currency, parse_language
from bot.languages import LANGUAGES
from bot.model.rates import Rate
from bot.sources.catalog import Catalog, load_catalog

if TYPE_CHECKING:
    from bot.convert import Question
    from bot.model.news import Entry
    from bot.model.rates import SeenRate
    from bot.sources.catalog import FeedSpec, RateSpec
    from storage.db import Db, Store

CONFIG_EXIT = 78
LONGEST_NAME_SHOWN = 200  # letters of a file's name in an error line
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
LARGEST_CHAT_ID = 2**53  # the Bot API's ids have 52 bits and a sign
LARGEST_PORT = 65535
LONGEST_RUN = 366 * 86400.0  # seconds of --exit-after and --pause

ChatId = Annotated[
    int, typer.Argument(min=-LARGEST_CHAT_ID, max=LARGEST_CHAT_ID, help="the chat's number; -- before a negative one")
]

cli = typer.Typer(
    name="jarchy",
    help=__doc__.splitlines()[0],
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
inspect = typer.Typer(
    rich_markup_mode=None, help="What a parser sees in a file or at an address.", no_args_is_help=True
)
detect = typer.Typer(rich_markup_mode=None, help="What a detector decides.", no_args_is_help=True)
database = typer.Typer(rich_markup_mode=None, help="The database.", no_args_is_help=True)
cli.add_typer(inspect, name="inspect")
cli.add_typer(detect, name="detect")
cli.add_typer(database, name="db")


@runtime_checkable
class _WrongUsage(Protocol):
    """What typer raises for a wrong option or argument; its class has no public name."""

    exit_code: int

    def show(self, file: IO[str]) -> None: ...


def main() -> None:
    """Run a verb; errors we raise on purpose become one line (or one a problem) and an exit code."""
    log.guard_tracebacks()
    try:
        sys.exit(cli(standalone_mode=False))  # what is typed wrong is shown by us, redacted; 2
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"jarchy: {log.one_line(problem)}\n")
        sys.exit(CONFIG_EXIT)
    except UserError as error:
        from bot.render.help import error as explain

        _fail(explain(error, "en").text)
    except BotError as error:
        _fail(str(error))
    except (BrokenPipeError, typer.Abort):
        sys.exit(1)
    except OSError as error:  # a file or a socket that the one who typed the verb named
        named = f"{str(error.filename)[:LONGEST_NAME_SHOWN]}: " if error.filename is not None else ""
        _fail(f"{named}{error.strerror or error}")
    except Exception as error:  # noqa: BLE001 - a defect: its traceback is printed here, because typer would print it as it is
        if isinstance(error, _WrongUsage):
            shown = StringIO()
            error.show(file=shown)
            sys.stderr.write(log.redact(shown.getvalue()))
            sys.exit(error.exit_code)
        sys.stderr.write(log.redact(traceback.format_exc()))
        sys.exit(1)


def _fail(why: str) -> NoReturn:
    """End with one line on stderr, without secrets, and 1."""
    sys.stderr.write(f"jarchy: {log.one_line(why)}\n")
    sys.exit(1)


def _run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.new_event_loop


def _prepare(**overrides: Any) -> tuple[Settings, Catalog]:  # noqa: ANN401 - any setting
    """Settings and catalog with all their problems at once, and logs set up."""
    problems: list[str] = []
    settings, catalog = None, None
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
    log.hide(*settings.secrets)
    log.set_up(settings.log_format, settings.log_level)
    return settings, catalog


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    """The database for a verb that writes: made and migrated where that is needed."""
    from storage.opening import open_store

    store = await open_store(settings.database_url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _looking(settings: Settings) -> AsyncIterator[Db]:
    """The database for a verb that only looks: it is never changed, not even migrated."""
    from storage.opening import look_at

    store = await look_at(settings.database_url)
    try:
        async with store.reading() as db:
            yield db
    finally:
        await store.close()


def _write(value: object) -> None:
    """A value as a line of JSON on stdout."""
    try:
        line = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # a file's name or an argument that is not UTF-8: escaped
        line = json.dumps(value).encode("ascii") + b"\n"
    sys.stdout.buffer.write(line)
    sys.stdout.flush()


def _day(value: datetime) -> date:
    """A day that rates and news may be of; wrong usage for one that no calendar of ours reaches."""
    if not FIRST_DAY <= value.date() <= LAST_DAY:
        raise typer.BadParameter(f"a day from {FIRST_DAY} to {LAST_DAY}")
    return value.date()


# ── running ─────────────────────────────────────────────────────────────────


@cli.command()
def run() -> None:
    """The bot, until SIGTERM or SIGINT. Example: jarchy run"""
    settings, catalog = _prepare()
    settings.token  # noqa: B018 - refuses to start without one
    from bot.app import run as run_bot

    # what the libraries made is never garbage: looking through it takes tens of milliseconds of every answer under way
    _run(run_bot(settings, catalog, on_ready=lambda _bot: gc.freeze()))


@cli.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=LARGEST_PORT, help="of the chat page; 0 picks a free one")] = 8088,
    exit_after: Annotated[float | None, typer.Option(min=0, max=LONGEST_RUN, help="seconds, for scripts")] = None,
) -> None:
    """The whole bot on this machine, without token or network. Example: jarchy demo --port 0 --exit-after 20"""
    from bot.demo.show import show

    _run(show(port=port, exit_after=exit_after, say=lambda line: print(line, flush=True)))


@cli.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,  # noqa: FBT002 - an option
    sources: Annotated[bool, typer.Option(help="also fetch and read each source once")] = False,  # noqa: FBT002 - an option
) -> None:
    """Settings, token, database, catalog. Example: jarchy check --sources"""
    settings, catalog = _prepare()
    _run(_check(settings, catalog, as_json=as_json, sources=sources))


async def _check(settings: Settings, catalog: Catalog, *, as_json: bool, sources: bool) -> None:
    found: dict[str, str] = {"settings": "ok", "catalog": f"ok, {len(catalog.polled)} sources"}
    found["database"] = await _check_database(settings)
    found["token"] = await _check_token(settings)
    if sources:
        found |= await _check_sources(catalog)
    if as_json:
        _write(found)
    else:
        width = max(map(len, found))
        for name, verdict in found.items():
            typer.echo(f"{name:<{width}}  {verdict}")
    if any(verdict.partition(",")[0] != "ok" for name, verdict in found.items()):
        raise typer.Exit(1)


async def _check_sources(catalog: Catalog) -> dict[str, str]:
    """What one look at each source found, all side by side; progress goes to a terminal."""
    from bot.fetch import Fetcher
    from bot.ingest.side_by_side import SideBySide
    from bot.ingest.trial import try_source
    from bot.workers import Workers

    found = {f"source {spec.key}": "" for spec in catalog.polled}
    done = 0

    async def look(spec: RateSpec | FeedSpec) -> None:
        nonlocal done
        trial = await try_source(spec, fetcher, workers, now=datetime.now(UTC))
        words = log.redact(trial.words)
        found[f"source {spec.key}"] = f"ok, {words}" if trial.ok else words
        done += 1
        if sys.stderr.isatty():
            typer.echo(f"{done} of {len(found)}  {spec.key}", err=True)

    async with Fetcher() as fetcher, Workers() as workers, asyncio.TaskGroup() as tasks:
        looks = SideBySide(tasks, look)
        for spec in catalog.polled:
            looks.start(spec)
    return found


async def _check_database(settings: Settings) -> str:
    """Whether a start could use it, and what that would do to it."""
    from storage import migrate
    from storage.db import absent, connect, parse_url

    if (path := absent(parse_url(settings.database_url))) is not None:
        migrate.must_be_makeable(path)
        return f"ok, {path} is not there yet: `jarchy run` (or `jarchy db upgrade`) makes it"
    store = connect(settings.database_url)
    try:
        words = migrate.awaits(await migrate.schema_of(store))
    finally:
        await store.close()
    return "ok" if words is None else f"ok, {words}"


async def _check_token(settings: Settings) -> str:
    if settings.bot_token is None:
        return "missing: put BOT_TOKEN into .env"
    from bot.telegram.api import Api
    from bot.telegram.outcomes import Rejected, Sent
    from bot.telegram.session import open_session

    async with open_session() as session:
        outcome = await Api(session, url=settings.bot_api_url, token=settings.token).call("getMe")
    if isinstance(outcome, Sent):
        return f"ok, @{outcome.result['username']}" if isinstance(outcome.result, dict) else "ok"
    return outcome.why if isinstance(outcome, Rejected) else "Telegram cannot be reached"


@cli.command()
def poll(keys: Annotated[list[str] | None, typer.Argument(help="sources; all when none is named")] = None) -> None:
    """One poll now, with everything that follows except sending. Example: jarchy poll nbkr"""
    settings, catalog = _prepare()
    known = {spec.key: spec for spec in catalog.polled}
    if unknown := [key for key in keys or () if key not in known]:
        raise typer.BadParameter(f"no source {unknown[0]!r}; there are: {', '.join(known)}")
    _run(_poll(settings, catalog, keys or list(known)))


async def _poll(settings: Settings, catalog: Catalog, keys: Iterable[str]) -> None:
    from bot.fetch import Fetcher
    from bot.ingest import Ingest
    from bot.ingest.side_by_side import SideBySide
    from bot.workers import Workers

    known = {spec.key: spec for spec in catalog.polled}
    failed = False
    async with _store(settings) as store, Workers() as workers, Fetcher() as fetcher:
        ingest = Ingest.composed(settings, catalog, store=store, fetcher=fetcher, workers=workers)

        async def one(spec: RateSpec | FeedSpec) -> None:
            nonlocal failed
            report = await ingest.poll(spec)
            failed = failed or report.error is not None
            names = ("source", "fetched", "new", "alerts", "error")
            _write({name: getattr(report, name) for name in names})

        try:
            async with asyncio.TaskGroup() as tasks:
                polls = SideBySide(tasks, one)
                for key in keys:
                    polls.start(known[key])
        except* BotError as group:
            raise group.exceptions[0] from None
    if failed:
        raise typer.Exit(1)


@cli.command()
def backfill(
    key: Annotated[str, typer.Argument(help="a source of rates in the catalog")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the first day wanted")],
    pause: Annotated[float, typer.Option(min=0, max=LONGEST_RUN, help="seconds between requests")] = 3.0,
) -> None:
    """A bank's past rates, slowly; goes on where it was stopped, and never alerts.

    Example: jarchy backfill nbkr --since 2020-01-01
    """
    settings, catalog = _prepare()
    if key not in catalog.rates:
        raise typer.BadParameter(f"no source of rates {key!r}; there are: {', '.join(catalog.rates)}")
    _run(_backfill(settings, catalog.rates[key], _day(since), pause))


async def _backfill(settings: Settings, spec: RateSpec, since: date, pause: float) -> None:
    from zoneinfo import ZoneInfo

    from bot.backfill import Backfill
    from bot.fetch import Fetcher
    from bot.ingest import Ingest
    from bot.workers import Workers

    def say(line: str) -> None:
        typer.echo(log.redact(line), err=True)

    until = datetime.now(ZoneInfo(spec.poll.zone)).date()
    async with _store(settings) as store, Fetcher() as fetcher:
        clock: Callable[[], datetime] = partial(datetime.now, UTC)
        ingest = Ingest(store=store, fetcher=fetcher, workers=Workers(), clock=clock, admins=settings.admin_ids)
        work = Backfill(store=store, fetcher=fetcher, clock=clock, pause=pause, say=say, revised=ingest.revised)
        done = await work.run(spec, since=since, until=until)
    _write({name: getattr(done, name) for name in ("source", "asked", "skipped", "rates", "unreadable")})


# ── looking ─────────────────────────────────────────────────────────────────


async def _bytes_of(place: str) -> bytes:
    if place.startswith(("http://", "https://")):
        from bot.fetch import Fetcher

        async with Fetcher() as fetcher:
            return (await fetcher.get(place)).body or b""
    try:
        return Path(place).read_bytes()  # noqa: ASYNC240 - a verb that does nothing else
    except OSError as error:
        raise SourceError(f"{place}: {error.strerror}") from None


def _inspect(places: list[str], read: Callable[[bytes, str], Iterable[dict[str, Any]]]) -> None:
    """Print what `read` sees in each place; with several, each line names its file and a failing one its error."""
    failed = False

    async def each() -> None:
        nonlocal failed
        for place in places:
            label = {"file": place} if len(places) > 1 else {}
            try:
                for line in read(await _bytes_of(place), place):
                    _write({**label, **line})
            except SourceError as error:
                if not label:
                    raise
                failed = True
                _write({**label, "error": log.redact(str(error))})

    _run(each())
    if failed:
        raise typer.Exit(1)


@inspect.command("rates")
def inspect_rates(
    key: Annotated[str, typer.Argument(help="a parser or a source of the catalog")],
    places: Annotated[list[str], typer.Argument(help="files or addresses")],
    saved_from: Annotated[str | None, typer.Option("--url", help="where a saved file came from")] = None,
) -> None:
    """What a rate parser sees, a JSON line a rate. Example: jarchy inspect rates nbkr daily.xml

    A page of history does not say of which currency it is: its address does (--url, or a manifest beside the file).
    """
    from bot.sources.banks import SOURCES

    log.set_up(None, "warning")
    spec = load_catalog().rates.get(key)
    source = spec.source if spec is not None else SOURCES.get(key)
    if source is None:
        raise typer.BadParameter(f"no parser {key!r}; there are: {', '.join(SOURCES)}")

    def read(body: bytes, place: str) -> Iterable[dict[str, Any]]:
        url = place if place.startswith("http") else saved_from or _recorded_from(Path(place))
        parsed = source.parse(body, source=key, url=url, kind=spec.kind if spec else None)
        for problem in parsed.problems:
            typer.echo(f"not believed: {problem}", err=True)
        return map(_rate_line, parsed.rates)

    _inspect(places, read)


def _recorded_from(path: Path) -> str | None:
    """The address that a manifest beside a saved document gives for it: `[{"file": …, "uri": …}, …]`."""
    for manifest in sorted(path.parent.glob("*manifest.json")):
        try:
            entries = orjson.loads(manifest.read_bytes())
        except (OSError, ValueError):
            continue
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("file") == path.name and isinstance(entry.get("uri"), str):
                return str(entry["uri"])
    return None


def _rate_line(rate: Rate) -> dict[str, Any]:
    return {
        "source": rate.source,
        "base": rate.pair.base,
        "quote": rate.pair.quote,
        "kind": rate.kind.value,
        "effective_on": rate.effective_on.isoformat(),
        "value": format(rate.value, "f"),
        "units": rate.units,
        "per_unit": format(rate.per_unit, "f"),
    }


@inspect.command("feed")
def inspect_feed(places: Annotated[list[str], typer.Argument(help="files or addresses")]) -> None:
    """What the feed reader sees, a JSON line an entry. Example: jarchy inspect feed rss.xml"""
    from bot.sources.feeds import parse_feed

    log.set_up(None, "warning")

    def read(body: bytes, place: str) -> Iterable[dict[str, Any]]:
        feed = parse_feed(body, url=place if place.startswith("http") else None)
        for entry in feed.entries:
            yield {
                "id": entry.id,
                "title": entry.title,
                "link": entry.link,
                "published_at": entry.published_at.isoformat() if entry.published_at else None,
                "updated_at": entry.updated_at.isoformat() if entry.updated_at else None,
                "summary": entry.summary,
                "content": entry.content,
                "language": entry.language or feed.language,
            }

    _inspect(places, read)


@inspect.command("page")
def inspect_page(
    places: Annotated[list[str], typer.Argument(help="files or addresses")],
    saved_from: Annotated[str | None, typer.Option("--url", help="where a saved file came from")] = None,
) -> None:
    """What the article reader sees, a JSON line a page. Example: jarchy inspect page article.html"""
    from bot.sources.pages import parse_article

    log.set_up(None, "warning")

    def read(body: bytes, place: str) -> Iterable[dict[str, Any]]:
        article = parse_article(body, url=place if place.startswith("http") else saved_from)
        yield {
            "title": article.title,
            "text": article.text,
            "author": article.author,
            "published_at": article.published_at.isoformat() if article.published_at else None,
            "language": article.language,
            "url": article.url,
        }

    _inspect(places, read)


@detect.command("security")
def detect_security() -> None:
    """Judge texts: JSON lines {"id","title","text"} on stdin. Example: jarchy detect security < texts.jsonl"""
    from bot.detect.topics import judged

    for item in _json_lines():
        verdict = judged(str(item.get("title") or ""), str(item.get("text") or ""), _language_of(item))
        _write(
            {
                "id": item.get("id"),
                "lang": verdict.language,
                "security": verdict.security,
                "score": round(verdict.score, 4),
                "severity": verdict.severity.value,
                "topics": list(verdict.topics),
                "reasons": [str(reason) for reason in verdict.reasons],
            }
        )


@detect.command("same-story")
def detect_same_story() -> None:
    """Judge pairs: JSON lines {"id","a":{"title","text"},"b":…} on stdin. Example: jarchy detect same-story < pairs"""
    from bot.detect.stories import same_story

    for item in _json_lines():
        match = same_story(_side(item, "a"), _side(item, "b"))
        _write({"id": item.get("id"), "same": match.same, "score": round(match.score, 4)})


def _side(item: dict[str, Any], name: str) -> Entry:
    """One side of a pair of texts; BotError when it is no object."""
    from bot.model.news import Entry

    side = item.get(name) or {}
    if not isinstance(side, dict):
        raise BotError(f'"{name}" of {str(item.get("id"))[:LONGEST_NAME_SHOWN]!r} is not a JSON object')
    return Entry(
        id=name,
        title=str(side.get("title") or ""),
        summary=str(side.get("text") or ""),
        language=_language_of(side) or _language_of(item),
    )


def _language_of(item: dict[str, Any]) -> str | None:
    """The language that an object names, when it names one by a word."""
    language = item.get("lang")
    return language if isinstance(language, str) and language else None


@detect.command("moves")
def detect_moves(
    history: Annotated[Path, typer.Option(help="CSV: date,USD,EUR,…", exists=True, dir_okay=False)],
    quote: Annotated[str, typer.Option(help="what the columns are priced in")] = "KGS",
    rule: Annotated[str | None, typer.Option(help='instead of the default policy, such as "USD 1%"')] = None,
) -> None:
    """Replay a history day by day. Example: jarchy detect moves --history rates.csv --quote KGS"""
    from functools import partial

    from bot.convert import currency_at, day_at, plain_text
    from bot.convert.rules import parse_typed_rule
    from bot.detect.replay import replay_csv

    day = partial(day_at, today=datetime.now(UTC).date(), ahead=True)
    own = None
    if rule is not None:
        own = parse_typed_rule(plain_text(rule), home=quote.upper(), currency=currency_at, day=day)
    try:
        with history.open(encoding="utf-8-sig") as lines:
            for found in replay_csv(lines, quote.upper(), own):
                _write(found.to_json())
    except (ValueError, UnicodeDecodeError) as error:
        raise BotError(f"{history}: {error}") from None


def _json_lines() -> Iterator[dict[str, Any]]:
    """The objects on stdin, a line each; BotError names the line that is none."""
    for number, raw in enumerate(sys.stdin.buffer, 1):
        if not raw.strip():
            continue
        try:
            item = orjson.loads(raw)
        except orjson.JSONDecodeError:
            item = None
        if not isinstance(item, dict):
            raise BotError(f"line {number} of stdin is not a JSON object")
        yield item


@cli.command()
def convert(
    text: Annotated[str, typer.Argument(help="such as 100$ в сомах; - reads a text a line from stdin")],
    language: Annotated[
        str | None, typer.Option(parser=parse_language, metavar="|".join(LANGUAGES), help="decides what 1,500 is")
    ] = None,
    home: Annotated[str | None, typer.Option(help="the currency meant where none is said")] = None,
    parse_only: Annotated[bool, typer.Option("--parse-only", help="without rates")] = False,  # noqa: FBT002 - an option
) -> None:
    """Read free text as the bot does. Example: jarchy convert "100 usd kgs" --parse-only"""
    from bot.convert import parse_question
    from bot.render.help import error as explain

    settings, catalog = _prepare()
    try:
        quoted = parse_currency(home or settings.home_currency)
    except ValueError as error:
        raise typer.BadParameter(f"--home should be {error}") from None
    rates: list[SeenRate] = []
    if not parse_only:

        async def read() -> None:
            from bot.readers.rates import current_rates

            async with _looking(settings) as db:
                rates.extend(await current_rates(db, catalog, now=datetime.now(UTC)))

        _run(read())

    def answer(question: str) -> dict[str, Any]:
        asked = parse_question(question, language=language, home=quoted)
        return _question_line(asked) | ({} if parse_only else _answer_line(asked, rates, quoted))

    def said(error: UserError) -> str:
        return explain(error, language or "en").text

    if text != "-":
        try:
            _write(answer(text))
        except UserError as error:
            raise BotError(said(error)) from None
        return
    for raw in sys.stdin.buffer:
        try:
            _write(answer(raw.decode("utf-8", "replace").rstrip("\r\n")))
        except UserError as error:
            _write({"error": said(error)})


def _question_line(asked: Question) -> dict[str, Any]:
    line = {"amount": format(asked.amount, "f"), "from": asked.source, "to": asked.target}
    return line if asked.other is None else line | {"other_amount": format(asked.other, "f")}


def _answer_line(asked: Question, rates: Sequence[SeenRate], home: str) -> dict[str, Any]:
    """The first reading by the rates that hold now; `in` names the currency of the result where none was said."""
    from bot.readers.convert import conversions

    found = conversions(asked, rates, home=home)[0]
    path = found.answer.path
    return {
        "in": found.quote,
        "result": format(found.answer.result, "f"),
        "rate": format(found.answer.rate, "f"),
        "source": path[0].source,
        "effective_on": min(rate.effective_on for rate in path).isoformat(),
    }


@cli.command()
def digest(
    date_: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="the day")],
    style: Annotated[Literal["full", "brief", "headline"], typer.Option(help="how much of the story")] = "brief",
    plain: Annotated[bool, typer.Option(help="without marks")] = False,  # noqa: FBT002 - an option
    language: Annotated[
        str | None, typer.Option(parser=parse_language, metavar="|".join(LANGUAGES), help="of the words")
    ] = None,
) -> None:
    """The digest a channel would get for a day. Example: jarchy digest --date 2021-10-20 --plain --style full"""
    settings, catalog = _prepare()
    _run(_digest(settings, catalog, _day(date_), style, language or settings.default_language, plain=plain))


async def _digest(settings: Settings, catalog: Catalog, day: date, style: str, language: str, *, plain: bool) -> None:
    from bot.i18n import name_of
    from bot.model.chats import Style
    from bot.readers.digest import day_digest
    from bot.render import digest as render

    async with _looking(settings) as db:
        found = await day_digest(
            db, catalog, day=day, home=settings.home_currency, zone=settings.time_zone, language=language
        )
    names = dict(catalog.rates[found.source].names) if found.source else {}
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
def outbox(as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False) -> None:  # noqa: FBT002
    """What waits to be sent, and what became of the rest. Example: jarchy outbox --json"""
    settings, _ = _prepare()
    _run(_outbox(settings, as_json=as_json))


async def _outbox(settings: Settings, *, as_json: bool) -> None:
    import storage.overview

    async with _looking(settings) as db:
        found = await storage.overview.summary(db, now=datetime.now(UTC))
    oldest = found.oldest.total_seconds() if found.oldest is not None else None
    if as_json:
        counts = [{"state": item.state, "lane": item.lane.name.lower(), "count": item.count} for item in found.counts]
        _write(
            {
                "counts": counts,
                "open_alerts": found.open_alerts,
                "waiting": found.waiting,
                "oldest_seconds": oldest,
                "last_sent_at": found.last_sent_at.isoformat() if found.last_sent_at else None,
                "last_error": found.last_error,
            }
        )
        return
    for item in found.counts:
        typer.echo(f"{item.state:<11}{item.lane.name.lower():<9}{item.count:>9}")
    typer.echo(
        f"alerts to fan out: {found.open_alerts} · oldest waiting: {'–' if oldest is None else f'{oldest:.0f} s'}"
    )
    if found.last_error:
        typer.echo(f"last error: {found.last_error}")


@cli.command()
def export(chat: ChatId) -> None:
    """All that is stored about a chat, as its own /mydata gives it. Example: jarchy export 123456789"""
    settings, _ = _prepare()

    async def give() -> None:
        import storage.privacy

        async with _looking(settings) as db:
            found = await storage.privacy.export(db, chat)
        sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_INDENT_2, default=str) + b"\n")

    _run(give())


@cli.command()
def erase(chat: ChatId) -> None:
    """Forget all about a chat, as its own /delete does. Example: jarchy erase -- -1001234567890"""
    settings, _ = _prepare()

    async def forget() -> None:
        import storage.privacy

        async with _store(settings) as store, store.writing() as db:
            rows = await storage.privacy.erase(db, chat)
        _write({"chat": chat, "rows": rows})

    _run(forget())


@database.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this program's schema, after a backup copy. Example: jarchy db upgrade"""
    settings, _ = _prepare()

    async def upgrade() -> None:
        from storage.versions import HEAD

        async with _store(settings):
            typer.echo(f"schema {HEAD}")

    _run(upgrade())


@database.command("backup")
def db_backup(
    file: Annotated[Path | None, typer.Argument(help="the copy; beside the database when not named")] = None,
) -> None:
    """Copy the database while it is in use, for your eyes only. Example: jarchy db backup /safe/jarchy.db"""
    from storage.backup import copy, stamped

    path = _database_file("pg_dump")
    target = file or stamped(path, "backup")
    copy(path, target)
    typer.echo(target)


@database.command("restore")
def db_restore(
    file: Annotated[Path, typer.Argument(help="a copy that `db backup` made")],
    force: Annotated[bool, typer.Option("--force", help="replace a used database, kept beside")] = False,  # noqa: FBT002 - an option
) -> None:
    """Put a checked copy in the place of the database. Example: jarchy db restore /safe/jarchy.db --force"""
    from storage.backup import restore

    path = _database_file("pg_restore")
    rows, kept = restore(file, path, force=force)
    if kept is not None:
        typer.echo(f"the old database is now {kept}", err=True)
    _write({"restored": str(file), "rows": rows})


@database.command("check")
def db_check(as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False) -> None:  # noqa: FBT002
    """Integrity, foreign keys, schema and rows; changes nothing. Example: jarchy db check --json"""
    settings, _ = _prepare()
    _run(_db_check(settings, as_json=as_json))


async def _db_check(settings: Settings, *, as_json: bool) -> None:
    from storage.backup import health
    from storage.db import connect

    store = connect(settings.database_url)
    try:
        found = await health(store)
    finally:
        await store.close()
    if as_json:
        _write(
            {
                "schema": found.schema,
                "rows": {f"{table}": count for table, count in found.rows.items()},
                "problems": found.problems,
            }
        )
    else:
        typer.echo(f"schema {found.schema}")
        for table, count in found.rows.items():
            typer.echo(f"{table:<14}{count:>10}")
        for problem in found.problems or ("sound",):
            typer.echo(problem)
    if found.problems:
        raise typer.Exit(1)


def _database_file(tool: str) -> Path:
    from storage.db import parse_url

    settings, _ = _prepare()
    url = parse_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        raise BotError(f"this verb is for SQLite; use {tool} for a PostgreSQL database")
    return Path(url.database or "")
