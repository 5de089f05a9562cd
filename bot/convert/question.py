"""Free-text questions about money, in every language at once (its words:
`bot/languages/*/questions.py`).

    text | words, numbers, signs | amounts, currencies, marks | a known shape, or no question

Nothing is skipped: a text with a single word we do not know is no question. In a group a wrong
answer to "доллар 87 сом" or "top 10" costs more than a missed one, so each shape below is one that
people ask in, and statements ("стоит", "is", "это") need a question word beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import takewhile

from bot.convert.currencies import (
    LONGEST_NAME,
    Named,
    find_name,
    initials,
    is_known,
    sign_pattern,
    signs,
    split_pair,
    suffix_form,
)
from bot.convert.numbers import (
    LITERAL,
    MAX_DIGITS,
    Piece,
    Sort,
    number_words,
    plus_before,
    read_literal,
    read_number,
    short_scales,
)
from bot.convert.plain import LETTERS, plain_text
from bot.errors import UserError
from bot.i18n import decimal_mark
from bot.languages import languages
from bot.languages.parts import Form

MAX_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How much `amount` of `source` is in `target`; without a target both directions are of
    interest.

    `other` is the second reading of an amount like "1,500".
    """

    amount: Decimal
    source: str
    target: str | None = None
    other: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """A run of the text: a number, a word (in lower case), a currency sign, or another mark."""

    kind: str  # literal, word, money, mark
    text: str
    raw: str
    glued: bool  # no space before it
    dotted: bool = False  # a full stop behind it: "руб."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """What a token is in the question, as a letter of the shapes below.

    N amount; S C W currency by sign, code, name; q question, Q counting question ("how many" right
    before a currency); t towards, T towards for certain, / e towards by a sign; f from; and until
    they are dropped: r rate, i command, x verb or time, p politeness, comma, dash, question mark.
    """

    letter: str
    named: Named | None = None
    raw: str = ""
    amount: Decimal = Decimal(1)
    other: Decimal | None = None


_SIGNED = {"=": "e", ">": "e", "/": "/", "-": "-", "?": "?", ",": ","}
#: Signs of several currencies; which of them is meant is said by a code beside one.
_SHARED_SIGNS = {
    "$": frozenset(
        {
            "AUD",
            "BBD",
            "BND",
            "BSD",
            "BZD",
            "CAD",
            "FJD",
            "HKD",
            "JMD",
            "NAD",
            "NZD",
            "SGD",
            "TTD",
            "TWD",
        }
    ),
    "¥": frozenset({"CNY"}),
    "£": frozenset({"EGP", "SYP", "LBP", "SDG"}),
}
_ARITHMETIC = {"×": "*", "÷": "/", "x": "*", "х": "*"}
_ANY = "[SCW]"
_LINK = "[qQ]?[tTe/]?[qQ]?"
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"q?N(?P<s>{_ANY})(?:{_LINK}(?P<t>{_ANY}))?e?q?",  # 100 usd [to kgs]
        rf"q?fN(?P<s>{_ANY})[tT](?P<t>{_ANY})q?",  # из 100 долларов в сомы
        rf"q?(?P<s>[SC])N(?:{_LINK}(?P<t>{_ANY}))?e?q?",  # $100 [to kgs]
        rf"Q(?P<t>{_ANY})[tTfe]?(?:N(?P<s>{_ANY})|(?P<s2>[SC])N)e?",  # сколько сомов в 100 долларах
        rf"q(?P<t>{_ANY})[tT](?:N(?P<s>{_ANY})|(?P<s2>[SC])N)e?",  # сколько сом в $100
        rf"q?[tT](?P<t>{_ANY})q?(?:N(?P<s>{_ANY})|(?P<s2>[SC])N)q?",  # в сомах 100 долларов
        rf"[tTf]N(?P<s>{_ANY})Q(?P<t>{_ANY})",  # в 100 долларах сколько сомов
        rf"q?N[tT](?P<t>{_ANY})q?",  # 100 в доллары: of the home currency
        rf"q?(?P<s>{_ANY})(?:{_LINK}(?P<t>{_ANY}))?e?q?",  # usd; доллар канча сом
        rf"q?f(?P<s>{_ANY})[tT](?P<t>{_ANY})q?",  # из долларов в сомы
        rf"Q(?P<s>{_ANY})T(?P<t>{_ANY})",  # сколько евро в рублях
        rf"Q(?P<t>{_ANY})[tfe]?(?P<s>{_ANY})",  # сколько сомов в долларе
        rf"(?P<t>{_ANY})f(?P<s>{_ANY})q?",  # рублей за доллар
        rf"q?[tT](?P<t>{_ANY})q?f?(?P<s>{_ANY})q?",  # в сомах доллар
    )
)


def parse_question(text: str, *, language: str | None = None, home: str = "KGS") -> Question:
    """Read a question about money; UserError "error.convert.…" when it is none.

    `language` decides which reading of "1,500" comes first (by the script when it is None); words
    of all languages are understood. `home` is what "100 в доллары" is an amount of.
    """
    tokens = _tokens(_plain(text), comma=_decimal_comma(text, language))
    items = _without_fillers(list(_items(tokens)))
    source, target = _match(items)
    amount = next((item for item in items if item.letter == "N"), _Item(letter="N"))
    question = Question(
        amount=amount.amount, other=amount.other, source=source or home, target=target
    )
    if question.source == question.target:
        raise UserError("error.convert.same", code=question.source)
    return question


def looks_like_question(text: str) -> bool:
    """Tell cheaply whether `parse_question` is worth a try; True for everything it reads."""
    if not 0 < len(text) <= MAX_LENGTH:
        return False
    plain = plain_text(text)
    if not re.search(rf"[0-9½]|{sign_pattern()}", plain):
        return any(
            is_known(word) for word in re.findall(rf"{LETTERS}(?:'{LETTERS})*", plain.lower())
        )
    return re.search(r"https?:|@|%", plain) is None


def _plain(text: str) -> str:
    """The text with one kind of space, apostrophe and dash; refuses what is empty or too long."""
    if len(text) > MAX_LENGTH:
        raise UserError("error.convert.long", limit=MAX_LENGTH)
    plain = re.sub(rf"({LETTERS})-(?={LETTERS})", r"\1 ", plain_text(text)).strip(" \n\r!")
    plain = re.sub(
        r"\(([^()\d]+)\)", r" \1 ", plain
    ).strip()  # "$100 (USD)" names a currency, "(2+3)" is arithmetic
    if not plain:
        raise UserError("error.convert.empty")
    if "%" in plain:
        raise UserError("error.convert.percent")
    if sum(letter.isdigit() for letter in plain) > MAX_DIGITS:
        raise UserError("error.convert.digits", limit=MAX_DIGITS)
    return plain


def _decimal_comma(text: str, language: str | None) -> bool:
    """Whether CLDR's decimal mark is a comma; the text's script tells where no language is said."""
    if language is None:
        return re.search(r"[\u0400-\u04ff]", text) is not None
    return decimal_mark(language[:2].lower()) == ","


@cache
def _lexer() -> re.Pattern[str]:
    return re.compile(
        rf"(?P<space>[ \n\r]+)|(?P<money>{sign_pattern()})|(?P<literal>{LITERAL})"
        rf"|(?P<word>{LETTERS}(?:'{LETTERS})*)|(?P<arrow>[-=]>)|(?P<mark>[-+*/×÷()=>?!.,])"
    )


def _tokens(text: str, *, comma: bool) -> list[tuple[_Token, Piece | None]]:
    """The tokens of a text, literals with their reading; articles and words' stops are dropped."""
    found: list[tuple[_Token, Piece | None]] = []
    at, spaced = 0, True
    while at < len(text):
        match = _lexer().match(text, at)
        if match is None:
            raise UserError("error.convert.word", word=text[at])
        kind, raw = match.lastgroup or "", match.group()
        at = match.end()
        if kind == "space":
            spaced = True
            continue
        token = _Token(kind=kind, text=raw.lower(), raw=raw, glued=not spaced)
        spaced = False
        if kind == "arrow":
            token = replace(token, kind="mark", text=">")
        if raw in ".!" and found and (found[-1][0].kind in {"word", "money"} or at == len(text)):
            found[-1] = (replace(found[-1][0], dotted=True), found[-1][1])
            continue
        if token.text in _articles():
            continue
        found.append((token, read_literal(raw, comma=comma) if kind == "literal" else None))
    return found


def _items(tokens: Sequence[tuple[_Token, Piece | None]]) -> Iterator[_Item]:
    """Say what each token is: numbers first, because "к" and "с" mean something else behind one."""
    tokens = list(_unglued(tokens))
    words = [token for token, _ in tokens]
    pieces = _pieces(tokens)
    at = 0
    previous = ""
    while at < len(words):
        items, at = _next_items(words, pieces, at, after_number=previous == "N")
        previous = items[-1].letter
        yield from items


def _unglued(
    tokens: Sequence[tuple[_Token, Piece | None]],
) -> Iterator[tuple[_Token, Piece | None]]:
    """Cut a scale from the name that follows it without a space: "5круб", "10млнсум"."""
    behind_number = False
    for token, piece in tokens:
        cut = (
            _scale_ahead(token.text)
            if token.kind == "word" and token.glued and behind_number
            else ""
        )
        if cut:
            yield replace(token, text=cut, raw=token.raw[: len(cut)]), None
            rest = token.text[len(cut) :]
            yield replace(token, text=rest, raw=token.raw[len(cut) :]), None
        else:
            yield token, piece
        behind_number = token.kind == "literal"


def _scale_ahead(word: str) -> str:
    """The scale a word begins with, when what remains names a currency and the whole does not."""
    if _is_money(word) or word in number_words():
        return ""
    scales = sorted(
        {*short_scales(), *(w for w, p in number_words().items() if p.sort is Sort.SCALE)}, key=len
    )
    return next(
        (s for s in reversed(scales) if word.startswith(s) and _is_money(word[len(s) :])), ""
    )


def _is_money(word: str) -> bool:
    initial = initials().get(word)
    if initial is not None and initial.sure:
        return True
    return find_name((word,)) is not None or split_pair(word) is not None


def _pieces(tokens: Sequence[tuple[_Token, Piece | None]]) -> list[Piece | None]:
    """What each token is in a number, or None."""
    pieces: list[Piece | None] = []
    for at, (token, literal) in enumerate(tokens):
        pieces.append(
            literal or _piece(token, pieces[-1] if pieces else None, tokens[at + 1 : at + 2])
        )
    return pieces


def _piece(
    token: _Token, before: Piece | None, after: Sequence[tuple[_Token, Piece | None]]
) -> Piece | None:
    numeric = before is not None and (not before.sign or before.sign == ")")
    sign = _ARITHMETIC.get(token.text, token.text)
    if token.text in {"x", "х"} and not (numeric and after and after[0][0].kind == "literal"):
        return None
    if sign in {"+", "-", "*", "/", "(", ")"}:
        return Piece(Sort.SIGN, sign=sign)
    following = after[0][0].text if after else ""
    if following and plus_before().get(following) == token.text:
        return Piece(Sort.AND)
    if (
        token.text == ","
        and before is not None
        and before.sort is Sort.SCALE
        and following in number_words()
    ):
        return Piece(Sort.AND)  # "one thousand, two hundred"
    if numeric and token.text in short_scales():
        return short_scales()[token.text]
    return number_words().get(token.text) if token.kind == "word" else None


def _next_items(
    words: Sequence[_Token], pieces: Sequence[Piece | None], at: int, *, after_number: bool
) -> tuple[tuple[_Item, ...], int]:
    """What begins at `at` (several items only for "usdkgs"), and where the next begins."""
    token, piece = words[at], pieces[at]
    if after_number and token.text in initials() and (single := _initial(words, at)):
        return (single,), at + 1
    if piece is not None and piece.sort is not Sort.AND and piece.sign in {"", "("}:
        amount, other, end = read_number(pieces, at)
        return (_Item(letter="N", amount=amount, other=other),), end
    if token.kind == "money":
        return _signed(words, at)
    if token.kind == "mark" and token.text in _SIGNED:
        return (_Item(letter=_SIGNED[token.text]),), at + 1
    return _word(words, at)


def _initial(words: Sequence[_Token], at: int) -> _Item | None:
    """A currency by its first letter; an unsure one ("10 с") needs money beside it."""
    token = words[at]
    initial = initials()[token.text]
    sure = initial.sure or token.glued or token.dotted
    if not sure and not any(_is_money(word.text) or word.kind == "money" for word in words):
        return None
    return _Item(letter="W", named=Named(code=initial.code))


def _signed(words: Sequence[_Token], at: int) -> tuple[tuple[_Item, ...], int]:
    """A sign, with the Kyrgyz ending that may hang on it."""
    raw = words[at].raw
    named = Named(code=signs()[raw])
    following = words[at + 1] if at + 1 < len(words) else None
    if (
        following is not None
        and following.glued
        and (ending := suffix_form(following.text)) is not None
    ):
        return (_Item(letter="S", named=replace(named, form=ending), raw=raw),), at + 2
    return (_Item(letter="S", named=named, raw=raw),), at + 1


def _word(words: Sequence[_Token], at: int) -> tuple[tuple[_Item, ...], int]:
    """A currency by its longest name, or a word with a part in the question."""
    run = tuple(
        token.text
        for token in takewhile(lambda token: token.kind == "word", words[at : at + LONGEST_NAME])
    )
    for length in range(len(run), 0, -1):
        key = run[:length]
        if (named := find_name(key)) is not None:
            letter = "C" if key == (named.code.lower(),) else "W"
            return (_Item(letter=letter, named=named, raw=words[at].raw),), at + length
        if (letter := _functions().get(key, "")) != "":
            return (_Item(letter=letter, raw=run[0]),), at + length
    if run and (pair := split_pair(run[0])) is not None:
        first, second = (_Item(letter="C", named=named) for named in pair)
        return (first, _Item(letter="/"), second), at + 1
    raise UserError("error.convert.word", word=words[at].raw)


@cache
def _functions() -> dict[tuple[str, ...], str]:
    """Each phrase with a part in a question, word by word, and the letter of that part."""
    found: dict[tuple[str, ...], str] = {}
    for spoken in reversed(languages()):
        for letter, phrases in spoken.questions.words.items():
            found |= {tuple(phrase.split()): letter for phrase in phrases.split(",")}
    return found


@cache
def _articles() -> frozenset[str]:
    return frozenset(word for one in languages() for word in one.questions.articles.split())


def _without_fillers(items: list[_Item]) -> list[_Item]:
    """Leave only what a shape is made of; refuse what makes the text a statement or a list."""
    items = _named_once(items)
    letters = "".join(item.letter for item in items)
    if "x" in letters and not re.search(r"[qQri?]", letters):
        raise _unclear()
    if re.search(r"(?:^|N)-|-(?:N|$)", letters) or re.search(
        rf"{_ANY}[^qQxp]*,(?![qQxp]|$)", letters
    ):
        raise _unclear()
    # "курс доллара 87"
    if "r" in letters and re.search(rf"{_ANY}N", re.sub(r"[^NSCWtf]", "", letters)):
        raise _unclear()
    marked = list(_marked(items))
    kept = [item for item in marked if item.letter not in "rixp?,-"]
    if (
        "r" in letters
        and kept
        and kept[0].letter == "f"
        and (len(kept) < 3 or kept[2].letter not in "tT")
    ):
        kept = kept[1:]  # "rate of the dollar"
    return kept


def _named_once(items: Sequence[_Item]) -> list[_Item]:
    """The items with one currency where its sign, code and name stand together: "$100 USD", "100 $
    долларов".

    A sign that several currencies share is that of the code beside it: "$100 CAD", "¥100 CNY". The
    same word twice stays twice: "100 usd usd" is a slip of something else.
    """
    found: list[_Item] = []
    for item in items:
        if _is_hyphenated(found, item):
            found.pop()
        beside = next((at for at in (-1, -2) if _stands_at(found, at)), None)
        code = (
            _common_code(found[beside], item)
            if beside is not None and item.named is not None
            else None
        )
        if beside is not None and code is not None:
            letter = found[beside].letter if beside == -2 else item.letter
            named = Named(code=code, form=item.named.form if item.named else Form.PLAIN)
            found[beside] = replace(found[beside], letter=letter, named=named)
        else:
            found.append(item)
    return found


def _is_hyphenated(found: Sequence[_Item], item: _Item) -> bool:
    """Whether a dash ties two names of one currency with an amount: "$100-USD", "100$-USD"."""
    if len(found) < 3 or found[-1].letter != "-" or "N" not in {found[-2].letter, found[-3].letter}:
        return False
    before = found[:-1]
    return any(
        _stands_at(before, at) and _common_code(before[at], item) is not None for at in (-1, -2)
    )


def _stands_at(found: Sequence[_Item], at: int) -> bool:
    """Whether a currency stands last, or last but one with the amount behind it."""
    if len(found) < -at or found[at].named is None:
        return False
    return at == -1 or found[-1].letter == "N"


def _common_code(one: _Item, other: _Item) -> str | None:
    """The code that two different names side by side have in common, or None."""
    if one.named is None or other.named is None or one.raw.lower() == other.raw.lower():
        return None
    if one.named.code == other.named.code:
        return one.named.code
    for sign, code in ((one, other.named.code), (other, one.named.code)):
        if sign.letter == "S" and code in _SHARED_SIGNS.get(sign.raw, ()):
            return code
    return None


def _marked(items: Sequence[_Item]) -> Iterator[_Item]:
    """Letters for what endings say: which currency is wanted, and whether "how many" counts one."""
    for at, item in enumerate(items):
        before = items[at - 1].letter if at else ""
        after = items[at + 1] if at + 1 < len(items) else None
        if item.letter == "w":  # менен has been heeded at the currency before it
            if before not in set("SCW"):
                raise _unclear()
        elif item.letter == "Q":
            counts = after is not None and after.named is not None
            subject = (
                after is not None and after.named is not None and after.named.form == Form.SUBJECT
            )
            yield replace(
                item, letter="Q" if counts and not (subject and item.raw == "сколько") else "q"
            )
        elif item.letter == "t":
            inside = (
                after is not None and after.named is not None and after.named.form == Form.INSIDE
            )
            yield replace(item, letter="T" if inside else "t")
        elif item.named is None:
            yield item
        else:
            wanted = item.named.form == Form.INTO and before not in {"N", "t", "w"}
            if wanted or (after is not None and after.letter == "w"):
                yield _Item(letter="T")
            yield item


def _match(items: Sequence[_Item]) -> tuple[str | None, str | None]:
    """Source (None: the home currency) and target (None: not said) by the first shape that fits."""
    letters = "".join(item.letter for item in items)
    if not re.search(_ANY, letters):
        raise UserError("error.convert.currency")
    if not _means_money(items, letters):
        raise _unclear()
    match = next((found for shape in _SHAPES if (found := shape.fullmatch(letters))), None)
    if match is None:
        raise _unclear()
    codes = {
        group: named.code
        for group, text in match.groupdict().items()
        if text is not None and (named := items[match.start(group)].named) is not None
    }
    return codes.get("s") or codes.get("s2"), codes.get("t")


def _means_money(items: Sequence[_Item], letters: str) -> bool:
    """Whether names that are also words ("top", "all", "won") stand where only money can stand."""
    doubtful = [
        at
        for at, item in enumerate(items)
        if item.named and item.named.common and item.raw != "TRY"
    ]
    if "N" in letters:
        return all(at > letters.index("N") for at in doubtful)
    return "/" in letters or all(items[at].raw.lower() == "try" and at > 0 for at in doubtful)


def _unclear() -> UserError:
    return UserError("error.convert.unclear")
