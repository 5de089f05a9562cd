"""The reasons that the program gives, and what it and its demonstration say, read out of its
source: a code stands where it is decided, a key where it is said.

A list of them would be one more place to forget. Reading those files takes a fifth of a second.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from bot.found import PROGRAM, ROOMS
from bot.i18n import demo_texts, known
from bot.languages import FALLBACK, languages
from bot.render.reasons import textless

#: Reasons that only whoever types a verb is told, in English like all that verbs say.
OF_VERBS = ("bot/cli/", "bot/backfill.py", "bot/detect/replay.py", "storage/migrate.py")
SHOWN = re.compile(r"demo\.[\w.]+")
#: What says a text of the catalogs by its key.
SAYING = frozenset({"t", "tn", "phrase", "counted", "say", "UserError", "Notice"})
#: The key of a notice, which whoever tells the operators passes on.
NOTICE = re.compile(rb"""["'](notice\.[a-z_]+)["']""")
#: Where that may be, a key in the brackets: all of a file is read where the key is not known.
SAID = re.compile(
    rb"""\b(?:%b)\(\s*(?:msgid=)?["']([a-z_]+\.[\w.]+)["']""" % "|".join(sorted(SAYING)).encode()
)


def given() -> dict[str, str]:
    """The codes of all reasons that readers or operators are told, each with a file that gives
    it.
    """
    found: dict[str, str] = {}
    for room in sorted(ROOMS):
        for path in sorted((PROGRAM / room).rglob("*.py")):
            source = path.read_bytes()
            file = path.relative_to(PROGRAM).as_posix()
            # most files give none, and are not parsed
            if b"reason(" in source and not file.startswith(OF_VERBS):
                for code in _codes(_parsed(source)):
                    found.setdefault(code, file)
    return found


def _parsed(source: bytes) -> list[ast.AST]:
    """All that a file is made of; nothing of one that is no Python, which runs nowhere."""
    try:
        # Python does not mind in which encoding somebody's comment is
        tree = ast.parse(source.decode("utf-8", errors="replace"))
    except (SyntaxError, ValueError):
        return []
    return list(ast.walk(tree))


def _codes(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """The codes of the reasons that are given, in so many letters or by the name of a constant."""
    named: dict[str, str] = {}
    for node in nodes:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(code)))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(code)))
            ):
                named[name] = code
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="reason"), args=[ast.Constant(value=str(code)), *_]):
                yield code
            case ast.Call(func=ast.Name(id="reason"), args=[ast.Name(id=name), *_]):
                if name in named:  # another is told by `make check`
                    yield named[name]


def found_kinds() -> dict[str, str]:
    """The kinds of words that a story is told for, which are reasons too, each with a table that
    has some.
    """
    found: dict[str, str] = {}
    for spoken in languages():
        for kind, weight, _ in spoken.rows("security"):
            if kind != "bias" and not weight.startswith("-"):  # words against are said as they are
                found.setdefault(kind, f"bot/languages/{spoken.code}/security.tsv")
    return found


def unshown() -> list[str]:
    """The keys that the demonstration names and English has no text for, a sentence each."""
    found: list[str] = []
    for path in sorted((PROGRAM / "bot" / "demo").glob("*.py")):
        file = path.relative_to(PROGRAM).as_posix()
        for key in dict.fromkeys(_keys(_parsed(path.read_bytes()))):
            if key not in demo_texts(FALLBACK):
                found.append(f"bot/languages/{FALLBACK}/demo.po lacks {key}, which {file} says")
    return found


def _keys(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Constant(value=str(words)) if SHOWN.fullmatch(words):
                yield words


def unsaid() -> list[str]:
    """The keys that handlers, kinds of alert and renderers say, or operators are told by, and
    English has no text for, a sentence each.
    """
    found: list[str] = []
    for room in sorted(ROOMS):
        for path in sorted((PROGRAM / room).rglob("*.py")):
            source = path.read_bytes()
            file = path.relative_to(PROGRAM).as_posix()
            keys = [key.decode() for key in NOTICE.findall(source)]
            # cheaper than to parse all: nearly every file has a text for each key that this finds
            if not all(known(key.decode()) for key in SAID.findall(source)):
                keys += _said(_parsed(source))
            for key in dict.fromkeys(keys):
                if not known(key):
                    found.append(f"the texts lack {key}, which {file} says")
    return found


def _said(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in SAYING:
            named = [one.value for one in node.keywords if one.arg == "msgid"]
            for key in (*node.args[:1], *named):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value


def problems() -> list[str]:
    """The reasons, the words of the demonstration and all that is said without a text, a sentence
    each.
    """
    files = {**given(), **found_kinds()}
    found = unshown() + unsaid()
    for code in textless(files):
        found.append(f"reason {code}: the texts lack reason.{code}, which {files[code]} gives")
    return found
