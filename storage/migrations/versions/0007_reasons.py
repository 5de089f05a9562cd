"""Reasons as codes and figures: the English sentences of earlier versions become values."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.types import Json

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CHUNK = 1000  # rows of a table that are read and written at a time
_SIGNED = r"([+−-]?[\d.]+)"
_DAY = r"(\d{4}-\d\d-\d\d)"
#: The sentences that versions up to 0006 stored → the code of the reason; what stands in brackets
#: are its values.
_SENTENCES = tuple(
    (re.compile(sentence, re.DOTALL), code)
    for sentence, code in (
        ("grave", "grave"),
        ("danger", "danger"),
        ("near", "near"),
        (r"(\d+) dead", "dead"),
        ("not happening now", "calm"),
        ("official source", "official"),
        ("only aggregators", "aggregators"),
        (rf"{_SIGNED} % against the fixing of {_DAY}", "fixing"),
        (rf"{_SIGNED} % since the alert of {_DAY}", "drift"),
        (rf"{_SIGNED} % since the first rate of {_DAY}", "drift_first"),
        (r"highest in (\d+) days", "high"),
        (r"lowest in (\d+) days", "low"),
        (r"a usual day moves ([\d.]+) %", "usual"),
        (r"(\S+) revised its rate", "revised"),
        (r"above (\S+), was (\S+)", "above"),
        (r"below (\S+), was (\S+)", "below"),
        (rf"{_SIGNED} % since {_DAY}", "since"),
        (rf"effective on {_DAY}, far from the days it publishes for", "far_day"),
        (r"(\S+) for (\S+) is not a price", "no_price"),
        (r"(\S+) agrees", "agrees"),
        (rf"decimal shift: (\S+) times the rate of {_DAY}", "shift"),
        (r"units changed from (\d+) to (\d+)", "units"),
        (r"took the value of (\S+), which took this one's: rows swapped", "swapped"),
        (rf"{_SIGNED} % against {_DAY}, more than (\S+) %", "leap"),
        (r"−([a-z_]+): (.+)", "against"),
        (r"([a-z_]+): (.+)", "found"),
        (r"(.*)", "said"),
    )
)


def upgrade() -> None:
    """Convert what alerts, stories and held rates give as their reasons."""
    for name in ("alert", "story", "held_rate"):
        _convert(name)


def _convert(name: str) -> None:
    table = sa.table(name, sa.column("id", sa.BigInteger()), sa.column("reasons", Json))
    bind = op.get_bind()
    change = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("its_id"))
        .values(reasons=sa.bindparam("its_reasons", type_=Json))
    )
    last: int | None = None
    while True:
        query = sa.select(table).order_by(table.c.id).limit(CHUNK)
        rows = bind.execute(query if last is None else query.where(table.c.id > last)).all()
        if not rows:
            return
        last = rows[-1].id
        bind.execute(
            change, [{"its_id": row.id, "its_reasons": _values(row.reasons)} for row in rows]
        )


def _values(sentences: list[str]) -> dict[str, Any]:
    """Version 1 of the stored form of reasons, as it was when this migration was written."""
    found = []
    for sentence in sentences:
        for pattern, code in _SENTENCES:
            match = pattern.fullmatch(sentence)
            if match is not None:
                found.append([code, *match.groups()])
                break
    return {"v": 1, "reasons": found}
