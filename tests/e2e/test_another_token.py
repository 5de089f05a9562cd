"""The program under another bot's token, on the database that one bot has filled."""

from __future__ import annotations

from pathlib import Path

from bot.emulator import Emulator
from tests.e2e.program import CHANNEL, READER, Program
from tests.e2e.test_whole import catalog, emulator, publishers, subscribed
from tests.publishers import ATTACK, QUIET, TODAY, Publishers, daily, rss
from tests.test_cli import jarchy

__all__ = ["emulator", "publishers"]  # fixtures
OTHER_TOKEN = "987654321:TEST-emulator-token-of-thirty-five_"


async def test_another_bot_writes_to_nobody_before_they_met(
    tmp_path: Path,
    emulator: Emulator,
    publishers: Publishers,
) -> None:
    """The start is refused with the remedy; after it a chat that has not pressed Start gets
    nothing, not even a request is made, and one that has gets the next alert with all it asked for.
    """
    first = Program(tmp_path, emulator, catalog(publishers.url))
    await first.start()
    await subscribed(emulator, first)
    assert await first.end() == 0
    async with Emulator(OTHER_TOKEN, "herald_bot") as other:
        other.add_private(other.add_user(READER, "Aigul", "en"), started=False)
        other.add_channel(CHANNEL, "Herald", "herald", bot_status="left")
        second = Program(tmp_path, other, catalog(publishers.url), BOT_TOKEN=OTHER_TOKEN)
        await second.start(ready=False)
        assert await second.end(None) == 78
        assert any("subscribers adopt" in line for line in second.log)
        given = jarchy(tmp_path, "subscribers", "adopt", BOT_TOKEN=OTHER_TOKEN)
        assert given.returncode == 0, given.stderr
        await second.start()
        publishers.put("/feed.xml", rss(ATTACK, QUIET))
        await second.said(lambda line: '"source": "test"' in line and '"alerts": 1' in line)
        await publishers.asked_again("/feed.xml", 2)
        assert not [call for call in other.calls if call.chat_id == READER]
        asked = await other.send_text(READER, "/start")
        await other.wait_message(READER, lambda m: "reply_markup" in m, after=asked, timeout=30)
        publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8600", "1,1950"))
        await other.wait_message(READER, lambda m: "USD/KGS" in m.get("text", ""), timeout=30)
        assert not [call for call in other.calls if call.method.startswith("edit")]
        assert await second.end() == 0
