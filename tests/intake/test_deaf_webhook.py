"""A webhook whose address is odd, or at which Telegram's posts do not arrive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import storage.leases
from bot.alerts.notices import Notice
from bot.deliver import reach
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.emulator.calls import Call
from bot.emulator.updates import Updates, Webhook
from bot.intake import webhook
from bot.intake.inbox import Inbox
from bot.intake.polling import LONG_POLL
from bot.listening import serve
from bot.model.roles import Holder
from bot.ops import readiness
from bot.ops.readiness import GRACE, RECEIVES, SENDS, WEBHOOK
from bot.reasons import Reason
from bot.telegram import retry
from bot.telegram.outcomes import Sent
from bot.telegram.results import posts_of
from storage.db import Store
from storage.leases import HeldRole
from tests.e2e.test_refusals import CATALOG, SECRET
from tests.factories import NOW
from tests.intake.test_polling import Handler, ended
from tests.intake.test_polling import telegram as polled
from tests.ports import free_port
from tests.waiting import PATIENCE, pauses, until
from tests.world import OPERATOR, READER, World, running

#: Paths that an address may have, whatever a router makes of them.
PATHS = ["", "/", "/hook", "/hook%20x", "/{tail}", "/{a", "/a{b:[}", "/хук", "/a%2Fb", "/a;b"]
PATHS += ["//double", "/.well/../hook", "/%zz", "/hook?x=1", "/h*k", "/%7Ehook", "/a+b", "/%25"]
PATHS += ["/hook/"]

LATER, EARLIER = int(time.time()) + 3600, int(time.time()) - 3600


@pytest.fixture
def telegram() -> Emulator:
    """With a reader and an operator."""
    made = Emulator(TEST_TOKEN, "jarchy_bot")
    made.add_private(made.add_user(READER, "Aigul", "en"))
    made.add_private(made.add_user(OPERATOR, "Boss", "en"))
    return made


async def _asks(world: World) -> None:
    async with asyncio.timeout(10):
        await world.ask("/help")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.cases(keep=6)
async def test_G17_what_is_posted_to_the_address_is_heard_whatever_its_path(
    tmp_path: Path, telegram: Emulator, path: str
) -> None:
    """Percent signs, braces, other alphabets; and nothing at another path. Hubs are told of one
    below it.
    """
    port = free_port()
    hook = {
        "updates": "webhook",
        "webhook_url": f"http://127.0.0.1:{port}{path}",
        "webhook_secret": SECRET,
        "webhook_listen": f"127.0.0.1:{port}",
    }
    async with telegram, running(tmp_path, telegram, CATALOG, now=NOW, **hook) as world:
        await _asks(world)
        hubs = world.bot.hubs
        assert hubs is not None
        assert hubs.base == hook["webhook_url"].partition("?")[0].rstrip("/")
        headers = {webhook.HEADER: SECRET}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            for other in ("/other", "/hook/x"):
                found = await session.post(other, json={"update_id": 1}, headers=headers)
                assert found.status == 404


async def test_G17_while_posts_do_not_arrive_readyz_says_so_and_the_operator_is_told(
    tmp_path: Path, telegram: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens where the address leads, as behind a proxy that is wrong; ready once it is
    mended. An operator hears of it once.
    """
    monkeypatch.setattr(webhook, "WEBHOOK_LOOK", 0.1)
    now = 1000.0
    monkeypatch.setattr(readiness, "boottime", lambda: now)
    port, hidden = free_port(), free_port()
    hook = {
        "updates": "webhook",
        "webhook_url": f"http://127.0.0.1:{port}/hook",
        "webhook_secret": SECRET,
        "webhook_listen": f"127.0.0.1:{hidden}",
        "ops_listen": "127.0.0.1:0",
        "admin_ids": str(OPERATOR),
    }
    async with telegram, running(tmp_path, telegram, CATALOG, now=NOW, **hook) as world:
        await world.reader(OPERATOR)
        assert await _troubles(world) == []
        asked = await telegram.send_text(READER, "/help")
        await world.tells(OPERATOR, "Connection refused")
        now += 2 * GRACE
        assert await _troubles(world) == [
            "webhook: Telegram cannot deliver updates: Connection refused"
        ]
        app = webhook.webhook_app(
            world.bot.inbox, webhook.Hook(url=hook["webhook_url"], secret=SECRET)
        )
        async with AsyncExitStack() as stack:
            await serve(stack, app, f"127.0.0.1:{port}", setting="WEBHOOK_LISTEN")
            await telegram.wait_message(
                READER, lambda m: m["from"]["is_bot"], after=asked, timeout=40
            )
            await _looked(telegram)
            assert await _troubles(world) == []
        assert world.accepted(OPERATOR) == 1


async def test_G17_while_telegram_is_away_readyz_says_so_though_nothing_is_to_be_sent(
    tmp_path: Path, telegram: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer to whether the webhook is ours is the only word from it; what is sent is held back
    from then on, and the status page says that this process asks. Ready once it comes, and all the
    time where one answer alone does not.
    """
    monkeypatch.setattr(webhook, "WEBHOOK_LOOK", 0.1)
    now = 1000.0
    monkeypatch.setattr(readiness, "boottime", lambda: now)
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.1, cap=0.1))
    monkeypatch.setattr(reach, "QUESTION_EVERY", 0.1)
    port = free_port()
    hook = {
        "updates": "webhook",
        "webhook_url": f"http://127.0.0.1:{port}/hook",
        "webhook_secret": SECRET,
        "webhook_listen": f"127.0.0.1:{port}",
        "ops_listen": "127.0.0.1:0",
    }
    async with telegram, running(tmp_path, telegram, CATALOG, now=NOW, **hook) as world:
        troubles = world.bot.readiness.troubles
        await _looked(telegram)  # it is set
        once = telegram.faults.add(Fault.server_error(502, method="getWebhookInfo", times=1))
        await until(lambda: once.hits > 0)
        await _looked(telegram)
        telegram.faults.add(Fault.server_error(502))
        await until(lambda: SENDS in troubles())
        assert WEBHOOK not in troubles()
        now += 2 * GRACE
        await until(lambda: {SENDS, WEBHOOK} <= set(troubles()))
        assert await _troubles(world) == ["webhook: not seen: HTTP 502"]
        assert [role.holder for role in await _roles(world)] == [Holder.parse(world.bot.holder)]
        telegram.faults.clear()
        await until(lambda: not {SENDS, WEBHOOK} & set(troubles()))


async def test_G15_who_asks_for_updates_notices_too_that_telegram_is_away(
    tmp_path: Path, telegram: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing is to be sent; answered again, it is back."""
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.1, cap=0.1))
    monkeypatch.setattr(reach, "QUESTION_EVERY", 0.1)
    now = 1000.0
    monkeypatch.setattr(readiness, "boottime", lambda: now)
    async with telegram, running(tmp_path, telegram, CATALOG, now=NOW) as world:
        troubles = world.bot.readiness.troubles
        await telegram.updates.polled()
        telegram.faults.add(Fault.server_error(502))
        telegram.push_update({"poll": {"id": "1"}})  # ends the question under way; of no use to us
        await until(lambda: SENDS in troubles())
        assert RECEIVES not in troubles()
        now += LONG_POLL + 2 * GRACE
        await until(lambda: {SENDS, RECEIVES} <= set(troubles()))
        telegram.faults.clear()
        await until(lambda: not {SENDS, RECEIVES} & set(troubles()))


@pytest.mark.cases
async def test_G17_until_telegram_takes_the_address_it_is_said_why_nothing_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches for Telegram hears of no answer, not of one that we do not like."""
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.01, cap=0.01))
    hook = webhook.Hook(url="http://127.0.0.1:1/hook", secret=SECRET)
    said: list[str | None] = []

    def tell(why: Reason | None) -> None:
        said.append(why and str(why))

    async def lost() -> None:
        said.append("no answer")

    inbox = Inbox(store, Handler(), holder="a")
    async with polled() as (emulator, api):
        for fault in (
            Fault.server_error(502, times=1),
            Fault.bad_request("bad webhook: x", times=1),
        ):
            emulator.faults.add(fault)
        keeping = asyncio.create_task(
            webhook.keep_webhook(api, inbox, hook, tell=tell, on_trouble=nobody, lost=lost)
        )
        await until(lambda: None in said)
        await ended(keeping)
        await emulator.updates.stop()
    await inbox.close()
    refused = ["webhook: HTTP 502", "no answer", "webhook: Bad Request: bad webhook: x"]
    assert said == ["webhook: not set yet", *refused, None]


@pytest.mark.cases
async def test_G17_our_address_with_anothers_secret_is_ours_again_and_well_with_the_next_update(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody sets it again and again: so do we, now and then, and are deaf meanwhile."""
    now = 1000.0
    monkeypatch.setattr(webhook, "WEBHOOK_LOOK", 0.02)
    monkeypatch.setattr(webhook, "boottime", lambda: now)
    hook = webhook.Hook(url=f"http://127.0.0.1:{free_port()}/hook", secret=SECRET)
    told: list[Reason | None] = []
    async with _kept(store, hook, hook, told) as (emulator, handler):
        thief = Thief(monkeypatch)
        await thief.sets(emulator.updates, hook.url)
        await emulator.send_text(READER, "one")
        await until(lambda: thief.robbed == 1)
        await _looks(emulator, 3)
        assert thief.robbed == 1, "no oftener, whoever else sets it"
        now += webhook.SET_AGAIN_EVERY
        await until(lambda: thief.robbed == 2)
        deaf = next(at for at, why in enumerate(told) if "403 Forbidden" in str(why))
        assert None not in told[deaf:]
        thief.is_about = False
        now += webhook.SET_AGAIN_EVERY
        await handler.heard(1)
        await until(lambda: told[-1] is None)


@pytest.mark.cases
async def test_G17_who_gets_no_posts_leaves_the_webhook_to_the_replica_that_refuses_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has the old secret and one the new; only where they arrive can they be known by ours."""
    monkeypatch.setattr(webhook, "WEBHOOK_LOOK", 0.02)
    url = f"http://127.0.0.1:{free_port()}/hook"
    other = webhook.Hook(url=url, secret="o" * 32)
    told: list[Reason | None] = []
    ours = webhook.Hook(url=url, secret=SECRET)
    async with _kept(store, ours, other, told) as (emulator, _):
        await emulator.send_text(READER, "one")
        await until(lambda: other.refused > 0 and told[-1] is not None)
        await _looks(emulator, 3)
        assert len(emulator.calls.of("setWebhook")) == 1


@pytest.mark.cases
async def test_G17_posts_that_hang_make_us_deaf_though_telegram_tells_of_no_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Updates wait and none comes; an operator hears of it. An update on its way is no trouble."""
    monkeypatch.setattr(webhook, "WEBHOOK_LOOK", 0.02)
    hook = webhook.Hook(url=f"http://127.0.0.1:{(port := free_port())}/hook", secret=SECRET)
    told: list[Reason | None] = []
    notices: list[Notice] = []

    async def operator(notice: Notice, /, *_why: Reason) -> None:
        notices.append(notice)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until whoever posts has given up
        writer.close()

    inbox = Inbox(store, Handler(), holder="a")
    async with polled() as (emulator, api), await asyncio.start_server(hang, "127.0.0.1", port):
        keeping = asyncio.create_task(
            webhook.keep_webhook(api, inbox, hook, tell=told.append, on_trouble=operator)
        )
        await emulator.calls.wait(_is_a_look)
        await emulator.send_text(READER, "one")
        await until(lambda: bool(told[-1]))
        assert str(told[-1]) == "webhook: Telegram cannot deliver updates: no reason given"
        assert told.count(None) >= 1 + webhook.LOOKS_IN_VAIN
        assert len(notices) == 1
        await ended(keeping)
        await emulator.updates.stop()
    await inbox.close()


class Thief:
    """Another program with our token, which sets the webhook after us with a secret of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_about = True
        self.robbed = 0  # times that we had set it
        self._set = Updates.set_webhook
        monkeypatch.setattr(Updates, "set_webhook", self._follow())

    async def sets(self, updates: Updates, url: str) -> None:
        """Set it before us."""
        await self._set(updates, Webhook(url=url, secret="x"), allowed=None, drop_pending=False)

    def _follow(self) -> Callable[..., Awaitable[None]]:
        async def follow(updates: Updates, hook: Webhook | None, **said: Any) -> None:
            if hook is not None and self.is_about:
                self.robbed += 1
                hook = replace(hook, secret="x")
            await self._set(updates, hook, **said)

        return follow


async def nobody(_told: Notice, /, *_why: Reason) -> None:
    """A bot without operators."""


@asynccontextmanager
async def _kept(
    store: Store, hook: webhook.Hook, served: webhook.Hook, told: list[Reason | None]
) -> AsyncIterator[tuple[Emulator, Handler]]:
    """A webhook that is kept, once it is set, and the server at its address."""
    handler = Handler()
    inbox = Inbox(store, handler, holder="a")
    async with polled() as (emulator, api), AsyncExitStack() as stack:
        place = hook.url.removeprefix("http://").removesuffix("/hook")
        await serve(stack, webhook.webhook_app(inbox, served), place, setting="WEBHOOK_LISTEN")
        keeping = asyncio.create_task(
            webhook.keep_webhook(api, inbox, hook, tell=told.append, on_trouble=nobody)
        )
        await until(lambda: None in told)
        try:
            yield emulator, handler
        finally:
            await ended(keeping)
            await emulator.updates.stop()
    await inbox.close()


async def _looks(telegram: Emulator, count: int) -> None:
    """So many more looks have been asked for."""
    looked = telegram.calls.total
    for _ in range(count):
        call = await telegram.calls.wait(_is_a_look, after=looked)
        looked = call.number


def _is_a_look(call: Call) -> bool:
    return call.method == "getWebhookInfo"


async def _roles(world: World) -> Sequence[HeldRole]:
    """The roles that are held, once one is."""
    async with asyncio.timeout(PATIENCE):
        for pause in pauses():
            async with world.bot.store.reading() as db:
                if held := await storage.leases.roles(db):
                    return held
            await asyncio.sleep(pause)
    raise AssertionError("there is no end of pauses")


async def _looked(telegram: Emulator) -> None:
    """The bot has asked twice what became of its webhook, so that it knows the first answer."""
    await _looks(telegram, 2)
    await asyncio.sleep(0)


async def _troubles(world: World) -> list[str]:
    """The troubles of the webhook that /readyz tells."""
    page = f"http://127.0.0.1:{world.bot.ops_port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(page) as answer:
        reasons = (await answer.json())["reasons"]
        assert answer.status == (503 if reasons else 200)
    return [one for one in reasons if one.startswith("webhook:")]


@pytest.mark.cases
@pytest.mark.parametrize(
    ("info", "is_deaf"),
    [
        ({"pending_update_count": 3, "last_error_date": LATER, "last_error_message": "x"}, True),
        ({"pending_update_count": 3, "last_error_date": LATER}, True),
        ({"pending_update_count": 0, "last_error_date": LATER, "last_error_message": "x"}, False),
        ({"pending_update_count": 3}, False),
        ({"pending_update_count": 3, "last_error_date": EARLIER, "last_error_message": "x"}, False),
        ({"pending_update_count": 3, "last_error_date": "soon"}, False),
        ({}, False),
    ],
    # not by their values, which tell the time: every process of a run has to collect the same
    ids=["later", "later, no words", "nobody waits", "no error", "over", "no time", "nothing"],
)
async def test_G17_an_error_that_is_over_is_no_trouble(
    store: Store, info: dict[str, object], *, is_deaf: bool
) -> None:
    """Telegram goes on telling the last error it met; what came since says that it is over."""
    inbox = Inbox(store, Handler(), holder="a")
    await inbox.receive([{"update_id": 7, "message": {}}])
    posts = posts_of(Sent(0, info))
    assert posts is not None
    assert bool(webhook._trouble(posts, await inbox.last_received())) == is_deaf
    await inbox.close()
