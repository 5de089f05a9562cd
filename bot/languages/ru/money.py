"""The names of currencies in Russian, in every case and in slang: CLDR has no cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.languages.parts import Form, Head, Money


@dataclass(frozen=True, slots=True)
class Paradigm:
    """The declension of a noun.

    `cut` is cut from the nominative, `endings` are the other endings, `inside` the prepositional
    plural.
    """

    cut: str
    endings: str
    inside: str


HARD = Paradigm("", "а у ом е ы ов ам ами", "ах")
SOFT = Paradigm("ь", "я ю ем ём е и ей ям ями", "ях")
FEMALE = Paradigm("а", "ы е у ой ою - ам ами", "ах")
IYA = Paradigm("я", "и ю ей й ям ями", "ях")
ADJECTIVE = Paradigm("ый", "ого ому ым ом ые ых ыми", "-")
NEVER = Paradigm("-", "", "")

#: An empty code: only with a country ("чешские кроны").
NAMES: tuple[tuple[str, Paradigm, str], ...] = (
    ("USD", HARD, "доллар бакс"),
    ("EUR", NEVER, "евро"),
    ("RUB", SOFT, "рубль"),
    ("KGS", HARD, "сом"),
    ("UZS", HARD, "сум сўм"),
    ("KZT", NEVER, "тенге"),
    ("TJS", NEVER, "сомони"),
    ("CNY", SOFT, "юань"),
    ("GBP", HARD, "фунт"),
    ("TRY", FEMALE, "лира"),
    ("CHF", HARD, "франк"),
    ("JPY", FEMALE, "иена йена"),
    ("UAH", FEMALE, "гривна"),
    ("INR", IYA, "рупия"),
    ("AED", HARD, "дирхам дирхем"),
    ("AZN", HARD, "манат"),
    ("AMD", HARD, "драм"),
    ("GEL", NEVER, "лари"),
    ("ILS", SOFT, "шекель"),
    ("PLN", ADJECTIVE, "злотый"),
    ("KRW", FEMALE, "вона"),
    ("THB", HARD, "бат"),
    ("VND", HARD, "донг"),
    ("MNT", HARD, "тугрик"),
    ("HUF", HARD, "форинт"),
    ("MYR", HARD, "ринггит"),
    ("BRL", HARD, "реал"),
    ("ZAR", HARD, "рэнд ранд"),
    ("AFN", NEVER, "афгани"),
    ("", FEMALE, "крона"),
    ("", HARD, "динар риал риял шиллинг"),
    ("", NEVER, "песо"),
)
SPELLINGS = {"йена": "иена"}


def heads() -> Iterator[Head]:
    """Every name, declined."""
    for code, paradigm, nominatives in NAMES:
        for nominative in nominatives.split():
            stands_for = SPELLINGS.get(nominative, nominative)
            yield Head(code=code, stands_for=stands_for, forms=tuple(_forms(nominative, paradigm)))


def _forms(nominative: str, paradigm: Paradigm) -> Iterator[tuple[str, Form]]:
    form = Form.PLAIN
    if paradigm.cut in {"", "ь"}:  # "сколько евро" may count them, "сколько доллар" cannot
        form = Form.SUBJECT
    yield nominative, form
    stem = nominative.removesuffix(paradigm.cut)
    for ending in paradigm.endings.split():
        yield stem + ending.strip("-"), Form.PLAIN
    if paradigm.inside.strip("-"):
        yield stem + paradigm.inside, Form.INSIDE


MONEY = Money(
    heads=heads,
    short_forms={
        "долл": "USD",
        "дол": "USD",
        "руб": "RUB",
        "тг": "KZT",
        "тнг": "KZT",
        "грн": "UAH",
        "гривен": "UAH",
    },
    initials={"р": "RUB", "с": "KGS"},
    sure_initials="р",  # a bare "10 с" may be seconds
    abbreviations={
        "кр": "SEK NOK DKK ISK CZK",
        "фр": "CHF",
        "лв": "BGN",
        "дх": "AED MAD",
        "тл": "TRY",
        "зл": "PLN",
        "фт": "HUF",
        "лей": "RON MDL",
    },
    names={
        "USD": "американский доллар",
        "GBP": "английский фунт,фунт стерлингов",
        "RUB": "русский рубль",
        "KGS": "кыргызский сом,кыргызстанский сом",
        "KZT": "казахстанский тенге",
        "UZS": "узбекский сом,узбекистанский сум",
        "TMT": "туркменский манат",
        "TWD": "тайваньский доллар",
        "ILS": "израильский шекель",
        "KRW": "корейская вона,корейский вон",
        "IDR": "индонезийская рупия",
    },
    common="бат бата вон вона воны донг драм лари ранд реал реала реалы",
    adjective_end="(?:[ыиоу]й|[ая]я|[ое]е|[оие]го|[ое]му|[ыи]ми?|[оеы][мх]|их|[ую]ю|[ыи]е|ей)",
)
