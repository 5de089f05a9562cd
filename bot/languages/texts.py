"""Whether a language's texts are a gettext catalog to its last line.

What reads them for good (`bot.i18n`) skips what it does not understand: a text behind a slip would
be gone, and English said in its place.
"""

from __future__ import annotations

import re
from functools import cache
from gettext import c2py  # what gettext itself reads a rule with
from pathlib import Path

#: A line of an entry: its keyword, or none of a string that goes on.
LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr)(?:\[\d\])? )?"(?:[^"\\]|\\.)*"')
#: What may stand before a keyword; msgstr also before the next of several forms.
BEFORE = {
    "msgctxt": {"", "msgstr"},
    "msgid": {"", "msgctxt", "msgstr"},
    "msgid_plural": {"msgid"},
    "msgstr": {"msgid", "msgid_plural", "msgstr"},
}
PLURAL_RULE = re.compile(r"nplurals=([1-6]); *plural=([^;]+);?")
HUNDREDS = 201  # no language looks further than the last two digits, and some at 0 and 100


@cache  # a start looks at each language twice: with all of them, and when one is spoken
def problem_of_texts(path: Path) -> str:
    """What is wrong with a catalog, to be said behind its name; "" where nothing is."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return " is not UTF-8 text"
    last = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = LINE.fullmatch(line.strip())
        if found is None:
            return f', line {number}: should be msgid, msgstr or more of one, between two "'
        keyword = found[1]
        if keyword is None and last:
            continue
        if keyword is None or last not in BEFORE[keyword]:
            return f", line {number}: {keyword or 'a string'} is out of place"
        last = keyword
    if last and last != "msgstr":
        return f" ends with a {last}, without its text"
    return _problem_of_head(text)


def _problem_of_head(text: str) -> str:
    """What gettext would stumble over when the first text is asked for."""
    for number, line in enumerate(text.split("\n"), 1):
        name, _, value = line.strip('"').removesuffix("\\n").partition(": ")
        if name == "Plural-Forms" and not _is_plural_rule(value):
            right = "such as nplurals=2; plural=(n != 1);"
            return f", line {number}: Plural-Forms should be a rule {right}"
        if name == "Content-Type" and not value.lower().endswith("; charset=utf-8"):
            return f", line {number}: Content-Type should be text/plain; charset=UTF-8"
        if not line:  # behind the first entry
            break
    return ""


def _is_plural_rule(value: str) -> bool:
    """Whether every number has one of the forms that there are."""
    found = PLURAL_RULE.fullmatch(value)
    if found is None:
        return False
    try:
        form = c2py(found[2])
        return all(0 <= form(n) < int(found[1]) for n in range(HUNDREDS))
    except (ValueError, ZeroDivisionError):
        return False
