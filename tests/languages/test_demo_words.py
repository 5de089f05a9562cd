"""Texts of the demonstration and its chat page stand in the languages' folders; a language without
them is spoken there too.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Any

import aiohttp
import polib
import pytest

from bot.demo.words import OURS, words
from bot.i18n import demo_texts
from bot.languages import FALLBACK, LANGUAGES, language
from tests import forkserver
from tests.languages.expected import WHOLE
from tests.languages.test_languages import program_with_uzbek, run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "bot" / "emulator" / "page.html").read_text(encoding="utf-8")
PATIENCE = 90.0  # seconds for a start beside busy processes
#: How the page says a word, and how a part that is made but once comes by its text or its name.
WAYS = (
    r'said\("([^"]+)"\)',
    r"data-said(?: hidden)?>([^<]+)<",
    r'data-named="([^"]+)"',
    r'"data-named": "([^"]+)"',
)
#: A word that would stay as it is, whatever language is chosen.
PAST_THEM = re.compile(
    r"""["']?(?:aria-label|title|placeholder|alt)["']?(?:[:=] ?|", )["'`]\w[^"'`]*|toast\("[^"]+"""
)
OTHERS = [code for code in WHOLE if code != FALLBACK]


def _used() -> set[str]:
    """The keys that the demonstration's code names."""
    found: set[str] = set()
    for path in (ROOT / "bot" / "demo").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and str(node.value).startswith(OURS):
                found.add(str(node.value))
    return found - {OURS}


def test_english_says_all_that_the_demonstration_says_and_no_more() -> None:
    assert demo_texts(FALLBACK).keys() == _used()


@pytest.mark.parametrize("code", OTHERS)
def test_a_whole_language_says_all_of_it_and_of_the_page(code: str) -> None:
    """The page's words by its own English, which stands in quotes or between tags there."""
    said = demo_texts(code)
    pages = {key for key in said if not key.startswith(OURS)}
    assert said.keys() - pages == _used()
    shown = set()
    for way in WAYS:
        shown |= set(re.findall(way, PAGE))
    assert shown - pages == set()
    assert [key for key in pages if f'"{key}"' not in PAGE and f">{key}<" not in PAGE] == []


def test_no_name_hint_or_toast_of_the_page_goes_past_its_words() -> None:
    assert PAST_THEM.findall(PAGE) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_word_of_the_demonstration_is_there_twice_or_empty(code: str) -> None:
    path = language(code).demo_texts
    if path.exists():
        entries = polib.pofile(str(path))
        assert len({entry.msgid for entry in entries}) == len(entries)
        assert all(entry.msgstr.strip() == entry.msgstr != "" for entry in entries)


@pytest.mark.parametrize("room", ["demo", "emulator"])
def test_no_code_of_the_demonstration_speaks_a_language(room: str) -> None:
    """Beside the names of publishers, which are data of its world."""
    for path in (ROOT / "bot" / room).rglob("*"):
        if path.suffix in {".py", ".html"} and path.name != "world.py":
            assert not re.search("[А-Яа-яЁё]", path.read_text(encoding="utf-8")), path


def test_what_a_key_says_is_there_in_every_language() -> None:
    assert words("demo.queue") == {"en": "Queue", "ru": "Очередь", "ky": "Кезек"} | dict.fromkeys(
        set(LANGUAGES) - set(WHOLE), words("demo.queue")["en"]
    )
    with pytest.raises(KeyError):
        words("demo.unknown")


@pytest.mark.slow
async def test_the_demonstration_runs_with_a_fourth_language_that_has_no_words_for_it(
    tmp_path: Path,
) -> None:
    """It is to be chosen on the page, the bot comes up, all is said in English, with its dates."""
    state = await _shown(program_with_uzbek(tmp_path))
    uzbek = state["languages"]["uz"]
    assert (uzbek["name"], uzbek["words"]) == ("oʻzbekcha", {})
    assert uzbek["dates"]["months"][7] == "avgust"
    assert state["languages"]["ru"]["words"]["Today"] == "Сегодня"
    labels = {control["id"]: control["label"] for control in state["controls"]}
    assert labels["next"] == {"en": "Next", "ru": "Дальше", "ky": "Улантуу", "uz": "Next"}


SAYS = 'msgid "demo.next"\nmsgstr "Keyingi"\n\nmsgid "Today"\nmsgstr "Bugun"\n'
ASK = """
import json
from bot.demo.words import tongues, words
said = [words("demo.next")["uz"], words("demo.quake")["uz"], dict(tongues()["uz"].words)]
print(json.dumps(said))
"""


def test_a_fourth_language_says_in_the_demonstration_what_it_has_words_for(tmp_path: Path) -> None:
    program = program_with_uzbek(tmp_path)
    (program / "bot" / "languages" / "uz" / "demo.po").write_text(SAYS, encoding="utf-8")
    done = run(program, "-c", ASK)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["Keyingi", "An earthquake", {"Today": "Bugun"}]


async def _shown(program: Path) -> dict[str, Any]:
    """The state that the chat page of a copy's demonstration shows, once its bot is ready."""
    demo = await forkserver.start(
        *("bot", "demo", "--port", "0"),
        cwd=program,
        env=forkserver.PLAIN,
        stdout=asyncio.subprocess.PIPE,
        copy=True,
    )
    assert demo.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            address = (await demo.stdout.readline()).decode().strip().rstrip("/")
            assert b"ready" in await demo.stdout.readline()
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{address}/emulator/state") as answer,
            ):
                state: dict[str, Any] = await answer.json()
            demo.send_signal(signal.SIGTERM)
            assert await demo.wait() == 0
    finally:
        if demo.returncode is None:
            demo.kill()
            await demo.wait()
    return state
