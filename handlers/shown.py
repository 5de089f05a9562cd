"""The buttons that are shown, read out of the source: whoever pressed one without a line of
`handlers.BUTTONS` would be told that it is out of date.

What a button sends stands where it is made. Only the calls that make one are parsed, which takes a
hundredth of a second where whole files would take a fifth of one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot.found import PROGRAM
from handlers.access import Route
from handlers.parts import Press

#: The folders of the program whose messages have buttons.
FOLDERS = tuple(PROGRAM / room for room in ("bot/alerts", "bot/render", "handlers"))
_MADE = re.compile(r"\bButton\(")
# what a bracket that ends the call may hide in goes before it
_BRACKET = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*|[()]')


def unrouted(
    buttons: Mapping[tuple[str, int], Route[Press]], folders: Sequence[Path] = FOLDERS
) -> list[str]:
    """The buttons that are shown and have no line in the table, a sentence each."""
    found: dict[tuple[str, int], str] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            for data in _sent(path.read_text(encoding="utf-8", errors="replace")):
                verb, *rest = data.split(":")
                if verb.isidentifier() and (verb, len(rest)) not in buttons:
                    found.setdefault((verb, len(rest)), f"{folder.name}/{path.name}")
    return [
        f"button {verb} with {count} words: no line of BUTTONS, and {file} shows one"
        for (verb, count), file in found.items()
    ]


def _sent(source: str) -> Iterator[str]:
    """The data of buttons that a source makes, "{}" for what is filled in; not of those made
    elsewhere.
    """
    for made in _MADE.finditer(source):
        depth = 0
        for one in _BRACKET.finditer(source, made.end() - 1):
            depth += {"(": 1, ")": -1}.get(one[0], 0)
            if depth == 0:
                yield from _data(source[made.start() : one.end()])
                break


def _data(call: str) -> Iterator[str]:
    try:
        button = ast.parse(call, mode="eval").body
    except SyntaxError:  # no call of ours: a word in somebody's text
        return
    if not isinstance(button, ast.Call):
        return
    named = {one.arg: one.value for one in button.keywords}
    data = named.get("data", button.args[1] if len(button.args) > 1 else None)
    if isinstance(data, ast.Constant):
        yield str(data.value)
    elif isinstance(data, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.Constant) else "{}" for one in data.values]
        yield "".join(map(str, parts))
