"""The methods that are counted from the start are those that the program asks for."""

from __future__ import annotations

import re

from bot.telegram.api import METHODS
from tests.conftest import ROOT

#: A method of the Bot API as a text of its own.
NAMED = re.compile(
    r'"((?:answer|close|copy|create|delete|edit|forward|get|leave|log|pin|promote|reopen|restrict'
    r'|send|set|stop|unpin)[A-Z][A-Za-z]+)"'
)


def test_every_method_has_a_figure_before_its_first_request() -> None:
    """What appears with its first failure has not grown for Prometheus; none is there for ever at
    0, because nobody asks for it.
    """
    asked: set[str] = set()
    for room in ("bot", "handlers"):
        for file in (ROOT / room).rglob("*.py"):
            if file.name != "api.py" and not {"emulator", "demo"} & set(file.parts):
                asked |= set(NAMED.findall(file.read_text(encoding="utf-8")))
    asked.add("getMe")  # by which the way itself asks whether its token is known
    assert asked == set(METHODS)
    assert sorted(asked) == list(METHODS)
