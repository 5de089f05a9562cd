"""The copies that the program made, forgotten by age: what a chat erased ages out of them.

By the day or the time in their names, which stay when a file is brought away and back. A file of
any other name is an operator's own, and so is a copy in a folder that nobody names any more.

Where copies are made by night, the last night's stays however old it is, until a newer one is made:
a clock that is ahead, a bot that was off or a month of failures leaves something to put back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL

from bot.errors import BotError
from storage.address import is_file
from storage.copies import KEEP_ASIDE, cause_of, no_folder
from storage.keeping import Nights, nights_of

HALF_KEPT = timedelta(days=1)  # what a kill left of a copy, or somebody else is writing now
#: The copies beside a file, by the words in their names (`stamped`), with the log of a damaged one.
ASIDE = r"\.(?:before-\w+|rescued|restoring|backup)-"
STAMP, LOG = r"(?P<at>\d{8}T\d{6})\d{3}", r"(?:-wal|-shm|-journal)?"
DAY = r"-(?P<on>\d{4}-\d\d-\d\d)\."


def forget_old(url: URL, setting: str | None, *, now: datetime) -> list[Path]:
    """Forget what was copied `KEEP_ASIDE` ago, whatever the setting BACKUPS says now; those files.

    But for the last night's, where copies are made; and the halves of yesterday. BotError where one
    cannot be removed, after all others are.
    """
    last = _last_night(url, setting, now)
    forgotten: list[Path] = []
    refused: BotError | None = None
    for folder, names in _places(url, setting):
        whole, half = re.compile(names), re.compile(rf"\.(?:{names})(?:\.\d+)?\.half{LOG}")
        for one in folder.glob("*"):
            try:
                # by its name: a link may lead to the same folder under another
                if one.name == last or not _is_old(one, whole, half, now):
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
    if is_file(url):
        path = Path(url.database or "")
        # beside a link, and beside the file that it leads to
        for one in {path, path.resolve()} if path.is_symlink() else {path}:
            yield one.parent, f"{re.escape(one.name)}{ASIDE}{STAMP}{LOG}"
    for nights in _nightly(url, setting):
        called = re.escape(nights.stem)
        yield nights.folder, f"{called}{DAY}{nights.ending}"
        if not is_file(url):
            yield nights.folder, rf"(?:.+\.before-restore|{called}\.dump)-{STAMP}"


def _nightly(url: URL, setting: str | None) -> set[Nights]:
    """Where copies are made by night, and where they were before the setting said anything."""
    found = {nights_of(url, setting)}
    if is_file(url):
        found.add(nights_of(url, None))
    return {nights for nights in found if nights is not None}


def _last_night(url: URL, setting: str | None, now: datetime) -> str | None:
    """The name of the last night's copy; None where none are made, or none is there.

    A night that is still to come, which a clock that was ahead left there, is not the last.
    """
    if nights_of(url, setting) is None:
        return None
    tomorrow = now.date() + timedelta(days=1)  # in the east it is so today
    names = [
        one.name
        for nights in _nightly(url, setting)
        for one in nights.made
        if nights.night_of(one) <= tomorrow
    ]
    return max(names, default=None)


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
