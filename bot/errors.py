"""Everything that can go wrong, in one picture.

* BotError
  * ConfigError      a setting, the catalog or the database file makes no sense; fatal at start,
    exit 78
    + AwayError      the database is away or has no room: a start some time later may do; exit 1
  * UserError        the user can mend it; shown to them in their language
  * SourceError      one source's trouble; recorded against it, never fatal
    + FetchError     no usable bytes came back
    + ParseError     bytes came back, but not in the shape we know
  * StorageError     the database failed
  * UnreadableError  an update of Telegram's that nobody can read; set aside, the others go on
  * NewerError       an alert or rule in a form that this version does not read; it waits

Errors end one thing and no more around one source's poll, around one delivery,
and in the handlers' error handler. Two are waited out besides: a StorageError by
each recurring job and whoever asks the database in between, which try again, and
a NewerError wherever alerts or rules are read among others (the fan-out, what
waited for quiet hours, the operators' page), which leave that one to a program
that reads it. Everything else goes up and stops the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.reasons import Reason, said


class BotError(Exception):
    """Anything this program raises on purpose, with its reason; words alone are somebody else's."""

    def __init__(self, why: Reason | str) -> None:
        super().__init__(why)
        self._why = why

    @property
    def reason(self) -> Reason:
        """The cause, as a value."""
        if isinstance(self._why, str):
            return said(self._why)
        return self._why


class ConfigError(BotError):
    """Problems that the operator must mend before the program can start: every one found."""

    def __init__(self, problems: Sequence[str] | str) -> None:
        if isinstance(problems, str):
            problems = (problems,)
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class AwayError(ConfigError):
    """A database that no setting need be mended for: whoever starts the program starts it again."""


class UserError(BotError):
    """A wrong question. `msgid` is looked up in the reader's catalog and filled with `values`."""

    def __init__(self, msgid: str, **values: object) -> None:
        self.msgid = msgid
        self.values: Mapping[str, object] = values
        super().__init__(msgid)


class SourceError(BotError):
    """One source's trouble: recorded against that source, the others go on."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)


class FetchError(SourceError):
    """No usable bytes came back.

    `status` is the HTTP status when there was one; `retry_after` the seconds the
    server asked us to wait, when it did.
    """

    def __init__(
        self, reason: Reason, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(reason)


class ParseError(SourceError):
    """Bytes came back, but not in the shape we know; nothing of them is stored."""


class StorageError(BotError):
    """The database failed or refused."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)


class UnreadableError(BotError):
    """Telegram sent no update that can be read: a value of a wrong type, out of range, or none."""


class NewerError(BotError):
    """An alert or rule is stored in a form that this version of the program does not read, as after
    going back to it: it is kept for one that does.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)


def first_of(error: BaseException) -> BaseException:
    """The error that ended a group of tasks, however deep the groups lie."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
