"""Whether a function fits where a table has it: what calls it gives so many values, and may wait.

Nobody else would look before the first call, long after the start.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable


def takes(function: object, count: int) -> bool:
    """Whether something can be called with so many values, told apart by their places."""
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # one of C's, which does not say what it takes
        return True
    return True


def fits(function: object, model: Callable[..., object]) -> bool:
    """Whether something can stand where `model` does: called as that is, and waited for alike."""
    if not callable(function) or is_awaited(function) != is_awaited(model):
        return False
    values: list[None] = []
    named: dict[str, None] = {}
    for one in inspect.signature(model).parameters.values():
        if one.kind is one.KEYWORD_ONLY:
            named[one.name] = None
        else:
            values.append(None)
    try:
        inspect.signature(function).bind(*values, **named)
    except (TypeError, ValueError):
        return False
    return True


def makes(function: object, count: int) -> bool:
    """Whether something can be called so, and gives what it makes there and then."""
    return takes(function, count) and not is_awaited(function)


def is_awaited(function: object) -> bool:
    """Whether it is a coroutine function."""
    return inspect.iscoroutinefunction(function)
