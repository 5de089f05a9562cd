"""Faults: each goes wrong exactly as ordered, and the call log knows what really happened."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bot.emulator import Emulator, Fault, Limits
from tests.emulator.conftest import AIGUL, BORIS, CHANNEL, GROUP, Client
from tests.waiting import until


async def test_a_flood_names_its_wait_or_not(client: Client, emulator: Emulator) -> None:
    """429 with `retry_after` in body and header; without when so ordered; then all is well."""
    emulator.faults.add(Fault.flood(7, times=1))
    emulator.faults.add(Fault.flood(None, times=1))
    status, body = await client.raw("sendMessage", chat_id=AIGUL, text="x")
    assert (status, body["parameters"], body["description"]) == (
        429,
        {"retry_after": 7},
        "Too Many Requests: retry after 7",
    )
    status, body = await client.raw("sendMessage", chat_id=AIGUL, text="x")
    assert status == 429
    assert "parameters" not in body
    await client.ok("sendMessage", chat_id=AIGUL, text="x")
    assert [(c.code, c.accepted) for c in emulator.calls] == [
        (429, False),
        (429, False),
        (200, True),
    ]


async def test_a_fault_hits_only_its_method_and_chat(client: Client, emulator: Emulator) -> None:
    """Others are served; `hits` counts, `remove` ends it."""
    fault = emulator.faults.add(Fault.forbidden("kicked", method="send*", chat_id=AIGUL))
    await client.ok("getMe")
    await client.ok("sendMessage", chat_id=BORIS, text="x")
    for _ in range(2):
        assert await client.refused("sendMessage", chat_id=AIGUL, text="x") == (
            403,
            "Forbidden: bot was kicked from the supergroup chat",
        )
    assert fault.hits == 2
    emulator.faults.remove(fault)
    await client.ok("sendMessage", chat_id=AIGUL, text="x")


async def test_any_description_and_migration_can_be_ordered(
    client: Client, emulator: Emulator
) -> None:
    """The 400s a bot has to tell apart."""
    emulator.faults.add(Fault.bad_request("have no rights to send a message", times=1))
    assert await client.refused("sendMessage", chat_id=AIGUL, text="x") == (
        400,
        "Bad Request: have no rights to send a message",
    )
    emulator.faults.add(Fault.migrated(-100777, times=1))
    _, body = await client.raw("sendMessage", chat_id=AIGUL, text="x")
    assert body["parameters"] == {"migrate_to_chat_id": -100777}


async def test_a_proxy_answers_in_html(client: Client, emulator: Emulator) -> None:
    """502 is not JSON."""
    emulator.faults.add(Fault.server_error(502, times=1))
    async with client.session.get(f"{emulator.api_url}/bot{emulator.token}/getMe") as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")
        assert "Bad Gateway" in await answer.text()


async def test_half_a_body_means_delivered(client: Client, emulator: Emulator) -> None:
    """The JSON breaks off and the message is there."""
    emulator.faults.add(Fault.truncated(times=1))
    url = f"{emulator.api_url}/bot{emulator.token}/sendMessage"
    async with client.session.post(url, json={"chat_id": AIGUL, "text": "x"}) as answer:
        assert (await answer.text()).startswith('{"ok":true')
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
            await answer.json()
    assert len(emulator.messages(AIGUL)) == 1


async def test_a_reset_before_and_after_acceptance(client: Client, emulator: Emulator) -> None:
    """Both look the same to the client; only one message is in the chat, and the log says which."""
    emulator.faults.add(Fault.reset(times=1))
    emulator.faults.add(Fault.lost_reply(times=1))
    for text in ("never arrives", "arrives"):
        with pytest.raises((aiohttp.ClientConnectionError, ConnectionError)):
            await client.raw("sendMessage", chat_id=AIGUL, text=text)
    assert [m["text"] for m in emulator.messages(AIGUL)] == ["arrives"]
    assert [(c.outcome, c.accepted) for c in emulator.calls] == [("reset", False), ("reset", True)]


async def test_a_refused_call_does_not_count_as_lost(client: Client, emulator: Emulator) -> None:
    """A fault after acceptance waits for a call that is accepted to spoil; a refusal is
    answered.
    """
    emulator.faults.add(Fault.lost_reply())
    assert (await client.refused("sendMessage", chat_id=404, text="x"))[0] == 400


async def test_a_hanging_call_ends_with_the_client(client: Client, emulator: Emulator) -> None:
    """No answer comes; when the client gives up, the log has it."""
    hangs = Fault.hang(times=1)
    emulator.faults.add(hangs)
    url = f"{emulator.api_url}/bot{emulator.token}/sendMessage"
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(client.session.post(url, json={"chat_id": AIGUL, "text": "x"}))
        await until(lambda: hangs.hits > 0)  # however long a busy machine takes to bring it there
        asked.cancel()
    logged = await emulator.calls.wait(lambda c: c.outcome == "hang")
    assert (logged.chat_id, logged.accepted) == (AIGUL, False)
    assert emulator.messages(AIGUL) == []


async def test_a_slow_call_is_served_in_the_end(client: Client, emulator: Emulator) -> None:
    """Late, but right."""
    emulator.faults.add(Fault.slow(0.01, times=1))
    await client.ok("sendMessage", chat_id=AIGUL, text="x")
    emulator.faults.add(Fault.slow(0.01, times=1, after=True))
    await client.ok("sendMessage", chat_id=AIGUL, text="x")
    assert len(emulator.messages(AIGUL)) == 2


async def test_chance_is_repeatable(client: Client, emulator: Emulator) -> None:
    """The same seed fails the same calls."""

    async def failures() -> list[int]:
        emulator.faults.clear()
        emulator.faults.add(Fault.bad_request("unlucky", probability=0.5, seed=3))
        return [(await client.raw("getMe"))[0] for _ in range(12)]

    first = await failures()
    assert set(first) == {200, 400}
    assert await failures() == first


async def test_a_timed_fault_ends_by_itself() -> None:
    """`seconds` counts from when it was added."""
    now = 100.0
    emulator = Emulator()
    emulator.faults._clock = lambda: now
    emulator.faults.add(Fault.flood(30, seconds=30))
    assert emulator.faults.take("sendMessage", 1) is not None
    now = 130.0
    assert emulator.faults.take("sendMessage", 1) is None
    assert emulator.faults.active() == []


async def test_limits_of_actions(client: Client, emulator: Emulator) -> None:
    """So many in five seconds of a chat; messages have their own."""
    now = 0.0
    emulator.limits = Limits(per_chat=1, actions=2, clock=lambda: now)

    async def show(chat_id: int) -> int:
        return (await client.raw("sendChatAction", chat_id=chat_id, action="typing"))[0]

    assert [await show(AIGUL) for _ in range(3)] == [200, 200, 429]
    assert await show(BORIS) == 200
    await client.ok("sendMessage", chat_id=AIGUL, text="x")
    now = 5.0
    assert await show(AIGUL) == 200


async def test_real_limits(client: Client, emulator: Emulator) -> None:
    """One a second to a person, twenty a minute to a group, so many in all; reading is free."""
    now = 0.0
    emulator.limits = Limits(per_chat=1, per_group=20, per_second=24, clock=lambda: now)

    async def send(chat_id: int) -> int:
        return (await client.raw("sendMessage", chat_id=chat_id, text="x"))[0]

    assert [await send(AIGUL), await send(AIGUL), await send(BORIS)] == [200, 429, 200]
    assert [await send(GROUP) for _ in range(21)] == [200] * 20 + [429]
    assert [await send(CHANNEL) for _ in range(3)] == [200, 200, 429]  # 24 in all
    now = 1.0
    assert [await send(AIGUL), await send(GROUP)] == [200, 429]
    now = 60.0
    assert await send(GROUP) == 200
    await client.ok("getMe")
