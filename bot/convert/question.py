"""Free-text questions about money, in every language at once (`bot/languages/*/questions.py`).

    text | words, numbers, signs | amounts, currencies, marks | a known shape, or no question

Nothing is skipped: a text with a single word we do not know is no question. In a group a wrong
answer to "доллар 87 сом" or "top 10" costs more than a missed one, so each shape below is one that
people ask in, and statements ("стоит", "is", "это") need a question word beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from bot.convert.currencies import Named, is_known, shared_by, sign_pattern
from bot.convert.items import Item, items_of
from bot.convert.plain import LETTERS, plain_text
from bot.convert.tokens import MAX_LENGTH, decimal_comma, readable, tokens_of
from bot.errors import UserError
from bot.languages import phrases_of
from bot.languages.parts import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question: `amount` of `source` in `target`; without a target, in any that is of interest.

    `other` is the second reading of an amount like "1,500".
    """

    amount: Decimal
    source: str
    target: str | None = None
    other: Decimal | None = None

    @property
    def readings(self) -> tuple[Decimal, ...]:
        """The amounts that may be meant, the likelier first."""
        if self.other is None:
            return (self.amount,)
        return self.amount, self.other

    def ways(self, home: str, *, usual: Sequence[str]) -> list[tuple[str, str]]:
        """The (source, target) that are asked for: as said, else the home currency, both ways."""
        if self.target:
            return [(self.source, self.target)]
        target = home
        if self.source == home:  # whoever asks about the home currency means a usual foreign one
            target = next(code for code in usual if code != home)
        return [(self.source, target), (target, self.source)]


_ANY = "[SCW]"
_LINK = "[qQ]?[tTe/]?[qQ]?"
# In the order of trying: the first that fits the whole question is the one.
_SHAPES = (
    rf"q?N(?P<s>{_ANY})(?:{_LINK}(?P<t>{_ANY}))?e?q?",  # 100 usd [to kgs]
    rf"q?fN(?P<s>{_ANY})[tT](?P<t>{_ANY})q?",  # из 100 долларов в сомы
    rf"q?(?P<s>[SC])N(?:{_LINK}(?P<t>{_ANY}))?e?q?",  # $100 [to kgs]
    rf"Q(?P<t>{_ANY})[tTfe]?(?:N(?P<s>{_ANY})|(?P<s2>[SC])N)e?",  # сколько сомов в 100 долларах
    rf"q(?P<t>{_ANY})[tTf](?:N(?P<s>{_ANY})|(?P<s2>[SC])N)e?",  # сколько сом за 100 долларов
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


def parse_question(text: str, *, language: str | None = None, home: str = "KGS") -> Question:
    """Read a question about money; UserError "error.convert.…" when it is none.

    `language` decides which reading of "1,500" comes first (by the script when it is None); words
    of all languages are understood. `home` is what "100 в доллары" is an amount of.
    """
    tokens = tokens_of(readable(text), comma=decimal_comma(text, language))
    items = _without_fillers(list(items_of(tokens)))
    source, target = _match(items)
    amount = _amount(items)
    question = Question(
        amount=amount.amount, other=amount.other, source=source or home, target=target
    )
    if question.source == question.target:
        raise UserError("error.convert.same", code=question.source)
    return question


def says_amount(text: str) -> bool:
    """Whether a question says how much, in figures or in words."""
    try:
        items = list(items_of(tokens_of(readable(text), comma=False)))
    except UserError:
        return False
    return "N" in _letters(items)


def looks_like_question(text: str) -> bool:
    """Tell cheaply whether `parse_question` is worth a try; True for everything it reads."""
    if not 0 < len(text) <= MAX_LENGTH:
        return False
    plain = plain_text(text)
    if not re.search(rf"[0-9½]|{sign_pattern()}", plain):
        words = re.findall(rf"{LETTERS}(?:'{LETTERS})*", plain.lower())
        return any(map(is_known, words))
    return re.search(r"https?:|@|%", plain) is None


def _letters(items: Iterable[Item]) -> str:
    """A question as the shapes are written: one letter an item."""
    return "".join(item.letter for item in items)


def _amount(items: Sequence[Item]) -> Item:
    """The amount that is asked about; one, where none was said."""
    for item in items:
        if item.letter == "N":
            return item
    return Item(letter="N")


def _without_fillers(items: list[Item]) -> list[Item]:
    """Leave only what a shape is made of; refuse what makes the text a statement or a list."""
    items = _named_once(items)
    for item in items:
        if item.named is not None and not item.named.code:  # "100 kr": of which country?
            raise UserError("error.convert.word", word=item.raw)
    letters = _letters(items)
    if "x" in letters and not re.search(r"[qQri?]", letters):
        raise _unclear()
    if re.search(r"^-|N-(?![SC])|-(?:N|$)", letters):  # a range; but "100-usd" is an amount
        raise _unclear()
    # a currency, and a comma before more: a list, or the second half of a sentence
    if re.search(rf"{_ANY}[^qQxp]*,(?![qQxp]|$)", letters):
        raise _unclear()
    # "курс доллара 87"
    if "r" in letters and re.search(rf"{_ANY}N", re.sub(r"[^NSCWtf]", "", letters)):
        raise _unclear()
    kept = []
    for item in _marked(items):
        if item.letter not in "rixp?,-":
            kept.append(item)
    # "rate of the dollar": its "of" is no "from", unless a "to" follows
    if "r" in letters and re.match(r"f(?!.[tT])", _letters(kept)):
        kept = kept[1:]
    return kept


def _named_once(items: Sequence[Item]) -> list[Item]:
    """The items with one currency where its sign, code and name stand together: "$100 USD".

    A sign that several currencies share is that of the code beside it: "$100 CAD", "100 kr SEK".
    The same word twice stays twice: "100 usd usd" is a slip of something else.
    """
    found: list[Item] = []
    for item in items:
        if _is_hyphenated(found, item):
            found.pop()
        if not _joined_to_the_last(found, item):
            found.append(item)
    return found


def _joined_to_the_last(found: list[Item], item: Item) -> bool:
    """Whether an item was another name of the currency before it, which then stands for both."""
    beside = -1
    if not _stands_at(found, beside):
        beside = -2
    if item.named is None or not _stands_at(found, beside):
        return False
    code = _common_code(found[beside], item)
    if code is None:
        return False
    joined = replace(found[beside], named=Named(code=code, form=item.named.form))
    if beside == -1:
        joined = replace(joined, letter=item.letter)
    found[beside] = joined
    return True


def _is_hyphenated(found: Sequence[Item], item: Item) -> bool:
    """Whether a dash ties two names of one currency with an amount: "$100-USD", "100$-USD"."""
    if len(found) < 3 or found[-1].letter != "-" or "N" not in {found[-2].letter, found[-3].letter}:
        return False
    before = found[:-1]
    for at in (-1, -2):
        if _stands_at(before, at) and _common_code(before[at], item) is not None:
            return True
    return False


def _stands_at(found: Sequence[Item], at: int) -> bool:
    """Whether a currency stands last, or last but one with the amount behind it."""
    if len(found) < -at or found[at].named is None:
        return False
    return at == -1 or found[-1].letter == "N"


def _common_code(one: Item, other: Item) -> str | None:
    """The code that two different names side by side have in common, or None."""
    if one.named is None or other.named is None or one.raw.lower() == other.raw.lower():
        return None
    if one.named.code == other.named.code:
        return one.named.code
    # a sign such as $ is of several currencies: the code beside it says which
    for sign, code in ((one, other.named.code), (other, one.named.code)):
        if sign.letter == "S" and code in shared_by(sign.raw):
            return code
    return None


def _marked(items: Sequence[Item]) -> Iterator[Item]:
    """Letters for what endings say: which currency is wanted, and whether "how many" counts one."""
    before = ""
    ending_in_none = [*items, None]
    for at, item in enumerate(items):
        after = ending_in_none[at + 1]
        if item.letter == "w":  # менен has been heeded at the currency before it
            if before not in set("SCW"):
                raise _unclear()
        elif item.letter == "Q":
            counted = _form_of(after)
            # "сколько доллар" asks what one dollar is, "сколько долларов" counts them
            asks_of_one = counted == Form.SUBJECT and item.raw.lower() in _of_one()
            if counted is None or asks_of_one:
                yield replace(item, letter="q")
            else:
                yield item
        elif item.letter == "t" and _form_of(after) == Form.INSIDE:
            yield replace(item, letter="T")
        elif item.named is None:
            yield item
        else:
            wanted = item.named.form == Form.INTO and before not in {"N", "t", "w"}
            if wanted or (after is not None and after.letter == "w"):
                yield Item(letter="T")
            yield item
        before = item.letter


@cache
def _of_one() -> frozenset[str]:
    """The words for "how many" that before a nominative ask what one of it is."""
    return frozenset(phrases_of(lambda spoken: spoken.questions.of_one))


def _form_of(item: Item | None) -> Form | None:
    """The grammatical form of a currency's name; None of what is no currency."""
    if item is None or item.named is None:
        return None
    return item.named.form


def _match(items: Sequence[Item]) -> tuple[str | None, str | None]:
    """Source (None: the home currency) and target (None: not said) by the first shape that fits."""
    letters = _letters(items)
    if not re.search(_ANY, letters):
        raise UserError("error.convert.currency")
    if not _means_money(items, letters):
        raise _unclear()
    match = _shape_of(letters)
    codes: dict[str, str] = {}
    for group, text in match.groupdict().items():
        if text is None:  # "[to kgs]", which was not said
            continue
        named = items[match.start(group)].named
        if named is not None:
            codes[group] = named.code
    return codes.get("s") or codes.get("s2"), codes.get("t")


def _shape_of(letters: str) -> re.Match[str]:
    for shape in _SHAPES:
        match = re.fullmatch(shape, letters)
        if match is not None:
            return match
    raise _unclear()


def _means_money(items: Sequence[Item], letters: str) -> bool:
    """Whether names that are also words ("top", "all", "won") stand where only money can stand."""
    for at, item in enumerate(items):
        if not _also_a_word(item):
            continue
        if "N" in letters:
            if at < letters.index("N"):  # "top 10" names no money; behind an amount a word does
                return False
        # "usd try" asks for liras; "all usd" and "try it" ask for nothing
        elif "/" not in letters and (at == 0 or item.raw.lower() != "try"):
            return False
    return True


def _also_a_word(item: Item) -> bool:
    """Whether a currency's name is a word of other meanings; nobody writes TRY for trying."""
    return item.named is not None and item.named.common and item.raw != "TRY"


def _unclear() -> UserError:
    return UserError("error.convert.unclear")
