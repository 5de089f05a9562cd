"""Marked text: offsets in UTF-16, nothing foreign is interpreted, and a cut leaves whole
sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.entities import Entity
from bot.render.cutting import cut
from bot.render.phrases import when
from bot.render.text import (
    LIMIT,
    Button,
    Colour,
    Message,
    Rich,
    bold,
    clean,
    code,
    fill,
    italic,
    join,
    lines,
    link,
    message,
    one_line,
    pre,
    quote,
    safe_url,
    units,
)
from bot.render.wire import to_api

LETTERS = st.text(st.sampled_from("aя🦅ө é\n.!?…<&{}👍🏽"), max_size=60)


def marked(text: str, entity: Entity) -> str:
    """The letters that Telegram would show as marked."""
    return text.encode("utf-16-le")[entity.offset * 2 : entity.end * 2].decode("utf-16-le")


@given(
    st.lists(st.tuples(st.sampled_from([bold, italic, code, pre, quote]), LETTERS), max_size=6),
    LETTERS,
)
def test_an_entity_marks_exactly_the_text_it_was_put_on(
    parts: list[tuple[Callable[[str], Rich], str]], between: str
) -> None:
    """Whatever stands before it, emoji included."""
    whole = join(between, [mark(text) for mark, text in parts])
    wanted = [clean(text) for _, text in parts if clean(text).strip()]
    assert [marked(whole.text, e) for e in whole.entities] == wanted


@given(LETTERS, LETTERS, LETTERS)
def test_marks_survive_being_filled_into_a_template_and_trimmed(
    before: str, inside: str, after: str
) -> None:
    """Trimming a message moves its entities along."""
    sent = message(Rich(before) + bold(inside) + after)
    assert sent.text == (before + clean(inside) + after).strip()
    for entity in sent.entities:
        assert marked(sent.text, entity).strip() == clean(inside).strip()


@given(st.text(max_size=300), st.integers(8, 120), st.integers(0, 300), st.integers(1, 200))
def test_a_cut_message_fits_and_its_entities_stay_inside(
    text: str, limit: int, start: int, size: int
) -> None:
    """No surrogate pair is broken, whatever the text."""
    body = (
        Rich(clean(text)[:start])
        + bold(clean(text)[start : start + size])
        + clean(text)[start + size :]
    )
    whole = message(body)
    short = cut(whole, limit)
    assert units(short.text) <= limit
    short.text.encode("utf-16-le")
    assert all(
        e.offset >= 0 and e.length > 0 and e.end <= units(short.text) for e in short.entities
    )
    if units(whole.text) <= limit:
        assert short is whole
    else:
        assert short.text.endswith("…")
        assert whole.text.startswith(short.text.removesuffix("…").rstrip())


@given(LETTERS)
def test_a_value_cannot_inject_into_a_template(text: str) -> None:
    """Braces in a headline are letters."""
    assert fill("{a} – {b}", a=text, b="{a}").text == f"{clean(text)} – {{a}}"


@given(st.text())
def test_foreign_text_comes_out_without_anything_invisible(text: str) -> None:
    """And cleaning twice changes nothing."""
    once = clean(text)
    assert clean(once) == once
    assert not set(once) & set("\x00\x1b\r\u200b\u202e\u2066\ufeff")
    once.encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\x00b\x07c", "abc"),
        ("safe\u202egpj.exe", "safegpj.exe"),
        ("a\u200bb\ufeffc", "abc"),
        ("one\r\ntwo\u2028three", "one\ntwo\nthree"),
        ("е\u0301" + "\u0336" * 40 + "!", "е\u0301\u0336\u0336!"),
        ("half \ud83d a pair", "half  a pair"),
        ("🇰🇬 ❤\ufe0f сом", "🇰🇬 ❤\ufe0f сом"),
        ("a\u200db 👩\u200d🚒 x\u200d", "ab 👩\u200d🚒 x"),
    ],
)
def test_tricks_in_foreign_text_are_taken_out(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_a_headline_is_one_line() -> None:
    assert one_line("  Apples\n and \t pears ") == "Apples and pears"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "/relative",
        "//host/x",
        "https://",
        "https:///path",
        "http://[broken",
        "https://a b/",
        "https://a\u202eb/",
        "",
        None,
    ],
)
def test_a_link_to_a_forbidden_address_is_only_words(url: str | None) -> None:
    assert safe_url(url) is None
    assert link("words", url) == Rich("words")


def test_a_good_link_is_kept() -> None:
    assert link("words", " https://news.example/a?b=c#d ").entities == (
        Entity(type="text_link", offset=0, length=5, url="https://news.example/a?b=c#d"),
    )


def test_marks_nest_outer_first() -> None:
    both = bold("a " + link("🦅", "https://news.example/"))
    assert [(e.type, e.offset, e.length) for e in both.entities] == [
        ("bold", 0, 4),
        ("text_link", 2, 2),
    ]


def test_what_telegram_forbids_to_nest_is_refused_here() -> None:
    with pytest.raises(ValueError, match="cannot hold code"):
        bold(code("x"))
    with pytest.raises(ValueError, match="cannot hold text_link"):
        link(link("x", "https://a.example/"), "https://b.example/")
    assert pre(bold("x")).entities == (Entity(type="pre", offset=0, length=1),)


def test_a_template_with_a_missing_unknown_or_clever_name_raises() -> None:
    with pytest.raises(KeyError):
        fill("{a} {b}", a="x")
    with pytest.raises(ValueError, match="no place for b"):
        fill("{a}", a="x", b="y")
    for clever in ("{a.real}", "{a[0]}", "{a!r}", "{a:>10}", "{}", "{0}"):
        with pytest.raises(ValueError, match="plain names"):
            fill(clever, a="x")


def test_a_template_may_hold_marked_values_numbers_and_literal_braces() -> None:
    whole = fill("{{{n}}} {who}!", n=3, who=bold("Айгүл"))
    assert whole == Rich("{3} Айгүл!", (Entity(type="bold", offset=4, length=5),))


def test_lines_leave_no_gap_for_what_is_missing() -> None:
    assert lines("a", None, "", bold("b")).text == "a\nb"


def test_a_long_message_is_cut_at_a_sentence_and_leads_on() -> None:
    text = "The pass is open. " * 20 + "Snow is expected"
    short = cut(message(bold(text)), 100, more=link("more", "https://news.example/1"))
    assert short.text == "The pass is open. " * 4 + "The pass is open. … more"
    assert marked(short.text, short.entities[0]) == "The pass is open. " * 4 + "The pass is open."
    assert marked(short.text, short.entities[1]) == "more"


def test_without_a_sentence_a_message_is_cut_at_a_word() -> None:
    assert cut(message("lamb " * 30), 24).text == "lamb lamb lamb lamb…"


def test_without_a_word_it_is_cut_between_letters_never_inside_one() -> None:
    assert cut(message("🦅" * 30), 10).text == "🦅" * 4 + "…"
    assert cut(message("e\u0301" * 30), 9).text == "e\u0301" * 3 + "…"


def test_a_message_of_exactly_the_limit_is_left_alone() -> None:
    whole = Message("🦅" * (LIMIT // 2))
    assert cut(whole) is whole


def test_empty_rows_of_buttons_are_dropped() -> None:
    assert message("x", [[], [Button("a", "b")]]).buttons == ((Button("a", "b"),),)


def test_a_button_has_the_bot_apis_style_for_its_colour() -> None:
    """And none where nothing is said, which clients draw as ever."""
    row = [Button("Yes", "y", colour=Colour.GREEN), Button("No", "n", colour=Colour.RED)]
    sent = to_api(message("Sure?", [[*row, Button("Later", "l")]]))["reply_markup"]
    styles = [button.get("style") for button in sent["inline_keyboard"][0]]
    assert styles == ["success", "danger", None]


def test_a_message_becomes_the_bot_apis_json() -> None:
    sent = message(
        bold("Rates") + " " + link("here", "https://news.example/"),
        [[Button("Why?", "why:7")]],
        silent=True,
    )
    assert to_api(sent) == {
        "text": "Rates here",
        "entities": [
            {"type": "bold", "offset": 0, "length": 5},
            {"type": "text_link", "offset": 6, "length": 4, "url": "https://news.example/"},
        ],
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": [[{"text": "Why?", "callback_data": "why:7"}]]},
        "disable_notification": True,
    }


def test_a_moment_is_tapped_by_who_lives_in_another_zone() -> None:
    """Its words stay; Telegram knows of no moment before 1970, and they stand alone there."""
    shown = when(datetime(2021, 10, 20, 9, 5, tzinfo=UTC), "ru", "Asia/Bishkek")
    marked = to_api(message(italic("–") + " " + shown))["entities"][-1]
    assert marked == {"type": "date_time", "offset": 2, "length": 18, "unix_time": 1634720700}
    assert shown.text == "20\u00a0октября в 15:05"
    assert when(datetime(1969, 12, 31, tzinfo=UTC), "en", "UTC").entities == ()


def test_a_page_is_shown_large_below_the_words_and_under_no_picture() -> None:
    sent = Message("Fire", shown="https://news.example/7")
    large = {"url": "https://news.example/7", "prefer_large_media": True}
    assert to_api(sent) == {"text": "Fire", "link_preview_options": large}
    assert to_api(sent, caption=True) == {"caption": "Fire"}


def test_under_a_picture_the_words_are_its_caption() -> None:
    sent = Message("RUB", (Entity(type="bold", offset=0, length=3),))
    assert to_api(sent, caption=True) == {
        "caption": "RUB",
        "caption_entities": [{"type": "bold", "offset": 0, "length": 3}],
    }


def test_no_line_of_a_message_ends_with_the_dot_between_two_things() -> None:
    """Wherever a phone breaks it: the dot goes to the next line. Marks stay where they are."""
    said = message(bold("National Bank") + " · official · 20 Oct")
    written = to_api(said)
    assert written["text"] == "National Bank ·\u00a0official ·\u00a020 Oct"
    assert to_api(said, caption=True)["caption"] == written["text"]
    assert (written["entities"][0]["offset"], written["entities"][0]["length"]) == (0, 13)
