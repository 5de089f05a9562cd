"""The versions of the schema, for whoever migrates, copies or checks a database.

A new migration is one new file in `migrations/versions`, named `NNNN_words.py`; its number becomes
`HEAD` by itself.
"""

from __future__ import annotations

from pathlib import Path

SCRIPTS = Path(__file__).parent / "migrations"
_FILES = (SCRIPTS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")
#: The schema revisions this program knows, oldest first.
REVISIONS = tuple(sorted(path.name[:4] for path in _FILES))
#: The revision this program writes.
HEAD = REVISIONS[-1]
#: The oldest program that may work with this schema; raised by a migration that takes away what
#: that program needs, or adds what it must heed: one of 0006 reads and writes reasons as sentences,
#: one of 0008 does not say what its alerts are about, one of 0009 reads a rule in words,
#: one of 0011 asks a reason whether a chat is to be left alone, one of 0015 asks no chat's filters,
#: one of 0026 knows no quiet hours, and leaves what was held in them, one of 0028 reads one forum
#: topic of a chat, one of 0029 obeys whoever writes as a group,
#: one of 0033 reads the figures of a reason by their place,
#: one of 0034 does not say on what terms its alerts go out,
#: one of 0035 does not say which story its alerts tell.
MIN_READER = "0036"
