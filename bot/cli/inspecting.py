"""The verbs that say what parsers see: `jarchy inspect`, one for rates and one for each kind of
source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from bot import log
from bot.cli.program import inspect_verbs, run_to_end, write_line
from bot.errors import SourceError
from bot.model.rates import Rate
from bot.sources.catalog import load_catalog
from bot.sources.kind import Kind
from bot.sources.kinds import KINDS


async def _bytes_of(place: str) -> bytes:
    if place.startswith(("http://", "https://")):
        # a verb that reads a file needs no network, and no 50 ms for the system's certificates
        from bot.fetch import Fetcher

        async with Fetcher() as fetcher:
            return (await fetcher.get(place)).body or b""
    try:
        return Path(place).read_bytes()  # noqa: ASYNC240 - a verb that does nothing else
    except OSError as error:
        raise SourceError(f"{place}: {error.strerror}") from None


def _inspect(places: list[str], read: Callable[[bytes, str], Iterable[dict[str, Any]]]) -> None:
    """Print what `read` sees in each place; of several, a line names its file or its error."""
    failed = False

    async def each() -> None:
        nonlocal failed
        for place in places:
            label: dict[str, Any] = {}
            if len(places) > 1:
                label["file"] = place
            try:
                for line in read(await _bytes_of(place), place):
                    write_line({**label, **line})
            except SourceError as error:
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
    places: Annotated[list[str], typer.Argument(help="files or addresses")],
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
    spec = load_catalog().rates.get(key)
    if spec is not None:  # a source of the catalog may have another name than its parser
        source, kind = spec.source, spec.kind
    if source is None:
        raise typer.BadParameter(f"no parser {key!r}; there are: {', '.join(SOURCES)}")

    def read(body: bytes, place: str) -> Iterable[dict[str, Any]]:
        url = saved_from or _recorded_from(Path(place))
        if place.startswith("http"):
            url = place
        parsed = source.parse(body, source=key, url=url, kind=kind)
        for problem in parsed.problems:
            typer.echo(f"not believed: {problem}", err=True)
        return map(_rate_line, parsed.rates)

    _inspect(places, read)


def _recorded_from(path: Path) -> str | None:
    """A saved document's address by a manifest beside it: `[{"file": …, "uri": …}, …]`."""
    # several may name the file: the first by its name, so that all machines agree
    for manifest in sorted(path.parent.glob("*manifest.json")):
        try:
            entries = orjson.loads(manifest.read_bytes())
        except (OSError, ValueError):
            continue
        if not isinstance(entries, list):  # somebody else's manifest
            continue
        for entry in entries:
            match entry:
                case {"file": path.name, "uri": str(uri)}:
                    return uri
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


def _inspecting(kind: Kind) -> Callable[..., None]:
    """The verb of one kind of source, `jarchy inspect feed`: what its reader sees."""

    def verb(
        places: Annotated[list[str], typer.Argument(help="files or addresses")],
        saved_from: Annotated[
            str | None, typer.Option("--url", help="where a saved file came from")
        ] = None,
    ) -> None:
        log.set_up(None, "warning")

        def read(body: bytes, place: str) -> Iterable[dict[str, Any]]:
            url = saved_from
            if place.startswith("http"):
                url = place
            return kind.shown(body, url)

        _inspect(places, read)

    return verb


for _kind in KINDS.values():
    inspect_verbs.command(_kind.verb, help=_kind.help)(_inspecting(_kind))
