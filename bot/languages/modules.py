"""The Python files of a language: what is wrong in one is a line that names it, and no traceback.

Whoever adds a language need not know Python: a bracket that is not closed, a field that there is
not, a name that means nothing.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from traceback import extract_tb


@cache  # a start looks at each file twice: with all languages, and when one is spoken
def problem_of_module(name: str, file: str) -> str:
    """Why a module cannot be read, to be said behind its file; "" where it can.

    `file` is the end of its path: of all that was passed on the way, the line is of that file.
    """
    try:
        import_module(name)
    except Exception as error:  # noqa: BLE001 - whatever is wrong in it is told as a line
        return f"{_line_of(error, file)}: {type(error).__name__}: {_said(error)}"
    return ""


def _said(error: Exception) -> str:
    # "(days.py, line 3)" is said before, by its whole path
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _line_of(error: Exception, file: str) -> str:
    lines = [at.lineno for at in extract_tb(error.__traceback__) if _is(at.filename, file)]
    if isinstance(error, SyntaxError) and _is(error.filename or "", file):
        lines.append(error.lineno)
    return f", line {lines[-1]}" if lines else ""


def _is(path: str, file: str) -> bool:
    return path.replace("\\", "/").endswith(file)
