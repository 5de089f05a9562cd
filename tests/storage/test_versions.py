"""The migrations lead from the first to the last, or what they lack is told by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.errors import ConfigError
from storage import migrate, versions
from storage.health import health
from storage.opening import open_store
from storage.versions import HEAD, SCRIPTS
from tests.forkserver import copied

WHOLE = """
revision: str = "0002"
down_revision = "0001"

def upgrade() -> None:
    pass
"""
FIRST = WHOLE.replace("0001", "0000").replace("0002", "0001").replace('"0000"', "None")
IN = "storage/migrations/versions"
TWO = f"migration 0002: {IN}/0002_two.py"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, []),
        ({"0003_three.py": WHOLE.replace("0002", "0003").replace("0001", "0002")}, []),
        (
            {"0004_four.py": WHOLE.replace("0002", "0004").replace("0001", "0003")},
            [f"migration 0003: {IN} lacks its file"],
        ),
        ({"0002_zwei.py": WHOLE}, [
            f"migration 0002: {IN}/0002_zwei.py has the number of 0002_two.py"
        ]),
        (
            {"3_three.py": WHOLE},
            [f"{IN}/3_three.py is no migration: its name should be such as 0001_words.py"],
        ),
        ({"0002_two.py": WHOLE.replace("0001", "0007")}, [f"{TWO} lacks down_revision = '0001'"]),
        ({"0002_two.py": WHOLE.replace("0002", "2")}, [f"{TWO} lacks revision = '0002'"]),
        ({"0002_two.py": WHOLE.replace("down_", "")}, [
            f"{TWO} lacks revision = '0002'", f"{TWO} lacks down_revision = '0001'"
        ]),
        ({"0002_two.py": WHOLE.replace("upgrade", "upgrad")}, [
            f"{TWO} lacks upgrade(), what it does"
        ]),
        ({"0001_one.py": FIRST.replace("None\n", '"0000"\n', 1)}, [
            f"migration 0001: {IN}/0001_one.py lacks down_revision = None"
        ]),
        ({"0002_two.py": "x = )"}, [f"{TWO}, line 1: SyntaxError: unmatched ')'"]),
    ],
)  # fmt: skip
def test_what_migrations_lack_is_told_by_their_numbers(
    files: dict[str, str], told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each knows the one before it, and is found by its name."""
    for name, text in {"0001_one.py": FIRST, "0002_two.py": WHOLE, **files}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(versions, "VERSIONS", tmp_path)
    monkeypatch.setattr(versions, "MIN_READER", "0002")
    assert versions.problems() == told


def test_the_oldest_program_that_may_read_is_of_a_migration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert versions.problems() == []
    monkeypatch.setattr(versions, "MIN_READER", "0900")
    assert versions.problems() == ["storage/versions.py: MIN_READER is 0900, which is no migration"]


async def test_no_database_is_brought_up_by_migrations_that_lack_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By any verb that would."""
    monkeypatch.setattr(migrate, "problems", lambda: ["migration 0034: it is gone"])
    with pytest.raises(ConfigError, match="migration 0034: it is gone"):
        await open_store(f"sqlite:///{tmp_path / 'x.db'}")


WRONG = [
    ("import sqlalchmey", "pass", "line 1: ModuleNotFoundError: No module named 'sqlalchmey'"),
    ("from alembic import op", "op.add_colum()", "line 5: AttributeError: "),
]


async def test_a_migration_that_cannot_be_run_is_a_line_and_leaves_the_database_as_it_was(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, and the next start with the file mended goes on."""
    scripts = tmp_path / "migrations"
    copied(SCRIPTS, scripts)
    with monkeypatch.context() as wrong:
        wrong.setattr(migrate, "SCRIPTS", scripts)
        for head, body, told in WRONG:
            (scripts / "versions" / "9999_wrong.py").write_text(
                f'{head}\nrevision = "9999"\ndown_revision = "{HEAD}"\ndef upgrade():\n    {body}\n'
            )
            with pytest.raises(ConfigError, match=re.escape(f"9999_wrong.py, {told}")):
                await open_store(database_url)
    store = await open_store(database_url)
    assert (await health(store)).problems == ()
    await store.close()
