"""Calls of the Bot API that are decided in one room and made in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: A value as JSON has it.
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
#: What a method is called with, by name.
Parameters = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A method of the Bot API and its parameters, without the chat: that is the delivery's own."""

    method: str
    parameters: Parameters
