"""The verbs that say what parsers see: `jarchy inspect`, one for rates and one for each kind of
source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import orjson
import typer

from bot import log
from bot.cli.program import LONGEST_NAME_SHOWN, fetcher_of, inspect_verbs, run_to_end, write_line
from bot.cli.reading import TooLargeError, bytes_of
from bot.config import catalog_path, load_settings
from bot.errors import SourceError
from bot.model.rates import Rate
from bot.reasons import reason
from bot.sources.catalog import load_catalog
from bot.sources.kind import Line, Shown, ShownOf
from bot.sources.kinds import KINDS


async def _bytes_of(document: str) -> bytes:
    if document.startswith(("http://", "https://")):
        settings = load_settings()
        log.hide(*settings.secrets)
        async with fetcher_of(settings) as fetcher:
            return (await fetcher.get(document)).body or b""
    try:
        return bytes_of(Path(document))
    except OSError as error:
        raise SourceError(
            reason(
                "file",
                "{document}: {why}",
                document=document[:LONGEST_NAME_SHOWN],
                why=error.strerror,
            )
        ) from None
    except TooLargeError as error:
        raise SourceError(
            reason(
                "file", "{document}: {why}", document=document[:LONGEST_NAME_SHOWN], why=str(error)
            )
        ) from None


def _inspect(documents: list[str], read: Callable[[bytes, str], Iterable[Line]]) -> None:
    """Print what `read` sees in each document; of several, a line names its file or its error."""
    failed = False

    async def each() -> None:
        nonlocal failed
        for document in documents:
            label: dict[str, str] = {}
            if len(documents) > 1:
                label["file"] = document
            try:
                for line in read(await _bytes_of(document), document):
                    write_line({**label, **line})
            except SourceError as error:
                # of one document alone the error is the verb's own, with its exit code
                if not label:
                    raise
                failed = True
                write_line({**label, "error": log.redact(str(error))})

    run_to_end(each())
    if failed:
        raise typer.Exit(1)


@inspect_verbs.command("rates")
def inspect_rates(
    key: Annotated[str, typer.Argument(help="a parser or a source of the catalog")],
    documents: Annotated[list[str], typer.Argument(help="files or addresses")],
    saved_from: Annotated[
        str | None, typer.Option("--url", help="where a saved file came from")
    ] = None,
) -> None:
    """What a rate parser sees, a JSON line a rate. Example: jarchy inspect rates nbkr daily.xml

    A page of history does not say of which currency it is: its address does (--url, or a manifest
    beside the file).
    """
    from bot.sources.banks import SOURCES

    log.set_up(None, "warning")
    source, kind = SOURCES.get(key), None
    spec = load_catalog(catalog_path()).rates.get(key)
    if spec is not None:  # a source of the catalog may have another name than its parser
        source, kind = spec.source, spec.kind
    if source is None:
        raise typer.BadParameter(f"no parser {key!r}; there are: {', '.join(SOURCES)}")

    def read(body: bytes, document: str) -> Iterable[Line]:
        url = _address(document, saved_from or _recorded_from(Path(document)))
        parsed = source.parse(body, source=key, url=url, kind=kind)
        for problem in parsed.problems:
            typer.echo(f"not believed: {problem}", err=True)
        return map(_rate_line, parsed.rates)

    _inspect(documents, read)


def _recorded_from(path: Path) -> str | None:
    """A saved document's address by a manifest beside it: `[{"file": …, "uri": …}, …]`."""
    # several may name the file: the first by its name, so that all machines agree
    for manifest in sorted(path.parent.glob("*manifest.json")):
        try:
            entries = orjson.loads(bytes_of(manifest))
        except (OSError, ValueError, TooLargeError):
            continue
        if not isinstance(entries, list):  # somebody else's manifest
            continue
        for entry in entries:
            match entry:
                case {"file": path.name, "uri": str(uri)}:
                    return uri
    return None


def _rate_line(rate: Rate) -> Line:
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


def _inspecting(shown: Shown) -> Callable[..., None]:
    """The verb of a kind whose documents explain themselves: `jarchy inspect feed FILE`."""

    def verb(
        documents: Annotated[list[str], typer.Argument(help="files or addresses")],
        saved_from: Annotated[
            str | None, typer.Option("--url", help="where a saved file came from")
        ] = None,
    ) -> None:
        log.set_up(None, "warning")
        _inspect(documents, lambda body, document: shown(body, _address(document, saved_from)))

    return verb


def _inspecting_of(kind: str, shown: ShownOf) -> Callable[..., None]:
    """The verb of a kind whose sections say how to read: `jarchy inspect VERB KEY FILE`."""

    def verb(
        key: Annotated[str, typer.Argument(help="a source of the catalog")],
        documents: Annotated[list[str], typer.Argument(help="files or addresses")],
        saved_from: Annotated[
            str | None, typer.Option("--url", help="where a saved file came from")
        ] = None,
    ) -> None:
        log.set_up(None, "warning")
        sources = load_catalog(catalog_path()).kinds[kind]
        if key not in sources:
            there = ", ".join(sources) or "none"
            raise typer.BadParameter(f"no source [{kind}.{key}]; there are: {there}")
        spec = sources[key]
        _inspect(
            documents, lambda body, document: shown(spec, body, _address(document, saved_from))
        )

    return verb


def _address(document: str, saved_from: str | None) -> str | None:
    """The address of a document: its own, or the one that is said of a saved file."""
    if document.startswith("http"):
        return document
    return saved_from


for _name, _kind in KINDS.items():
    if _kind.shown is not None:
        _verb = _inspecting(_kind.shown)
        inspect_verbs.command(_kind.verb, help=_kind.help)(_verb)
    if _kind.shown_of is not None:
        _verb = _inspecting_of(_name, _kind.shown_of)
        inspect_verbs.command(_kind.verb, help=_kind.help)(_verb)
