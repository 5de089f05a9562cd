"""What an operator sees of a driven day: figures, pictures, alarms and the page, each a promise of
its own beside what it is made of. One day serves them all, for its program works for a second.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.driven import driven_day
from tests.e2e.test_metrics import (
    every_documented_name_has_a_value_and_no_other_is_shown,
    no_counter_appears_after_the_first_look,
)
from tests.e2e.test_monitoring import (
    every_alarm_rings_for_its_trouble_alone,
    every_picture_has_data,
    one_replica_is_missed,
    three_looks,
)
from tests.e2e.test_status import the_page_tells_of_the_day


@pytest.mark.cases
async def test_the_operators_figures_page_pictures_and_alarms(
    tmp_path: Path, database_url: str
) -> None:
    """On both databases."""
    async with driven_day(tmp_path, database_url) as day:
        await every_documented_name_has_a_value_and_no_other_is_shown(day)
        await the_page_tells_of_the_day(
            day, "PostgreSQL" if "postgres" in database_url else "SQLite"
        )
        looks = await three_looks(day)
    no_counter_appears_after_the_first_look(day, looks[-1].samples)
    every_picture_has_data(looks)
    every_alarm_rings_for_its_trouble_alone(looks)
    one_replica_is_missed(looks)
