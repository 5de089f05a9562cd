"""Names, signs and codes of currencies, in every form people use.

Codes and full names ("казахский тенге", "Swiss francs", "АКШ доллары") are CLDR's, through Babel;
what a bare "рубль" or "pound" means here, its slang and its declension are each language's own
(`bot/languages/*/money.py`), because CLDR has no cases.

A word typed half in Latin and half in Cyrillic letters ("сom", "ЕUR") is read in the script that
makes sense of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import chain

from bot.currencies import in_use
from bot.i18n import cldr
from bot.languages import LANGUAGES, languages, values_of, words_of
from bot.languages.letters import in_cyrillic, in_latin
from bot.languages.parts import Form

LONGEST_NAME = 4  # words

# CLDR's "in current use" has no special drawing rights; the Bank of Russia and the IMF quote them.
_MORE_CODES = frozenset({"XDR"})
# no ISO codes (any more, or ever), and still written
_OLD_CODES = {"rur": "RUB", "rmb": "CNY"}
_SIGNS = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "元": "CNY", "円": "JPY",
    "₽": "RUB", "₸": "KZT", "⃀": "KGS", "₺": "TRY", "₴": "UAH", "₼": "AZN", "₾": "GEL", "֏": "AMD",
    "₮": "MNT", "₱": "PHP", "฿": "THB", "C$": "CAD", "S$": "SGD", "zł": "PLN", "Kč": "CZK",
    "₣": "CHF", "₦": "NGN", "₡": "CRC", "₵": "GHS", "₭": "LAK", "₲": "PYG", "₫": "VND", "E£": "EGP",
}  # fmt: skip
#: Signs of several currencies; which of them is meant is said by a code beside one, or by its
#: country before it: "AU$".
SHARED_SIGNS = {
    "$": frozenset({
        "AUD", "BBD", "BND", "BSD", "BZD", "CAD", "FJD", "HKD", "JMD", "NAD", "NZD", "SGD", "TTD",
        "TWD",
    }),
    "¥": frozenset({"CNY"}),
    "£": frozenset({"EGP", "SYP", "LBP", "SDG"}),
}  # fmt: skip
#: What the countries themselves write in Latin letters, in lower case: a word that is nothing by
#: itself, and beside one of its codes another name of that currency.
_ABBREVIATIONS = {
    "kr": "SEK NOK DKK ISK", "kronor": "SEK", "kroner": "NOK DKK", "fr": "CHF", "sfr": "CHF",
    "rs": "INR PKR LKR NPR MUR SCR", "ft": "HUF",
    "lei": "RON MDL", "leu": "RON MDL", "rm": "MYR", "rp": "IDR", "tl": "TRY", "dh": "AED MAD",
    "dhs": "AED MAD", "r": "ZAR", "br": "BYN ETB", "din": "RSD", "km": "BAM",
    "sr": "SAR", "kd": "KWD", "bd": "BHD", "jd": "JOD", "ksh": "KES", "tsh": "TZS", "ush": "UGX",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A currency as somebody named it. `common` names are words of other meanings too."""

    code: str
    form: Form = Form.PLAIN
    common: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Initial:
    """A currency named by one letter; `sure` when behind an amount it means nothing else."""

    code: str
    sure: bool


@cache
def codes() -> frozenset[str]:
    """Every ISO 4217 code somebody pays with today, and those that banks quote beside them."""
    return in_use() | _MORE_CODES


@cache
def signs() -> Mapping[str, str]:
    """Signs, alone ("€") and with letters ("CA$"), to codes."""
    found: dict[str, str] = {}
    for code, symbol in cldr("en").currency_symbols.items():
        if code in codes() and _is_sign(symbol):
            found[symbol] = code
    for sign, shared in SHARED_SIGNS.items():
        for code in {*shared, _SIGNS[sign]}:
            # an ISO code begins with its country's two letters: "AU$" is AUD
            found.setdefault(code[:2] + sign, code)
    return found | _SIGNS


def _is_sign(symbol: str) -> bool:
    """Whether it is no word: what ends in a letter or a stop ("Rs.") is found by its name."""
    return not symbol[-1].isalnum() and not symbol.endswith(".")


def shared_by(name: str) -> frozenset[str]:
    """The currencies of which a sign, or a word that is none by itself ("kr", "крон"), may be one.

    Empty for every name that says by itself which currency is meant.
    """
    if name in SHARED_SIGNS:
        return SHARED_SIGNS[name]
    return _shared_words().get(name.lower(), frozenset())


@cache
def _shared_words() -> Mapping[str, frozenset[str]]:
    """Abbreviations, and every form of a head without a code, to all that it may be."""
    found: dict[str, set[str]] = {}
    for word, ours in _ABBREVIATIONS.items():
        found.setdefault(word, set()).update(ours.split())
    for spoken in languages():
        for word, ours in spoken.money.abbreviations.items():
            found.setdefault(word, set()).update(ours.split())
    for word, head in _heads().items():
        if head.code:
            continue
        for stems, code in _names().items():
            if _stem(word) in stems:
                found.setdefault(word, set()).add(code)
    return {word: frozenset(codes_of) for word, codes_of in found.items()}


@cache
def sign_pattern() -> str:
    """A pattern of all signs, longer ones first; one made of letters may not run into a word."""
    alternatives: list[str] = []
    for sign in sorted(signs(), key=lambda sign: (-len(sign), sign)):
        pattern = re.escape(sign)
        if sign[0].isalpha():
            pattern = rf"(?<![^\W\d_]){pattern}"
        if sign[-1].isalpha():
            pattern += r"(?![^\W\d_])"
        alternatives.append(pattern)
    return "|".join(alternatives)


def find_name(words: tuple[str, ...]) -> Named | None:
    """The currency that 1 to LONGEST_NAME words in lower case name together, or None."""
    if len(words) == 1:
        return _single(words[0])
    code = _names().get(tuple(map(_stem, words)))
    if code is None:
        return None
    forms: set[Form] = set()
    for word in words:
        head = _heads().get(word)
        if head is not None and head.form is not Form.PLAIN:
            forms.add(head.form)
    if len(forms) != 1:  # two words in two cases say nothing of the question
        return Named(code=code)
    return Named(code=code, form=forms.pop())


def split_pair(word: str) -> tuple[Named, Named] | None:
    """Tell the two currencies of "usdkgs"; None when it is not two different codes."""
    if len(word) != 6 or not word.isascii():
        return None
    first, second = _code(word[:3]), _code(word[3:])
    if (
        first is None
        or second is None
        or first.code == second.code
        # two codes that are words as well: six such letters are a word oftener than a pair
        or (first.common and second.common)
    ):
        return None
    return first, second


def is_known(word: str) -> bool:
    """Whether a word, in lower case, can be a part of a currency's name."""
    if word in initials() or _single(word) is not None or split_pair(word) is not None:
        return True
    return _stem(word) in _vocabulary()


@cache
def initials() -> Mapping[str, Initial]:
    """Currencies by one letter behind an amount: "100 р"."""
    found: dict[str, Initial] = {}
    for spoken in reversed(languages()):
        # of two languages the one that comes earlier in menus has the letter
        for letter, code in spoken.money.initials.items():
            found[letter] = Initial(code=code, sure=letter in spoken.money.sure_initials.split())
    return found


def suffix_form(ending: str) -> Form | None:
    """The case that an ending behind a sign or code means ("100$га", "USDден"), or None."""
    for pattern in _case_endings():
        found = pattern.fullmatch(ending)
        if found is None:
            continue
        if found["into"]:
            return Form.INTO
        return Form.PLAIN
    return None


@cache
def _case_endings() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, values_of(lambda spoken: spoken.money.case_ending)))


@cache
def _adjective_endings() -> tuple[re.Pattern[str], ...]:
    endings = values_of(lambda spoken: spoken.money.adjective_end)
    return tuple(re.compile(rf"{ending}$") for ending in endings)


@cache
def _common() -> frozenset[str]:
    return frozenset(words_of(lambda spoken: spoken.money.common))


def _single(word: str) -> Named | None:
    found = _code(word) or _heads().get(word)
    if found is not None and found.code:  # a head without a code needs its country: "крона"
        return found
    if word.isascii() or not re.search(r"[a-z]", word):
        return None
    if (ending := suffix_form(word[3:])) is not None and (coded := _code(word[:3])):
        return Named(code=coded.code, form=ending)
    for folded in _folds(word):
        if named := _code(folded) or _heads().get(folded):
            return named
    return None


def _folds(word: str) -> Iterator[str]:
    """A mixed-script word in each one script, where its letters allow."""
    latin, cyrillic = in_latin(word), in_cyrillic(word)
    if latin.isascii():
        yield latin
    if not re.search(r"[a-z]", cyrillic):
        yield cyrillic


def _code(word: str) -> Named | None:
    code = _OLD_CODES.get(word, word.upper())
    if not word.isascii() or code not in codes():
        return None
    return Named(code=code, common=word in _common())


@cache
def _heads() -> Mapping[str, Named]:
    """Every form of a name that stands alone, and (with an empty code) that needs a country."""
    found: dict[str, Named] = {}
    for spoken in reversed(languages()):
        for head in spoken.money.heads():
            for word, form in head.forms:
                found[word] = Named(code=head.code, form=form, common=word in _common())
    for spoken in reversed(languages()):
        for word, code in spoken.money.short_forms.items():
            found[word] = Named(code=code, common=word in _common())
    return found


def _stem(word: str) -> str:
    """One spelling for all forms of a word in a currency's full name."""
    if word in _heads():
        return _canonical()[word]
    # accents are typed or not: São, Sao
    bare = re.sub("[\u0301\u0303]", "", unicodedata.normalize("NFD", word))
    word = unicodedata.normalize("NFC", bare)
    for pattern in _adjective_endings():
        shorter = pattern.sub("", word)
        # a shorter stem would be that of other words, too
        if shorter != word and len(shorter) >= 4:
            return shorter
    return word


@cache
def _canonical() -> Mapping[str, str]:
    """Every form of a head to the spelling that stands for it; a short form stands for itself."""
    found = {word: word for word in _heads()}
    for spoken in reversed(languages()):
        for head in spoken.money.heads():
            for word, _ in head.forms:
                found[word] = head.stands_for
    return found


@cache
def _names() -> Mapping[tuple[str, ...], str]:
    """Full names, stem by stem, to codes. A name two currencies share belongs to neither."""
    found: dict[tuple[str, ...], str] = {}
    shared: set[tuple[str, ...]] = set()
    for code, name in _cldr_names():
        key = _key(name)
        # names of one word are heads, and have their cases there
        if len(key) > 1 and found.setdefault(key, code) != code:
            shared.add(key)
    for key in shared:
        del found[key]
    # ours come last and win: of a name that two share, they say whose it is here
    for spoken in reversed(languages()):
        for code, own in spoken.money.names.items():
            for name in own.split(","):
                found[_key(name)] = code
    return found


def _cldr_names() -> Iterator[tuple[str, str]]:
    """Every current currency's name and its plural forms in every language."""
    from babel.numbers import get_currency_name

    for language in LANGUAGES:
        locale = cldr(language)  # once: for each name it would be a third of the work
        known = locale.currencies
        for code in sorted(codes() & known.keys()):
            yield code, known[code]
            for count in (1, 2, 5, Decimal("1.5")):  # one, few, many, other
                yield code, get_currency_name(code, count=count, locale=locale)


def _key(name: str) -> tuple[str, ...]:
    return tuple(map(_stem, re.findall(r"[^\W\d_]+", name.lower())))


@cache
def _vocabulary() -> frozenset[str]:
    return frozenset(chain.from_iterable(_names()))
