"""The sheet that charts are drawn on: its size, its letters, its colours.

Everything is measured in points of a phone on which the picture is 360 wide, from the left and from
above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

WIDTH, HEIGHT = 360, 300  # points; a phone shows a picture of this shape about so wide
PIXELS = 3  # a point, as the phones of our days have them
TITLE, WORDS = 18, 13  # letters, in points
EDGE = 12  # around everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """The colours of a chart."""

    paper: str
    ink: str
    soft: str
    faint: str
    line: str
    alert: str


LIGHT = Colours(
    paper="#ffffff", ink="#1d2733", soft="#4d5763", faint="#e3e8ee", line="#1f6fb5", alert="#ad5a00"
)
DARK = Colours(
    paper="#17212b", ink="#e8eef4", soft="#b3bdc7", faint="#2b3947", line="#64b5f6", alert="#ffb454"
)


class Page:
    """The picture as a sheet of `WIDTH` × `height` points to write on."""

    def __init__(self, figure: Figure, colours: Colours, height: float) -> None:
        self.figure = figure
        self.colours = colours
        self.height = height

    def write(
        self,
        words: str,
        x: float,
        y: float,
        *,
        size: float = WORDS,
        bold: bool = False,
        colour: str | None = None,
        side: str = "left",
    ) -> Text:
        """Words whose letters stand on `y`."""
        return self.figure.text(
            x / WIDTH,
            1 - y / self.height,
            words,
            fontsize=size,
            fontweight="bold" if bold else "normal",
            color=colour or self.colours.ink,
            ha=side,
            va="baseline",
        )

    def width(self, words: str, *, size: float = WORDS, bold: bool = False) -> float:
        """The width of words, in points."""
        text = self.write(words, 0, 0, size=size, bold=bold)
        wide = float(text.get_window_extent().width)
        text.remove()
        return wide / PIXELS

    def wrapped(
        self, words: str, room: float, *, size: float = WORDS, bold: bool = False
    ) -> list[str]:
        """Words in lines that the room takes."""
        rows = [""]
        for word in words.split():
            longer = f"{rows[-1]} {word}".strip()
            if rows[-1] and self.width(longer, size=size, bold=bold) > room:
                rows.append(word)
            else:
                rows[-1] = longer
        return rows
