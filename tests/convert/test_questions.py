"""Questions that people ask in three languages, and words of theirs that are none."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from bot.convert import Question, looks_like_question, parse_question
from bot.errors import UserError

# text | amount source [target] [other reading]; one line a real way of asking.
ASKED = """
100 usd kgs | 100 USD KGS
100 USD KGS | 100 USD KGS
100usdkgs | 100 USD KGS
1000 usdkgs | 1000 USD KGS
100usd to kgs | 100 USD KGS
100 usd | 100 USD
USD 100 | 100 USD
usd100 | 100 USD
usd 100. | 100 USD
EUR100 to USD | 100 EUR USD
usd 100 kgs | 100 USD KGS
$100 | 100 USD
100$ | 100 USD
100 $ | 100 USD
$ 100 | 100 USD
$100 сом | 100 USD KGS
$5k | 5000 USD
5k$ | 5000 USD
€1.5m | 1500000 EUR
100€ = ? $ | 100 EUR USD
100€ | 100 EUR
£20 | 20 GBP
20£ in eur | 20 GBP EUR
¥5000 | 5000 JPY
5000₽ | 5000 RUB
5000₸ | 5000 KZT
₴300 | 300 UAH
100⃀ | 100 KGS
100 CA$ | 100 CAD
A$50 | 50 AUD
R$ 30 | 30 BRL
HK$200 to usd | 200 HKD USD
50 zł | 50 PLN
100-usd | 100 USD
$100-KGS | 100 USD KGS
100-usd-kgs | 100 USD KGS
сколько сом за 100 долларов | 100 USD KGS
сколько рублей за 100 $ | 100 USD RUB
usd | 1 USD
USD | 1 USD
usd/kgs | 1 USD KGS
EUR/USD | 1 EUR USD
usd-kgs | 1 USD KGS
usdkgs | 1 USD KGS
USDRUB | 1 USD RUB
usd->kgs | 1 USD KGS
usd → kgs | 1 USD KGS
100 usd=kgs | 100 USD KGS
usd to rub | 1 USD RUB
eur usd | 1 EUR USD
from usd to kgs | 1 USD KGS
usd try | 1 USD TRY
100 try | 100 TRY
TRY 100 | 100 TRY
100 all | 100 ALL
100 rur | 100 RUB
100 rmb | 100 CNY
XDR | 1 XDR
10k usd to eur | 10000 USD EUR
2.5m usd | 2500000 USD
3 bn kzt | 3000000000 KZT
3mln sum | 3000000 UZS
5 grand usd | 5000 USD
50 000 RUB | 50000 RUB
50\u00a0000 RUB | 50000 RUB
50\u202f000\u00a0₽ | 50000 RUB
50\u2009000 rub | 50000 RUB
1 000,50 евро | 1000.5 EUR
1 000.50 eur | 1000.5 EUR
1'000 chf | 1000 CHF
1’000’000.5 chf | 1000000.5 CHF
1,234,567.89 usd | 1234567.89 USD
1.234.567,89 eur | 1234567.89 EUR
1,500 usd | 1500 USD - 1.5
1.500 eur | 1500 EUR - 1.5
1,234 usd | 1234 USD - 1.234
1.234 usd | 1.234 USD - 1234
1,234 рублей | 1.234 RUB - 1234
1.234 рублей | 1234 RUB - 1.234
1,500 usd in kgs | 1500 USD KGS 1.5
1,500k usd | 1500000 USD - 1500
10,50 usd | 10.5 USD
10.5 usd | 10.5 USD
0,500 usd | 0.5 USD
1234,567 usd | 1234.567 USD
.5 usd | 0.5 USD
,5 евро | 0.5 EUR
1½ usd | 1.5 USD
½ евро | 0.5 EUR
2*150 eur | 300 EUR
2x150 eur | 300 EUR
2х150 евро | 300 EUR
2 × 150 € | 300 EUR
100+50 usd | 150 USD
1000-250,5 рублей | 749.5 RUB
1000/4 usd | 250 USD
10÷4 usd | 2.5 USD
1000/3*3 usd | 1000 USD
(100+50)*2 usd | 300 USD
2*(3+(4-1)) eur в сомах | 12 EUR KGS
(1+2)к руб | 3000 RUB
5 тыс + 2 тыс руб | 7000 RUB
$2*150 | 300 USD
100 dollars | 100 USD
1 dollar in som | 1 USD KGS
50 bucks in kgs please | 50 USD KGS
what's 50 quid in euros | 50 GBP EUR
100 pounds sterling | 100 GBP
100 swiss francs to euros | 100 CHF EUR
200 US dollars in yen | 200 USD JPY
500 Canadian dollars | 500 CAD
10000 South Korean won | 10000 KRW
10000 won to dollars | 10000 KRW USD
300 Czech korunas | 300 CZK
100 Norwegian kroner | 100 NOK
100 sum | 100 UZS
100 so'm | 100 UZS
100 so‘m | 100 UZS
100 som to sum | 100 KGS UZS
500 roubles | 500 RUB
3000 tenge into rubles | 3000 KZT RUB
a hundred dollars | 100 USD
two hundred bucks | 200 USD
twenty-five dollars | 25 USD
one and a half million dollars | 1500000 USD
half a million euros | 500000 EUR
half a dollar | 0.5 USD
a million and a half som | 1500000 KGS
one thousand two hundred and fifty dollars | 1250 USD
nine hundred ninety nine usd | 999 USD
2 hundred euros | 200 EUR
how much is 100 usd in som | 100 USD KGS
how much is a dollar | 1 USD
how much is the dollar today? | 1 USD
how many som in a dollar | 1 USD KGS
how many soms are in 100 dollars? | 100 USD KGS
how many som for $20 | 20 USD KGS
convert 100 usd to kgs | 100 USD KGS
please convert 20 eur into rub | 20 EUR RUB
kgs per usd | 1 USD KGS
dollar rate | 1 USD
rate of the dollar | 1 USD
what is the dollar rate now | 1 USD
exchange rate usd kgs | 1 USD KGS
100 euro vs dollar | 100 EUR USD
100$ в сомах | 100 USD KGS
100 $ в сом | 100 USD KGS
5к руб | 5000 RUB
5 к руб | 5000 RUB
5круб | 5000 RUB
5кк сум | 5000000 UZS
5 тыс. рублей | 5000 RUB
5 тысяч 200 рублей | 5200 RUB
100тысруб | 100000 RUB
5 т.р. | 5000 RUB
100 р | 100 RUB
100р. | 100 RUB
100р в сомах | 100 RUB KGS
100 с. | 100 KGS
100с | 100 KGS
100 с в рублях | 100 KGS RUB
100 руб. в тенге | 100 RUB KZT
5000 тг | 5000 KZT
300 грн | 300 UAH
сто долларов | 100 USD
двести пятьдесят евро | 250 EUR
двадцать один доллар | 21 USD
две тысячи рублей | 2000 RUB
сто двадцать пять тысяч триста сорок рублей | 125340 RUB
полтора миллиона рублей | 1500000 RUB
полторы тысячи долларов в сомах | 1500 USD KGS
пол-миллиона сом | 500000 KGS
полмиллиона сом | 500000 KGS
пол миллиона сомов | 500000 KGS
два с половиной миллиона сум | 2500000 UZS
миллион с половиной рублей | 1500000 RUB
миллион сум | 1000000 UZS
косарь рублей | 1000 RUB
1,5 млн сум | 1500000 UZS
2 млн 500 тыс сум | 2500000 UZS
5 000 000 сум в доллары | 5000000 UZS USD
2 лям сум | 2000000 UZS
100 баксов | 100 USD
100 долларов | 100 USD
1 доллар | 1 USD
3 доллара | 3 USD
100 долларов США | 100 USD
100 американских долларов | 100 USD
100 канадских долларов | 100 CAD
100 австралийских долларов в сомах | 100 AUD KGS
100 турецких лир | 100 TRY
100 швейцарских франков | 100 CHF
300 чешских крон | 300 CZK
100 белорусских рублей | 100 BYN
1000 узбекских сумов | 1000 UZS
1000 кыргызских сомов | 1000 KGS
1000 казахских тенге | 1000 KZT
20 фунтов стерлингов | 20 GBP
100 юаней в рублях | 100 CNY RUB
10 тысяч иен | 10000 JPY
10 тысяч йен | 10000 JPY
1000 рупий | 1000 INR
100 гривен | 100 UAH
50 злотых | 50 PLN
100 дирхамов | 100 AED
100 сомони | 100 TJS
50 манатов | 50 AZN
1000 драмов | 1000 AMD
100 лари | 100 GEL
100 шекелей | 100 ILS
5000 сўм | 5000 UZS
доллар | 1 USD
евро | 1 EUR
сом | 1 KGS
доллар рубль | 1 USD RUB
доллар к рублю | 1 USD RUB
евро/доллар | 1 EUR USD
доллар - сом | 1 USD KGS
курс доллара | 1 USD
курс доллара на сегодня | 1 USD
курс доллара к сому | 1 USD KGS
курс евро к доллару сегодня | 1 EUR USD
курс usd к kgs | 1 USD KGS
почём доллар | 1 USD
сколько стоит доллар | 1 USD
сколько стоит доллар в сомах? | 1 USD KGS
сколько сомов в 100 долларах | 100 USD KGS
сколько сомов в долларе | 1 USD KGS
сколько сомов стоит евро | 1 EUR KGS
сколько евро в рублях | 1 EUR RUB
сколько доллар в сомах | 1 USD KGS
сколько доллар? | 1 USD
сколько будет 100 баксов в рублях | 100 USD RUB
сколько рублей за 100 долларов | 100 USD RUB
сколько долларов в 5000 сом | 5000 KGS USD
в 100 долларах сколько сомов | 100 USD KGS
100 долларов это сколько сомов | 100 USD KGS
100 долларов, сколько это в сомах? | 100 USD KGS
100 долларов — сколько в сомах? | 100 USD KGS
в сомах 100 долларов | 100 USD KGS
сколько будет в сомах 100 долларов | 100 USD KGS
сколько в рублях 100 сом | 100 KGS RUB
сколько в сомах доллар | 1 USD KGS
из 100 долларов в сомы | 100 USD KGS
из долларов в сомы | 1 USD KGS
с доллара на рубль | 1 USD RUB
рублей за доллар | 1 USD RUB
переведи 100 долларов в сомы, пожалуйста | 100 USD KGS
100 в доллары | 100 KGS USD
миң сом | 1000 KGS
5 миң сом | 5000 KGS
5 мин сом | 5000 KGS
жүз доллар | 100 USD
жуз доллар | 100 USD
эки жүз элүү сом | 250 KGS
жыйырма беш миң үч жүз сом | 25300 KGS
бир жарым миң сом | 1500 KGS
жарым миллион сум | 500000 UZS
2 жарым миң сом | 2500 KGS
бир миллион эки жүз миң сум | 1200000 UZS
үч миллиард теңге | 3000000000 KZT
доллар канча сом | 1 USD KGS
доллар канча? | 1 USD
доллар канча болду | 1 USD
бүгүн доллар канча турат | 1 USD
100 доллар канча болот | 100 USD
100 доллар канча сом болот | 100 USD KGS
бир доллар канча сом | 1 USD KGS
канча сом 100 доллар | 100 USD KGS
100 долларды сомго | 100 USD KGS
100 долларды сомго айландыр | 100 USD KGS
100 доллар сомдо канча | 100 USD KGS
100 доллар сом менен | 100 USD KGS
сом менен 100 доллар канча | 100 USD KGS
доллардан сомго | 1 USD KGS
рублдан сомго | 1 RUB KGS
сомго доллар канча | 1 USD KGS
1000 сомго канча доллар | 1000 KGS USD
5000 теңгеге канча сом | 5000 KZT KGS
100 рублду сомго | 100 RUB KGS
100 евросун сомго | 100 EUR KGS
100 USDны сомго | 100 USD KGS
100$га канча сом | 100 USD KGS
100 АКШ доллары | 100 USD
АКШ долларынын курсу | 1 USD
доллар курсу | 1 USD
бүгүнкү доллар курсу | 1 USD
рублдин курсу кандай | 1 RUB
доллардын сомго карата курсу | 1 USD KGS
1000 орус рублу канча сом | 1000 RUB KGS
1000 казак теңгеси | 1000 KZT
5000 сумду сомго | 5000 UZS KGS
1000 өзбек суму | 1000 UZS
200 түрк лирасы | 200 TRY
500 кытай юаны сомго | 500 CNY KGS
сom | 1 KGS
100 ЕUR | 100 EUR
100 дoллaров | 100 USD
5000 тeнге | 5000 KZT
"""

STATEMENTS = """
hi
hello there
thanks!
ok
lol
100
top
top 10
Top 10 songs
TOP 10
all
all in
all 100 usd
try
try usd
try all
allmad
mad
cup final
won 2
won
real madrid
sum
quid
10 с
10 м
10 minutes
5 fooo
50 cent
iPhone 15
windows 11
covid 19
we won 100 times
meet me at 10:30
10:30 usd
see you at 5
24/7
2+2
2*2=4
+996 555 123 456
+996555123456
0555 123 456
0555 123 456 сом
8 800 555 35 35 руб
12.05.2024
12.05.2024 доллар
2024-05-12 usd
01.02 usd
007 usd
1.2.3.4 usd
1,5,5 usd
10,000,00 usd
1e5 usd
0x10 usd
100 200 usd 300
100 usd 50 eur
100 usd and 50 eur
доллар, евро
доллар рубль евро
доллар и евро
доллар 87 сом
доллар 87
доллар - 87 сом
доллар по 87
доллар стоит 87 сомов
доллар стоит 87
курс доллара 87
курс usd 87
курс usd 87 kgs
курс доллара 87 сом
курс доллара к сому 87
USD = 87 KGS
EUR/USD 1.08
USD/KGS 87.45
usdkgs 1000
1 usd = 87 kgs
это стоит 100 долларов
этот телефон стоит 100 долларов
this costs 100 dollars
доллар сегодня
доллар растёт
доллар упал
евро 2024
евро-2024
Евро 5
у меня 100 долларов
куплю 100 долларов
продам 500 евро по 95
за 100 долларов
с доллара
в долларах
на рубль
к сому
сколько долларов
сколько времени
сколько тебе лет
канча доллар
how much
how many dollars
what
дай 100 рублей
100 рублей штраф
курс
курс лечения
сумка
сумма
сомнение 100
привет
салам, кандайсың
рахмат
кечээ жүз адам келди
миң рахмат
саат 10до
эртең 5те
10% usd
5% годовых
Нацбанк продал 20 млн долларов
Доллар дорожает третий день
The Fed raised rates by 25 points
National Bank sold 20 million dollars on the market
Кыргызстан получит 100 млн долларов кредита
Улуттук банк 20 миллион доллар сатты
https://example.org/100usd
@bot 100 usd
100 usd\u0000
100 xyz
100 btc
💵 100
100 usd 👍
- 100 usd
+100 usd
100-200 usd
0 usd
5/0 usd
(100 usd
100) usd
()
2**3 usd
100 usd usd
usd usd
сом в сомах
"""


def _lines(table: str) -> list[str]:
    return [line for line in table.splitlines() if line.strip()]


def _question(told: str) -> Question:
    amount, source, *rest = told.split()
    target, other = ([*rest, "-", "-"])[:2]
    return Question(
        amount=Decimal(amount),
        source=source,
        target=None if target == "-" else target,
        other=None if other == "-" else Decimal(other),
    )


@pytest.mark.parametrize("line", _lines(ASKED))
def test_a_question_is_read_as_its_asker_meant_it(line: str) -> None:
    """Amount, currencies and the other reading of every line above."""
    text, told = line.split(" | ")
    assert parse_question(text) == _question(told)
    assert looks_like_question(text)


#: A sign or a short name of several currencies, or of none by itself, beside the code it is one's.
OWN_SIGNS = """
JPY | JP¥100 JPY, JP¥ 100, 100 JP¥, ¥100 JPY, 100 JPY ¥
CNY | CN¥100 CNY, ¥100 CNY, 100 ¥ CNY
SEK | 100 kr SEK, 100 SEK kr, kr 100 SEK, SEK 100 kr, 100kr SEK, 100 kr. SEK, 100 кр. SEK
SEK | 100 крон SEK, 100 kronor SEK, 100 krona SEK
NOK | 100 kr NOK, 100 krone NOK
CHF | 100 Fr. CHF, 100 Fr CHF, Fr. 100 CHF, CHF 100 Fr., SFr. 100 CHF, 100 фр. CHF, ₣100
INR | 100 Rs. INR, Rs 100 INR, ₹100 INR
PKR | 100 Rs PKR
MXN | 100 pesos MXN, 100 песо MXN
AUD | AU$100, AU$100 AUD, A$100 AUD
SGD | SG$100 SGD, S$100
EGP | E£100 EGP, EG£100, £100 EGP
ZAR | R100 ZAR, R 100 ZAR
HUF | 100 Ft HUF
TRY | 100 TL TRY
AED | 100 Dhs AED, 100 дх AED
RON | 100 lei RON
"""


def own_signs() -> list[tuple[str, str]]:
    """Each way of writing a hundred, with its currency."""
    found = []
    for line in OWN_SIGNS.strip().splitlines():
        code, ways = line.split(" | ")
        found += [(way, code) for way in ways.split(", ")]
    return found


@pytest.mark.parametrize(("text", "code"), own_signs())
def test_a_sign_beside_its_own_code_is_one_amount(text: str, code: str) -> None:
    assert parse_question(text) == Question(amount=Decimal(100), source=code)
    assert parse_question(f"{text} to kgs").target == "KGS"


@pytest.mark.parametrize(
    "text", ["100 kr", "100 kr usd", "100 kr to usd", "kr", "100 R", "Fr. 100"]
)
def test_what_is_no_currency_by_itself_is_a_word_that_is_named(text: str) -> None:
    """As it was written: nobody guesses whose crowns they are."""
    with pytest.raises(UserError) as told:
        parse_question(text)
    assert told.value.msgid == "error.convert.word"


def test_shouting_asks_the_same() -> None:
    """Capitals change nothing, except where a sign is written with small letters."""
    asked = [line.split(" | ")[0] for line in _lines(ASKED)]
    shouted = {
        text: parse_question(text.upper()) for text in asked if "½" not in text and "zł" not in text
    }
    assert shouted == {text: parse_question(text) for text in shouted}


@pytest.mark.parametrize("text", _lines(STATEMENTS))
def test_a_statement_is_not_taken_for_a_question(text: str) -> None:
    """News, greetings, dates, numbers of phones and lists are met with a UserError."""
    with pytest.raises(UserError, match=r"^error\.convert\."):
        parse_question(text)


def test_the_tables_are_as_large_as_promised() -> None:
    """150 questions and 60 statements at least, none twice."""
    asked, said = _lines(ASKED), _lines(STATEMENTS)
    assert (len(asked) >= 150, len(said) >= 60) == (True, True)
    assert len({*asked, *said}) == len(asked) + len(said)


@pytest.mark.parametrize(
    ("text", "msgid"),
    [
        ("", "empty"),
        ("  !", "empty"),
        ("usd " * 60, "long"),
        ("1" * 31 + " usd", "digits"),
        ("2000000000000000 usd", "large"),
        ("10% usd", "percent"),
        ("5/0 usd", "zero"),
        ("5/(2-2) usd", "zero"),
        ("100-200 usd", "amount"),
        ("12.05.2024 usd", "amount"),
        ("100", "currency"),
        ("100 xyz", "word"),
        ("100 usd usd", "same"),
        ("100 usd 50 eur", "unclear"),
    ],
)
def test_the_error_says_what_to_mend(text: str, msgid: str) -> None:
    """Each kind of wrong question has its own message."""
    with pytest.raises(UserError) as raised:
        parse_question(text)
    assert raised.value.msgid == f"error.convert.{msgid}"


def test_an_unknown_word_is_named_as_it_was_written() -> None:
    """The message can quote the word."""
    with pytest.raises(UserError) as raised:
        parse_question("100 Quatloos in usd")
    assert raised.value.values == {"word": "Quatloos"}


@pytest.mark.parametrize(
    ("language", "first"), [("en", "1.234"), ("ru", "1234"), ("ky", "1234"), ("ru-RU", "1234")]
)
def test_the_readers_own_notation_comes_first(language: str, first: str) -> None:
    """The same "1.234" is read by the reader's language, whatever script it is written in."""
    question = parse_question("1.234 usd", language=language)
    assert question.amount == Decimal(first)
    assert {question.amount, question.other} == {Decimal("1.234"), Decimal(1234)}


def test_an_amount_without_its_currency_is_of_the_home_currency() -> None:
    """ "100 in dollars" asked in Almaty is about tenge; asked for tenge it is no question."""
    assert parse_question("100 in usd", home="KZT") == Question(
        amount=Decimal(100), source="KZT", target="USD"
    )
    with pytest.raises(UserError):
        parse_question("100 в тенге", home="KZT")


@pytest.mark.parametrize("name", ["ru.dev.jsonl", "ky.dev.jsonl", "en.dev.jsonl"])
def test_headlines_are_no_questions(shared: Path, name: str) -> None:
    """Not one of a few hundred real headlines asks for a conversion."""
    lines = (shared / "data" / "security" / name).read_text(encoding="utf-8").splitlines()[:400]
    for title in (json.loads(line)["title"] for line in lines):
        with pytest.raises(UserError):
            parse_question(title)


def test_the_largest_amount_is_still_answered() -> None:
    """10^15 is the limit, inclusive."""
    assert parse_question("1000000000000000 uzs").amount == Decimal(10) ** 15


@pytest.mark.parametrize(
    ("asked", "home", "ways"),
    [
        ("100 usd eur", "KGS", [("USD", "EUR")]),
        ("100 usd", "KGS", [("USD", "KGS"), ("KGS", "USD")]),
        ("100 kgs", "KGS", [("KGS", "USD"), ("USD", "KGS")]),
        ("100 usd", "USD", [("USD", "EUR"), ("EUR", "USD")]),
    ],
)
def test_without_a_target_money_is_asked_for_at_home_and_back(
    asked: str, home: str, ways: list[tuple[str, str]]
) -> None:
    """Money of home, in the first usual currency that is foreign."""
    assert parse_question(asked).ways(home, usual=("USD", "EUR")) == ways


def test_an_amount_that_may_be_two_is_read_as_both() -> None:
    assert parse_question("1,500 usd").readings == (Decimal(1500), Decimal("1.5"))
    assert parse_question("15 usd").readings == (Decimal(15),)
