"""The way of updates to us in spite of what was before and what is refused once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.emulator import Fault
from bot.emulator.faults import Kind
from bot.intake import webhook
from bot.intake.inbox import Inbox
from bot.intake.polling import poll
from bot.intake.received import KINDS
from bot.reasons import Reason
from bot.telegram import retry
from storage.db import Store
from tests.intake.test_polling import READER, Handler, ended, telegram

#: What it promises is no matter of SQL: on PostgreSQL it is tried in the long run.
pytestmark = pytest.mark.cases

SECRET = "s" * 32


async def _tell_nobody(_msgid: str, _values: dict[str, str], *_why: Reason) -> None:
    """The voice of a bot without operators."""


@pytest.mark.parametrize("tries", [1, 3])
async def test_G17_a_webhook_left_behind_is_deleted_however_often_that_fails(
    store: Store, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the earlier program's filter with it: a button's press comes through. Meanwhile it is
    said why not.
    """
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.1))
    async with telegram() as (emulator, api):
        emulator.updates.left_behind("https://old.example/hook", ["message"])
        emulator.faults.add(Fault.server_error(502, method="deleteWebhook", times=tries))
        told: list[str | None] = []
        handler = Handler()
        inbox = Inbox(store, handler, holder="a", alone=True)
        polls = asyncio.create_task(poll(api, inbox, told.append))
        await emulator.calls.wait(
            lambda call: call.method == "getUpdates" and call.accepted, timeout=20
        )
        assert emulator.updates.allowed is not None
        assert "callback_query" in emulator.updates.allowed
        await emulator.send_text(READER, "one")
        await handler.heard(1)
        assert told[-1] is None
        assert any("webhook" in str(why) for why in told)
        await ended(polls)
        await inbox.close()


async def test_G17_a_webhook_set_while_we_poll_is_deleted_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 409 leads to it."""
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.1))
    async with telegram() as (emulator, api):
        handler = Handler()
        inbox = Inbox(store, handler, holder="a", alone=True)
        polls = asyncio.create_task(poll(api, inbox))
        await emulator.updates.polled()
        await api.call("setWebhook", url="http://127.0.0.1:9/hook")
        await emulator.send_text(READER, "one")
        await handler.heard(1)
        await ended(polls)
        await inbox.close()


async def test_G17_G21_a_wait_asked_for_about_a_webhook_is_kept_by_who_polls(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not deleted before, though updates are asked for again sooner."""
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.1))
    async with telegram() as (emulator, api):
        emulator.updates.left_behind("https://old.example/hook", ["message"])
        emulator.faults.add(Fault.flood(2, method="deleteWebhook", times=1))
        inbox = Inbox(store, Handler(), holder="a", alone=True)
        polls = asyncio.create_task(poll(api, inbox))
        await emulator.updates.polled()
        refused, again = emulator.calls.of("deleteWebhook")[:2]
        assert again.at - refused.at >= 2
        await ended(polls)
        await inbox.close()


async def test_G17_G21_a_wait_asked_for_about_a_webhook_is_kept_by_who_keeps_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is looked at again."""
    monkeypatch.setattr(webhook, "WEBHOOK_LOOK", 0.1)
    async with telegram() as (emulator, api):
        emulator.faults.add(Fault.flood(2, method="getWebhookInfo", times=1))
        url = "http://127.0.0.1:9/hook"
        keeping = asyncio.create_task(
            webhook.keep_webhook(
                api,
                Inbox(store, Handler(), holder="a"),
                webhook.Hook(url=url, secret=SECRET),
                tell=lambda _why: None,
                on_trouble=_tell_nobody,
            )
        )
        await emulator.calls.wait(
            lambda call: call.method == "getWebhookInfo" and call.accepted, timeout=20
        )
        refused, again = emulator.calls.of("getWebhookInfo")[:2]
        assert again.at - refused.at >= 2
        await ended(keeping)


@pytest.mark.parametrize(
    "refusal", [Fault.server_error(502), Fault(Kind.ERROR, code=400, description="Bad Request: x")]
)
async def test_G17_the_webhook_is_set_until_telegram_takes_it_and_again_when_it_is_lost(
    store: Store, refusal: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its secret and the kinds that we want, each time."""
    monkeypatch.setattr(webhook, "WEBHOOK_LOOK", 0.1)
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.1))
    async with telegram() as (emulator, api):
        emulator.faults.add(
            Fault(
                refusal.kind,
                code=refusal.code,
                description=refusal.description,
                method="setWebhook",
                times=2,
            )
        )
        told: list[str | None] = []
        news = asyncio.Event()

        def tell(why: str | None) -> None:
            told.append(why)
            if why is None:
                news.set()

        url = "http://127.0.0.1:9/hook"
        inbox = Inbox(store, Handler(), holder="a")
        keeping = asyncio.create_task(
            webhook.keep_webhook(
                api,
                inbox,
                webhook.Hook(url=url, secret=SECRET),
                tell=tell,
                on_trouble=_tell_nobody,
            )
        )
        await emulator.calls.wait(lambda call: call.method == "setWebhook" and call.accepted)
        async with asyncio.timeout(20):
            await news.wait()
        assert [why is None for why in told] == [False, False, False, True]
        before = emulator.calls.total
        await api.call("deleteWebhook")
        await emulator.calls.wait(
            lambda call: call.method == "setWebhook" and call.accepted, after=before
        )
        hook = emulator.updates.webhook
        assert hook is not None
        assert (hook.url, hook.secret) == (url, SECRET)
        assert emulator.updates.allowed is not None
        assert "callback_query" in emulator.updates.allowed
        await ended(keeping)


async def test_G17_kinds_of_updates_that_somebody_else_left_out_are_asked_for_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At our own address, with our own secret; what a newer replica asks for besides is left."""
    monkeypatch.setattr(webhook, "WEBHOOK_LOOK", 0.02)
    hook = webhook.Hook(url="http://127.0.0.1:9/hook", secret=SECRET)
    named = {"url": hook.url, "secret_token": hook.secret}
    more = [*KINDS, "poll"]
    async with telegram() as (emulator, api):
        inbox = Inbox(store, Handler(), holder="a")
        watching = webhook.keep_webhook(
            api, inbox, hook, tell=lambda _why: None, on_trouble=_tell_nobody
        )
        keeping = asyncio.create_task(watching)
        await emulator.calls.wait(lambda call: call.method == "setWebhook")
        for asked, then in ((more, more), (["message"], list(KINDS))):
            await api.call("setWebhook", **named, allowed_updates=asked)
            looked = emulator.calls.total
            for _ in range(3):
                call = await emulator.calls.wait(
                    lambda call: call.method == "getWebhookInfo", after=looked
                )
                looked = call.number
            assert emulator.updates.allowed == then
        await ended(keeping)
