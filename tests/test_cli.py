"""The verbs, as processes: what they print, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

import storage.chats
import storage.decisions
import storage.entries
import storage.rates
import storage.stories
from bot.model.alerts import Severity
from bot.model.decisions import Decision, Question, Words
from bot.model.news import Verdict
from storage.entries import NewEntry
from storage.opening import open_store
from tests import forkserver
from tests.conftest import ROOT
from tests.factories import chat, entry, rate
from tests.world import migrated_copy

OCTOBER_20 = [
    rate("USD/KGS", "84.7935", "2021-10-20"),
    rate("EUR/KGS", "98.8523", "2021-10-20"),
    rate("RUB/KGS", "1.1948", "2021-10-20"),
    rate("KZT/KGS", "0.1992", "2021-10-20"),
]
SECURITY = Verdict(
    security=True, score=1.0, severity=Severity.NOTABLE, topics=("security",), language="en"
)


def jarchy(
    folder: Path, *words: str, stdin: bytes = b"", **settings: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a verb with a database of its own."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **keep,
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite:///{folder / 'jarchy.db'}",
        "OPS_LISTEN": "127.0.0.1:0",  # whatever listens on this machine
        "JARCHY_CALLED": "jarchy",  # however a Python is called here
        **settings,
    }
    return forkserver.run("bot", *words, cwd=folder, env=environment, stdin=stdin)


FULL_TEXT = """
[rates.nbkr]
name = { en = "National Bank" }
urls = ["http://127.0.0.1:9/daily.xml"]
[feeds.24kg-en]
url = "http://127.0.0.1:9/rss.xml"
style = "full"
"""


def full_text(folder: Path) -> dict[str, str]:
    """The setting that names a catalog whose agency allows its whole text."""
    (folder / "full.toml").write_text(FULL_TEXT)
    return {"CATALOG": str(folder / "full.toml")}


async def seed(folder: Path, title: str, text: str) -> None:
    """The day of the sample: its rates, and one story."""
    store = await open_store(migrated_copy(folder / "jarchy.db"))
    at = datetime(2021, 10, 20, 6, 0, tzinfo=UTC)
    async with store.writing() as db:
        await storage.rates.add(db, OCTOBER_20, seen_at=at)
        pk = await storage.stories.add_story(db, at=at, verdict=SECURITY)
        told = entry(title=title, summary="", content=text, published_at=at)
        new = NewEntry(
            feed="24kg-en", item=told, at=at, link_key=None, title_key="t", verdict=SECURITY
        )
        await storage.entries.add_entry(db, new, story_pk=pk, now=at)
    await store.close()


async def test_the_sample_comes_out_byte_for_byte(tmp_path: Path, shared: Path) -> None:
    """The digest that started the project."""
    sample = (shared / "seed" / "sample.txt").read_text(encoding="utf-8")
    _rates, title, text = sample.rstrip("\n").split("\n\n", 2)
    await seed(tmp_path, title, text)
    words = ["digest", "--date", "2021-10-20", "--plain", "--style", "full", "--language", "en"]
    done = jarchy(tmp_path, *words, **full_text(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().rstrip("\n") == sample.rstrip("\n")


async def test_a_digest_has_rates_headline_and_text(tmp_path: Path) -> None:
    """One line a currency, an empty line, the headline, an empty line, the text."""
    await seed(
        tmp_path, "Border drill begins", "Guards train in the mountains.\n\nIt lasts a week."
    )
    words = ["digest", "--date", "2021-10-20", "--plain", "--style", "full"]
    done = jarchy(tmp_path, *words, **full_text(tmp_path))
    expected = (
        "USD 84.79\nEUR 98.85\nRUB 1.19\n\nBorder drill begins\n\nGuards train in the "
        "mountains.\n\nIt lasts a week."
    )
    assert done.stdout.decode().rstrip("\n") == expected


def test_inspect_rates_prints_a_line_a_rate(tmp_path: Path) -> None:
    """Decimals as strings, exactly as printed by the bank."""
    document = (
        '<?xml version="1.0" encoding="windows-1251"?><CurrencyRates Name="Daily" '
        'Date="20.10.2021">'
        "<Currency "
        'ISOCode="KZT"><Nominal>10</Nominal><ValidFor>7</ValidFor><Value>1,9920</Value></Currency>'
        "</CurrencyRates>"
    )
    (tmp_path / "daily.xml").write_bytes(document.encode("cp1251"))
    done = jarchy(tmp_path, "inspect", "rates", "nbkr", "daily.xml")
    assert json.loads(done.stdout) == {
        "source": "nbkr",
        "base": "KZT",
        "quote": "KGS",
        "kind": "official",
        "effective_on": "2021-10-20",
        "value": "1.9920",
        "units": 10,
        "per_unit": "0.19920",
    }


def test_inspect_rates_reads_a_saved_history_page_by_its_address(tmp_path: Path) -> None:
    """The page names no currency: the option does, or a manifest beside it; without either it is an
    error.
    """
    row = "<tr><td><!--date-->{}<!--date--></td><td><!--value-->{}<!--value--></td></tr>"
    page = "<table>" + row.format("20.10.2021", "1,1948") + "</table>"
    (tmp_path / "saved.html").write_text(page)
    address = "https://www.nbkr.kg/index1.jsp?item=1562&lang=ENG&valuta_id=44"
    told = ["inspect", "rates", "nbkr", "saved.html"]
    assert jarchy(tmp_path, *told).returncode == 1
    by_option = jarchy(tmp_path, *told, "--url", address)
    (tmp_path / "a_manifest.json").write_text(json.dumps([{"file": "saved.html", "uri": address}]))
    by_manifest = jarchy(tmp_path, *told)
    assert by_option.stdout == by_manifest.stdout
    assert json.loads(by_manifest.stdout)["base"] == "RUB"


def test_inspect_with_several_files_names_each_and_fails_for_the_bad_one(tmp_path: Path) -> None:
    """One bad file does not hide the others."""
    feed = (
        "<rss "
        'version="2.0"><channel><title>t</title><item><title>One</title><guid>1</guid></item>'
        "</channel></rss>"
    )
    (tmp_path / "good.xml").write_text(feed)
    (tmp_path / "bad.xml").write_text("<html><body>no feed</body></html>")
    done = jarchy(tmp_path, "inspect", "feed", "bad.xml", "good.xml")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert set(lines[0]) == {"file", "error"}
    assert (lines[1]["file"], lines[1]["title"]) == ("good.xml", "One")


def test_outbox_counts(tmp_path: Path) -> None:
    """An empty outbox is an answer too."""
    migrated_copy(tmp_path / "jarchy.db")
    done = jarchy(tmp_path, "outbox", "--json")
    assert json.loads(done.stdout)["waiting"] == 0


def test_db_upgrade_makes_a_database(tmp_path: Path) -> None:
    """From nothing to the newest schema."""
    assert jarchy(tmp_path, "db", "upgrade").returncode == 0
    assert (tmp_path / "jarchy.db").exists()


@pytest.mark.parametrize("named", [True, False])
def test_detect_same_story_judges_pairs_in_two_languages(tmp_path: Path, *, named: bool) -> None:
    """Each side may say its language, or it is found."""
    a = {
        "title": "Mudflow in Uzgen kills two, 34 families evacuated",
        **({"lang": "en"} if named else {}),
    }
    b = {
        "title": "Сель в Узгене: двое погибших, эвакуированы 34 семьи",
        **({"lang": "ru"} if named else {}),
    }
    other = {**b, "title": "Сель в Сузаке: эвакуированы 50 семей"}
    lines = [
        {"id": "same", "a": a, "b": b, "lang": "en" if named else None},
        {"id": "other", "a": a, "b": other},
    ]
    found = jarchy(
        tmp_path, "detect", "same-story", stdin="\n".join(map(json.dumps, lines)).encode()
    )
    answers = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(answer["id"], answer["same"]) for answer in answers] == [
        ("same", True),
        ("other", False),
    ]


def test_every_problem_of_the_settings_is_told_at_once(tmp_path: Path) -> None:
    """Those of one setting, and those of settings that do not go together; each setting once."""
    wrong = {
        "SEND_RATE": "500",
        "UPDATES": "webhook",
        "WEBHOOK_URL": "ftp://x",
        "HOME_CURRENCY": "som of Kyrgyzstan",
    }
    done = jarchy(tmp_path, "check", **wrong)
    assert done.returncode == 78
    told = [line.split(":")[1].strip() for line in done.stderr.decode().splitlines()]
    assert told == ["HOME_CURRENCY", "WEBHOOK_URL", "SEND_RATE", "WEBHOOK_SECRET"]


def test_detect_security_judges_lines(tmp_path: Path) -> None:
    """One answer a line; a line that is no JSON is named."""
    line = json.dumps(
        {"id": 7, "title": "Gunmen attack border post, three soldiers killed", "text": ""}
    ).encode()
    (answer,) = jarchy(tmp_path, "detect", "security", stdin=line + b"\n").stdout.splitlines()
    assert json.loads(answer)["id"] == 7
    assert json.loads(answer)["security"] is True
    broken = jarchy(tmp_path, "detect", "security", stdin=b"nonsense\n")
    assert broken.returncode == 1
    assert broken.stderr.decode().strip() == "jarchy: line 1 of stdin is not a JSON object"


@pytest.mark.parametrize(
    ("words", "settings", "code"),
    [
        (["frobnicate"], {}, 2),
        (["poll", "nowhere"], {}, 2),
        (["inspect", "feed", "absent.xml"], {}, 1),
        (["run"], {}, 78),
        (["check"], {"TIME_ZONE": "Mars/Base"}, 78),
        (["check"], {"SECURITY_POLICY": "approve"}, 78),
        (["outbox"], {"DATABASE_URL": "mysql://x"}, 78),
    ],
)
def test_the_exit_code_says_whose_turn_it_is(
    tmp_path: Path, words: list[str], settings: dict[str, str], code: int
) -> None:
    """2: the command line, 1: the thing itself, 78: the configuration; never a traceback."""
    done = jarchy(tmp_path, *words, **settings)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr


def test_every_verb_has_help_with_an_example(tmp_path: Path) -> None:
    """A verb named in --help exists, and shows how."""
    from typer.main import get_command

    from bot.cli import cli

    root = get_command(cli)
    leaves = [
        leaf
        for command in root.commands.values()  # type: ignore[attr-defined]  # a click group
        for leaf in getattr(command, "commands", {"": command}).values()
    ]
    assert len(leaves) >= 10
    for leaf in leaves:
        assert "Example: jarchy " in (leaf.help or ""), leaf.name


async def test_export_prints_what_is_stored_about_a_chat_and_erase_forgets_it(
    tmp_path: Path,
) -> None:
    """One JSON object, a table a key; a chat nobody knows has empty ones."""
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    at = datetime(2021, 10, 20, 6, 0, tzinfo=UTC)
    async with store.writing() as db:
        await storage.chats.add(db, chat(-1001), now=at)
        await storage.chats.subscribe(db, -1001, ["pair:USD/KGS"], now=at)
    await store.close()

    def exported(number: str) -> dict[str, list[object]]:
        done = jarchy(tmp_path, "export", "--", number)
        assert done.returncode == 0, done.stderr
        found: dict[str, list[object]] = json.loads(done.stdout)
        return found

    assert "pair:USD/KGS" in json.dumps(exported("-1001"))
    assert not any(exported("1002").values())
    assert json.loads(jarchy(tmp_path, "erase", "--", "-1001").stdout)["rows"] > 1
    assert not any(exported("-1001").values())


async def test_decisions_are_printed_as_the_detectors_take_them(tmp_path: Path) -> None:
    """Each with its answer; a word that names no chat is wrong usage."""
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    at = datetime(2021, 10, 20, 6, 0, tzinfo=UTC)
    first = Words(title="Gunmen attack a border post", text="Three are dead.", language="en")
    second = Words(title="Shooting at the border", language="en")
    async with store.writing() as db:
        for question, answer, other in (
            (Question.SECURITY, False, None),
            (Question.SAME_STORY, True, second),
        ):
            made = Decision(question=question, answer=answer, first=first, second=other, at=at)
            await storage.decisions.keep(db, made)
    await store.close()
    done = jarchy(tmp_path, "export", "decisions")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    alone, pair = map(json.loads, lines)
    assert (alone["security"], alone["title"], alone["text"]) == (False, first.title, first.text)
    assert (pair["same"], pair["a"]["title"], pair["b"]["title"]) == (
        True,
        first.title,
        second.title,
    )
    judged = jarchy(tmp_path, "detect", "security", stdin=lines[0])
    assert json.loads(judged.stdout)["security"] is True  # the operator said else: to learn from
    compared = jarchy(tmp_path, "detect", "same-story", stdin=lines[1])
    assert json.loads(compared.stdout)["id"] == pair["id"]
    for wrong in ("decision", "1" * 19, "0" * 20 + "9" * 20, "٣"):
        assert jarchy(tmp_path, "export", wrong).returncode == 2
