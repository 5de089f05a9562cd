"""What libraries say of themselves goes; what they do stays as it is."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from bot.undocumented import import_without_texts

LONG = "It says at length what nobody reads while the program runs, and some more."
LIBRARY = f'''
"""{LONG}"""

class Thing:
    """{LONG}"""

    def act(self):
        """{LONG}"""
        return ["{LONG}" for _ in range(2)]

def plain():
    return "{LONG}"

def brief():
    """Short."""
    assert plain() == "{LONG}"
    return "Short."
'''


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two libraries of one text, of which the first is imported without what it says."""
    monkeypatch.setattr(sys, "path_hooks", list(sys.path_hooks))
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("talkative", "talkative_too"):
        (tmp_path / f"{name}.py").write_text(LIBRARY)
        monkeypatch.delitem(sys.modules, name, raising=False)
    import_without_texts({"talkative"})


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize("cached", [False, True])
def test_long_texts_go_and_values_stay(cached: bool) -> None:
    """Whether the bytecode was there before or is made now."""
    library = importlib.import_module("talkative")
    if cached:
        del sys.modules["talkative"]
        library = importlib.import_module("talkative")
    assert (library.__doc__, library.Thing.__doc__, library.Thing.act.__doc__) == (None,) * 3
    assert library.Thing().act() == [LONG, LONG]
    assert (library.plain(), library.brief(), library.brief.__doc__) == (LONG, "Short.", "Short.")


@pytest.mark.usefixtures("libraries")
def test_other_libraries_keep_their_texts() -> None:
    """Some work by them, as the verbs do."""
    other = importlib.import_module("talkative_too")
    assert {other.__doc__, other.Thing.__doc__, other.Thing.act.__doc__} == {LONG}
