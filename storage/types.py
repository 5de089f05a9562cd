"""Column types that mean the same on SQLite and PostgreSQL.

SQLAlchemy's own types do not: on SQLite a `DateTime(timezone=True)` comes back
naive, and `Numeric` travels through floats and is padded with zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    Numeric,
    Text,
    literal,
)
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine, UserDefinedType

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

#: A 64-bit key that SQLite still numbers by itself.
Key = BigInteger().with_variant(Integer(), "sqlite")


class Json(TypeDecorator[Any]):
    """A JSON document; JSONB where there is one.

    PostgreSQL's types are imported where it is the database: they are 2 MB.
    """

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column for the database at hand."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(JSON())
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())

    def coerce_compared_value(self, op: Any, value: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own types
        """Type a value that is compared with a part of a document by itself, not as a document."""
        return self.impl_instance.coerce_compared_value(op, value)


class Numbers(UserDefinedType[Collection[int]]):
    """Numbers that SQL looks something up among, written out: `(1,2,3)` after IN.

    Among none nothing is found: a list without a value is no SQL to PostgreSQL. SQLAlchemy's own
    parameter goes through four functions for each number.
    """

    cache_ok = True

    def literal_processor(self, dialect: Dialect) -> Callable[[Collection[int]], str]:  # noqa: ARG002 - SQLAlchemy's own
        """The writer of it into a statement: nothing but digits, whatever is given."""
        return lambda numbers: f"({','.join(['%d' % number for number in numbers]) or 'NULL'})"  # noqa: UP031 - the fastest


def is_among(column: ColumnElement[int], numbers: Collection[int]) -> ColumnElement[bool]:
    """Whether a column has one of these numbers, which may be thousands: they are written out."""
    written = literal(numbers, Numbers(), literal_execute=True)
    found: ColumnElement[bool] = column.op("IN", is_comparison=True)(written)
    return found


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, returned in UTC.

    It is microseconds since 1970 on SQLite, `timestamptz` on PostgreSQL. A naive value is a mistake
    of the caller and is refused.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column for the database at hand."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - int or datetime
        """Aware in, microseconds or UTC out."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        if dialect.name == "sqlite":
            # in whole numbers: a float of seconds has no room for the microseconds of today
            return (value - EPOCH) // MICROSECOND
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - int or datetime
        """Always aware, always UTC."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return EPOCH + int(value) * MICROSECOND


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with exactly the digits it was given.

    It is text on SQLite, unbounded `numeric` on PostgreSQL. NaN and infinities are no amounts and
    are refused.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column for the database at hand."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:  # noqa: ANN401 - str or Decimal
        """Plain digits, no exponent."""
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError(f"not a finite number: {value}")
        plain = format(value, "f")
        if dialect.name == "sqlite":
            return plain
        return Decimal(plain)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ANN401, ARG002 - str or Decimal
        """The digits that were stored."""
        if value is None:
            return None
        return Decimal(value)
