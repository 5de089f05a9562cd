"""Events that a button lets happen in the demonstration: a story of four feeds, an earthquake."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import orjson

from bot.demo.stories import Published, Story

APART = timedelta(seconds=5)  # between the reports of two agencies
REVISED_AFTER = timedelta(seconds=20)  # institutes measure again
#: Magnitude, its revision, place, latitude, longitude.
QUAKES = (
    (6.1, 6.0, "24 km S of Kadji-Sai, Kyrgyzstan", 41.92, 77.18),
    (5.7, 5.8, "31 km E of Naryn, Kyrgyzstan", 41.44, 76.36),
    (5.9, 5.7, "18 km SW of Talas, Kyrgyzstan", 42.41, 72.09),
)


def _read() -> list[dict[str, Any]]:
    document = tomllib.loads(files(__package__).joinpath("injected.toml").read_text("utf-8"))
    events: list[dict[str, Any]] = document["event"]
    return events


@dataclass(slots=True)
class Injected:
    """All that was let happen so far; the events come in turn, and then again."""

    _reports: list[tuple[str, Published]] = field(default_factory=list)  # with their feeds
    _quakes: list[datetime] = field(default_factory=list)
    _events: list[dict[str, Any]] = field(default_factory=_read)
    _stories: int = 0

    def story(self, now: datetime) -> None:
        """An event: the first agency reports it now, each other a little after the one before."""
        event = self._events[self._stories % len(self._events)]
        self._stories += 1
        for index, report in enumerate(event["report"]):
            at = now + index * APART
            story = Story(
                id=f"event-{self._stories}-{report['feed']}",
                language=report["feed"],
                day=0,
                at=at.time(),
                headline=report["headline"],
                text=report["text"],
            )
            self._reports.append((report["feed"], Published(id=story.id, story=story, at=at)))

    def reports(self, feed: str, now: datetime) -> list[Published]:
        """The reports of an agency up to now, newest first."""
        found = [one for name, one in self._reports if name == feed and one.at <= now]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def quake(self, now: datetime) -> None:
        """Put an earthquake into the institute's list."""
        self._quakes.append(now)

    def quakes(self, now: datetime) -> bytes:
        """The institute's list, as USGS writes one."""
        features = []
        for number, at in enumerate(self._quakes):
            first, revised, place, north, east = QUAKES[number % len(QUAKES)]
            again = now - at >= REVISED_AFTER
            told = {
                "mag": revised if again else first,
                "place": place,
                "time": _milliseconds(at),
                "updated": _milliseconds(at + REVISED_AFTER if again else at),
                "type": "earthquake",
            }
            where = {"type": "Point", "coordinates": [east, north, 12.0]}
            features.append(
                {"type": "Feature", "id": f"kn{number}", "properties": told, "geometry": where}
            )
        return orjson.dumps({"type": "FeatureCollection", "features": features})


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
