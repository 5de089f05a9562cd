"""The line that the log has of each update that a route took: what it asked, and how that ended."""

from __future__ import annotations

import asyncio
from typing import Any

from structlog.testing import capture_logs

from bot.emulator import Fault
from tests.handlers.scene import GROUP, STRANGER
from tests.world import READER, World

SECRET = "zhyrgal"  # of the words of who asks none gets there


async def test_each_question_is_a_line_by_its_route_and_by_how_it_ended(scene: World) -> None:
    """Of commands, taps, words and inline questions; no word of who asks, and no chat. What people
    in a group say to each other is no line.
    """
    telegram = scene.emulator
    with capture_logs() as logged:
        await scene.ask(f"/rates {SECRET}")
        await scene.press(READER, 1, f"{SECRET}:1")
        await telegram.inline_query(READER, SECRET)
        await telegram.send_text(GROUP, SECRET, user_id=STRANGER)
        await scene.ask(f"rates of {SECRET}")
        await scene.ask("rates")
        telegram.block(STRANGER)
        menu = await scene.ask("/subscribe")
        await scene.press(READER, menu["message_id"], "done")
        telegram.faults.add(Fault.bad_request("text must be non-empty", chat_id=READER))
        await telegram.send_text(READER, "/help")
        await telegram.calls.wait(lambda call: call.chat_id == READER and not call.accepted)
        await asyncio.wait(set(scene.bot.inbox._tasks))
    lines = [one for one in logged if one["event"] == "handled"]
    assert sorted((one["kind"], one["asked"], one["ended"]) for one in lines) == [
        ("callback_query", "button", "answered"),
        ("callback_query", "button done", "edited"),
        ("inline_query", "inline", "answered"),
        ("message", "/help", "refused"),
        ("message", "/rates", "sent"),
        ("message", "/rates", "sent"),
        ("message", "/subscribe", "sent"),
        ("message", "text", "sent"),
        ("my_chat_member", "membership", "ignored"),
    ]
    kept: set[Any] = {"event", "log_level", "kind", "asked", "ended", "calls", "ms"}
    assert all(set(one) == kept for one in lines)
    assert SECRET not in str(logged)
