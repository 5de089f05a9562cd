"""Subjects: what can be followed has one written form, read back as the same value."""

from __future__ import annotations

from datetime import time
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.model import subjects
from bot.model.rates import Pair
from bot.model.subjects import (
    SUBJECTS as KINDS,
)
from bot.model.subjects import (
    DigestSubject,
    FeedSubject,
    PairSubject,
    RuleSubject,
    Subject,
    TopicSubject,
    digests_of,
    pairs_of,
    parse_subject,
    table,
    topics_of,
)
from handlers.alerts import lacking_subjects

CODES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)
TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
SUBJECTS: st.SearchStrategy[Subject] = st.one_of(
    st.builds(PairSubject, st.builds(Pair, CODES, CODES)),
    st.builds(TopicSubject, st.sampled_from(["security", "economy", "politics", "society"])),
    st.builds(
        DigestSubject,
        st.times().map(lambda at: time(at.hour, at.minute)),
        st.sampled_from(["Asia/Bishkek", "UTC"]),
    ),
    st.builds(RuleSubject, st.integers(1)),
    st.builds(FeedSubject, st.text("0123456789abcdef", min_size=1)),
)


@given(SUBJECTS)
def test_a_subject_is_read_back_as_it_was_written(subject: Subject) -> None:
    assert parse_subject(str(subject)) == subject


def test_the_written_form_of_existing_subscriptions_stays() -> None:
    """A change here would silence every chat there is."""
    written = ["pair:USD/KGS", "topic:security", "digest:09:00@Asia/Bishkek", "rule:7", "feed:4f3a"]
    assert [str(parse_subject(key)) for key in written] == written


@pytest.mark.parametrize(
    "text",
    ["", "pair", "pair:", "pair:USD", "topic:", "digest:", "digest:25:00@UTC", "rule:x", "x:1"],
)
def test_what_is_no_subject_is_refused_and_hides_no_other(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        parse_subject(text)
    keys = [text, "pair:USD/KGS", "topic:economy", "digest:08:30@UTC"]
    assert pairs_of(keys) == [Pair("USD", "KGS")]
    assert topics_of(keys) == ["economy"]
    assert digests_of(keys) == [DigestSubject(time(8, 30), "UTC")]


class Nameless(Subject):
    """A subject that cannot be written."""


class Lonely(Nameless):
    """A subject of which no handler has heard."""

    KIND: ClassVar[str] = "lonely"


def test_every_kind_of_subject_of_the_file_is_in_the_table() -> None:
    """One left out could be followed, and would be passed over wherever keys are read."""
    found: set[type[Subject]] = set()
    for one in vars(subjects).values():
        if isinstance(one, type) and issubclass(one, Subject) and one is not Subject:
            found.add(one)
    assert found == set(KINDS.values())


def test_a_kind_of_subject_that_lacks_a_part_says_which() -> None:
    """None half made is read, and none hides another of its name."""
    with pytest.raises(ConfigError, match="the subject Nameless lacks read, which, KIND"):
        table(Nameless)
    with pytest.raises(ConfigError, match="two kinds of subject are called rule"):
        table(RuleSubject, RuleSubject)


def test_a_kind_of_subject_without_buttons_is_told_by_its_name() -> None:
    assert lacking_subjects(KINDS.values()) == []
    (said,) = lacking_subjects([Lonely])
    assert said == "subject lonely: handlers/alerts.py lacks what its buttons act on"
