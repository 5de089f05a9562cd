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
    assert (
        subscriptions.subscribed("ky", ("USD",), ("security",)).text
        == "Даяр. Жазылганыңыз: USD, Коопсуздук."
    )
    assert "/subscribe" in subscriptions.subscribed("en", (), ()).text
