"""Promises about the house as a whole: one way out, no second web server, hashes, settings nobody
else reads.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests import forkserver, source
from tests.conftest import ROOT
from tests.test_cli import jarchy

#: Where a client session is made: for sources, guarded; for Telegram. The emulator is a Telegram,
#: and calls webhooks. Proxies are spoken to under the guard of the first.
WAYS_OUT = {
    "bot/fetch/ways.py",
    "bot/proxies.py",
    "bot/telegram/session.py",
    "bot/demo/gauge.py",  # asks the demo's own bot, on loopback
    "bot/emulator/updates.py",
}
OTHER_CLIENTS = {
    "requests",
    "httpx",
    "urllib3",
    "http.client",
    "urllib.request",
    "ftplib",
    "smtplib",
}


def test_S4_one_place_makes_clients_for_sources_and_one_for_telegram() -> None:
    """No side door beside the guarded way out."""
    made: set[str] = set()
    for path, call in source.every(ast.Call):
        called = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if called.endswith(("ClientSession", "create_connection")):
            made.add(str(path.relative_to(ROOT)))
    others: set[Path] = set()
    for path, node in source.every(ast.Import):
        if OTHER_CLIENTS & {alias.name for alias in node.names}:
            others.add(path)
    others |= {path for path, node in source.every(ast.ImportFrom) if node.module in OTHER_CLIENTS}
    assert made <= WAYS_OUT
    assert others == set()


def test_G21_an_answer_leaves_by_one_way() -> None:
    """Which keeps to what Telegram asks for; a call beside it would keep to nothing."""
    beside = []
    for path, node in source.every(ast.Call, "handlers"):
        if path.name in {"outgoing.py", "sign.py"}:  # the sign is no answer, and holds up none
            continue
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="api"))):
                beside.append(f"{path.name}:{node.lineno}")
    assert beside == []


#: Who asks something of Telegram past `taken` and the way of answers, with a policy of its own.
OWN_POLICIES = {
    "bot/cli/starting.py",  # the operator's first /start: until it comes, by `insist`
    "bot/deliver/reach.py",  # whether Telegram is away: asked until it is not
    "bot/deliver/reactions.py",  # whether a chat is answered about: its delivery comes back
    "bot/deliver/worker.py",  # deliveries
    "bot/intake/polling.py",  # updates: as long as the program runs, by `insist`
    "bot/intake/webhook.py",  # likewise
    "bot/telegram/client.py",  # who we are: `listening` asks until it is said
    "bot/telegram/retry.py",  # `taken`, by `insist`
    "handlers/outgoing.py",  # the way of answers, by `insist`
    "handlers/sign.py",  # "typing…": worth nothing later, so it is sent once
}


def test_G20_G21_every_request_to_telegram_has_a_policy() -> None:
    """For one that is refused once, or told to wait: no module asks once and lets it be."""
    asking = set()
    for path, node in source.every(ast.Attribute, "bot", "handlers"):
        match node:
            case ast.Attribute(value=owner, attr="call" | "post" | "upload"):
                if re.search(r"\b_?api\b|\bApi\(", ast.unparse(owner)):
                    asking.add(str(path.relative_to(ROOT)))
    assert asking == OWN_POLICIES


#: What tells who somebody is, and who besides `handlers/access.py` has a use for it.
TELLS_WHO: dict[str, set[str]] = {
    "admins": {"services.py"},  # where the setting comes in
    "sender_chat": {"reading.py"},  # whether Telegram's word can be read at all
    # the bot's own place in a channel; what every request for an answer waits for
    "getChatMember": {"posting.py", "outgoing.py"},
    "_is_operator": set(),
    "ADMINISTRATOR_STATUSES": set(),
    "must_post": {"posting.py"},  # of a channel that is just being set up
}


def test_who_somebody_is_is_decided_in_one_room() -> None:
    """A route says who may; a handler that looks for itself would know it otherwise one day."""
    found: dict[str, set[str]] = {name: set() for name in TELLS_WHO}
    for kind in (ast.Attribute, ast.Name, ast.alias, ast.Constant):
        for path, node in source.every(kind, "handlers"):
            match node:
                case (
                    ast.Attribute(attr=str(name))
                    | ast.Name(id=str(name))
                    | ast.alias(name=str(name))
                    | ast.Constant(value=str(name))
                ) if name in found and path.name != "access.py":
                    found[name].add(path.name)
    assert found == TELLS_WHO


def test_what_telegram_answers_is_read_in_one_place() -> None:
    """Nothing in an answer is sure to be of its kind: `bot/telegram/results.py` knows that."""
    reading: set[tuple[Path, int]] = set()
    for path, match in source.every(ast.MatchClass, "bot", "handlers"):
        match match:
            case ast.MatchClass(cls=ast.Name(id="Sent"), kwd_attrs=["result", *_]):
                reading.add((path, match.lineno))
    for path, node in source.every(ast.Attribute, "bot", "handlers"):
        match node:
            case ast.Attribute(value=ast.Name(id="outcome"), attr="result"):
                reading.add((path, node.lineno))
    telegrams = ROOT / "bot" / "telegram"
    assert [place for place in sorted(reading) if place[0].parent != telegrams] == []


def test_S8_the_usual_webhook_server_is_not_there() -> None:
    """Ours is aiohttp's: tornado is neither locked nor loaded."""
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"^tornado\b", lock.read_text(encoding="utf-8"), re.MULTILINE)
    loaded = "import bot.app, bot.intake.webhook, sys; sys.exit('tornado' in sys.modules)"
    done = forkserver.run("-c", loaded, cwd=ROOT, env=forkserver.PLAIN)
    assert done.returncode == 0, done.stderr


def test_S17_every_locked_release_has_its_hashes() -> None:
    """A version is installed as it was once published."""
    locks = list(ROOT.glob("requirements*.lock"))
    assert locks
    for lock in locks:
        text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
        pinned = [line for line in text.splitlines() if re.match(r"[\w.-]+(\[.*\])? *==", line)]
        assert len(pinned) > 20
        assert [line[:60] for line in pinned if "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_S18_settings_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    """By every verb that reads them, with the cure, and without the token."""
    env = tmp_path / ".env"
    env.write_text("BOT_TOKEN=123456:abcdefghijklmnopqrstuvwxyz0123456789\n")
    env.chmod(mode)
    refused = jarchy(tmp_path, "check")
    assert refused.returncode == 78
    assert b"chmod 600" in refused.stderr
    assert b"abcdefgh" not in refused.stderr


def test_only_the_store_asks_which_database_it_is() -> None:
    """Everybody else asks what follows from it: whether we are alone, or where it is in words."""
    files = source.files("bot", "handlers")
    assert [path for path in files if ".database_file" in source.text(path)] == []
