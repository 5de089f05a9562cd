"""The names of currencies in English, beside CLDR's full names.

CLDR calls both the Kyrgyz and the Uzbek currency "som"; here "som" is KGS and "sum" UZS.
"""

from collections.abc import Iterator

from bot.languages.parts import Form, Head, Money

#: Codes and names that are also words, names or makes: they never open a question by themselves.
COMMON = (
    "all amd ars bam bob brl bsd btn cad cop cup dop gel gip gnf lak mad mop mur nad nok omr pab "
    "pen php ron sar sek "
    "sos srd stn tnd top try ves buck bucks dong quid rand real reals sum sums won"
)
NAMES = {
    "USD": "dollar buck",
    "EUR": "euro",
    "RUB": "ruble rouble",
    "KGS": "som",
    "UZS": "sum soum",
    "KZT": "tenge",
    "TJS": "somoni",
    "CNY": "yuan",
    "GBP": "pound",
    "TRY": "lira",
    "CHF": "franc",
    "JPY": "yen",
    "UAH": "hryvnia",
    "INR": "rupee",
    "AED": "dirham",
    "AZN": "manat",
    "AMD": "dram",
    "GEL": "lari",
    "ILS": "shekel",
    "PLN": "zloty",
    "KRW": "won",
    "THB": "baht",
    "VND": "dong",
    "MNT": "tugrik",
    "HUF": "forint",
    "MYR": "ringgit",
    "BRL": "real",
    "ZAR": "rand",
    "AFN": "afghani",
    "": "krona krone koruna crown dinar riyal rial shilling peso",
}


def heads() -> Iterator[Head]:
    """Every name with its plural."""
    for code, names in NAMES.items():
        for name in names.split():
            forms = ((name, Form.PLAIN), (f"{name}s", Form.PLAIN))
            yield Head(code=code, stands_for=name, forms=forms)


MONEY = Money(
    heads=heads,
    short_forms={"renminbi": "CNY", "sterling": "GBP", "quid": "GBP", "lire": "TRY", "so'm": "UZS"},
    names={
        "USD": "American dollar",
        "GBP": "pound sterling,English pound",
        "RUB": "Russian rouble",
        "KGS": "Kyrgyz som,Kyrgyzstani som",
        "KZT": "Kazakh tenge",
        "UZS": "Uzbek som,Uzbek sum",
        "TJS": "Tajik somoni",
        "CNY": "Chinese renminbi",
        "TMT": "Turkmen manat",
        "TWD": "Taiwan dollar",
        "ILS": "Israeli shekel",
        "KRW": "Korean won",
        "CZK": "Czech crown",
        "SEK": "Swedish crown",
        "NOK": "Norwegian crown",
        "DKK": "Danish crown",
    },
    common=COMMON,
)
