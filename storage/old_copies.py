"""The copies that the program made, forgotten by age: what a chat erased ages out of them.

By the day or the time in their names, which stay when a file is brought away and back. A file of
any other name is an operator's own, and so is a copy in a folder that nobody names any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL

from bot.errors import BotError
from storage.address import is_file
from storage.copies import FOLDER, KEEP_ASIDE, cause_of, no_folder
from storage.keeping import nights_of

HALF_KEPT = timedelta(days=1)  # what a kill left of a copy, or somebody else is writing now
#: The copies beside a file, by the words in their names (`stamped`), with the log of a damaged one.
ASIDE = r"\.(?:before-\w+|rescued|restoring|backup)-"
STAMP, LOG = r"(?P<at>\d{8}T\d{6})\d{3}", r"(?:-wal|-shm|-journal)?"
DAY = r"-(?P<on>\d{4}-\d\d-\d\d)\."


def forget_old(url: URL, setting: str | None, *, now: datetime) -> list[Path]:
    """Forget what was copied `KEEP_ASIDE` ago, whatever the setting BACKUPS says now; those files.

    And the halves of yesterday. BotError where one cannot be removed, after all others are.
    """
    forgotten: list[Path] = []
    refused: BotError | None = None
    for folder, names in _places(url, setting):
        whole, half = re.compile(names), re.compile(rf"\.(?:{names})(?:\.\d+)?\.half{LOG}")
        for one in folder.glob("*"):
            try:
                if not _is_old(one, whole, half, now):
                    continue
                one.unlink(missing_ok=True)
            except OSError as error:
                refused = BotError(no_folder(one, cause_of(error)))
                continue
            forgotten.append(one)
    if refused is not None:
        raise refused
    return forgotten


def _places(url: URL, setting: str | None) -> Iterator[tuple[Path, str]]:
    """The folders where a database's copies may be, and the names that they have there."""
    nights = nights_of(url, setting)
    if is_file(url):
        path = Path(url.database or "")
        yield path.parent, f"{re.escape(path.name)}{ASIDE}{STAMP}{LOG}"
        folders = {path.parent / FOLDER}  # those of before the setting said anything
        if nights is not None:
            folders.add(nights.folder)
        for folder in folders:
            yield folder, f"{re.escape(path.stem)}{DAY}db"
    elif nights is not None:
        called = re.escape(nights.stem)
        yield nights.folder, f"{called}{DAY}dump"
        yield nights.folder, rf"(?:.+\.before-restore|{called}\.dump)-{STAMP}"


def _is_old(one: Path, whole: re.Pattern[str], half: re.Pattern[str], now: datetime) -> bool:
    if half.fullmatch(one.name):
        return one.is_file() and one.stat().st_mtime < (now - HALF_KEPT).timestamp()
    named = whole.fullmatch(one.name)
    if named is None or not one.is_file():
        return False
    at = _earliest(named.groupdict())
    return at is not None and at <= now - KEEP_ASIDE


def _earliest(written: dict[str, str]) -> datetime | None:
    """The earliest moment at which a copy of this name may have been made; None: of no copy."""
    try:
        if (day := written.get("on")) is not None:
            # a day begins in the east while it is the day before at Greenwich
            return datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=1)
        return datetime.strptime(written["at"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
