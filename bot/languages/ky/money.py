"""The names of currencies in Kyrgyz, in every case: endings follow the stem's last letters."""

from __future__ import annotations

from collections.abc import Iterator

from bot.languages.parts import Form, Head, Money

#: Stems, each with the vowels its endings take: low and high. An empty code: only with a country.
NAMES: tuple[tuple[str, str, str, str], ...] = (
    ("USD", "доллар", "а", "ы"),
    ("USD", "бакс", "а", "ы"),
    ("EUR", "евро", "о", "у"),
    ("EUR", "эвро", "о", "у"),
    ("RUB", "рубль", "ае", "иу"),
    ("RUB", "рубл", "ае", "иу"),
    ("KGS", "сом", "о", "у"),
    ("UZS", "сум", "а", "у"),
    ("KZT", "теңге", "е", "и"),
    ("KZT", "тенге", "е", "и"),
    ("TJS", "сомони", "е", "и"),
    ("CNY", "юань", "а", "ы"),
    ("CNY", "юан", "а", "ы"),
    ("GBP", "фунт", "а", "у"),
    ("TRY", "лира", "а", "ы"),
    ("CHF", "франк", "а", "ы"),
    ("JPY", "йен", "е", "и"),
    ("JPY", "иена", "а", "ы"),
    ("INR", "рупия", "а", "ы"),
    ("AED", "дирхам", "а", "ы"),
    ("AZN", "манат", "а", "ы"),
    ("UAH", "гривна", "а", "ы"),
    ("GEL", "лари", "е", "и"),
    ("", "крона", "а", "ы"),
    ("", "динар", "а", "ы"),
    ("", "риал", "а", "ы"),
    ("", "песо", "о", "у"),
)
SPELLINGS = {"эвро": "евро", "рубл": "рубль", "юан": "юань", "теңге": "тенге", "йен": "иена"}
VOWELS = "аеиоуыя"
MUTE = "кстп"


def heads() -> Iterator[Head]:
    """Every name with its cases."""
    for code, stem, lows, highs in NAMES:
        stands_for = SPELLINGS.get(stem, stem)
        yield Head(code=code, stands_for=stands_for, forms=tuple(_forms(stem, lows, highs)))


def _forms(stem: str, lows: str, highs: str) -> Iterator[tuple[str, Form]]:
    """The stem with its cases: bare, possessed ("сому", as in "кыргыз сому") and plural."""
    yield stem, Form.PLAIN
    many, owned = f"{stem}л", stem
    if stem[-1] in MUTE:  # "франктар", where "доллар" has "долларлар"
        many = f"{stem}т"
    if stem[-1] in VOWELS:  # "лирасы", where "доллар" has "доллары"
        owned = f"{stem}с"
    for low in lows:
        plural = f"{many}{low}р"
        yield plural, Form.PLAIN
        for high in highs:
            yield from _possessed(owned + high, low, high)
            yield from _cases(stem, low, high)
            yield from _cases(plural, low, high)


def _possessed(owned: str, low: str, high: str) -> Iterator[tuple[str, Form]]:
    for case in ("", "н", f"н{high}н", f"нд{low}", f"н{low}н"):
        yield owned + case, Form.PLAIN
    yield f"{owned}н{low}", Form.INTO


def _cases(base: str, low: str, high: str) -> Iterator[tuple[str, Form]]:
    # the consonants that begin a case, by the letter before it: сом-ду, франк-ты, лира-ны
    hard, soft, accusative, genitive = "д", "г", "д", "д"
    if base[-1] in MUTE:
        hard, soft, accusative, genitive = "т", "к", "т", "т"
    if base[-1] in VOWELS:
        accusative = genitive = "н"
    for case in (f"{accusative}{high}", f"{genitive}{high}н", f"{hard}{low}", f"{hard}{low}н"):
        yield base + case, Form.PLAIN
    yield f"{base}{soft}{low}", Form.INTO


MONEY = Money(
    heads=heads,
    names={
        "USD": "америка доллары",
        "GBP": "англия фунту",
        "RUB": "россия рублу,россиялык рубль",
        "KGS": "кыргыз сому",
        "KZT": "казак теңгеси",
        "UZS": "өзбек суму",
        "TJS": "тажик сомониси",
        "TRY": "түрк лирасы",
    },
    case_ending="(?P<into>[гк][аеоө])|[днт][ыиуү]н?|[дт][аеоө]н?",
)
