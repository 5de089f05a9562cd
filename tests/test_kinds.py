"""Every kind of alert is sent, explained, muted and revised: through the store, the worker and the
emulator.
"""

from __future__ import annotations

import pytest

from bot.alerts import KINDS
from bot.alerts.kind import PARTS, lacking, table
from bot.alerts.moves import Moves
from bot.errors import ConfigError
from bot.model.alerts import PAYLOADS


def test_the_table_has_every_payload_that_can_be_stored() -> None:
    """What is stored without a kind could be sent to nobody."""
    assert KINDS.keys() == PAYLOADS.keys()
    assert [lacking(kind) for kind in KINDS.values()] == [[] for _ in KINDS]


@pytest.mark.parametrize("part", PARTS)
def test_a_kind_that_lacks_a_part_is_refused_by_its_name(part: str) -> None:
    """Nothing half-registered runs."""
    whole = Moves()
    half = type("Half", (), {name: getattr(whole, name) for name in PARTS if name != part})()
    with pytest.raises(ConfigError, match=f"Half lacks.*{part}"):
        table(half)


def test_a_payload_without_a_stored_form_is_refused_too() -> None:
    whole = Moves()
    half = type("Half", (), {name: getattr(whole, name) for name in PARTS} | {"payload": dict})()
    with pytest.raises(ConfigError, match=r"payload\.KIND"):
        table(half)


def test_two_kinds_may_not_have_one_name() -> None:
    with pytest.raises(ConfigError, match="move"):
        table(Moves(), Moves())
