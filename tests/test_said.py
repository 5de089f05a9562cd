"""Statements are true: figures said in two places agree, and nothing is written for a thing that
does not exist.

A statement in the README, DESIGN or a message is compared with the constant that makes it so.
Words, parameters and constants nobody uses are found by reading the program itself.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import polib
import pytest

import storage.chats
import storage.copies
import storage.replicas
import storage.retention
from bot.alerts import KINDS
from bot.alerts.stories import LASTS as STORY_LASTS
from bot.cli import running as verbs
from bot.convert import parse_question
from bot.convert.rules import parse_rule
from bot.deliver.flights import DOUBTS
from bot.deliver.limits import SHARED_PACE
from bot.detect.moves import DEFAULT_POLICY
from bot.detect.offers import LEVEL_FROM
from bot.detect.plausibility import AGREEMENT, LARGEST_UNASKED
from bot.i18n import t
from bot.ingest.telling import FRESH_FOR, MOST_EDITS
from bot.ingest.trust import STUCK_DAYS
from bot.intake.role import ROLE_LEASE, ROLE_LOOK
from bot.languages import LANGUAGES
from bot.model.alerts import Lane
from bot.model.chats import ChatKind
from handlers.alerts import SNOOZE
from tests import source
from tests.conftest import ROOT
from tests.handlers.conftest import (
    READER,
    RUSSIAN,
    STRANGER,
    World,
    listening,  # noqa: F401 - a fixture of that one
)
from tests.handlers.conftest import world as _world  # noqa: F401 - a fixture
from tests.languages.expected import WHOLE, expected

PAUSE = float(inspect.signature(verbs.backfill).parameters["pause"].default)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
FAILOVER = ROLE_LEASE + ROLE_LOOK * SECOND
NUMBERS = {3: "three", 5: "five", 6: "six", 7: "seven"}


def said(name: str) -> str:
    """A document with every run of spaces as one."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            "README.md",
            f"what people write is kept {'a day' if storage.retention.BODIES_KEPT == DAY else '?'}",
        ),
        ("README.md", f"alerts and deliveries {storage.retention.ALERTS_KEPT.days} days"),
        ("README.md", f"stories {storage.retention.STORIES_KEPT.days} days"),
        (
            "README.md",
            (
                "a chat that blocked the bot is forgotten after "
                f"{storage.retention.CLOSED_CHATS_KEPT.days} days"
            ),
        ),
        ("docs/backing-up.md", f"keeps the last {NUMBERS[storage.copies.COPIES_KEPT]}"),
        ("docs/sources.md", f"nothing new for {NUMBERS[STUCK_DAYS]} of its publishing days"),
        ("docs/sources.md", f"two sources that disagree by more than {AGREEMENT} %"),
        ("docs/settings.md", f"unanswered for {NUMBERS[STORY_LASTS // HOUR]} hours it is not sent"),
        ("DESIGN.md", f"at most {SHARED_PACE * 100:g} % of the limit"),
        ("docs/sources.md", f"{NUMBERS[round(PAUSE)]} seconds between requests"),
        ("README.md", f"(U = {DOUBTS[Lane.ALERT]}; {DOUBTS[Lane.ROUTINE]} for digests)"),
        (
            "docs/commands.md",
            (
                f"a bare number from {'a quarter' if LEVEL_FROM * 4 == 1 else '?'} of the rate on "
                "is a level"
            ),
        ),
        ("DESIGN.md", f"Bodies of updates {storage.retention.BODIES_KEPT // HOUR} hours"),
        ("DESIGN.md", f"their numbers {storage.retention.UPDATES_KEPT.days} days"),
        ("DESIGN.md", f"alerts with their deliveries {storage.retention.ALERTS_KEPT.days} days"),
        ("DESIGN.md", f"stories {storage.retention.STORIES_KEPT.days} days, chats"),
        ("DESIGN.md", f"{storage.retention.CLOSED_CHATS_KEPT.days} days (who said `/stop` stays)"),
        (
            "DESIGN.md",
            (
                f"{storage.retention.ROWS_AT_ONCE:,} rows or "
                f"{storage.retention.CHATS_AT_ONCE} chats a transaction"
            ),
        ),
        ("DESIGN.md", f"forgotten after {storage.copies.KEEP_ASIDE.days} days"),
        ("DESIGN.md", f"(a leap above {LARGEST_UNASKED} %"),
        ("DESIGN.md", f"At most {NUMBERS[MOST_EDITS]} edits"),
        ("DESIGN.md", f"none {'twelve' if FRESH_FOR == 12 * HOUR else '?'} hours after the alert"),
        (
            "docs/running.md",
            f"within {10 if FAILOVER <= 10 * SECOND else '?'} seconds of a kill",
        ),
        (
            "docs/moving.md",
            f"a killed replica counts for {storage.replicas.HEART_STOPPED // SECOND} seconds",
        ),
        (
            "docs/moving.md",
            f"not come within {storage.retention.CLOSED_CHATS_KEPT.days} days is forgotten",
        ),
        ("DESIGN.md", f"a lease of {ROLE_LEASE // timedelta(seconds=1)} seconds"),
    ],
)
def test_a_figure_of_the_documents_is_the_programs(document: str, words: str) -> None:
    assert words in said(document), words


async def test_what_privacy_says_is_what_is_kept(_world: World) -> None:  # noqa: F811, PT019 - the fixture above
    """In each language: what a chat made itself is among what is kept; the day bodies are kept, and
    the days of forgetting.
    """
    own = {
        "en": ("own alerts", "feeds", "filters"),
        "ru": ("ваши оповещения", "ленты", "фильтры"),
        "ky": ("өз эскертүүлөрүңүз", "ленталар", "чыпкалар"),
    }
    for language, chat in (("en", READER), ("ru", RUSSIAN), ("ky", STRANGER)):
        text = (await _world.ask("/privacy", chat=chat))["text"]
        kept = storage.retention
        figures = [
            kept.ALERTS_KEPT.days,
            kept.BODIES_KEPT // HOUR,
            kept.CLOSED_CHATS_KEPT.days,
            storage.copies.KEEP_ASIDE.days,
        ]
        assert [int(figure) for figure in re.findall(r"\d+", text)] == figures
        assert [words for words in own[language] if words not in text] == []


async def test_a_channels_welcome_names_what_it_gets(_world: World) -> None:  # noqa: F811, PT019 - the fixture above
    """And no command: a channel has no settings of its own in the chat."""
    channel = -1001234567890
    _world.emulator.add_channel(channel, "Herald", "herald", owner=READER, bot_status="left")
    _world.emulator.set_bot_status(
        channel, "administrator", by=READER, rights={"can_post_messages": True}
    )
    told = await _world.emulator.wait_message(
        READER, lambda m: "Herald" in m.get("text", ""), timeout=20
    )
    async with _world.bot.store.reading() as db:
        keys = await storage.chats.subscriptions(db, channel)
        chat = await storage.chats.get(db, channel)
    assert chat is not None
    assert chat.kind is ChatKind.CHANNEL
    given = {key.partition(":")[2].partition("/")[0] for key in keys}
    assert given - {"security"} == set(re.findall(r"\b[A-Z]{3}\b", told["text"]))
    assert t("topic.security", "en").lower() in told["text"]
    assert "/settings" not in told["text"]


@pytest.mark.parametrize("language", WHOLE)
def test_figures_in_words_readers_see_are_the_programs(language: str) -> None:
    hours = expected("figures.six_hours", language)
    assert (hours in t("notice.story", language)) == (STORY_LASTS == 6 * HOUR)
    for key in ("move.high", "move.low"):
        assert str(DEFAULT_POLICY.window) in t(key, language)
    for figure in re.findall(r"\d+", t("button.snooze", language)):
        assert int(figure) * HOUR == SNOOZE


@pytest.mark.parametrize("language", WHOLE)
def test_the_example_of_every_error_works_when_followed(language: str) -> None:
    """Typed as it stands: a whole command, or a question of the converter."""
    followed = 0
    for entry in polib.pofile(str(ROOT / "bot" / "languages" / language / "jarchy.po")):
        if not entry.msgid.startswith("error."):
            continue
        said_so = re.sub(r" (or|или|же|же болбосо|for|для|бул)\b", ",", entry.msgstr)
        for example in re.findall(
            r"/alert ([A-Z]{3}[^,.:(\u0400-\u04ff]*(?:\d[%d]?|\d{4}-\d\d-\d\d))", said_so
        ):
            parse_rule(example, home="KGS")
            followed += 1
        if "100 usd kgs" in entry.msgstr:
            assert parse_question("100 usd kgs").target == "KGS"
            followed += 1
        bare = entry.msgstr.replace("/alert ", "\0")
        assert not re.search(r"(?<!\0)\b(?:RUB|USD|EUR) (?:[<>] ?\d|[+-]?\d+%)", bare), entry.msgid
    assert followed >= 15


# --- words for nothing ----------------------------------------------------------------------------


def files() -> Iterator[Path]:
    """The program without the emulator, which others use too."""
    for path in source.files(*source.ROOMS):
        if (
            not {"emulator", "migrations"} & set(path.parts)
            and path.parent.parent.name != "languages"
        ):
            yield path


def defined_in(
    path: Path,
) -> tuple[list[ast.FunctionDef | ast.AsyncFunctionDef], Sequence[ast.ClassDef]]:
    """The functions and the classes of a file."""
    plain, asynchronous = (
        source.nodes(path, ast.FunctionDef),
        source.nodes(path, ast.AsyncFunctionDef),
    )
    return [*plain, *asynchronous], source.nodes(path, ast.ClassDef)


def test_no_name_is_defined_that_nothing_reads() -> None:
    """Functions, classes, constants and members of enums: what only tests call comes back with the
    thing.
    """
    foreign = {  # read by libraries, by name
        *(
            "cache_ok",
            "impl",
            "literal_processor",
            "load_dialect_impl",
            "process_bind_param",
            "process_result_value",
            "model_config",
        ),
        *(
            "comment",
            "do_request",
            "get_me",
            "shutdown",
            "collect",
            "prepare",
            "filter",
            "_together",
        ),
        *("_at_its_preview", "_wrap_create_connection"),
        *("settings_customise_sources", "get_field_value", "get_retry_decision"),
    }
    by_value = {
        "MID",
        "processes",
    }  # a rate's kind that rules name by its value; what tests of killed workers ask
    defined: dict[str, Path] = {}
    read: set[str] = set()
    for path in files():
        functions, classes = defined_in(path)
        for node in (*functions, *classes):
            if not any(
                isinstance(one, ast.Call) and "command" in ast.dump(one)
                for one in node.decorator_list
            ):
                defined.setdefault(node.name, path)
        names = source.nodes(path, ast.Name)
        read |= {node.id for node in names if isinstance(node.ctx, ast.Load)}
        read |= {node.attr for node in source.nodes(path, ast.Attribute)}
        for constant in source.nodes(path, ast.Constant):
            if isinstance(constant.value, str) and constant.value.isidentifier():
                read.add(constant.value)
        for body in (source.tree(path).body, *(one.body for one in classes)):
            for statement in body:
                targets = statement.targets if isinstance(statement, ast.Assign) else []
                for target in targets:
                    if isinstance(target, ast.Name):
                        defined.setdefault(target.id, path)
    called = {name for name in defined if not name.startswith("__")}
    decorated = {"callback", "validator", "process_error"}  # called by libraries
    found_by_place = {type(kind).__name__ for kind in KINDS.values()}
    used = read | foreign | by_value | decorated | found_by_place
    assert not {name: str(defined[name]) for name in called - used}


def test_no_renderer_has_a_parameter_nobody_passes() -> None:
    """A parameter with a default that every caller leaves alone is a feature that is not there."""
    passed: dict[str, set[str]] = defaultdict(set)
    counted: dict[str, int] = defaultdict(int)
    for path in files():
        for call in source.nodes(path, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            passed[name] |= {keyword.arg for keyword in call.keywords if keyword.arg}
            counted[name] = max(counted[name], len(call.args))
    idle = []
    for path in files():
        if path.parent.name != "render":
            continue
        for node in source.nodes(path, ast.FunctionDef):
            plain = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            by_name = [
                one
                for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                if value
            ]
            by_place = [one for one in plain if counted[node.name] <= node.args.args.index(one)]
            for one in (*by_place, *by_name):
                if one.arg not in passed[node.name]:
                    idle.append(f"{node.name}({one.arg})")
    assert not idle


def test_no_text_speaks_of_a_command_that_does_not_exist() -> None:
    """In a message or in a document for operators; /name in an address or a path is none."""
    from handlers import COMMANDS

    documents = ("README.md", "docs/commands.md", "docs/settings.md", "docs/running.md")
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in documents]
    for language in LANGUAGES:
        catalog = polib.pofile(str(ROOT / "bot" / "languages" / language / "jarchy.po"))
        texts += [
            text for entry in catalog for text in (entry.msgstr, *entry.msgstr_plural.values())
        ]
    paths = {"healthz", "readyz", "metrics", "status", "data", "tmp", "var", "jarchy"}
    named = {
        word for text in texts for word in re.findall(r"(?<![\w./:<*-])/([a-z]+)(?![\w/])", text)
    }
    assert named - paths <= COMMANDS.keys()
