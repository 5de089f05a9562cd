"""S6: a canary token, webhook secret, and passwords of database and proxy go every way that things
fail; none comes out.
"""

from __future__ import annotations

import base64
import json
import textwrap
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import forkserver
from tests.conftest import ROOT

TOKEN = "7654321:AAcanary-token-canary_token-canary-tok"
HALF = TOKEN.partition(":")[2]
SECRET = "canary-webhook-secret-0123"
#: With what is written otherwise in addresses, in a log of JSON lines, and where Python quotes it.
PASSWORD = "canary/pass@wo\"r'd\\ пароль \N{FOX FACE} 7"
DSN = f"postgresql://jarchy:{quote(PASSWORD, safe='')}@127.0.0.1:1/jarchy"
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
CANARIES = (
    TOKEN,
    BASIC,
    HALF,
    SECRET,
    PASSWORD,
    quote(PASSWORD, safe=""),
    quote(TOKEN, safe=""),
    "canary",
    "пароль",
    json.dumps("пароль")[1:-1],
)


def run(folder: Path, script: str, **settings: str) -> str:
    """A process with the canaries in its settings; all it printed, which has none of them."""
    environment = {
        **forkserver.PLAIN,
        "PYTHONPATH": str(ROOT),
        "BOT_TOKEN": TOKEN,
        "WEBHOOK_SECRET": SECRET,
        "HEARTBEAT_URL": "http://127.0.0.1:1/canary-key-of-a-switch",
        "DATABASE_URL": DSN,
        "BOT_API_URL": "http://127.0.0.1:1",
        "PROXY": f"http://me:{quote(PASSWORD, safe='')}@127.0.0.1:1",
        **settings,
    }
    done = forkserver.run("-c", textwrap.dedent(script), cwd=folder, env=environment, timeout=110)
    said = (done.stdout + done.stderr).decode()
    assert [canary for canary in CANARIES if canary in said] == [], said.replace("canary", "CANARY")
    return said


#: One process for all: a start costs more than a verb. Nor does any rest long before it asks again.
VERBS = """
import sys
from bot import cli
from bot.telegram.retry import RetryPolicy
RetryPolicy.pause = lambda *_: 0.05
for words in {verbs!r}:
    sys.argv = ["jarchy", *words]
    try:
        cli.main()
    except SystemExit as end:
        print(*words[:2], "ended with", end.code)
"""
FAILING = [
    ["run"],
    ["check"],
    ["check", "--json"],
    ["poll"],
    ["backfill", "nbkr", "--since", "2021-01-01"],
    ["outbox"],
    ["outbox", "--json"],
    ["db", "upgrade"],
    ["db", "check"],
    ["db", "backup", f"/nowhere/{TOKEN}/copy.db"],
    ["db", "restore", f"/nowhere/{TOKEN}/copy.db"],
    ["export", "1"],
    ["erase", "1"],
    ["digest", "--date", "2021-10-20"],
    ["convert", "100 usd"],
    ["inspect", "feed", f"/nowhere/{TOKEN}"],
    ["inspect", "feed", f"http://user:canary-of-a-site@127.0.0.1:1/{TOKEN}"],
    ["inspect", "rates", "nbkr", f"/nowhere/{TOKEN}"],
    ["inspect", "page", f"/nowhere/{TOKEN}"],
    ["search", "--json", TOKEN],
    ["subscribers", "export", f"/nowhere/{TOKEN}"],
    ["subscribers", "import", f"/nowhere/{TOKEN}"],
    ["subscribers", "adopt"],
    ["subscribers", "unmet"],
    ["db", "move", f"sqlite:////dev/null/{TOKEN}"],
    ["db", "move", f"postgresql://jarchy:{quote(PASSWORD, safe='')}@127.0.0.1:1/other"],
    ["broadcast", "--to", "all", "--file", f"/nowhere/{TOKEN}"],
    ["detect", "moves", "--history", f"/nowhere/{TOKEN}"],
    ["export", "decisions"],
]


@pytest.mark.parametrize("form", ["json", "console"])
def test_S6_no_verb_that_fails_says_a_secret(tmp_path: Path, form: str) -> None:
    """A database, a Telegram and files that are not there, in both forms of the log; each verb ends
    with a line.
    """
    said = run(tmp_path, VERBS.format(verbs=FAILING), LOG_FORMAT=form, LOG_LEVEL="debug")
    assert said.count("ended with") == len(FAILING)
    assert "ended with 0" not in said.replace("check ended with 0", "")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "settings",
    [
        {"CATALOG": f"/nowhere/{TOKEN}.toml"},
        {"BOT_TOKEN": f"{TOKEN} "},
        {"BOT_TOKEN": f"bot{TOKEN}"},
        {"DATABASE_URL": f"postgresql://jarchy:{quote(PASSWORD, safe='')}@127.0.0.1:port/jarchy"},
        {"DATABASE_URL": f"mysql://jarchy:{quote(PASSWORD, safe='')}@127.0.0.1/jarchy"},
        {"DATABASE_URL": f"postgresql://127.0.0.1:1/jarchy?user=jarchy&password={quote(PASSWORD)}"},
        {"DATABASE_URL": f"sqlite:////dev/null/{TOKEN}/x.db"},
        {"PROXY": f"socks5://me:{quote(PASSWORD, safe='')}@127.0.0.1:port"},
        {"BOT_API_URL": f"ftp://user:{quote(PASSWORD, safe='')}@127.0.0.1"},
        {"WEBHOOK_SECRET": f"{SECRET} with spaces", "UPDATES": "webhook"},
    ],
    ids="-".join,
)
@pytest.mark.cases(keep=4)
def test_S6_no_wrong_setting_is_shown_with_its_secret(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """Each in `check` and at the start."""
    said = run(tmp_path, VERBS.format(verbs=[["check"], ["run"]]), **settings)
    assert said.count("ended with") == 2


def test_S6_no_traceback_of_a_defect_shows_a_secret(tmp_path: Path) -> None:
    """In the main thread, in another, in a finalizer, in a task, through a log record, and in
    faulthandler's dump.
    """
    said = run(
        tmp_path,
        """
        import asyncio, faulthandler, gc, logging, os, sys, threading
        from urllib.parse import unquote, urlsplit
        import aiohttp, telegram.error, structlog
        from bot import cli, log
        from bot.config import load_settings

        settings = load_settings()
        password = unquote(urlsplit(settings.database_url).password)
        log.hide(*settings.secrets)
        log.guard_tracebacks()
        token, dsn = settings.token, settings.database_url
        secret = settings.webhook_secret.get_secret_value()
        basic = aiohttp.encode_basic_auth("me", password)

        def fail(*_, **__):
            said = f"{secret} {dsn} {password} {[password]} {settings.proxy} {basic}"
            raise RuntimeError(f"http://127.0.0.1/bot{token}/getMe {said}")

        class Dying:
            __del__ = fail

        for form in ("json", "console"):
            log.set_up(form, "debug")
            try:
                fail()
            except RuntimeError as error:
                nested = {"deep": [{"url": str(error), "of": [repr(password)]}]}
                structlog.get_logger("x").exception("it failed", nested=nested, why=error)
                logging.getLogger("aiohttp.server").exception("Error handling %s", error)
                lost_line = telegram.error.NetworkError(str(error))
                logging.getLogger("telegram.ext").error("no %s", lost_line, exc_info=True)
            async def lost():
                task = asyncio.create_task(asyncio.to_thread(fail))
                await asyncio.wait([task])
                del task
                gc.collect()
                try:
                    async with aiohttp.ClientSession() as session:
                        await session.get(f"http://127.0.0.1:1/bot{token}/getMe")
                except aiohttp.ClientError as error:
                    structlog.get_logger("x").warning("away", error=repr(error), url=error.__dict__)
            asyncio.run(lost())
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        Dying()
        gc.collect()
        print(settings, repr(settings), settings.bot_token, settings.webhook_secret)
        faulthandler.dump_traceback(all_threads=True)
        cli.cli = fail
        try:
            cli.main()
        except SystemExit as end:
            print("ended with", end.code)
        fail()
        """,
    )
    assert said.count("Traceback (most recent call last)") + said.count("Traceback") >= 6
    assert "RuntimeError" in said
    assert "ended with 1" in said
