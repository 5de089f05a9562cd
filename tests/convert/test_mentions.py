"""Currencies and days where they stand in a command, by every name people use, in three
languages.
"""

from __future__ import annotations

from datetime import date

import pytest

from bot.convert import currency_at, day_at, parse_question, plain_text, read_day
from bot.errors import UserError

TODAY = date(2026, 11, 28)

CURRENCIES = """
USD | usd, Usd, $, US$, доллар, долларов, долларом
USD | доллара США, Доллар США, АКШ доллары, US dollars, бакс, баксы
USD | доллардын, долларга, долл., американский доллар, dollar, bucks, $га, USDден, 🇺🇸
EUR | eur, €, евро, euro, euros, еврону, евродо
RUB | rub, rur, ₽, руб, руб., рубль, рублей
RUB | рубли, рублдин, рублга, российский рубль, Russian roubles, ruble, р.
KGS | kgs, сом, сомов, сомго, сомдун, кыргыз сому, кыргызский сом, Kyrgyz som, сom
KZT | kzt, ₸, тенге, теңге, тг, казахский тенге, казак теңгеси, Kazakh tenge, теңгеге
UZS | uzs, сум, сумов, узбекский сум, Uzbek sum, өзбек суму, so'm, so’m
CNY | cny, rmb, юань, юаней, юанга, китайский юань, Chinese yuan, yuan
GBP | gbp, £, фунт, фунтов, фунт стерлингов, pound sterling, British pounds
TRY | try, ₺, лира, турецкая лира, Turkish lira, түрк лирасы
JPY | jpy, ¥, иена, йена, Japanese yen
CHF | chf, швейцарский франк, Swiss francs
AED | aed, дирхам, дирхамов, дирхамдын
"""


def rows(table: str) -> list[tuple[str, str]]:
    """Each name of a table with the code before its line."""
    found = []
    for line in table.strip().splitlines():
        code, names = line.split(" | ")
        found += [(name, code) for name in names.split(", ")]
    return found


@pytest.mark.parametrize(("name", "code"), rows(CURRENCIES))
def test_a_currency_is_known_by_any_of_its_names(name: str, code: str) -> None:
    """The whole name is read and nothing behind it, shouted too."""
    for written in (name, name if name in {"so'm", "so’m"} else name.upper()):
        text = plain_text(written)
        for around in ("", " 90d", ", "):
            found = currency_at(text + around, 0)
            assert found is not None, written
            assert (found.codes, found.end) == ((code,), len(text)), written


@pytest.mark.parametrize(
    "text", ["", "90", "доллор", "what", "курс", "xyz", "@", "dollarization", "еврозона", "🇦🇶"]
)
def test_what_names_no_currency_is_none(text: str) -> None:
    assert currency_at(text, 0) is None


def test_a_pair_written_together_is_two() -> None:
    found = currency_at("usdkgs", 0)
    assert found is not None
    assert found.codes == ("USD", "KGS")


DAYS = """
2026-11-20 | 2026-11-20, 2026.11.20, 2026/11/20, 20261120, 20.11.2026
2026-11-20 | 20-11-2026, 20/11/2026, 20.11.26, 20/11/26
2026-11-20 | 2026–11–20, 2026‑11‑20, 20−11−2026, 20.11, 20-11
2026-11-20 | 20/11, 11/20/2026, 2026-11-20., 20.11.2026 г.
2026-11-20 | 20 ноября, 20 ноября 2026, 20 ноября 2026 года, 20 нояб.
2026-11-20 | 20-ноябрь, 2026-жылдын 20-ноябры, 20 Nov
2026-11-20 | 20-ноябрда, 20 November 2026, Nov 20 2026, November 20th
2026-11-20 | 20th of November, Nov. 20, 20 НОЯБРЯ, 20-nov-2026
2026-11-27 | вчера, ВЧЕРА, вчерашний, yesterday, кечээ
2026-11-27 | кечээки, 1 day ago, день назад, 1 күн мурун
2026-11-26 | позавчера, day before yesterday, мурдагы күнү, 2 дня назад, 2 days ago
2026-11-28 | сегодня, today, бүгүн, бүгүнкү, сегодняшний
2026-11-29 | завтра, tomorrow, эртең, эртеңки, 29.11
2025-12-31 | 31.12, 31 декабря, 31-декабрь, Dec 31, 31/12
2024-02-29 | 29.02, 29 февраля, Feb 29
2026-11-21 | неделю назад, a week ago, 1 week ago, 7 дней назад, бир апта мурун
2026-10-28 | месяц назад, a month ago, 1 months ago, бир ай мурун
2026-02-28 | 9 месяцев назад, 9 ай мурда
2024-11-28 | 2 года назад, 2 years ago, 2 жыл мурун
"""


@pytest.mark.parametrize(("written", "on"), rows(DAYS))
def test_a_day_is_read_however_it_is_written(written: str, on: str) -> None:
    assert read_day(plain_text(written), today=TODAY) == date.fromisoformat(on)


@pytest.mark.parametrize(
    "written",
    [
        "31.02.2021",
        "2021-13-01",
        "30 февраля",
        "32.01",
        "2021-02-30",
        "99999 days ago",
        "9999 лет назад",
    ],
)
def test_a_day_that_does_not_exist_is_named(written: str) -> None:
    with pytest.raises(UserError) as caught:
        read_day(written, today=TODAY)
    assert caught.value.msgid == "error.date"
    assert str(caught.value.values["text"]) in written


@pytest.mark.parametrize(
    "written", ["март", "15", "1.5.", "доллар", "2026", "mar", "maybe 5", "маяк 5", ""]
)
def test_what_is_no_day_is_none(written: str) -> None:
    found = day_at(written, 0, today=TODAY)
    assert found is None or found.end < len(written)


def test_until_a_day_without_its_year_is_the_next_one() -> None:
    assert read_day("31.12", today=TODAY, ahead=True) == date(2026, 12, 31)
    assert read_day("1 марта", today=TODAY, ahead=True) == date(2027, 3, 1)


SIGN_AND_CODE = """
$100 USD | 100 USD -
100$ usd | 100 USD -
USD 100 $ | 100 USD -
100 USD ($) | 100 USD -
$100 (USD) | 100 USD -
€100 EUR | 100 EUR -
€50 eur to som | 50 EUR KGS
100 € евро в сомах | 100 EUR KGS
₽1000 руб | 1000 RUB -
1000 ₽ рублей в доллары | 1000 RUB USD
$5k usd | 5000 USD -
KGS 500 сом | 500 KGS -
100 $ USD сомго | 100 USD KGS
$100 usd/kgs | 100 USD KGS
сколько сомов в 100$ usd | 100 USD KGS
100 доллар USD канча сом | 100 USD KGS
100 USD долларов США | 100 USD -
£20 GBP фунтов | 20 GBP -
курс $ usd | 1 USD -
$100 CAD | 100 CAD -
¥100 CNY | 100 CNY -
100¥ юаней | 100 CNY -
$100 kgs | 100 USD KGS
$100 eur | 100 USD EUR
$100 to CAD | 100 USD CAD
"""


@pytest.mark.parametrize("line", SIGN_AND_CODE.strip().splitlines())
def test_a_sign_and_a_code_together_are_one_currency(line: str) -> None:
    """And of a sign that several share it is the one whose code stands beside it."""
    text, told = line.split(" | ")
    amount, source, target = told.split()
    asked = parse_question(text)
    assert (str(asked.amount), asked.source, asked.target or "-") == (amount, source, target)
