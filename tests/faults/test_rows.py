"""docs/faults.md and the names of tests say the same: each row has a test, each test named after a
code a row.
"""

from __future__ import annotations

from tests.faults.catalogue import NOT_YET, files_by_code, rows


def test_each_row_has_a_test_of_its_name_or_says_why_not() -> None:
    """A promise is tried, or its row says "not yet" and the reason."""
    files = files_by_code()
    untried = {
        code
        for code, where in rows().items()
        if code not in files and not where.startswith(NOT_YET)
    }
    assert sorted(untried) == []


def test_each_code_of_a_test_has_a_row() -> None:
    """A code is a promise that the page makes."""
    assert sorted(files_by_code().keys() - rows().keys()) == []


def test_the_page_says_where_each_row_is_tested() -> None:
    """The column is written by `python -m tests.faults.catalogue`."""
    files = files_by_code()
    wrong = {
        code: files[code]
        for code, where in rows().items()
        if code in files and where != ", ".join(files[code])
    }
    assert wrong == {}


def test_the_page_has_every_letter() -> None:
    """Processes, time, Telegram, feeds, rates, security."""
    assert {code[0] for code in rows()} == set("PTGFRS")
