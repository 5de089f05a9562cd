"""One look at a source without a store: asked and read as a poll does it, and said in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.detect import plausibility
from bot.errors import SourceError
from bot.fetch import Fetcher
from bot.ingest.documents import read_document
from bot.model.rates import Rate
from bot.sources.specs import NewsSpec, RateSpec
from bot.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Whether a source can be fetched and read now, and what it has or what is wrong, in words."""

    source: str
    ok: bool
    words: str


async def try_source(
    spec: RateSpec | NewsSpec, fetcher: Fetcher, workers: Workers, *, now: datetime
) -> Trial:
    """Fetch and read all documents of a source; nothing is stored, its trouble is its own."""
    try:
        if isinstance(spec, RateSpec):
            return await _rates(spec, fetcher, now)
        return await _news(spec, fetcher, workers, now)
    except SourceError as error:
        return Trial(source=spec.key, ok=False, words=str(error))


async def _rates(spec: RateSpec, fetcher: Fetcher, now: datetime) -> Trial:
    """All documents of a bank; rates of a day far from its calendar are held, as in a poll."""
    rates: list[Rate] = []
    unbelieved = 0
    failed: list[str] = []
    for request in spec.requests(now.astimezone(ZoneInfo(spec.poll.zone)).date()):
        try:
            answer = await fetcher.get(
                request.url, data=request.body, headers=request.headers, proxy=request.proxy
            )
            parsed = spec.parse(answer.body or b"", url=answer.url)
        # other documents of this bank may be read all the same
        except SourceError as error:
            failed.append(f"{request.url}: {error}")
            continue
        rates += parsed.rates
        unbelieved += len(parsed.problems)
    near = spec.poll.near(now)
    far = [rate for rate in rates if plausibility.far_day(rate, near, None) is not None]
    meant = [rate for rate in rates if rate not in far]
    said: list[str] = []
    if meant:
        newest = max(rate.effective_on for rate in meant)
        said.append(f"{len(meant)} rates, the newest for {newest}")
    elif not far and not failed:
        said.append("no rates of the wanted pairs in it")
    if far:
        day = max(rate.effective_on for rate in far)
        said.append(f"{len(far)} rates of a day far from its calendar, such as {day}")
    if unbelieved:
        said.append(f"{unbelieved} rows not believed")
    return Trial(
        source=spec.key, ok=bool(meant) and not far and not failed, words="; ".join(said + failed)
    )


async def _news(spec: NewsSpec, fetcher: Fetcher, workers: Workers, now: datetime) -> Trial:
    """A list of entries, and where they have no text of their own the first one's article."""
    asked = spec.request
    answer = await fetcher.get(asked.url, headers=asked.headers, proxy=asked.proxy)
    entries = await read_document(workers, spec.entries(now), answer)
    if not entries:
        return Trial(source=spec.key, ok=False, words="no entries in it")
    words, missed = f"{len(entries)} entries", False
    if spec.article is not None:  # a wrong `body` shows only behind a headline
        asked = spec.behind(entries[0].link or "")
        behind = await fetcher.get(
            asked.url, headers=asked.headers, proxy=asked.proxy, found_on=spec.url
        )
        read = await read_document(workers, spec.article, behind)
        words += f"; the first one's article has {len(read.text)} letters"
        missed = read.missed
        if missed:
            words += ", none of them found by `body`"
    return Trial(source=spec.key, ok=not missed, words=words)
