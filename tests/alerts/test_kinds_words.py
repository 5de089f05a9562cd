"""An alert says what happened, since when and how unusual; it explains itself; a channel gets no
private buttons.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from bot.alerts import corrections, moves, notices, rules, stories
from bot.alerts.notices import Notice
from bot.convert.rules import parse_rule
from bot.detect.security import detect
from bot.i18n import name_of, share, t
from bot.model.alerts import Severity
from bot.model.chats import Style
from bot.model.rates import Move, RateKind
from bot.reasons import Figure, Reason, SourceKey
from bot.render.phrases import phrase
from bot.render.reasons import Names, because
from bot.render.text import LIMIT, Colour, units
from tests.factories import NOW, a_notice, a_reason, rate
from tests.languages.expected import WHOLE, expected
from tests.render.world import BANK, FEEDS, data, drifted, jumped, labels, marked, story


@pytest.mark.parametrize("language", WHOLE)
def test_a_drift_is_told_since_its_day(language: str) -> None:
    shown = moves.move(drifted(), alert=7, language=language, source_names=BANK)
    assert shown.text == expected("alerts.drift", language)
    assert marked(shown, "bold") == [expected("alerts.drift", language).split("  ")[0]]
    assert data(shown) == [["chart:RUB/KGS:90d", "why:7"], ["snooze:7", "mute:7"]]
    assert labels(shown) == expected("alerts.buttons", language)


@pytest.mark.parametrize("language", WHOLE)
def test_a_jump_is_told_against_the_previous_rate_with_the_drift_beside_it(language: str) -> None:
    assert moves.move(jumped(), alert=7, language=language, source_names=BANK).text == expected(
        "alerts.jump", language
    )


def test_a_rate_that_stood_still_since_is_not_told_twice_how_far_it_moved() -> None:
    still = jumped(baseline=rate("RUB/KGS", "1.1948", "2021-10-14"))
    shown = moves.move(still, alert=7, language="en", source_names=BANK).text
    assert shown.count("\u00a0%") == 2  # how far, and what is usual
    assert "since 14" not in shown


def test_a_rise_points_up() -> None:
    risen = drifted(new=rate("RUB/KGS", "1.2500", "2021-10-21"), rules=("drift", "high"))
    shown = moves.move(risen, alert=7, language="en", source_names=BANK).text
    assert shown.startswith("▲ RUB/KGS +4.6\u00a0%  1.1948 → 1.2500\n")
    assert "highest since 3\u00a0March" in shown


def test_a_largest_fall_of_this_week_is_not_worth_a_word() -> None:
    shown = moves.move(
        jumped(extreme_since=date(2021, 10, 18)), alert=7, language="en", source_names=BANK
    ).text
    assert "largest" not in shown


def test_a_low_nobody_remembers_the_like_of_is_a_90_day_low() -> None:
    shown = moves.move(drifted(extreme_since=None), alert=7, language="en", source_names=BANK).text
    assert "since 14\u00a0October\nlowest in 90\u00a0days" in shown


def test_a_channel_gets_no_buttons_that_change_settings() -> None:
    moved = moves.move(drifted(), alert=7, language="en", source_names=BANK, channel=True)
    told = stories.story(
        story(), alert=8, style=Style.BRIEF, language="en", feed_names=FEEDS, channel=True
    )
    assert (data(moved), data(told)) == ([["chart:RUB/KGS:90d"]], [["https://news.example/apples"]])


def test_a_story_has_its_headline_one_paragraph_and_who_reports_it() -> None:
    told = story(
        feeds=("24kg", "kaktus", "aki", "kaktus"), summary="First paragraph.\n\nSecond paragraph."
    )
    shown = stories.story(told, alert=8, style=Style.BRIEF, language="en", feed_names=FEEDS)
    assert shown.text == (
        "Apple harvest begins in Issyk-Kul\n\nFirst paragraph.\n\n24.kg, Kaktus, AKIpress · 3\u00a0"
        "sources"
    )
    assert (
        marked(shown, "bold") == marked(shown, "text_link") == ["Apple harvest begins in Issyk-Kul"]
    )
    assert data(shown) == [
        ["https://news.example/apples", "why:8", "snooze:8"],
        ["less:8", "mute:8"],
    ]
    assert labels(shown) == [["Open", "Why?", "Snooze"], ["Less of this", "Unsubscribe"]]


def test_an_urgent_story_is_marked_and_its_marks_stay_in_place() -> None:
    shown = stories.story(
        story(title="Quake 🌋 felt"),
        alert=8,
        style=Style.HEADLINE,
        language="ky",
        feed_names=FEEDS,
        severity=Severity.URGENT,
    )
    assert shown.text == "❗ Quake 🌋 felt\n\n24.kg · англисче"
    assert marked(shown, "bold") == ["Quake 🌋 felt"]


def test_a_story_without_an_address_has_no_open_button() -> None:
    shown = stories.story(
        story(link=None), alert=8, style=Style.BRIEF, language="en", feed_names=FEEDS, channel=True
    )
    assert shown.buttons == ()


def test_however_long_a_story_its_reporters_stay_and_it_fits() -> None:
    long = story(content="The pass stays closed 🌨. " * 400)
    shown = stories.story(long, alert=8, style=Style.FULL, language="en", feed_names=FEEDS)
    assert units(shown.text) <= LIMIT
    assert shown.text.endswith("closed 🌨. … Read on\n\n24.kg")
    assert marked(shown, "text_link")[-1] == "Read on"


@pytest.mark.parametrize("language", WHOLE)
def test_a_move_explains_itself(language: str) -> None:
    since = moves.Since(jumped().baseline.effective_on)
    shown = moves.why_move(jumped(), language, since=since).text
    assert shown == expected("alerts.why_move", language)


@pytest.mark.parametrize("language", WHOLE)
def test_an_alert_of_the_same_day_is_named_by_its_hour(language: str) -> None:
    since = moves.Since(date(2021, 10, 20), "10:05")
    assert "10:05" in moves.why_move(drifted(), language, since=since).text


@pytest.mark.parametrize("language", WHOLE)
def test_a_move_and_its_why_say_the_same_figure_of_a_usual_day(language: str) -> None:
    told = moves.move(jumped(), alert=1, language=language, source_names=BANK).text
    usual = phrase("move.usual", language, usual=share(jumped().usual, language, 2)).text
    assert usual in told
    assert share(jumped().usual, language, 2) in moves.why_move(jumped(), language, since=None).text


def test_a_drift_is_compared_with_no_usual_day() -> None:
    told = moves.move(drifted(), alert=1, language="en", source_names=BANK).text
    assert "usually" not in told
    assert "Usually" not in moves.why_move(drifted(), "en", since=None).text


def test_a_story_names_who_reported_it_and_when() -> None:
    """Each source once, in the order and at the time of its first report, with its page."""
    told = story(feeds=("24kg", "kaktus", "24kg", "gone"))
    said = stories.reports(told, "en", FEEDS, "Asia/Bishkek")
    assert [one.text for one in said] == [
        "– 24.kg · 20\u00a0Oct 16:00",
        "– Kaktus · 20\u00a0Oct 16:00",
        "– gone · 20\u00a0Oct 16:00",
    ]
    assert [one.entities[0].url for one in said] == ["https://news.example/apples"] * 3
    shown = stories.why_story(Severity.NOTABLE, (), "en", sources=3, reports=said)
    assert "• 3\u00a0sources\n– 24.kg · 20\u00a0Oct 16:00\n– Kaktus" in shown.text


@pytest.mark.parametrize("language", WHOLE)
def test_a_story_explains_itself(language: str) -> None:
    """The detector's reasons for it, in its reader's language, with the words that stand in it."""
    texts = expected("alerts.border_story", language)
    found = detect(*texts, language)
    shown = stories.why_story(
        found.severity, found.reasons, language, topics=found.topics, sources=3, texts=texts
    )
    assert shown.text == expected("alerts.why_border_story", language)


def test_a_calm_story_says_by_which_choice_it_came() -> None:
    """And where that is changed; one that is told to everybody says nothing of it."""
    assert (
        "calm stories too, without sound (all): /settings"
        in stories.why_story(Severity.INFO, (), "en").text
    )
    assert "/settings" not in stories.why_story(Severity.NOTABLE, (), "en").text


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "12\u00a0dead",
                "border: border guards",
                "disaster: mudflows",
            ],
        ),
        (
            "ru",
            [
                "12\u00a0погибших",
                "граница: border guards",
                "бедствие: mudflows",
            ],
        ),
        (
            "ky",
            [
                "12\u00a0киши каза болгон",
                "чек ара: border guards",
                "табигый кырсык: mudflows",
            ],
        ),
    ],
)
def test_the_detectors_reasons_are_told_in_the_readers_language(
    language: str, lines: list[str]
) -> None:
    reasons = [
        a_reason("near"),
        a_reason("dead", 12),
        a_reason("found", "border", "border guard*"),
        a_reason("found", "disaster", "mudflow*"),
        a_reason("found", "border", "checkpoint"),
        a_reason("against", "sport", "match"),
        a_reason("said", "as an earlier version said it"),
    ]
    texts = ["A Border guards' post; two mudflows came", "nothing"]
    shown = stories.why_story(Severity.NOTABLE, reasons, language, texts=texts)
    assert shown.text.split("\n")[1:-1] == [f"• {line}" for line in lines]


def test_of_a_word_that_no_text_of_the_readers_holds_only_the_kind_is_said() -> None:
    found = [a_reason("found", "disaster", "evacuat*")]
    for texts in ([], ["a disaster"]):
        shown = stories.why_story(Severity.NOTABLE, found, "en", texts=texts)
        assert "\n• disaster\n" in shown.text


def test_a_reader_is_told_three_reasons_at_most_and_an_operator_all() -> None:
    kinds = ("crime", "police", "terror", "border", "conflict")
    found = [
        a_reason("near"),
        *(a_reason("found", kind, "x") for kind in kinds),
        a_reason("dead", 2),
    ]
    shown = stories.why_story(Severity.NOTABLE, found, "en").text
    assert shown.split("\n")[1:-1] == [
        "• 2\u00a0dead",
        "• weapons and fighting",
        "• terrorism or an explosion",
    ]
    assert "; police; close to home" in because(found, "en", today=NOW.date()).text


def test_a_chats_own_rule_is_named_and_its_kind_where_it_is_not_the_official_rate() -> None:
    old, new = (replace(rate(on=on), kind=RateKind.SELL) for on in ("2021-10-20", "2021-10-21"))
    own = parse_rule("sell USD/KGS < 90", home="KGS")
    fired = rules.RuleFired(number=1, rule=own, move=Move(old=old, new=new))
    shown = rules.rule_fired(fired, alert=7, language="en", source_names=BANK)
    assert "\nYour alert: USD/KGS (selling rate) < 90\n" in shown.text
    assert "National Bank · selling rate, effective 21\u00a0Oct" in shown.text


@pytest.mark.parametrize(
    ("value", "measured"),
    [("84.0000", ""), ("80.0000", " · ▲ +12.5\u00a0% from the rate of 18\u00a0Oct")],
)
def test_a_rule_says_what_it_measured_where_that_is_another_figure(
    value: str, measured: str
) -> None:
    """With as many digits as the first line; what stood still since is what stands there."""
    new, previous = rate(value="90.0000", on="2021-10-21"), rate(value="84.0000", on="2021-10-20")
    first, other = (
        rules.RuleFired(
            number=number,
            rule=parse_rule(f"USD {number}%", home="KGS"),
            move=Move(old=old, new=new),
        )
        for number, old in ((1, previous), (2, rate(value=value, on="2021-10-18")))
    )
    shown = rules.rule_fired(first, alert=7, language="en", source_names=BANK, others=[(8, other)])
    assert f"\nYour alert: USD/KGS ±2\u00a0%{measured}\n" in shown.text


def test_a_revised_rate_is_corrected_openly() -> None:
    shown = corrections.correction(rate(), rate(value="84.8035"), "en", source_names=BANK)
    assert (
        shown.text
        == "Correction: USD/KGS for 20\u00a0Oct\n84.7935 → 84.8035\nNational Bank revised its rate."
    )


def test_a_notice_to_an_operator_is_filled_from_the_catalog() -> None:
    shown = notices.notice(Notice.of("notice.flood", {"source": SourceKey("kaktus")}, n=300), "en")
    assert shown.text == "kaktus brought 300 new entries at once: stored, not alerted."


def test_a_notice_calls_no_source_by_its_key() -> None:
    names: Names = {"24kg": "24.kg", "kaktus": "Kaktus"}
    flood = a_notice("notice.flood", {"n": "300", "source": "24kg"})
    assert notices.notice(flood, "en", names=names).text.startswith("24.kg brought")
    values = {"title": "One", "text": "Two", "feeds": "24kg, kaktus", "link": "l", "why": "x"}
    story = a_notice("notice.story", values)
    assert "\n24.kg, Kaktus · x\n" in notices.notice(story, "en", names=names).text


@pytest.mark.parametrize("language", WHOLE)
def test_R3_a_notice_names_a_bank_and_a_day_in_the_operators_language(language: str) -> None:
    words = expected("alerts.fresh_notice", language)
    notice = a_notice("notice.fresh", {"bank": "nbkr", "day": "2021-10-21"})
    assert notices.notice(notice, language, names={"nbkr": name_of(BANK, language)}).text == words


def test_R2_a_move_nobody_confirms_says_so() -> None:
    for language, words in (
        ("en", "unconfirmed"),
        ("ru", "не подтверждено"),
        ("ky", "тастыктала элек"),
    ):
        told = [
            moves.move(
                drifted(confirmed=confirmed), alert=1, language=language, source_names=BANK
            ).text
            for confirmed in (False, True)
        ]
        assert [words in text for text in told] == [True, False]


def test_a_notice_without_words_of_its_own_still_reaches_the_operator() -> None:
    shown = notices.notice(Notice.of("notice.of_tomorrow", disk="full"), "ru")
    assert shown.text == "Нужно ваше внимание: notice.of_tomorrow, disk: full"


@pytest.mark.parametrize("language", WHOLE)
def test_button_data_stays_within_telegrams_64_bytes(language: str) -> None:
    moved = moves.move(drifted(), alert=2**63, language=language, source_names=BANK)
    assert all(len(button.data or "") <= 64 for row in moved.buttons for button in row)


def asked(msgid: str, values: dict[str, str], language: str, *reasons: Reason) -> str:
    """The text that an operator reads."""
    notice = a_notice(msgid, values)
    shown = notices.notice(notice, language, reasons=reasons, today=NOW.date())
    return shown.text


@pytest.mark.parametrize("language", WHOLE)
def test_an_operator_reads_in_their_language_why_a_rate_is_held(language: str) -> None:
    values = {"source": "Bank", "rate": "USD/KGS 847.9350", "held": "7"}
    why = (a_reason("shift", "10", "2021-10-19"), a_reason("units", 1, 100))
    assert asked("notice.held", values, language, *why) == expected("alerts.held_notice", language)


@pytest.mark.parametrize("language", WHOLE)
def test_an_operator_reads_in_their_language_why_a_story_would_be_told(language: str) -> None:
    """Reasons against it too: it is they who judge."""
    values = {"title": "A match", "text": "of border guards", "feeds": "One", "link": "l"}
    why = (
        a_reason("grave"),
        a_reason("dead", 3),
        a_reason("found", "border", "border guard*"),
        a_reason("against", "sport", "match"),
    )
    shown = asked("notice.story", {**values, "severity": "notable"}, language, *why)
    assert f"One · {expected('alerts.asked_why', language)}\n" in shown


@pytest.mark.parametrize("language", WHOLE)
def test_an_operator_reads_in_their_language_why_a_chat_is_closed(language: str) -> None:
    """In our words; in Telegram's own where they say more."""
    values = {"chat": "-1004", "why": "no right to write"}
    assert asked("notice.gone", values, language) == expected("alerts.gone_notice", language)
    assert "CHAT_RESTRICTED" in asked("notice.gone", {**values, "why": "CHAT_RESTRICTED"}, language)


@pytest.mark.parametrize("language", WHOLE)
def test_a_held_rate_is_let_through_or_refused_by_its_number(language: str) -> None:
    """By two buttons; a notice that is no question has none."""
    source: dict[str, Figure] = {"source": SourceKey("Bank")}
    held = Notice.of("notice.held", source, held=7, rate="USD/KGS 1")
    shown = notices.notice(held, language)
    (row,) = shown.buttons
    assert [(one.text, one.data, one.colour) for one in row] == [
        (t("button.approve", language), "held:approve:7", Colour.GREEN),
        (t("button.reject", language), "held:reject:7", Colour.RED),
    ]
    assert notices.notice(Notice.of("notice.well", source), language).buttons == ()


def test_a_notice_stored_with_its_reasons_in_english_is_shown_as_it_was() -> None:
    """Of an earlier version."""
    values = {"source": "Bank", "rate": "USD/KGS 1", "why": "nbkr agrees", "held": "7"}
    assert "nbkr agrees" in asked("notice.held", values, "ru")


@pytest.mark.parametrize("language", sorted({*WHOLE} - {"en"}))
def test_every_reason_to_doubt_a_rate_is_said_in_the_operators_language(language: str) -> None:
    """None is left in English, nor a day or figure as it is stored."""
    why = (
        a_reason("far_day", "1999-01-01"),
        a_reason("no_price", "-1.5", 1),
        a_reason("agrees", "7"),
        a_reason("shift", "0.01002", "2021-10-19"),
        a_reason("units", 1, 100),
        a_reason("swapped", "7"),
        a_reason("leap", "+31.00", "2021-10-19", 15),
    )
    for one in why:
        said = because([one], language, today=NOW.date()).text
        assert not re.search(r"[A-Za-z]{2,}", said), said
        assert "-" not in said, said
    assert "1999" in because(why[:1], language, today=NOW.date()).text
