"""Whether the fields of a language's part hold what they are declared to: a type, and what is said
beside it (`Pattern`).

Nobody else would look before a reader's question meets the field, long after the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from enum import Enum
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

LONGEST_SHOWN = 40  # letters of a value that are repeated
NOUNS = {str: "text", int: "a whole number", bool: "True or False"}
#: What is wrong with a value of the right type, "" where nothing is.
Check = Callable[[Any], str]


def wrong_fields(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part
    """Each field of a part that holds something else, with its name first."""
    for name, hint in _hints(part.__class__).items():
        value = getattr(part, name)
        if wrong := problem_of(value, hint):
            yield f"{name} {wrong}"


@cache
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind)}


def problem_of(value: object, hint: Any) -> str:  # noqa: ANN401 - a type, or an alias of one
    """The fault of a value that its field cannot hold: "has 5 where text should be"; "" of none."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return problem_of(value, inside[0]) or _first(check(value) for check in inside[1:])
    if origin is tuple:
        return _problem_of_several(value, inside)
    if origin is Mapping:
        return _problem_of_table(value, inside)
    if origin is Callable:
        right, fits = "a function", callable(value)
    else:
        right = NOUNS.get(hint, f"a {hint.__name__}")
        # True would pass for 1
        fits = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    return "" if fits else is_not(value, right)


# what else the fields of a part say of themselves


def compiled(pattern: str) -> str:
    """Whether a piece of a regular expression is one by itself."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"has {shown(pattern)}, which is no pattern: {error}"
    return ""


def all_or_none(count: int) -> Check:
    """A check for so many, or none as in a stub."""
    return lambda several: "" if len(several) in {0, count} else f"has {len(several)}, not {count}"


def one_of(kinds: type[Enum]) -> Check:
    """A value of an enumeration."""
    known = [str(kind.value) for kind in kinds]
    return lambda value: "" if value in known else is_not(value, f"one of {', '.join(known)}")


def a_zone(key: str) -> str:
    """A time zone, as IANA writes it."""
    try:
        ZoneInfo(key)
    except (KeyError, ValueError, OSError):  # of no such zone, of no path, of a folder
        return is_not(key, "a time zone such as Asia/Bishkek")
    return ""


def bring(kind: type) -> Check:
    """A function whose values are of a type, and hold what that declares."""

    def wrong(make: Callable[[], Iterable[object]]) -> str:
        try:
            made = list(make())
        except Exception as error:  # noqa: BLE001 - whatever is wrong in it is told as a line
            return f"fails: {type(error).__name__}: {error}"
        for one in made:
            if not isinstance(one, kind):
                return is_not(one, f"a {kind.__name__}")
            for told in wrong_fields(one):
                return f"has {shown(one)}: {told}"
        return ""

    return wrong


def is_not(value: object, right: str) -> str:
    """A value that should be something else."""
    return f"has {shown(value)} where {right} should be"


def shown(value: object) -> str:
    """A value as it may be repeated in a line."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _problem_of_several(value: object, kinds: tuple[Any, ...]) -> str:
    if not isinstance(value, tuple):
        return is_not(value, "several in round brackets")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(value) != len(kinds):
        return is_not(value, f"{len(kinds)} in round brackets")
    return _first(map(problem_of, value, kinds))


def _problem_of_table(value: object, inside: tuple[Any, ...]) -> str:
    if not isinstance(value, Mapping):
        return is_not(value, "a table in curly brackets")
    keys, values = inside
    wrong = _first(problem_of(key, keys) for key in value)
    return wrong or _first(problem_of(one, values) for one in value.values())


def _first(problems: Iterable[str]) -> str:
    return next(filter(None, problems), "")
