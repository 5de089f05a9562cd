"""Numbers in Kyrgyz words, which never change; also as typed on a Russian keyboard, without ө, ү
and ң.

num2words has no Kyrgyz.
"""

from bot.languages.parts import Numbers

ONES = ("нөл", "бир", "эки", "үч", "төрт", "беш", "алты", "жети", "сегиз", "тогуз", "он")
TENS = ("жыйырма", "отуз", "кырк", "элүү", "алтымыш", "жетимиш", "сексен", "токсон")
RUSSIAN_KEYBOARD = str.maketrans("өүң", "оун")


def words() -> dict[str, int]:
    """The words for 0 to 90, in both spellings."""
    numbers = [*enumerate(ONES), *zip(range(20, 100, 10), TENS, strict=True)]
    found = {}
    for number, word in numbers:
        found[word] = found[word.translate(RUSSIAN_KEYBOARD)] = number
    return found


NUMBERS = Numbers(
    words=words,
    ten_joins=True,
    scales={1_000: "миң мин", 1_000_000: "миллион млн", 1_000_000_000: "миллиард млрд"},
    hundred="жүз жуз",
    half="жарым",
)
