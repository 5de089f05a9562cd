"""The tables of a language, one word or phrase a line, its columns apart by tabs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

#: Each table of a language, and how many columns it has.
TABLES = {
    "security": 3,
    "severity": 2,
    "topics": 3,
    "events": 2,
    "units": 2,
    "places": 2,
    "common": 2,
}
ODDS = "odds"  # a table that only some languages need: see `Reading`
NAMES = "names"  # what places are called; without it as in English
OPTIONAL = (ODDS, NAMES)
#: The tables that weigh their words, all in the second column.
WEIGHED = {"security", "topics", "common", ODDS}
NUMBER = r"-?\d+(?:\.\d+)?"
NAME = r"[^\t]+"
PHRASE = r"[^\t]*[^\W_][^\t]*"  # something with a letter or a figure in it
TAB = "\t"
#: What a row of each looks like. One expression looks at the whole of it: there are 15,000 rows,
#: and whoever starts the bot waits for this.
ROWS = {
    # a line of security for all texts has no word
    "security": re.compile(rf"(?:{NAME}\t{NUMBER}\t{PHRASE}|bias\t{NUMBER}\t)"),
    "topics": re.compile(rf"{NAME}\t{NUMBER}\t{PHRASE}"),
    "common": re.compile(rf"{NAME}\t{NUMBER}"),
    ODDS: re.compile(rf"{NAME}\t{NUMBER}"),
    "severity": re.compile(rf"{NAME}\t{PHRASE}"),
    "events": re.compile(rf"{NAME}\t{PHRASE}"),
    "units": re.compile(rf"{NAME}\t{PHRASE}"),
    NAMES: re.compile(rf"{NAME}\t{PHRASE}"),
    # several, apart by commas
    "places": re.compile(rf"{NAME}\t[^\t,]*[^\W_][^\t,]*(?:,[^\t,]*[^\W_][^\t,]*)*"),
}


@cache  # a start looks at each table twice: with all languages, and when one is spoken
def problem_of_table(path: Path) -> str:
    """A table's problem, to be said behind the name of its folder; "" where there is none."""
    if not path.exists():
        return "" if path.stem in OPTIONAL else f" lacks {path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return f"/{path.name} is not UTF-8 text"
    row = ROWS[path.stem]
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith("#") and not row.fullmatch(line):
            return f"/{path.name}, line {number}: {_problem_of_row(path.stem, line.split(TAB))}"
    return ""


def _problem_of_row(table: str, row: list[str]) -> str:
    columns = TABLES.get(table, 2)
    if len(row) != columns:
        return f"should have {columns} columns"
    if table in WEIGHED and not re.fullmatch(NUMBER, row[1]):
        return f"{row[1]!r} should be a number"
    return "a word is missing"
