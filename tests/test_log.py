"""The log as a collector reads it: one line an event, in one form for us and for the libraries, no
secret in it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, NoReturn
from urllib.parse import quote

import pytest
import structlog

from bot import log

TOKEN = "7654321:AAcanary-token-canary_token-canary-tok"
#: Libraries that log every request, statement or job at INFO, some with the token in an address.
TALKATIVE = [
    "httpx", "httpcore", "aiohttp.access", "alembic", "aiosqlite", "telegram", "asyncio",
    "procrastinate", "psycopg",
]  # fmt: skip


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test sets up is taken back."""
    monkeypatch.setattr(log, "_hidden", set())
    monkeypatch.setattr(log, "_as_json", False)
    for holder, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(holder, name, getattr(holder, name))
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def fail(why: str) -> NoReturn:
    """A defect."""
    raise RuntimeError(why)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stderr; nothing may come to stdout."""
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.splitlines()


def objects(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines as JSON."""
    return [json.loads(line) for line in lines(capsys)]


def test_an_event_is_one_line_of_json_with_its_level_time_and_context(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The time in UTC, said as such."""
    log.set_up("json", "info")
    with log.telling(update_id=5, alert=7), log.telling(alert=8):
        structlog.get_logger("x").warning("poll failed", status=503)
    (said,) = objects(capsys)
    at = datetime.fromisoformat(said.pop("timestamp"))
    assert at.utcoffset() == timedelta(0)
    assert abs(at - datetime.now(UTC)) < timedelta(hours=1)
    ids = {"update_id": 5, "alert": 8}
    assert said == {"event": "poll failed", "level": "warning", "status": 503, **ids}


def test_a_library_s_record_has_the_same_form_and_nothing_of_its_own_workings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error that it raised is one line too."""
    log.set_up("json", "info")
    with log.telling(alert=7):
        logging.getLogger("some.library").warning("%s of %s", 1, 2)
    try:
        fail("a defect of theirs")
    except RuntimeError:
        logging.getLogger("some.library").exception("it failed")
    plain, failed = objects(capsys)
    assert plain.keys() == {"event", "level", "alert", "timestamp"}
    assert datetime.fromisoformat(plain["timestamp"]).utcoffset() == timedelta(0)
    assert (plain["event"], plain["level"], plain["alert"]) == ("1 of 2", "warning", 7)
    assert failed.keys() == {"event", "level", "timestamp", "exception"}
    assert (failed["event"], failed["level"]) == ("it failed", "error")
    assert "RuntimeError: a defect of theirs" in failed["exception"]


def test_our_own_failure_brings_its_traceback_and_when_asked_its_stack(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.set_up("json", "info")
    try:
        fail("a defect of ours")
    except RuntimeError:
        structlog.get_logger("x").exception("it failed")
    structlog.get_logger("x").info("here", stack_info=True)
    failed, here = objects(capsys)
    assert "RuntimeError: a defect of ours" in failed["exception"]
    assert "test_our_own_failure" in here["stack"]


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_holds_for_us_and_for_the_libraries(
    level: str, heard: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    log.set_up("json", level)
    for logger in (structlog.get_logger("x"), logging.getLogger("some.library")):
        for name in ("debug", "info", "warning", "error"):
            getattr(logger, name)("said")
    assert [said["level"] for said in objects(capsys)] == heard * 2


@pytest.mark.parametrize("name", TALKATIVE)
def test_S6_a_talkative_library_is_heard_from_warnings_on(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the level: some say the address of each request, and the token with it."""
    log.set_up("json", "debug")
    logger = logging.getLogger(name)
    logger.debug("every byte")
    logger.info("HTTP Request: POST https://api.telegram.org/…")
    logger.warning("no answer")
    assert [said["event"] for said in objects(capsys)] == ["no answer"]


def test_setting_up_again_says_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("json", "info")
    log.set_up("json", "info")
    logging.getLogger("some.library").warning("once")
    assert [said["event"] for said in objects(capsys)] == ["once"]


@pytest.mark.parametrize(
    ("form", "terminal", "json_lines", "colours"),
    [
        ("json", False, True, False),
        ("json", True, True, False),
        ("console", False, False, False),
        ("console", True, False, True),
        (None, False, True, False),
        (None, True, False, True),
    ],
)
def test_a_terminal_gets_a_readable_form_and_colours_a_collector_json(
    form: str | None,
    terminal: bool,
    json_lines: bool,
    colours: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unless LOG_FORMAT says which; colours only where somebody sees them."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    log.set_up(form, "info")
    structlog.get_logger("x").info("poll went well", source="nbkr")
    logging.getLogger("some.library").warning("poll went well", extra={"source": "nbkr"})
    for line in lines(capsys):
        assert line.startswith("{") is json_lines
        assert ("\x1b[" in line) is colours
        assert "poll went well" in line


@pytest.mark.parametrize("form", ["json", "console"])
def test_S6_no_line_has_a_secret_wherever_it_came_in(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the event, a value, a nested list, a traceback, a library's record."""
    log.set_up(form, "debug")
    log.hide("canary of the webhook")
    ours, theirs = structlog.get_logger("x"), logging.getLogger("some.library")
    ours.info(f"asked {TOKEN}", url=f"https://x.example/bot{TOKEN}/getMe", nested={"deep": [TOKEN]})
    theirs.warning("asked %s with %s", TOKEN, "canary of the webhook")
    try:
        fail(f"canary of the webhook, {TOKEN}")
    except RuntimeError:
        ours.exception("it failed")
        theirs.exception("it failed")
    said = "\n".join(lines(capsys))
    assert "canary" not in said
    assert said.count("***") >= 8
    assert "RuntimeError" in said


def test_what_nobody_caught_and_what_python_warns_of_are_events_of_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where the log is JSON: a collector would take each line of a traceback for an event."""
    log.guard_tracebacks()
    log.set_up("json", "info")
    try:
        fail(f"https://x.example/bot{TOKEN}/getMe")
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    warnings.showwarning("old", DeprecationWarning, "some.py", 7)
    crashed, warned = objects(capsys)
    assert (crashed["event"], crashed["level"]) == ("crashed", "critical")
    assert crashed["exception"].endswith("RuntimeError: https://x.example/bot***/getMe")
    assert warned["event"].startswith("some.py:7: DeprecationWarning: old")


def test_S6_python_s_own_tracebacks_are_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the program, of a thread, of a finalizer; all of it to stderr, with the line where it
    happened.
    """
    log.guard_tracebacks()
    try:
        fail(f"https://x.example/bot{TOKEN}/getMe")
    except RuntimeError as error:
        kind, trace = type(error), error.__traceback__
        sys.excepthook(kind, error, trace)
        of_the_program = capsys.readouterr().err
        threading.excepthook(threading.ExceptHookArgs((kind, error, trace, None)))
        of_a_thread = capsys.readouterr().err
        sys.unraisablehook(_Unraisable(kind, error, trace))  # type: ignore[arg-type]
        of_a_finalizer = capsys.readouterr().err
        as_python_prints_it = "".join(traceback.format_exception(kind, error, trace)).replace(
            TOKEN, "***"
        )
    assert of_the_program == of_a_thread == of_a_finalizer == as_python_prints_it
    for said in (of_the_program, of_a_thread, of_a_finalizer):
        assert said.startswith("Traceback (most recent call last):\n")
        assert "in fail" in said
        assert said.endswith("RuntimeError: https://x.example/bot***/getMe\n")


class _Unraisable:
    """The argument of `sys.unraisablehook`, which cannot be made by hand."""

    def __init__(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        self.exc_type, self.exc_value, self.exc_traceback = kind, error, trace
        self.err_msg, self.object = None, None


def test_S6_hiding_no_secret_hides_nothing() -> None:
    """A setting that is not set is no word to redact."""
    log.hide(None, "", "short")
    assert log.redact("None of this is short") == "None of this is short"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"https://api.telegram.org/bot{TOKEN}/sendMessage",
        f"bot{quote(TOKEN, safe='')}/getMe",
        json.dumps({"url": f"/bot{TOKEN}/x"}),
        "postgresql://jarchy:canary@db/jarchy",
        "postgresql+psycopg://jarchy:canary/with/slash@db:5432/jarchy",
        "redis://:canary@cache",
        "host=db user=jarchy password=canary dbname=x",
        "host=db password='canary of three' dbname=x",
        "postgresql://db/x?user=jarchy&password=canary&sslmode=require",
        'connection failed: PASSWORD="canary"',
    ],
)
def test_S6_what_looks_like_a_secret_is_redacted_unasked(text: str) -> None:
    """Also where it was in no setting."""
    assert "canary" not in log.redact(text)
    assert "***" in log.redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "12:30 at the pass",
        "https://news.example/a:b/c",
        "see https://news.example/x, or write to editor@news.example",
        "update 123456789:none",
        "password is wrong",
        "USD/KGS 84.7935 on 2021-10-20T10:00:00",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """A log must still say something."""
    assert log.redact(text) == text


def test_S6_what_was_hidden_is_redacted_in_every_spelling() -> None:
    """The longest first, so that no beginning of it stays; what is too short to be a secret is a
    word.
    """
    log.hide("tail of it", "canary and the tail of it")
    assert log.redact("<canary and the tail of it>") == "<***>"
    log.hide(
        "canary one",
        "canary one two/three",
        None,
        "x" * (log.SHORTEST_SECRET - 1),
        "y" * log.SHORTEST_SECRET,
    )
    for text in (
        "canary one",
        "canary one two/three",
        "canary%20one%20two%2Fthree",
        "canary%20one%20two/three",
    ):
        assert log.redact(f"<{text}>") == "<***>"
    assert log.redact("x" * (log.SHORTEST_SECRET - 1)) == "x" * (log.SHORTEST_SECRET - 1)
    assert log.redact("y" * log.SHORTEST_SECRET) == "***"


@pytest.mark.parametrize("first", [str, repr, ascii, json.dumps])
@pytest.mark.parametrize("second", [str, repr, ascii, json.dumps])
@pytest.mark.parametrize("third", [str, repr, json.dumps])
def test_S6_what_was_hidden_is_redacted_however_often_it_was_quoted(
    first: Callable[[object], str],
    second: Callable[[object], str],
    third: Callable[[object], str],
) -> None:
    """An error that names it, in a line of JSON; what stands around it stays."""
    for odd in (
        "a\"b\\c'd" * 3,
        "\\\\server\\of\\secrets",
        "пароль на слово",
        "tab\tand\nline\x07 of it",
        "\N{FOX FACE}\xa0fox\u202eand fox",
    ):
        secret = odd + token_hex(4)  # another each time: how one is quoted is remembered
        log.hide(secret)
        said = third(f"at {second(f'it says {first(secret)} here')} last")
        left = log.redact(said)
        assert re.fullmatch(r"\W*at \W*it says \W*\*\*\*\W* here\W* last\W*", left), (said, left)


def test_S6_a_message_for_a_terminal_is_one_line_that_does_nothing_but_say() -> None:
    """No breaks, no escapes, no turned letters, no secret; what is left stays readable."""
    said = f"first\nsecond\r\nthird {TOKEN}\x1b[31m and \u202eback\x07, сом"
    assert log.one_line(said) == r"first second third ***\x1b[31m and \u202eback\x07, сом"


def test_a_console_is_told_nothing_that_it_would_do(capsys: pytest.CaptureFixture[str]) -> None:
    """No escape and no line of its own in what somebody else said, wherever a log shows it."""
    words = "up\x1b[1A\r\x9b2J\nforged \u202eline"
    log.set_up("console", "info")
    try:
        fail(words)
    except RuntimeError as error:
        structlog.get_logger("x").exception(
            words, why=error, said=words, named="\x1b[2J\u202eforged"
        )
        logging.getLogger("some.library").exception("told %s", words, stack_info=True)
        log.crashed(type(error), error, error.__traceback__)
        structlog.get_logger("x").info(error)
    shown = capsys.readouterr().err
    assert shown.count("forged") == 9
    assert shown.count("\nTraceback (most recent call last):\n") == 3
    assert shown.count("\nforged") == 3, "a line of an exception's own words is one of a traceback"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)


def test_a_logger_that_was_used_before_follows_what_is_set_up_later(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logger = structlog.get_logger("x")
    log.set_up("json", "info")
    logger.info("first")
    log.set_up("json", "error")
    logger.info("second")
    assert [said["event"] for said in objects(capsys)] == ["first"]
