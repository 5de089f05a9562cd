"""The counting Telegram that knows chats, is so many seconds away, half of it more or less, and has
a bad day when told to: `python -m bench.flaky [SECONDS] [bad]`.

What it keeps of each accepted message is when it arrived, when its sender says it left, its chat
and the sender's process. On a bad day 0.3 % of the requests are answered 502, 0.1 % are accepted
and their connection reset, every 200th chat has blocked the bot, and every few seconds twenty
requests in a row are refused with 429.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from functools import partial
from typing import Any

import uvloop

from bench import stub

BLOCKED = 200  # every so many chats
FLOOD_EVERY, FLOOD = 7_000, 20
_CHAT = b'{"chat_id":'
_PREFIX = len(_CHAT)
_BOT = b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"Jarchy"}}'
_ME = stub.HEAD % len(_BOT) + _BOT


def _refusal(code: int, body: bytes, kind: bytes = b"application/json") -> bytes:
    return (
        b"HTTP/1.1 %d No\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        % (code, kind, len(body))
        + body
    )


_BAD_GATEWAY = _refusal(502, b"<html>502 Bad Gateway</html>", b"text/html")
_FORBIDDEN = _refusal(
    403, b'{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}'
)
_TOO_MANY = _refusal(
    429,
    b'{"ok":false,"error_code":429,"description":"Too Many Requests: retry after '
    b'1","parameters":{"retry_after":1}}',
)


class Flaky(stub.Answering):
    """One connection; the dice are everybody's."""

    asked = 0

    def __init__(
        self, times: list[Any], *, bad: bool, dice: random.Random, away: float = 0.0
    ) -> None:
        super().__init__(times)
        self._bad = bad
        self._away = away
        self._dice = dice

    def answer(self, transport: asyncio.Transport, body: bytes) -> None:
        """Accept, refuse, or accept and say nothing."""
        if not body.startswith(_CHAT):  # getMe: whoever thinks us away asks whether we are back
            transport.write(_ME)
            return
        chat = int(body[_PREFIX : body.index(b",", _PREFIX)])
        Flaky.asked += 1
        luck = self._dice.random() if self._bad else 1.0
        if self._bad and Flaky.asked % FLOOD_EVERY < FLOOD:
            transport.write(_TOO_MANY)
        elif self._bad and chat % BLOCKED == 0:
            transport.write(_FORBIDDEN)
        elif luck < 0.003:
            transport.write(_BAD_GATEWAY)
        else:
            *_, by, left = body.rsplit(b":", 2)
            sender = int(by.partition(b",")[0])
            self.times.append((time.monotonic(), float(left[:-1]), chat, sender))
            if luck < 0.004:
                transport.abort()
            elif self._away:
                # never the same: what left together would come back together, and leave again
                seconds = self._away * (0.5 + self._dice.random())
                asyncio.get_running_loop().call_later(seconds, _accepted, transport)
            else:
                transport.write(stub.ANSWER)


def _accepted(transport: asyncio.Transport) -> None:
    """Say so to whoever still listens."""
    if not transport.is_closing():
        transport.write(stub.ANSWER)


if __name__ == "__main__":
    seconds = next((float(word) for word in sys.argv[1:] if word != "bad"), 0.0)
    kind = partial(Flaky, bad="bad" in sys.argv, dice=random.Random(7), away=seconds)
    uvloop.run(stub.serve(kind))
