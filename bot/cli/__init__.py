"""The verbs: `jarchy VERB`. Machine output is JSON on stdout, progress and logs go to stderr.

Exit codes: 0 success, 1 a failure explained in one line, 2 wrong usage, 78 wrong configuration.
Heavy modules are imported by the verb that needs them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from io import StringIO
from typing import IO, Protocol, runtime_checkable

import typer
from typer.main import get_command

from bot import log

from bot.cli import starting, running, inspecting, looking, judging, broadcasting, database, moving  # isort: skip  # noqa: F401 - each registers its verbs, in this order
from bot.cli.program import LONGEST_NAME_SHOWN, cli, fail
from bot.errors import AwayError, BotError, ConfigError, UserError
from bot.grammar import in_unicode
from bot.typed import NAME, program, typed

USAGE_EXIT = 2  # as shells have it, and typer
CONFIG_EXIT = 78  # EX_CONFIG of sysexits.h, by which systemd knows not to start it again


@runtime_checkable
class _WrongUsage(Protocol):
    """The exception of typer for a wrong option or argument; its class has no public name."""

    exit_code: int

    def show(self, file: IO[str]) -> None: ...


class _Command(Protocol):
    """A verb of typer's, or some; its class has no public name either."""

    help: str | None


def main() -> None:
    """Run a verb; an error raised on purpose becomes a line (or one a problem) and an exit code."""
    log.guard_tracebacks()
    _refuse_other_bytes(sys.argv)
    try:
        verbs = get_command(cli)
        _say_as_typed(verbs)
        # what is typed wrong is shown by us, redacted; 2
        code = verbs(prog_name=program(), standalone_mode=False)
        sys.stdout.flush()  # while somebody can say that it cannot be written
        sys.exit(code)
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"jarchy: {log.one_line(problem)}\n")
        # a service is not started again after 78
        sys.exit(1 if isinstance(error, AwayError) else CONFIG_EXIT)
    except UserError as error:
        from bot.render.answers import explain

        fail(explain(error, "en").text)
    except BotError as error:
        fail(str(error))
    except (BrokenPipeError, typer.Abort):
        sys.exit(1)
    except OSError as error:  # a file or a socket that the one who typed the verb named
        named = ""
        if error.filename is not None:
            named = f"{str(error.filename)[:LONGEST_NAME_SHOWN]}: "
        fail(f"{named}{error.strerror or error}")
    # a defect: its traceback is printed here, because typer would print it as it is
    except Exception as error:  # noqa: BLE001 - as said above
        if isinstance(error, _WrongUsage):
            shown = StringIO()
            error.show(file=shown)
            sys.stderr.write(log.redact(shown.getvalue()))
            sys.exit(error.exit_code)
        log.crashed(type(error), error, error.__traceback__)
        sys.exit(1)


def _say_as_typed(command: _Command) -> None:
    """Give the help of all verbs the examples as they are typed here."""
    if command.help is not None:
        command.help = re.sub(rf"\b{NAME} (?=[a-zV])", lambda _: typed(""), command.help)
    for verb in getattr(command, "commands", {}).values():
        _say_as_typed(verb)


def _refuse_other_bytes(words: Sequence[str]) -> None:
    """End with a line and 2 where a word's bytes are not UTF-8: no database or file format of ours
    could hold it.
    """
    for index, word in enumerate(words[1:], start=1):
        try:
            in_unicode(word)
        except ValueError as error:
            sys.stderr.write(f"Error: word {index} should be {error}\n")
            sys.exit(USAGE_EXIT)
