"""Names, signs and codes of currencies, in every form people use.

Codes and full names ("казахский тенге", "Swiss francs", "АКШ доллары") are CLDR's, through Babel; what a bare
"рубль" or "pound" means here, its slang and its declension are our own table, because CLDR has no cases.

сом is KGS and сум is UZS, although CLDR calls both "som" in English: there "som" is KGS and "sum" UZS.
A word typed half in Latin and half in Cyrillic letters ("сom", "ЕUR") is read in the script that makes sense of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

LONGEST_NAME = 4  # words

# CLDR's "in current use" has no special drawing rights; the Bank of Russia and the IMF quote them.
_MORE_CODES = frozenset({"XDR"})
_OLD_CODES = {"rur": "RUB", "rmb": "CNY"}
# Codes and names that are also words, names or makes: they never open a question by themselves.
_COMMON = frozenset(
    {
        *("all", "amd", "ars", "bam", "bob", "brl", "bsd", "btn", "cad", "cop", "cup", "dop", "gel", "gip", "gnf"),
        *("lak", "mad", "mop", "mur", "nad", "nok", "omr", "pab", "pen", "php", "ron", "sar", "sek", "sos", "srd"),
        *("stn", "tnd", "top", "try", "ves", "buck", "bucks", "dong", "quid", "rand", "real", "reals", "sum", "sums"),
        *("won", "бат", "бата", "вон", "вона", "воны", "донг", "драм", "лари", "ранд", "реал", "реала", "реалы"),
    }
)
_SIGNS = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "元": "CNY", "円": "JPY", "₽": "RUB", "₸": "KZT",
    "⃀": "KGS", "₺": "TRY", "₴": "UAH", "₼": "AZN", "₾": "GEL", "֏": "AMD", "₮": "MNT", "₱": "PHP", "฿": "THB",
    "C$": "CAD", "S$": "SGD", "zł": "PLN", "Kč": "CZK",
}  # fmt: skip


class Form:
    """What a word's ending tells about its part in the question."""

    PLAIN = ""
    SUBJECT = "subject"  # Russian nominative that cannot be counted: "доллар"
    INSIDE = "inside"  # Russian prepositional plural: "в долларах" asks for dollars
    INTO = "into"  # Kyrgyz dative: "долларга"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A currency as somebody named it. `common` names are words of other meanings too."""

    code: str
    form: str = Form.PLAIN
    common: bool = False


# Russian paradigms: what is cut from the nominative, the other endings, the prepositional plural.
_HARD = ("", "а у ом е ы ов ам ами", "ах")
_SOFT = ("ь", "я ю ем ём е и ей ям ями", "ях")
_FEMALE = ("а", "ы е у ой ою - ам ами", "ах")
_IYA = ("я", "и ю ей й ям ями", "ях")
_ADJECTIVE = ("ый", "ого ому ым ом ые ых ыми", "-")
_NEVER = ("-", "", "")

# Heads of names with a meaning of their own here. An empty code: only with a country ("чешские кроны").
_RUSSIAN: tuple[tuple[str, tuple[str, str, str], str], ...] = (
    ("USD", _HARD, "доллар бакс"),
    ("EUR", _NEVER, "евро"),
    ("RUB", _SOFT, "рубль"),
    ("KGS", _HARD, "сом"),
    ("UZS", _HARD, "сум сўм"),
    ("KZT", _NEVER, "тенге"),
    ("TJS", _NEVER, "сомони"),
    ("CNY", _SOFT, "юань"),
    ("GBP", _HARD, "фунт"),
    ("TRY", _FEMALE, "лира"),
    ("CHF", _HARD, "франк"),
    ("JPY", _FEMALE, "иена йена"),
    ("UAH", _FEMALE, "гривна"),
    ("INR", _IYA, "рупия"),
    ("AED", _HARD, "дирхам дирхем"),
    ("AZN", _HARD, "манат"),
    ("AMD", _HARD, "драм"),
    ("GEL", _NEVER, "лари"),
    ("ILS", _SOFT, "шекель"),
    ("PLN", _ADJECTIVE, "злотый"),
    ("KRW", _FEMALE, "вона"),
    ("THB", _HARD, "бат"),
    ("VND", _HARD, "донг"),
    ("MNT", _HARD, "тугрик"),
    ("HUF", _HARD, "форинт"),
    ("MYR", _HARD, "ринггит"),
    ("BRL", _HARD, "реал"),
    ("ZAR", _HARD, "рэнд ранд"),
    ("AFN", _NEVER, "афгани"),
    ("", _FEMALE, "крона"),
    ("", _HARD, "динар риал риял шиллинг"),
    ("", _NEVER, "песо"),
)
_SHORT_FORMS = {
    "долл": "USD", "дол": "USD", "руб": "RUB", "тг": "KZT", "тнг": "KZT", "грн": "UAH", "гривен": "UAH",
    "renminbi": "CNY", "sterling": "GBP", "quid": "GBP", "lire": "TRY", "so'm": "UZS",
}  # fmt: skip
_ENGLISH = {
    "dollar": "USD", "buck": "USD", "euro": "EUR", "ruble": "RUB", "rouble": "RUB", "som": "KGS", "sum": "UZS",
    "soum": "UZS", "tenge": "KZT", "somoni": "TJS", "yuan": "CNY", "pound": "GBP", "lira": "TRY", "franc": "CHF",
    "yen": "JPY", "hryvnia": "UAH", "rupee": "INR", "dirham": "AED", "manat": "AZN", "dram": "AMD", "lari": "GEL",
    "shekel": "ILS", "zloty": "PLN", "won": "KRW", "baht": "THB", "dong": "VND", "tugrik": "MNT", "forint": "HUF",
    "ringgit": "MYR", "real": "BRL", "rand": "ZAR", "afghani": "AFN", "krona": "", "krone": "", "koruna": "",
    "crown": "", "dinar": "", "riyal": "", "rial": "", "shilling": "", "peso": "",
}  # fmt: skip
# Kyrgyz stems, each with the vowels its endings take: low and high.
_KYRGYZ: tuple[tuple[str, str, str, str], ...] = (
    ("USD", "доллар", "а", "ы"), ("USD", "бакс", "а", "ы"), ("EUR", "евро", "о", "у"), ("RUB", "рубль", "ае", "иу"),
    ("RUB", "рубл", "ае", "иу"), ("KGS", "сом", "о", "у"), ("UZS", "сум", "а", "у"), ("KZT", "теңге", "е", "и"),
    ("KZT", "тенге", "е", "и"), ("TJS", "сомони", "е", "и"), ("CNY", "юань", "а", "ы"), ("CNY", "юан", "а", "ы"),
    ("GBP", "фунт", "а", "у"), ("TRY", "лира", "а", "ы"), ("CHF", "франк", "а", "ы"), ("JPY", "йен", "е", "и"),
    ("JPY", "иена", "а", "ы"), ("INR", "рупия", "а", "ы"), ("AED", "дирхам", "а", "ы"), ("AZN", "манат", "а", "ы"),
    ("UAH", "гривна", "а", "ы"), ("GEL", "лари", "е", "и"), ("", "крона", "а", "ы"), ("", "динар", "а", "ы"),
    ("", "риал", "а", "ы"), ("", "песо", "о", "у"),
)  # fmt: skip
# What people say where CLDR says something else.
_MORE_NAMES = {
    "USD": "American dollar,американский доллар,америка доллары",
    "GBP": "pound sterling,English pound,английский фунт,фунт стерлингов,англия фунту",
    "RUB": "Russian rouble,русский рубль,россия рублу,россиялык рубль",
    "KGS": "Kyrgyz som,Kyrgyzstani som,кыргызский сом,кыргызстанский сом,кыргыз сому",
    "KZT": "Kazakh tenge,казахстанский тенге,казак теңгеси",
    "UZS": "Uzbek som,Uzbek sum,узбекский сом,узбекистанский сум,өзбек суму",
    "TJS": "Tajik somoni,тажик сомониси",
    "CNY": "Chinese renminbi",
    "TRY": "түрк лирасы",
    "TMT": "туркменский манат,Turkmen manat",
    "TWD": "Taiwan dollar,тайваньский доллар",
    "ILS": "Israeli shekel,израильский шекель",
    "KRW": "Korean won,корейская вона,корейский вон",
    "CZK": "Czech crown",
    "SEK": "Swedish crown",
    "NOK": "Norwegian crown",
    "DKK": "Danish crown",
    "IDR": "индонезийская рупия",
}
_ADJECTIVE_END = re.compile(r"(?:[ыиоу]й|[ая]я|[ое]е|[оие]го|[ое]му|[ыи]ми?|[оеы][мх]|их|[ую]ю|[ыи]е|ей)$")
_KYRGYZ_END = re.compile(r"(?P<into>[гк][аеоө])|[днт][ыиуү]н?|[дт][аеоө]н?")
_TO_LATIN = str.maketrans("аесорхуктмнвіј", "aecopxyktmhbij")
_TO_CYRILLIC = str.maketrans("aecopxyktmhbij", "аесорхуктмнвіј")


@cache
def codes() -> frozenset[str]:
    """Every ISO 4217 code somebody pays with today."""
    from babel.core import get_global

    territories: Mapping[str, Iterable[tuple[str, object, object, bool]]] = get_global("territory_currencies")
    return _MORE_CODES | {
        code for used in territories.values() for code, _since, until, tender in used if until is None and tender
    }


@cache
def signs() -> Mapping[str, str]:
    """Signs, alone ("€") and with letters ("CA$"), to codes."""
    from babel import Locale

    cldr = {
        symbol: code
        for code, symbol in Locale("en").currency_symbols.items()
        if code in codes() and not symbol[-1].isalnum() and not symbol.endswith(".")
    }
    return {**cldr, **_SIGNS}


@cache
def sign_pattern() -> str:
    """A pattern of all signs, longer ones first; letters belong to a sign only where no word runs into them."""
    alternatives = (
        (rf"(?<![^\W\d_]){re.escape(sign)}" if sign[0].isalpha() else re.escape(sign))
        + (r"(?![^\W\d_])" if sign[-1].isalpha() else "")
        for sign in sorted(signs(), key=lambda sign: (-len(sign), sign))
    )
    return "|".join(alternatives)


def find_name(words: tuple[str, ...]) -> Named | None:
    """Tell the currency these words (1 to LONGEST_NAME, in lower case) name together; None when they do not."""
    if len(words) == 1:
        return _single(words[0])
    stems = [_stem(word) for word in words]
    code = _names().get(tuple(stems))
    if code is None:
        return None
    forms = {found.form for word in words if (found := _heads().get(word)) and found.form}
    return Named(code=code, form=forms.pop() if len(forms) == 1 else Form.PLAIN)


def split_pair(word: str) -> tuple[Named, Named] | None:
    """Tell the two currencies of "usdkgs"; None when it is not two different codes."""
    if len(word) != 6 or not word.isascii():
        return None
    first, second = _code(word[:3]), _code(word[3:])
    if first is None or second is None or first.code == second.code or (first.common and second.common):
        return None
    return first, second


def is_known(word: str) -> bool:
    """Whether a word, in lower case, can be a part of a currency's name."""
    return (
        word in {"р", "с"} or _single(word) is not None or split_pair(word) is not None or _stem(word) in _vocabulary()
    )


def suffix_form(ending: str) -> str | None:
    """What a Kyrgyz case ending says behind a sign or a code ("100$га", "USDден"); None when it is no ending."""
    found = _KYRGYZ_END.fullmatch(ending)
    if found is None:
        return None
    return Form.INTO if found["into"] else Form.PLAIN


def _single(word: str) -> Named | None:
    found = _code(word) or _heads().get(word)
    if found is not None and found.code:
        return found
    if word.isascii() or not re.search(r"[a-z]", word):
        return None
    if (ending := suffix_form(word[3:])) is not None and (coded := _code(word[:3])):
        return Named(code=coded.code, form=ending)
    return next((named for folded in _folds(word) if (named := _code(folded) or _heads().get(folded))), None)


def _folds(word: str) -> Iterator[str]:
    """A mixed-script word in each one script, where its letters allow."""
    latin, cyrillic = word.translate(_TO_LATIN), word.translate(_TO_CYRILLIC)
    if latin.isascii():
        yield latin
    if not re.search(r"[a-z]", cyrillic):
        yield cyrillic


def _code(word: str) -> Named | None:
    code = _OLD_CODES.get(word, word.upper())
    return Named(code=code, common=word in _COMMON) if word.isascii() and code in codes() else None


@cache
def _heads() -> Mapping[str, Named]:
    """Every form of every name that stands alone, and of those that need a country (with an empty code)."""
    found: dict[str, Named] = {}
    for code, stem, low, high in _KYRGYZ:
        for word, form in _kyrgyz_forms(stem, low, high):
            found[word] = Named(code=code, form=form)
    for code, paradigm, nominatives in _RUSSIAN:
        for word in nominatives.split():
            found |= {form: Named(code=code, form=kind) for form, kind in _russian_forms(word, paradigm)}
    for word, code in _ENGLISH.items():
        plural = word.removesuffix("y") + "ies" if word.endswith("gy") else word + "s"
        found |= dict.fromkeys([word, plural], Named(code=code))
    found |= {word: Named(code=code) for word, code in _SHORT_FORMS.items()}
    return {word: Named(code=n.code, form=n.form, common=word in _COMMON) for word, n in found.items()}


def _russian_forms(nominative: str, paradigm: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
    cut, endings, inside = paradigm
    countable = cut in {"", "ь"}  # "сколько евро" may count them, "сколько доллар" cannot
    yield nominative, Form.SUBJECT if countable else Form.PLAIN
    stem = nominative.removesuffix(cut)
    for ending in endings.split():
        yield stem + ending.strip("-"), Form.PLAIN
    if inside.strip("-"):
        yield stem + inside, Form.INSIDE


def _kyrgyz_forms(stem: str, lows: str, highs: str) -> Iterator[tuple[str, str]]:
    """The stem with its cases: bare, possessed ("сому", as in "кыргыз сому") and plural."""
    yield stem, Form.PLAIN
    vowel, mute = stem[-1] in "аеиоуыя", stem[-1] in "кстп"
    hard, soft, nasal = ("т", "к", "т") if mute else ("д", "г", "н" if vowel else "д")
    for low in lows:
        plural = stem + ("т" if mute else "л") + low + "р"
        yield plural, Form.PLAIN
        for high in highs:
            owned = stem + ("с" if vowel else "") + high
            for case in ("", "н", f"н{high}н", f"нд{low}", f"н{low}н"):
                yield owned + case, Form.PLAIN
            yield f"{owned}н{low}", Form.INTO
            for base, first, dative, second in ((stem, nasal, soft, hard), (plural, "д", "г", "д")):
                genitive = first if base != stem or not vowel else "н"
                for case in (first + high, f"{genitive}{high}н", second + low, f"{second}{low}н"):
                    yield base + case, Form.PLAIN
                yield base + dative + low, Form.INTO


def _stem(word: str) -> str:
    """One spelling for all forms of a word in a currency's full name."""
    if word in _heads():
        return _canonical()[word]
    word = "".join(letter for letter in unicodedata.normalize("NFD", word) if letter not in "\u0301\u0303")
    word = unicodedata.normalize("NFC", word)
    shorter = _ADJECTIVE_END.sub("", word)
    return shorter if len(shorter) >= 4 else word


@cache
def _canonical() -> Mapping[str, str]:
    """Every form of a head to the spelling that stands for it."""
    found: dict[str, str] = {}
    for _, stem, low, high in _KYRGYZ:
        found |= {word: stem for word, _ in _kyrgyz_forms(stem, low, high)}
    for _, paradigm, nominatives in _RUSSIAN:
        for nominative in nominatives.split():
            found |= {word: nominative for word, _ in _russian_forms(nominative, paradigm)}
    for word in _ENGLISH:
        found |= {word: word, word + "s": word}
    merged = {"рубл": "рубль", "юан": "юань", "теңге": "тенге", "йена": "иена", "йен": "иена"}
    return {word: merged.get(found.get(word, word), found.get(word, word)) for word in _heads()}


@cache
def _names() -> Mapping[tuple[str, ...], str]:
    """Full names, stem by stem, to codes. A name two currencies share belongs to neither."""
    found: dict[tuple[str, ...], str] = {}
    shared: set[tuple[str, ...]] = set()
    for code, name in _cldr_names():
        key = _key(name)
        if len(key) > 1 and found.setdefault(key, code) != code:
            shared.add(key)
    more = {_key(name): code for code, names in _MORE_NAMES.items() for name in names.split(",")}
    return {**{key: code for key, code in found.items() if key not in shared}, **more}


def _cldr_names() -> Iterator[tuple[str, str]]:
    """Every current currency's name and its plural forms in our three languages."""
    from babel import Locale
    from babel.numbers import get_currency_name

    for language in ("en", "ru", "ky"):
        known = Locale(language).currencies
        for code in sorted(codes() & known.keys()):
            yield code, known[code]
            for count in (1, 2, 5, Decimal("1.5")):  # one, few, many, other
                yield code, get_currency_name(code, count=count, locale=language)


def _key(name: str) -> tuple[str, ...]:
    return tuple(_stem(word) for word in re.findall(r"[^\W\d_]+", name.lower()))


@cache
def _vocabulary() -> frozenset[str]:
    return frozenset(stem for key in _names() for stem in key)
