"""The queue of jobs for several replicas: Procrastinate's own schema, on PostgreSQL only.

Its package brings a script for every change it ever made to its schema. They are applied by name,
so that every database has had the same ones whatever release is installed; a test says when the
package has newer ones.
"""

from __future__ import annotations

from importlib.resources import files

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LAST_SCRIPT = "03.04.00_50_post_add_retry_failed_job_procedure.sql"


def upgrade() -> None:
    """Make the tables, functions and triggers of the queue."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    scripts = [
        item
        for item in files("procrastinate.sql").joinpath("migrations").iterdir()
        if item.name[0].isdigit()
    ]
    for script in sorted(scripts, key=lambda item: item.name):
        if script.name <= LAST_SCRIPT:
            # its percent signs are not ours to fill
            connection.exec_driver_sql(
                script.read_text("utf-8"), execution_options={"no_parameters": True}
            )
