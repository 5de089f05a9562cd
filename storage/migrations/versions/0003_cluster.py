"""The queue of jobs for several replicas: Procrastinate's own schema, on PostgreSQL only.

Its package brings a script for every change it ever made to its schema. They are applied by name,
so that every database has had the same ones whatever release is installed; a test says when the
package has newer ones.

Before PostgreSQL 17 a value that is added to an enumeration cannot be used in the same transaction,
and ours is one. So the types are made with all the values that the scripts add later.
"""

from __future__ import annotations

import re
from importlib.resources import files

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LAST_SCRIPT = "03.04.00_50_post_add_retry_failed_job_procedure.sql"

ADDED = re.compile(
    r"^ALTER TYPE (\w+) ADD VALUE ('\w+')(?: (BEFORE|AFTER) ('\w+'))?;$", re.MULTILINE
)
MADE = r"(CREATE TYPE {name} AS ENUM \()(.*?)(^\);)"
VALUE = re.compile(r"^\s*('\w+')", re.MULTILINE)  # a comment follows on its line


def upgrade() -> None:
    """Make the tables, functions and triggers of the queue."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    folder = files("procrastinate.sql").joinpath("migrations")
    names = sorted(item.name for item in folder.iterdir() if item.name[0].isdigit())
    scripts = [folder.joinpath(one).read_text("utf-8") for one in names if one <= LAST_SCRIPT]
    for script in _with_whole_types(scripts):
        # its percent signs are not ours to fill
        connection.exec_driver_sql(script, execution_options={"no_parameters": True})


def _with_whole_types(scripts: list[str]) -> list[str]:
    """The scripts, the first of which makes each type as the others leave it."""
    first, *others = scripts
    for name, value, side, neighbour in ADDED.findall("\n".join(others)):
        made = re.search(MADE.format(name=name), first, re.DOTALL | re.MULTILINE)
        if made is None:
            raise LookupError(name)
        values = VALUE.findall(made[2])
        place = len(values)
        if side:
            place = values.index(neighbour) + (side == "AFTER")
        values.insert(place, value)
        listed = ",\n".join(values)
        whole = f"{made[1]}\n{listed}\n{made[3]}"
        first = first[: made.start()] + whole + first[made.end() :]
    return [first, *(ADDED.sub("", one) for one in others)]
