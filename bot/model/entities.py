"""Entities: marked stretches of a text, as Telegram counts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NotRequired, TypedDict, cast


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A marked stretch of a text: Bot API's type name, offset and length in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None
    unix_time: int | None = None

    @property
    def end(self) -> int:
        """The first unit after it."""
        return self.offset + self.length


class WrittenEntity(TypedDict):
    """An entity as the Bot API has it, and as it is stored."""

    type: str
    offset: int
    length: int
    url: NotRequired[str]
    language: NotRequired[str]
    unix_time: NotRequired[int]


def written_entity(entity: Entity) -> WrittenEntity:
    """An entity as the Bot API has it: what it lacks is left out."""
    marked = WrittenEntity(type=entity.type, offset=entity.offset, length=entity.length)
    if entity.url is not None:
        marked["url"] = entity.url
    if entity.language is not None:
        marked["language"] = entity.language
    if entity.unix_time is not None:
        marked["unix_time"] = entity.unix_time
    return marked


def read_entities(stored: Iterable[Mapping[str, object]]) -> tuple[Entity, ...]:
    """Entities that `written_entity` wrote."""
    found: list[Entity] = []
    for one in stored:
        marked = cast("WrittenEntity", one)
        found.append(
            Entity(
                type=marked["type"],
                offset=marked["offset"],
                length=marked["length"],
                url=marked.get("url"),
                language=marked.get("language"),
                unix_time=marked.get("unix_time"),
            )
        )
    return tuple(found)
