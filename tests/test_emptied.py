"""A database that one test after the other has: each finds it as its template is."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import make_url

from tests.conftest import migrated_template
from tests.emptied import emptied
from tests.postgres import Shared

pytestmark = pytest.mark.postgres
_STORY = "INSERT INTO story (at, severity, reasons) VALUES (now(), 'info', '[]') RETURNING id"
_ROWS = "SELECT name FROM mark UNION ALL SELECT id::text FROM story"


@pytest.mark.parametrize(
    ("left", "again"),
    [
        ("DELETE FROM mark", True),
        ("ALTER TABLE story ADD COLUMN more int", False),
        ("ALTER TABLE story SET (autovacuum_enabled = off)", False),
        ("ANALYZE story", False),
        ("DROP TABLE mark CASCADE", False),
    ],
)
def test_what_a_test_leaves_in_a_database_is_not_there_for_the_next(
    postgres: Shared, left: str, again: bool
) -> None:
    """Rows go, and their numbers with them; where more was changed the next has another one."""
    names = []
    for leaves in (left, "SELECT 1"):
        with emptied(postgres.server(), migrated_template(postgres)) as url:
            names.append(make_url(url).database)
            with psycopg.connect(url, autocommit=True) as connection:
                assert connection.execute(_ROWS).fetchall() == [("min_reader",)]
                assert connection.execute(_STORY).fetchone() == (1,)
                connection.execute(leaves)
    assert (names[0] == names[1]) == again
