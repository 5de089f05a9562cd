"""The verb before all others: a token and an operator become a file of settings."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
import time
from asyncio import sleep
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import log
from bot.cli.program import LONGEST_RUN, cli, fail, run_to_end
from bot.config import TELEGRAM, TOKEN, Settings, load_settings
from bot.model.chats import OPERATORS_LINK
from bot.typed import typed

if TYPE_CHECKING:
    from bot.telegram.api import Api

ENV_FILE = Path(".env")
TOKEN_TRIES = 3  # that somebody at a terminal has for the token
LONGEST_LINE = 4096  # letters of standard input that may be one
#: A value that means the same to every reader of such a file, without quotes.
PLAIN = re.compile(r"[A-Za-z0-9_:/@.,%+=?~-]+")
LONG_POLL = 20.0  # seconds that Telegram holds a question for updates
MOST_UPDATES = 100  # that Telegram gives at once, the oldest first
ASK_PAUSE = 1.0  # seconds between questions that Telegram answers at once


@cli.command()
def init(
    wait: Annotated[
        float, typer.Option(min=0, max=LONGEST_RUN, help="seconds for your /start; 0: not at all")
    ] = 120,
) -> None:
    """Ask for the token, check it with Telegram, find you by a /start, write `.env` (0600).

    The token is asked for at the terminal, or read from standard input. Example: jarchy init
    """
    if ENV_FILE.exists():
        fail(f"{ENV_FILE} is there already: change it by hand, or move it away first")
    settings = load_settings()
    log.hide(*settings.secrets)
    log.set_up(settings.log_format, "error")
    run_to_end(_init(settings, wait))


async def _init(settings: Settings, wait: float) -> None:
    from bot.telegram.api import Api
    from bot.telegram.session import open_session, proxy_of

    _say("Telegram's @BotFather makes a bot (/newbot) and gives its token.")
    url = settings.bot_api_url
    proxy = await proxy_of(settings)
    async with open_session(proxy=proxy) as session:
        tries = TOKEN_TRIES if sys.stdin.isatty() else 1
        api_of = partial(Api, session, url=url, proxy=proxy)
        api, token, name = await _introduced(api_of, tries)
        if settings.bot_token is not None and settings.token != token:
            fail(
                f"BOT_TOKEN: the environment has another one, which goes before {ENV_FILE}'s: "
                f"unset BOT_TOKEN and BOT_TOKEN_FILE, then start this again"
            )
        # written before the next question: whoever leaves there has a bot that runs
        values = {"BOT_TOKEN": token, **_said_besides(settings)}
        _write(ENV_FILE, values)
        _say(f"@{name}; wrote {ENV_FILE}, which nobody else can read.")
        operator = None
        if wait:
            operator = await _unless_left_out(_operator(api, name, wait))
    if operator is not None:
        _write(ENV_FILE, {**values, "ADMIN_IDS": str(operator)})
    _say(_who_operates(settings, operator))
    _say(f"Next: `{typed('check --sources')}`, then `{typed('run')}`.")


async def _introduced(api_of: Callable[..., Api], tries: int) -> tuple[Api, str, str]:
    """The bot behind the token that is asked for: its API, the token, its name."""
    token = _asked_token()
    log.hide(token)
    name, why = None, "no token of @BotFather's, which is like 123456789:AA…"
    if TOKEN.fullmatch(token):
        api = api_of(token=token)
        name, why = await _name_of(api)
        if name is not None:
            return api, token, name
    if tries <= 1:
        fail(f"BOT_TOKEN: {why}")
    _say(f"{why}; once more, please")
    return await _introduced(api_of, tries - 1)


def _who_operates(settings: Settings, operator: int | None) -> str:
    """The sentence that says whose bot it is: the environment's word comes before the file's."""
    if settings.admin_ids and operator not in settings.admin_ids:
        others = ",".join(map(str, settings.admin_ids))
        you = operator or "your numeric id"
        return (
            f"Its operators are {others}, by ADMIN_IDS of the environment, which comes before "
            f"{ENV_FILE}: put {you} there."
        )
    if operator is None:
        return "No operator yet: put your numeric id into ADMIN_IDS."
    return f"You are its operator, {operator}."


def _say(words: str) -> None:
    sys.stderr.write(log.one_line(words) + "\n")


def _asked_token() -> str:
    """The token as typed unseen at a terminal, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Token", hide_input=True, err=True)).strip()
    return sys.stdin.readline(LONGEST_LINE).strip()


async def _name_of(api: Api) -> tuple[str | None, str]:
    """The bot's name, or None and why there is none."""
    from bot.telegram.outcomes import Rejected
    from bot.telegram.results import username_of
    from bot.telegram.retry import QUESTION, taken

    outcome = await taken(api, "getMe", policy=QUESTION)
    name = username_of(outcome)
    if name is not None:
        return name, ""
    match outcome:
        case Rejected(why=why):
            return None, f"Telegram does not take it ({why})"
        case _:
            return None, "Telegram cannot be reached; where it is blocked, PROXY=… leads to it"


def _said_besides(settings: Settings) -> dict[str, str]:
    """The environment's settings of the way to Telegram: the bot will need them as well."""
    said: dict[str, str] = {}
    if settings.bot_api_url != TELEGRAM:
        said["BOT_API_URL"] = settings.bot_api_url
    if settings.proxy is not None:
        said["PROXY"] = settings.proxy
        if settings.proxy_for != "telegram":
            said["PROXY_FOR"] = settings.proxy_for
    return said


async def _unless_left_out(found: Coroutine[Any, Any, int | None]) -> int | None:
    """The operator's number; None also after Ctrl-C, by which the question is left out."""
    asking = asyncio.current_task()
    try:
        return await found
    except asyncio.CancelledError:
        # the first Ctrl-C cancels, and that is all it was for: a second one ends the verb
        if asking is not None:
            asking.uncancel()
        return None


async def _operator(api: Api, name: str, wait: float) -> int | None:
    """The number of the person who sends our code within so many seconds; None when nobody does.

    No update is taken from Telegram: the bot that starts afterwards finds them all.
    """
    code = OPERATORS_LINK + secrets.token_hex(4)
    _say(
        f"Now say who you are: open https://t.me/{name}?start={code} and press Start,"
        f" or send /start {code} to @{name} ({wait:g} s; Ctrl-C leaves it out)."
    )
    until = time.monotonic() + wait
    while time.monotonic() < until:
        updates = await _waiting(api, until)
        if updates is None:
            return None
        for update in updates:
            found = _who_said(update, f"/start {code}")
            if found is not None:
                return found
        if len(updates) >= MOST_UPDATES:  # one behind them comes when they are taken
            _say(
                f"{MOST_UPDATES} updates wait for the bot already, and yours would come after them."
            )
            return None
        if updates:  # those of others, which come back at once each time
            await sleep(ASK_PAUSE)
    return None


async def _waiting(api: Api, until: float) -> list[Any] | None:
    """Updates that wait or come `until` then (`time.monotonic`); None when nobody may ask."""
    from bot.telegram.outcomes import Outcome, Rejected
    from bot.telegram.results import updates_of
    from bot.telegram.retry import UNTIL_TAKEN, Failure, insist

    async def ask() -> Outcome:
        seconds = int(min(max(until - time.monotonic(), 0), LONG_POLL))
        return await api.call("getUpdates", timeout=seconds, allowed_updates=["message"])

    async def while_there_is_time(failure: Failure) -> float | None:
        left = max(until - time.monotonic(), 0)
        if failure.wait is not None and failure.wait >= left:
            await sleep(left)  # kept to the end, without another question
            return None
        return failure.wait

    outcome = await insist(ask, UNTIL_TAKEN, react=while_there_is_time)
    updates = updates_of(outcome)
    if updates is not None:
        return updates
    match outcome:
        case Rejected(conflict=True):
            _say("Somebody else gets this bot's updates: another Jarchy, or a webhook.")
            return None
        case Rejected(why=why):
            _say(f"Telegram gives no updates ({why}).")
            return None
        case _:
            return []


def _who_said(update: Any, words: str) -> int | None:  # noqa: ANN401 - whatever Telegram sends
    """The user who said these words to the bot in private."""
    match update:
        case {
            "message": {
                "text": str(text),
                "chat": {"type": "private"},
                "from": {"id": int(user)},
            }
        } if text.strip() == words:
            return user
    return None


def _quoted(value: str) -> str:
    """A setting's value as the file has it, for a proxy's password may have anything.

    Without quotes wherever it can be, as a token and an id always can: `docker run --env-file`
    takes quotes for a part of the value. Else in single quotes, in which a quote and a backslash
    are escaped. What looks like another variable is filled in even there: `${` becomes a variable
    without a name, which is given as $.
    """
    if PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("${", "${:-$}{") + "'"


def _write(path: Path, values: Mapping[str, str]) -> None:
    """The settings, readable for their owner alone, all or nothing; or the end, with a line."""
    lines = ["# Jarchy's settings; docs/settings.md lists all\n"]
    lines += [f"{name}={_quoted(value)}\n" for name, value in values.items()]
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("".join(lines))
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        why = error.strerror or str(error)
        fail(f"{path} cannot be written: {why}: go to a folder that takes files, and ask again")
