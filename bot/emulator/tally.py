"""The fate of the bot's messages, counted from the calls: sent, lost, twice, late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.emulator.calls import Call
from bot.emulator.errors import Json

_FINAL = range(400, 429)  # an answer that no second try changes
_FORBIDDEN = 403  # and one that is about the chat: what else was to go there is over as well
#: Seconds until a bot has surely noted that a message arrived.
NOTED_WITHIN = 1.0


def is_message(method: str) -> bool:
    """Whether a call leaves a new message in a chat."""
    return method.startswith("send") and method != "sendChatAction"


class Before(NamedTuple):
    """What there was before the bot is asked what waits there: it may not have counted more."""

    open: int
    unheard: frozenset[tuple[int, int]]


class _Said(NamedTuple):
    """What is known of a message again at its next try, whatever else it says then."""

    method: str
    begins: str


@dataclass(slots=True)
class Tally:
    """The counts; `note` is told of each call, with a mark of what it says.

    * sent: messages that arrived, each once, whatever its sender heard of it
    * twice: copies: the same again, after an answer that was lost, or that a killed bot had no time
      to note, while anything waits at the bot
    * late: of those sent, the ones that needed more than one try, and those that say of themselves
      that they are (`is_late`, by their text)
    * open: tried and not arrived
    * lost: of those the ones of which a bot that nothing keeps from sending knows nothing any more,
      as whoever looks at the bot's queue says (`found`); not what it let go as too old, or said in
      another message (`let_go`)

    `noted` is the moment until which the bot could note, by another one, what had arrived.
    """

    is_late: Callable[[str], bool] = lambda _text: False
    noted: Callable[[float], float] = lambda at: at
    sent: int = 0
    twice: int = 0
    late: int = 0
    lost: int = 0
    _open: dict[tuple[int, int], _Said] = field(default_factory=dict)
    _unheard: set[tuple[int, int]] = field(default_factory=set)
    _let_go: dict[int, int] = field(default_factory=dict)
    # when each message of the last moment arrived, in that order
    _lately: dict[tuple[int, int], float] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """Messages that were tried and have not arrived."""
        return len(self._open)

    def note(self, call: Call, mark: int, text: str = "") -> None:
        """One call, and the text of its message."""
        if call.chat_id is None or not is_message(call.method):
            return
        key, said = (call.chat_id, mark), _Said(call.method, text.partition("\n")[0])
        if not call.accepted:
            if call.code == _FORBIDDEN:
                self._forget(call.chat_id)
            elif call.code in _FINAL:
                self._open.pop(key, None)
            elif key not in self._unheard:  # that one is there, whatever became of its copy
                self._tried(key, said)
            return
        if key in self._unheard:
            self.twice += 1
        else:
            self.sent += 1
            tried_before = self._arrived(key, said)
            self.late += tried_before or self.is_late(text)
        self._unheard.discard(key)
        if call.outcome != "ok":
            self._unheard.add(key)
        self._lately.pop(key, None)
        self._lately[key] = call.at
        self._settle(call.at)

    def let_go(self, counts: Mapping[int, int]) -> None:
        """The messages that the bot let go so far, by chat: nobody awaits the eldest tried ones."""
        for chat, count in counts.items():
            new = max(0, count - self._let_go.get(chat, 0))
            self._let_go[chat] = count
            for key in [key for key in self._open if key[0] == chat][:new]:
                del self._open[key]

    @property
    def before(self) -> Before:
        """What is open, and what may come again, by now."""
        return Before(self.open, frozenset(self._unheard))

    def found(self, before: Before, *, waiting: int | None) -> None:
        """What waits at the bot, None where it does not say, and what there was before it was
        asked. Where nothing waits no copy comes any more: what says the same then is the answer to
        another question.
        """
        self.lost = 0
        if waiting == 0:
            self.lost = min(before.open, self.open)
            self._unheard -= before.unheard

    def killed(self, at: float) -> None:
        """The bot was killed then (as `Call.at` has it): what it had no time to note may come
        again.
        """
        self._settle(at)
        self._unheard.update(self._lately)
        self._lately.clear()

    def _settle(self, at: float) -> None:
        """Forget what arrived so long before that it is noted."""
        noted = self.noted(at) - NOTED_WITHIN
        while self._lately:
            first = next(iter(self._lately))
            if self._lately[first] >= noted:
                return
            del self._lately[first]

    def _forget(self, chat: int) -> None:
        """Nothing that was tried for a chat is awaited any more."""
        for key in [key for key in self._open if key[0] == chat]:
            del self._open[key]

    def _tried(self, key: tuple[int, int], said: _Said) -> None:
        """Note a message that was tried in vain, in place of what it said at an earlier try: a
        story has another end with each report.
        """
        if key in self._open:
            return
        for other, tried in self._open.items():
            if other[0] == key[0] and tried == said and said.begins:
                del self._open[other]
                break
        self._open[key] = said

    def _arrived(self, key: tuple[int, int], said: _Said) -> bool:
        """Whether this message was tried before; what waited meanwhile may say it in new words."""
        if self._open.pop(key, None) is not None:
            return True
        for other, tried in self._open.items():
            if other[0] == key[0] and tried.method == said.method:
                del self._open[other]
                return True
        return False

    def json(self) -> Json:
        """The counts as the page shows them."""
        return {"sent": self.sent, "twice": self.twice, "late": self.late, "lost": self.lost}
