"""Whether a language's texts are a gettext catalog to its last line, and can be said.

What reads them for good (`bot.i18n`) skips what it does not understand: a text behind a slip would
be gone, and English said in its place. What is filled into a text, and how many words a list has,
nobody else would look at before it is to be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from gettext import c2py  # what gettext itself reads a rule with
from pathlib import Path
from string import Formatter
from typing import NamedTuple

#: A line of an entry: its keyword, or none of a string that goes on.
LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr)(?:\[\d\])? )?"(?:[^"\\]|\\.)*"')
#: What may stand before a keyword; msgstr also before the next of several forms.
BEFORE = {
    "msgctxt": {"", "msgstr"},
    "msgid": {"", "msgctxt", "msgstr"},
    "msgid_plural": {"msgid"},
    "msgstr": {"msgid", "msgid_plural", "msgstr"},
}
ENDS = {"", "msgstr"}  # where an entry may end
PLURAL_RULE = re.compile(r"nplurals=([1-6]); *plural=([^;]+);?")
#: A key that is none of the chat page's own words, which stand for themselves.
ID = re.compile(r"[a-z_]+(?:\.\w+)+")
#: Lists of words, by the beginnings of their keys, and how many words each has.
LISTS = {"months.": 12, "weekdays.": 7}
COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
STRINGS = r'(?:"(?:[^"\\]|\\.)*"\s*)+'
#: A character that is escaped, or where a string ends and the next goes on.
JOINED = re.compile(r'(\\.)|"\s*"')
ESCAPED = re.compile(r"\\(.)")
ENTRY = re.compile(
    rf"^\s*msgid (?P<key>{STRINGS})(?P<plural>msgid_plural {STRINGS})?"
    rf"(?P<texts>(?:msgstr(?:\[\d\])? {STRINGS})+)",
    re.MULTILINE,
)
FORM = re.compile(r"^\s*msgstr", re.MULTILINE)  # a text may have the word, behind a quote
OF_LANGUAGE = re.compile(r"^Language: *(.*)$", re.MULTILINE)
NUMBER_OF_FORMS = re.compile(r"^Plural-Forms: nplurals=(\d)", re.MULTILINE)
RULE = "a rule such as nplurals=2; plural=(n != 1);"
#: Texts that a language may well say as English does: figures, names, the words of a stub.
ALIKE_ALLOWED = 20
HUNDREDS = 201  # no language looks further than the last two digits, and some at 0 and 100


@cache  # a start looks at each language twice: with all of them, and when one is spoken
def problem_of_texts(path: Path) -> str:
    """The fault of a catalog, to be said behind its name; "" where it has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return " is not UTF-8 text"
    last = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("#"):
            if last not in ENDS:
                return f", line {number}: a comment is out of place"
            last = ""  # what goes on behind one would be lost
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
    if last not in ENDS:
        return f" ends with a {last}, without its text"
    return _problem_of_head(text)


def _problem_of_head(text: str) -> str:
    """The fault of a head that gettext would stumble over when the first text is asked for."""
    for number, line in enumerate(text.split("\n"), 1):
        name, _, value = line.strip('"').removesuffix("\\n").partition(": ")
        if name == "Plural-Forms" and not _is_plural_rule(value):
            return f", line {number}: Plural-Forms should be {RULE}"
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


class Entry(NamedTuple):
    """A text of a catalog, in as many forms as it has; the first entry is the head."""

    line: int
    key: str
    counted: bool
    forms: tuple[str, ...]


class Said(NamedTuple):
    """The shape of a text: with a number or without, its places to fill (None: they cannot be
    read), and the words of each form.
    """

    counted: bool
    placeholders: str | None
    forms: tuple[str, ...] = ()


def wrong_texts(path: Path, english: Path) -> list[str]:
    """The texts of a sound catalog that could not be said, each to be said behind its name; by the
    English ones, which say what there is to say and what is filled in.
    """
    wrong: list[str] = []
    known = said_by(english)
    seen, forms, ruleless, alike = {""}, 0, False, 0
    for entry in _entries(path):
        if not entry.key:
            found = NUMBER_OF_FORMS.search(entry.forms[0])
            forms = int(found[1]) if found else 0
            whose = OF_LANGUAGE.search(entry.forms[0])
            if whose and whose[1] != path.parent.name:  # translators' programs go by it
                wrong.append(f", line {entry.line}: Language should be {path.parent.name}")
            continue
        if entry.counted and not forms and not ruleless:
            ruleless = True
            wrong.append(f" lacks Plural-Forms in its head, {RULE}")
        problem = next(_problems_of_entry(entry, known, forms), "")
        if entry.key in seen:
            problem = "stands there twice"
        seen.add(entry.key)
        if problem:
            wrong.append(f", line {entry.line}: {entry.key} {problem}")
        alike += path != english and entry.forms == known.get(entry.key, NOWHERE).forms
    if ALIKE_ALLOWED < alike > len(seen) / 2:
        wrong.append(f" says {alike} texts as English does: leave out what is not translated")
    return wrong


NOWHERE = Said(counted=False, placeholders=None)


@lru_cache(maxsize=2)  # one of each name; forgotten once all languages were looked at
def said_by(path: Path) -> Mapping[str, Said]:
    """The texts of a catalog, by key."""
    found: dict[str, Said] = {}
    for entry in _entries(path):
        try:
            placeholders: str | None = _placeholders(entry.forms[0])
        except ValueError:  # told of this text, and of no other language's
            placeholders = None
        found[entry.key] = Said(entry.counted, placeholders, entry.forms)
    return found


def _problems_of_entry(entry: Entry, english: Mapping[str, Said], forms: int) -> Iterator[str]:
    """The faults of a text, to be said behind its key."""
    wanted = english.get(entry.key)
    if wanted is None and ID.fullmatch(entry.key):
        yield "is said nowhere: English has no such text"
        return
    counted, placeholders, _ = wanted or (False, None, ())  # of a key that is its own English
    if entry.counted != counted:
        right = "counted, with a msgid_plural" if counted else "without a msgid_plural"
        yield f"should be {right}, as it is in English"
    said = [form for form in entry.forms if form]
    if counted and said and len(said) != forms and forms:  # without a rule it is told of the head
        yield f"has {len(said)} forms, and Plural-Forms says {forms}"
    for form in said:
        yield from _problems_of_form(entry.key, form, placeholders)


def _problems_of_form(key: str, form: str, wanted: str | None) -> Iterator[str]:
    try:
        there = _placeholders(form)
    except ValueError as error:
        yield f"is no text to fill in: {error}"
        return
    if wanted is not None and there != wanted:
        yield f"has places for {there or 'nothing'}, and English for {wanted or 'nothing'}"
    for begun, count in LISTS.items():
        if key.startswith(begun) and len(form.split()) != count:
            yield f"should have {count} words"


def _placeholders(text: str) -> str:
    """The names that a text has places for, {a} {b}; ValueError where it cannot be filled in."""
    if "{" not in text and "}" not in text:
        return ""
    names: set[str] = set()
    for _, name, spec, conversion in Formatter().parse(text):
        if name is None:  # words alone, after the last place
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError("only plain names may stand in {}")
        names.add(f"{{{name}}}")
    return " ".join(sorted(names))


def _entries(path: Path) -> Iterator[Entry]:
    """The texts of a sound catalog."""
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    line, looked = 1, 0
    for found in ENTRY.finditer(text):
        at = found.start("key")
        line += text.count("\n", looked, at)
        looked = at
        forms = tuple(map(_value, FORM.split(found["texts"])[1:]))
        yield Entry(line, _value(found["key"]), bool(found["plural"]), forms)


def _value(strings: str) -> str:
    """The one value of the strings behind a keyword."""
    said = strings[strings.index('"') + 1 : strings.rindex('"')]
    if '"' in said:
        said = JOINED.sub(lambda one: one[1] or "", said)
    if "\\" not in said:
        return said
    return ESCAPED.sub(lambda one: {"n": "\n", "t": "\t"}.get(one[1], one[1]), said)
