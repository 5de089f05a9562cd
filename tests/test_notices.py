"""Every notice to operators: known here by its key, delivered to the operator's chat in the
operator's language.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import polib
import pytest

import storage.alerts
from bot.alerts.notices import alert as notice
from bot.emulator import TEST_TOKEN, Emulator
from bot.reasons import said
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.opening import open_store
from tests.conftest import ROOT
from tests.factories import NOW
from tests.languages.expected import WHOLE
from tests.world import Sending, World

#: Key → what such a notice carries. A key of the code that is missing here fails a test.
CARRIES: dict[str, dict[str, str]] = {
    "notice.source": {"source": "nbkr", "why": "HTTP 503"},
    "notice.held": {"source": "nbkr", "rate": "USD/KGS 847.9350", "why": "900 %"},
    "notice.approved": {"who": "Aigul", "title": "Border post closed"},
    "notice.refused": {"who": "Aigul", "title": "Border post closed"},
    "notice.broadcast": {"who": "Aigul", "count": "4"},
    "notice.alerts_off": {"who": "Aigul"},
    "notice.alerts_on": {"who": "Aigul"},
    "notice.joined": {"who": "Aigul", "title": "Border post closed"},
    "notice.story": {
        "title": "Border post closed",
        "text": "Since six in the morning.",
        "feeds": "One",
        "why": "border",
        "link": "https://news.example/a",
    },
    "notice.correction": {
        "was": "Border post closed",
        "was_text": "Since six in the morning.",
        "title": "Border post open",
        "text": "It was closed for an hour.",
        "feeds": "One",
        "link": "https://news.example/a",
    },
    "notice.flood": {"source": "one", "n": "25"},
    "notice.stale": {"bank": "nbkr", "day": "2021-10-18"},
    "notice.fresh": {"bank": "nbkr", "day": "2021-10-20"},
    "notice.silent": {"source": "one", "day": "2021-10-18"},
    "notice.speaks": {"source": "one"},
    "notice.dispute": {
        "bank": "nbkr",
        "pair": "USD/KGS",
        "rate": "89.9000",
        "other": "second",
        "theirs": "84.9000",
    },
    "notice.rejected": {"alert": "7", "why": "Bad Request"},
    "notice.newer": {"alert": "7", "why": "version 2 is unknown"},
    "notice.gone": {"chat": "1004", "why": "CHAT_RESTRICTED"},
    "notice.partly": {
        "source": "nbkr",
        "why": "1 of 2 documents failed: weekly.xml: the server answered 404",
    },
    "notice.well": {"source": "nbkr"},
    "notice.topic": {"chat": "-1004"},
    "notice.channel_lost": {"chat": "-1004", "why": "CHAT_RESTRICTED"},
    "notice.board_deleted": {"chat": "-1004"},
    "notice.board_lost": {"chat": "-1004"},
    "notice.board_unpinned": {"chat": "-1004"},
    "notice.board_deleted_here": {},
    "notice.board_lost_here": {},
    "notice.board_unpinned_here": {},
    "notice.board_deleted_catalog": {"chat": "-1004"},
    "notice.board_lost_catalog": {"chat": "-1004"},
    "notice.board_unpinned_catalog": {"chat": "-1004"},
    "notice.thread_gone": {"posts": "rates feeds"},
    "notice.unheard": {"alert": "7", "count": "3", "why": "HTTP 502"},
    "notice.backup": {"why": "No space left on device"},
    "notice.database": {"why": "disk full"},
    "notice.lost": {"file": "jarchy.db", "saved": "jarchy-saved.db"},
    "notice.lost_unsaved": {"file": "jarchy.db", "why": "No space left on device"},
    "notice.deaf": {"why": "Connection refused"},
    "notice.unreadable": {"count": "3", "last": "900001"},
    "notice.older": {"until": "2021-10-19 10:00:00", "reached": "2021-10-20 10:00:00"},
}
#: Said of a key without words of its own, which no part of the program has.
FALLBACK = "notice.other"
#: Values that are said as people of a language write them: names of banks, days, figures.
WRITTEN_ANEW = {"day", "posts", "bank", "other", "rate", "theirs"}
#: An operator for each notice in each language: one chat gets one message a second.
OPERATORS = {
    (language, key): 1001 + place for place, (language, key) in enumerate(product(WHOLE, CARRIES))
}


def words(language: str) -> dict[str, str]:
    """Key → words of a catalog."""
    catalog = polib.pofile(str(ROOT / "bot" / "languages" / language / "jarchy.po"))
    return {entry.msgid: entry.msgstr for entry in catalog if entry.msgid.startswith("notice.")}


def test_every_notice_of_the_code_is_known_here_and_has_its_words() -> None:
    """No more, no less: in the code, in the table of this file, in each language."""
    used = set()
    for path in (
        path for room in ("bot", "handlers", "storage") for path in (ROOT / room).rglob("*.py")
    ):
        used |= set(re.findall(r'"(notice\.\w+)"', path.read_text(encoding="utf-8")))
    assert used - {FALLBACK} == CARRIES.keys()
    for language in WHOLE:
        assert words(language).keys() == used, language


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Operators of each language, and a sender."""
    store = await open_store(f"sqlite:///{tmp_path / 'jarchy.db'}")
    async with Emulator(TEST_TOKEN) as emulator, open_session() as session:
        made = World(store)
        made.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        for (language, _), operator in OPERATORS.items():
            emulator.add_private(emulator.add_user(operator, "Operator", language))
            await made.reader(operator, language=language)
        yield made
    await store.close()


async def test_every_notice_reaches_each_operator_in_their_language(world: World) -> None:
    """Each once, in the words of the catalog with what it carries, as plain sentences."""
    async with world.store.writing() as db:
        for (_, key), operator in OPERATORS.items():
            values = {name: value for name, value in CARRIES[key].items() if name != "why"}
            why = tuple(said(value) for name, value in CARRIES[key].items() if name == "why")
            told = notice(operator, key, values, now=NOW, reasons=why)
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
        plain = {name: value for name, value in CARRIES[key].items() if name not in WRITTEN_ANEW}
        assert [value for value in plain.values() if value not in text] == [], (key, language)
