"""/readyz part by part, over HTTP: each trouble has its name, its words, and its figure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

import storage.sources
from bot.i18n import t
from bot.ops import Operated, ops_app, readiness
from bot.ops.readiness import (
    FRESH,
    GRACE,
    NEVER_READ_FAILURES,
    PARTS,
    READS,
    RECEIVES,
    SENDS,
    SILENT,
    STALE,
    Readiness,
    stale,
)
from bot.reasons import Reason, said
from bot.sources.specs import Catalog
from storage.db import Store
from storage.sources import Good
from tests.e2e.driven import read_samples, value
from tests.e2e.test_status import served
from tests.factories import NOW


@asynccontextmanager
async def asked(of: Operated) -> AsyncIterator[Asked]:
    """The operator's server of a program, to be asked."""
    async with served(ops_app(of)) as address, aiohttp.ClientSession() as session:
        yield Asked(session, address)


class Asked:
    """The program's pages of its own health."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session, self._address = session, address

    async def readyz(self) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON."""
        async with self._session.get(f"{self._address}/readyz") as answer:
            return answer.status, await answer.json()

    async def page(self, language: str) -> str:
        """The page to look at."""
        async with self._session.get(f"{self._address}/status?lang={language}") as answer:
            return await answer.text()

    async def figures(self) -> Mapping[str, float]:
        """Each part's figure."""
        async with self._session.get(f"{self._address}/metrics") as answer:
            samples = read_samples(await answer.text())
        parts = {part: value(samples, "jarchy_ready", part=part) for part in PARTS}
        return {**parts, "up": value(samples, "jarchy_telegram_up")}


def operated(store: Store, of: Readiness) -> Operated:
    """A program with this readiness."""
    return Operated(store=store, catalog=Catalog(), clock=lambda: NOW, readiness=of)


@pytest.mark.parametrize("part", [part for part in PARTS if part not in {READS, FRESH}])
async def test_each_part_that_is_not_ready_is_named(store: Store, part: str) -> None:
    """Whether it was told or asked, by a name that stays and in words; well again, nothing is."""
    ready = Readiness()
    troubles: dict[str, str] = {}
    ready.ask(part, lambda: troubles.get(part))
    async with asked(operated(store, ready)) as ops:
        assert await ops.readyz() == (200, {"ready": True, "reasons": []})
        for told in (True, False):
            if told:
                ready.tell(part, said("it is <away>"))
            else:
                ready.tell(part, None)
                troubles[part] = "it is <away>"
            words = {"ready": False, "reasons": ["it is <away>"], "parts": {part: "it is <away>"}}
            assert await ops.readyz() == (503, words)
            figures = await ops.figures()
            assert {name for name, figure in figures.items() if not figure} == {
                part,
                *({"up"} if part == SENDS else ()),
            }
        troubles.clear()
        assert (await ops.readyz())[0] == 200
        assert set((await ops.figures()).values()) == {1.0}


def test_a_part_that_says_again_that_it_is_well_is_ready_until_it_is_silent_for_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or says otherwise for so long: one refusal is none. Before it was well the first word counts,
    and so does each of who says it once.
    """
    now = 1000.0
    monkeypatch.setattr(readiness, "boottime", lambda: now)
    ready, refused = Readiness(), said("refused")

    def tell(why: Reason | None) -> None:
        ready.tell_again(RECEIVES, why, within=20)

    def trouble() -> Reason | None:
        return ready.troubles().get(RECEIVES)

    tell(refused)
    assert trouble() == refused
    tell(None)
    now += 20 + GRACE
    assert trouble() is None
    now += 1
    assert trouble() == SILENT
    tell(None)
    now += 20
    tell(refused)
    assert trouble() is None
    now += GRACE + 1
    assert trouble() == refused
    tell(None)
    assert trouble() is None
    ready.tell(RECEIVES, refused)
    assert trouble() == refused
    tell(None)
    ready.tell(RECEIVES, None)
    now += 20 + GRACE + 1
    assert trouble() is None, "nobody is asked to say it again"


async def test_data_is_old_half_a_day_after_the_last_poll_that_went_well(store: Store) -> None:
    """Not before the first one, which is no sign of trouble."""
    async with asked(operated(store, Readiness())) as ops:
        assert (await ops.readyz())[0] == 200
        for age, status in ((STALE, 200), (STALE + timedelta(seconds=1), 503)):
            async with store.writing() as db:
                good = Good(key="nbkr", next_due_at=NOW)
                await storage.sources.record_success(db, [good], now=NOW - age)
            answer = await ops.readyz()
            assert answer[0] == status
        assert answer[1]["parts"].keys() == {FRESH}
        assert "no source was read since" in answer[1]["parts"][FRESH]
        assert (await ops.figures())[FRESH] == 0


async def test_where_no_source_could_ever_be_read_there_is_nothing_to_tell(store: Store) -> None:
    """A firewall in the way is no readiness, and all is not well; the first good poll ends it."""
    failed = said("cannot connect to www.nbkr.kg")
    async with asked(operated(store, Readiness())) as ops:
        async with store.writing() as db:
            for key in ("nbkr", "kabar", *["nbkr"] * (NEVER_READ_FAILURES - 2)):
                await storage.sources.record_failure(
                    db, key, now=NOW, next_due_at=NOW, error=failed
                )
        assert (await ops.readyz())[0] == 200, "a publisher may be away at the start"
        async with store.writing() as db:
            await storage.sources.record_failure(db, "nbkr", now=NOW, next_due_at=NOW, error=failed)
        words = "data: no source could be read yet"
        assert await ops.readyz() == (
            503,
            {"ready": False, "reasons": [words], "parts": {FRESH: words}},
        )
        assert (await ops.figures())[FRESH] == 0
        assert t("reason.data.never", "ru") in await ops.page("ru")
        async with store.writing() as db:
            good = Good(key="nbkr", next_due_at=NOW)
            await storage.sources.record_success(db, [good], now=NOW)
        assert (await ops.readyz())[0] == 200, "another that fails is its own trouble"


@pytest.mark.parametrize(
    ("ago", "is_old"), [(timedelta(hours=12), False), (timedelta(hours=12, seconds=1), True)]
)
def test_what_readers_see_is_old_after_twelve_hours_without_a_source(
    ago: timedelta, is_old: bool
) -> None:
    """As docs/metrics.md says; before a first poll nothing is."""
    for failures in (0, NEVER_READ_FAILURES):
        assert (stale(NOW - ago, NOW, failures=failures) is not None) is is_old
    assert stale(None, NOW, failures=0) is None
