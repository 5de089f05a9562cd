"""Every notice to operators: known here by its key, delivered to the operator's chat in the
operator's language.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path

import polib
import pytest

import storage.alerts
from bot.alerts.notices import Notice, alert, notice
from bot.emulator import TEST_TOKEN, Emulator
from bot.model.alerts import Severity
from bot.reasons import (
    ChatNumber,
    Figure,
    Printed,
    Quote,
    Reason,
    Since,
    SourceKey,
    Term,
    plain,
    said,
)
from bot.render.reasons import Names
from bot.render.text import placeholders
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.opening import open_store
from tests.conftest import ROOT
from tests.factories import NOW, carried
from tests.languages.expected import WHOLE
from tests.world import Sending, World, migrated_copy

NBKR, ONE = SourceKey("nbkr"), SourceKey("one")
CHANNEL: dict[str, Figure] = {"chat": ChatNumber(-1004)}
STORY: dict[str, Figure] = {
    "title": Quote("Border post closed"),
    "text": Quote("Since six in the morning."),
    "link": "https://news.example/a",
}
NEWER: dict[str, Figure] = {
    "was": Quote("Border post closed"),
    "was_text": Quote("Since six in the morning."),
    "title": Quote("Border post open"),
    "text": Quote("It was closed for an hour."),
    "link": "https://news.example/a",
}
#: Key → such a notice. A key of the code that is missing here fails a test.
NOTICES = {
    one.msgid: one
    for one in (
        Notice.of("notice.source", {"source": NBKR}),
        Notice.of("notice.held", {"source": NBKR}, rate="USD/KGS 847.9350"),
        Notice.of("notice.approved", title=Quote("Border post closed"), who="Aigul"),
        Notice.of("notice.refused", title=Quote("Border post closed"), who="Aigul"),
        Notice.of("notice.joined", title=Quote("Border post closed"), who="Aigul"),
        Notice.of("notice.broadcast", who="Aigul", count=4000),
        Notice.of("notice.alerts_off", who="Aigul"),
        Notice.of("notice.alerts_on", who="Aigul"),
        Notice.of("notice.story", severity=Severity.URGENT, **STORY, feeds=(ONE, NBKR)),
        Notice.of("notice.correction", **NEWER, feeds=ONE),
        Notice.of("notice.flood", {"source": ONE}, n=2500),
        Notice.of("notice.stale", {"bank": NBKR}, day=date(2021, 10, 18)),
        Notice.of("notice.fresh", {"bank": NBKR}, day=date(2020, 10, 20)),
        Notice.of("notice.silent", {"source": ONE}, day=Since(2021, 10, 18)),
        Notice.of("notice.speaks", {"source": ONE}),
        Notice.of(
            "notice.dispute",
            {"bank": NBKR, "other": SourceKey("second"), "pair": "USD/KGS"},
            rate=Printed("1089.9000"),
            theirs=Printed("84.9000"),
        ),
        Notice.of("notice.rejected", {"why": said("Bad Request")}, alert=7000),
        Notice.of("notice.newer", alert=7000),
        Notice.of("notice.gone", {"chat": ChatNumber(1004)}),
        Notice.of("notice.partly", {"source": NBKR}),
        Notice.of("notice.well", {"source": NBKR}),
        Notice.of("notice.topic", CHANNEL),
        Notice.of("notice.channel_lost", CHANNEL),
        Notice.of("notice.board_deleted", CHANNEL),
        Notice.of("notice.board_lost", CHANNEL),
        Notice.of("notice.board_unpinned", CHANNEL),
        Notice.of("notice.board_deleted_here"),
        Notice.of("notice.board_lost_here"),
        Notice.of("notice.board_unpinned_here"),
        Notice.of("notice.board_deleted_catalog", CHANNEL),
        Notice.of("notice.board_lost_catalog", CHANNEL),
        Notice.of("notice.board_unpinned_catalog", CHANNEL),
        Notice.of("notice.thread_gone", posts=(Term("post.rates"), Term("post.feeds"))),
        Notice.of("notice.unheard", alert=7000, count=3),
        Notice.of("notice.not_given", alert=7000),
        Notice.of("notice.missed", alert=7000, count=3, n=2),
        Notice.of("notice.missed_away", alert=7000, count=3, n=1),
        Notice.of("notice.backup"),
        Notice.of("notice.database"),
        Notice.of("notice.lost", file="jarchy.db", saved="jarchy-saved.db"),
        Notice.of("notice.lost_unsaved", file="jarchy.db"),
        Notice.of("notice.deaf"),
        Notice.of("notice.unreadable", count=3, last=900001),
        Notice.of("notice.older", until="2021-10-19 10:00:00", reached="2021-10-20 10:00:00"),
    )
}
#: Why, where such a notice says why; version 1 had a sentence among the values, or reasons beside.
WHY = (said("1 of 2 documents failed: weekly.xml: the server answered 404"),)
NAMES: Names = {"nbkr": "National Bank", -1004: "Talk"}
#: Said of a key without words of its own, which no part of the program has.
FALLBACK = "notice.other"
#: Figures that are said as they are.
AS_THEY_ARE = (str, int, Quote)
#: An operator for each notice in each language: one chat gets one message a second.
OPERATORS = {
    (language, key): 1001 + place for place, (language, key) in enumerate(product(WHOLE, NOTICES))
}


@cache
def words(language: str) -> Mapping[str, str]:
    """Key → words of a catalog, read once."""
    catalog = polib.pofile(str(ROOT / "bot" / "languages" / language / "jarchy.po"))
    return {entry.msgid: entry.msgstr for entry in catalog if entry.msgid.startswith("notice.")}


def test_every_notice_of_the_code_is_known_here_and_has_its_words() -> None:
    """No more, no less: in the code, in the table of this file, in each language."""
    used = set()
    for path in (
        path for room in ("bot", "handlers", "storage") for path in (ROOT / room).rglob("*.py")
    ):
        used |= set(re.findall(r'"(notice\.\w+)"', path.read_text(encoding="utf-8")))
    assert used - {FALLBACK} == NOTICES.keys()
    for language in WHOLE:
        assert words(language).keys() == used, language


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Operators of each language, and a sender."""
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    async with Emulator(TEST_TOKEN) as emulator, open_session() as session:
        made = World(store)
        made.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        for (language, _), operator in OPERATORS.items():
            emulator.add_private(emulator.add_user(operator, "Operator", language))
        for language in WHOLE:
            theirs = [number for (spoken, _), number in OPERATORS.items() if spoken == language]
            await made.readers(theirs, language=language)
        yield made
    await store.close()


async def test_every_notice_reaches_each_operator_in_their_language(world: World) -> None:
    """Each once, in the words of the catalog with what it carries, as plain sentences."""
    async with world.store.writing() as db:
        for (_, key), operator in OPERATORS.items():
            told = alert(operator, NOTICES[key], now=NOW, reasons=why_of(key))
            assert await storage.alerts.enqueue(db, told) is not None
    async with Sending(world):
        for operator in OPERATORS.values():
            await world.arrived(operator, timeout=60)
    for (language, key), operator in OPERATORS.items():
        (message,) = world.emulator.messages(operator)
        text = message["text"]
        fixed = [
            part.strip()
            for part in re.split(r"\{\w+\}", words(language)[key].replace("`", ""))
            if part.strip(" .:\n·")
        ]
        assert [part for part in fixed if part not in text] == [], (key, language)
        assert "{" not in text, (key, language)
        figures = [plain(one) for _, one in NOTICES[key].values if type(one) in AS_THEY_ARE]
        assert [one for one in figures if one not in text] == [], (key, language)
        assert not why_of(key) or plain(WHY[0]) in text, (key, language)


def why_of(key: str) -> tuple[Reason, ...]:
    """The reasons of such a notice, whose text may have a place for them."""
    if "why" in dict(NOTICES[key].values) or "why" not in placeholders(words("en")[key]):
        return ()
    return WHY


@pytest.mark.parametrize("key", NOTICES)
@pytest.mark.cases(keep=10)
def test_a_notice_that_an_earlier_version_stored_is_told_in_the_same_words(key: str) -> None:
    """Its figures were text alone, and their meaning their name's."""
    made = NOTICES[key]
    values = carried(made)
    if key == "notice.thread_gone":
        values["posts"] = "rates feeds"
    old = Notice.from_json({"v": 1, "msgid": key, "values": sorted(map(list, values.items()))})
    if key == "notice.rejected":  # its reason stood with the alert
        old = Notice.of(key, dict(old.values) | {"why": said("Bad Request")})
    for language in WHOLE:
        shown = [
            notice(one, language, names=NAMES, reasons=why_of(key), today=NOW.date())
            for one in (old, made, Notice.from_json(made.to_json()))
        ]
        assert shown[0] == shown[1] == shown[2], language
