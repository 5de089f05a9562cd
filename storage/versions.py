"""The versions of the schema, for whoever migrates, copies or checks a database.

A new migration is one new file in `migrations/versions`, named `NNNN_words.py`; its number becomes
`HEAD` by itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SCRIPTS = Path(__file__).parent / "migrations"
VERSIONS = SCRIPTS / "versions"
_FILES = sorted(VERSIONS.glob("[0-9][0-9][0-9][0-9]_*.py"))
#: The schema revisions this program knows, oldest first.
REVISIONS = tuple(path.name[:4] for path in _FILES)
NONE = "0000"  # before the first
#: The revision this program writes.
HEAD = REVISIONS[-1] if REVISIONS else NONE
NAME = re.compile(r"([0-9]{4})_\w+\.py")
#: The oldest program that may work with this schema; raised by a migration that takes away what
#: that program needs, or adds what it must heed: one of 0006 reads and writes reasons as sentences,
#: one of 0008 does not say what its alerts are about, one of 0009 reads a rule in words,
#: one of 0011 asks a reason whether a chat is to be left alone, one of 0015 asks no chat's filters,
#: one of 0026 knows no quiet hours, and leaves what was held in them, one of 0028 reads one forum
#: topic of a chat, one of 0029 obeys whoever writes as a group,
#: one of 0033 reads the figures of a reason by their place,
#: one of 0034 does not say on what terms its alerts go out,
#: one of 0035 does not say which story its alerts tell,
#: one of 0037 posts what a channel wants to see first,
#: one of 0044 shows reports that no operator has let through yet.
MIN_READER = "0045"


def may_use(version: str, oldest: str | None) -> bool:
    """Whether this program may work with a schema, of which `oldest` is noted (`min_reader`) as the
    oldest program that may.
    """
    return version in REVISIONS or (oldest is not None and oldest <= HEAD)


def problems() -> list[str]:
    """The gaps and mistakes of the migrations between the first and the last, a sentence each.

    Alembic comes upon it while a database is brought up, and ends in a traceback.
    """
    found: list[str] = []
    known: dict[str, str] = {}
    for path in sorted(VERSIONS.glob("*.py")):
        file = f"storage/migrations/versions/{path.name}"
        name = NAME.fullmatch(path.name)
        if name is None:
            found.append(f"{file} is no migration: its name should be such as 0001_words.py")
        elif name[1] in known:
            found.append(f"migration {name[1]}: {file} has the number of {known[name[1]]}")
        else:
            known[name[1]] = path.name
            found += [f"migration {name[1]}: {file}{wrong}" for wrong in _wrong_in(path, name[1])]
    for number in range(1, int(max(known, default="0001")) + 1):
        if f"{number:04}" not in known:
            found.append(f"migration {number:04}: storage/migrations/versions lacks its file")
    if MIN_READER not in known:
        found.append(f"storage/versions.py: MIN_READER is {MIN_READER}, which is no migration")
    return found


def _wrong_in(path: Path, number: str) -> Iterator[str]:
    """The mistakes of one migration, to be said behind its file's name; nothing of it is run."""
    try:
        lines = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError) as error:  # ValueError: a NUL
        at = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        yield f"{at}: {type(error).__name__}: {getattr(error, 'msg', error)}"
        return
    said: dict[str, object] = {}
    for line in lines:
        match line:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value))
            ):
                said[name] = value
            case ast.FunctionDef(name="upgrade", args=ast.arguments(args=[])):
                said["upgrade"] = True
    before = f"{int(number) - 1:04}" if int(number) > 1 else None
    for name, right in (("revision", number), ("down_revision", before)):
        if name not in said or said[name] != right:
            yield f" lacks {name} = {right!r}"
    if "upgrade" not in said:
        yield " lacks upgrade(), what it does"
