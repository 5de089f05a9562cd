"""The fate of the bot's messages, counted from the calls: sent, lost, twice, late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.emulator.calls import Call
from bot.emulator.errors import Json

_FINAL = range(400, 429)  # an answer that no second try changes


def is_message(method: str) -> bool:
    """Whether a call leaves a new message in a chat."""
    return method.startswith("send") and method != "sendChatAction"


@dataclass(slots=True)
class Tally:
    """The counts; `note` is told of each call, with a mark of what it says.

    * sent: messages that arrived, each once, whatever its sender heard of it
    * twice: copies: the same again, after an answer that was lost
    * late: of those sent, the ones that needed more than one try, and those that say of themselves
      that they are (`is_late`, by their text)
    * open: tried and not arrived; once the bot has nothing left to send they are lost
    """

    is_late: Callable[[str], bool] = lambda _text: False
    sent: int = 0
    twice: int = 0
    late: int = 0
    _open: dict[tuple[int, int], str] = field(default_factory=dict)
    _unheard: set[tuple[int, int]] = field(default_factory=set)

    @property
    def open(self) -> int:
        """Messages that were tried and have not arrived."""
        return len(self._open)

    def note(self, call: Call, mark: int, text: str = "") -> None:
        """One call, and the text of its message."""
        if call.chat_id is None or not is_message(call.method):
            return
        key = (call.chat_id, mark)
        if not call.accepted:
            if call.code in _FINAL:
                self._open.pop(key, None)
            else:
                self._open.setdefault(key, call.method)
            return
        if key in self._unheard:
            self.twice += 1
        else:
            self.sent += 1
            tried_before = self._arrived(key, call.method)
            self.late += tried_before or self.is_late(text)
        self._unheard.discard(key)
        if call.outcome != "ok":
            self._unheard.add(key)

    def _arrived(self, key: tuple[int, int], method: str) -> bool:
        """Whether this message was tried before; what waited meanwhile may say it in new words."""
        if self._open.pop(key, None) is not None:
            return True
        for other, tried in self._open.items():
            if other[0] == key[0] and tried == method:
                del self._open[other]
                return True
        return False

    def json(self) -> Json:
        """The counts as the page shows them."""
        return {"sent": self.sent, "twice": self.twice, "late": self.late, "open": self.open}
