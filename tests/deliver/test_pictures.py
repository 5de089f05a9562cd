"""Pictures of what is delivered: few are drawn at once, and none twice."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal

import pytest

from bot.deliver.pictures import DRAWN_AT_ONCE, PICTURES_KEPT, NotDrawnError, Pictures
from bot.render.panels import Panel, Panels

DAY = date(2021, 10, 20)


def picture(title: str) -> Panels:
    """One of a flat line."""
    line = Panel(
        name="USD/KGS",
        last="84.79",
        change="0.00 %",
        points=((DAY, Decimal(84)), (DAY, Decimal(84))),
        lowest="84",
        highest="84",
    )
    return Panels(
        title=title,
        source="National Bank",
        panels=(line,),
        first=DAY,
        last=DAY,
        marked=DAY,
        days=(),
    )


async def test_of_many_pictures_a_few_are_drawn_at_a_time_and_each_once() -> None:
    """Whoever asks comes back; more distinct ones than are kept are all had in the end."""
    drawn: list[str] = []
    most = 0
    free = asyncio.Event()

    async def run(_job: object, asked: Panels, **_options: object) -> bytes:
        nonlocal most
        drawn.append(asked.title)
        most = max(most, len(drawn) - len(had))
        await free.wait()
        return asked.title.encode()

    pictures, had = Pictures(run), set[str]()
    waiting = [picture(str(number)) for number in range(2 * PICTURES_KEPT)]
    with pytest.raises(NotDrawnError):
        pictures.of(waiting[0])
    free.set()
    while waiting:
        for one in list(waiting):
            try:
                assert pictures.of(one) == one.title.encode()
            except NotDrawnError:
                continue
            waiting.remove(one)
            had.add(one.title)
        await asyncio.sleep(0)
    assert len(drawn) == len(set(drawn)) == 2 * PICTURES_KEPT
    assert most <= DRAWN_AT_ONCE
