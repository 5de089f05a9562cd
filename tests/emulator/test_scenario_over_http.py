"""The scenario over HTTP: what the page and other processes use."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp

from bot.emulator import Control, Emulator, Fault
from tests.emulator.conftest import AIGUL, CHANNEL, GROUP, Client

ROOT = Path(__file__).resolve().parents[2]


async def test_a_world_can_be_built_and_used(client: Client, emulator: Emulator) -> None:
    """Ids may be text, as JavaScript sends them."""
    await client.do("add_user", id="9007199254740993", first_name="Far", language_code="ru")
    await client.do("add_private", user_id="9007199254740993")
    status, body = await client.do("send_text", chat_id="9007199254740993", text="/start")
    assert (status, body["result"] > 0) == (200, True)
    assert emulator.updates.pending[-1]["message"]["chat"]["id"] == 9007199254740993
    _, state = await client.get("state")
    assert "9007199254740993" in [chat["id"] for chat in state["chats"]]


async def test_messages_can_be_read_and_waited_for(client: Client, emulator: Emulator) -> None:
    """A wait ends when the message comes, or with 408."""
    waiting = asyncio.create_task(
        client.get("wait", chat_id=str(AIGUL), contains="87", timeout="10")
    )
    await client.ok("sendMessage", chat_id=AIGUL, text="first")
    await client.ok("sendMessage", chat_id=AIGUL, text="USD 87.45")
    assert (await waiting)[1]["text"] == "USD 87.45"
    assert [
        m["text"] for m in (await client.get("messages", chat_id=str(AIGUL), after="1"))[1]
    ] == ["USD 87.45"]
    assert (await client.get("wait", chat_id=str(AIGUL), contains="never", timeout="0.01"))[
        0
    ] == 408


async def test_the_call_log_can_be_read(client: Client) -> None:
    """Every call, with what came of it."""
    await client.ok("sendMessage", chat_id=AIGUL, text="x")
    await client.refused("sendMessage", chat_id=404, text="x")
    _, log = await client.get("calls", method="sendMessage")
    assert log["total"] == 2
    assert [(c["chat_id"], c["code"], c["accepted"]) for c in log["calls"]] == [
        (AIGUL, 200, True),
        (404, 400, False),
    ]


async def test_faults_can_be_ordered(client: Client, emulator: Emulator) -> None:
    """Added, listed and lifted; nonsense is named."""
    await client.do(
        "add_fault", kind="error", code=403, description="Forbidden: x", chat_id=str(AIGUL)
    )
    assert (await client.refused("sendMessage", chat_id=AIGUL, text="x")) == (403, "Forbidden: x")
    assert (await client.get("faults"))[1][0]["hits"] == 1
    await client.do("clear_faults")
    await client.ok("sendMessage", chat_id=AIGUL, text="x")
    status, body = await client.do("add_fault", kind="gremlin")
    assert status == 400
    assert "gremlin" in body["error"]


async def test_foreign_pages_cannot_act(client: Client, emulator: Emulator) -> None:
    """A form from another site, another Host and unknown actions are refused."""
    url = f"{emulator.api_url}/emulator/do/block"
    async with client.session.post(url, data={"chat_id": str(AIGUL)}) as answer:
        assert answer.status == 415
    async with client.session.get(
        f"{emulator.api_url}/emulator/state", headers={"Host": "evil.example"}
    ) as answer:
        assert answer.status == 403
    assert (await client.do("run"))[0] == 404
    assert (await client.do("_chat"))[0] == 404
    assert not emulator.world.chat(AIGUL).blocked


async def test_the_page_is_one_file_that_loads_nothing(client: Client, emulator: Emulator) -> None:
    """No address of another host in it, and a policy that would not let it out."""
    async with client.session.get(emulator.page_url) as answer:
        page = await answer.text()
        assert answer.status == 200
        assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "<script src" not in page
    assert "innerHTML" not in page


async def test_a_page_sees_events_as_they_happen(client: Client, emulator: Emulator) -> None:
    """Messages, edits, deletions, typing and answers come as server-sent events."""
    async with client.session.get(f"{emulator.api_url}/emulator/events") as stream:
        assert (await _event(stream))["kind"] == "hello"
        sent = await client.ok("sendMessage", chat_id=AIGUL, text="x", disable_notification=True)
        event = await _event(stream)
        assert (event["kind"], event["chat_id"], event["silent"]) == ("message", str(AIGUL), True)
        await client.ok("editMessageText", chat_id=AIGUL, message_id=sent["message_id"], text="y")
        assert (await _event(stream))["message"]["text"] == "y"
        await client.ok("deleteMessage", chat_id=AIGUL, message_id=sent["message_id"])
        assert (await _event(stream))["kind"] == "delete"
        await client.ok("sendChatAction", chat_id=CHANNEL, action="typing")
        assert (await _event(stream))["action"] == "typing"
        emulator.block(AIGUL)
        assert (await _event(stream))["chat"]["blocked"] is True


async def _event(stream: aiohttp.ClientResponse) -> dict[str, Any]:
    async with asyncio.timeout(5):
        async for line in stream.content:
            if line.startswith(b"data: "):
                decoded: dict[str, Any] = json.loads(line[6:])
                return decoded
    raise AssertionError("the stream ended")


async def test_controls_run_and_show_their_result(client: Client) -> None:
    """A button of the demonstration calls what it was given."""

    async def next_day() -> str:
        return "It is tomorrow"

    async with Emulator(
        controls=[Control(id="next-day", label="Next day", run=next_day)]
    ) as emulator:
        page = Client(emulator, client.session)
        (shown,) = (await page.get("state"))[1]["controls"]
        assert (shown["id"], shown["label"]) == ("next-day", "Next day")
        assert (await page.do("control", id="next-day"))[1]["result"] == "It is tomorrow"
        assert (await page.do("control", id="other"))[0] == 400


async def test_it_can_stop_in_the_middle_and_start_again(
    client: Client, emulator: Emulator
) -> None:
    """Open polls, hanging calls and event streams do not hold `stop`; the world survives."""
    emulator.faults.add(Fault.hang(times=1, method="getMe"))
    calls = [asyncio.create_task(client.raw(m, timeout=50)) for m in ("getMe", "getUpdates")]
    stream = await client.session.get(f"{emulator.api_url}/emulator/events")
    await _event(stream)
    port = emulator.port
    async with asyncio.timeout(5):
        await emulator.stop()
        await asyncio.gather(*calls, return_exceptions=True)
    stream.close()
    await emulator.start(port=port)
    await client.ok("sendMessage", chat_id=GROUP, text="back")


async def test_it_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    """One JSON line with the addresses, a scenario from a file, and a clean end on SIGTERM."""
    steps = [{"do": "add_user", "id": 5, "first_name": "Five"}, {"do": "add_private", "user_id": 5}]
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps(steps))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.emulator",
        "--scenario",
        str(scenario),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            addresses = json.loads(await process.stdout.readline())
        url = f"{addresses['api_url']}/bot{addresses['token']}/sendMessage"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json={"chat_id": 5, "text": "x"}) as answer,
        ):
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
