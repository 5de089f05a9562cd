"""The menu of subscriptions marks what is on, and ends with what the chat will get."""

from __future__ import annotations

from bot.render import subscriptions
from tests.render.world import labels


def test_the_menu_of_subscriptions_marks_what_is_on() -> None:
    shown = subscriptions.subscribe(
        "ru", currencies=("USD",), topics=("security",), chosen={"top:security"}
    )
    assert labels(shown) == [["USD"], ["✓ Безопасность"], ["Готово"]]


def test_choosing_ends_with_what_the_chat_will_get() -> None:
    said, *more = subscriptions.subscribed("ky", ("USD",), ("security",), digest=False).text.split(
        "\n"
    )
    assert said == "Даяр. Жазылганыңыз: USD, коопсуздук."
    assert [line.rpartition(" ")[2] for line in more] == ["/alert", "/digest", "/help"]
    assert "/subscribe" in subscriptions.subscribed("en", (), (), digest=False).text


def test_who_chose_what_only_a_digest_brings_is_asked_when_it_should_come() -> None:
    chosen = ("security", "economy")
    shown = subscriptions.subscribed("ru", ("USD",), chosen, digest=False)
    assert shown.text.endswith("\nЭкономика – в сводке. Когда её присылать?")
    assert labels(shown) == [["08:00", "18:00", "Без сводки"]]
    for topics, digest in ((chosen, True), (("security",), False)):
        assert not labels(subscriptions.subscribed("ru", ("USD",), topics, digest=digest))
