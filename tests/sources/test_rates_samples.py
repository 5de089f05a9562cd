"""The publishers' recorded documents: figures below were copied from the files by hand, one by
one.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bot.model.rates import Rate
from bot.sources.banks import SOURCES
from bot.sources.base import Parsed
from tests.conftest import SHARED

pytestmark = pytest.mark.skipif(SHARED is None, reason="the shared data folder is not here")

HISTORY_URL = (
    "https://www.nbkr.kg/index1.jsp?beg_day=01&beg_month=06&beg_year=2005"
    "&end_day=30&end_month=06&end_year=2005&item=1562&lang=ENG&valuta_id=15"
)

# file: parser, rows, "PAIR day value/units" of the first, the last and telling ones between
GOLDEN: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "nbkr_daily_2022-07-18.xml": ("nbkr", 4, (
        "USD/KGS 2022-07-18 80.9694/1", "EUR/KGS 2022-07-18 81.2164/1",
        "KZT/KGS 2022-07-18 0.1686/1", "RUB/KGS 2022-07-18 1.3612/1",
    )),
    "nbkr_live_00.xml": ("nbkr", 5, (
        "USD/KGS 2026-05-24 87.4500/1", "EUR/KGS 2026-05-24 101.5076/1",
        "CNY/KGS 2026-05-24 12.8707/1", "KZT/KGS 2026-05-24 0.1859/1",
        "RUB/KGS 2026-05-24 1.2263/1",
    )),
    "nbkr_live_01.xml": ("nbkr", 40, (
        "GBP/KGS 2026-05-23 117.4147/1", "JPY/KGS 2026-05-23 5.4969/10",
        "AMD/KGS 2026-05-23 2.3773/10", "BYR/KGS 2026-05-23 0.3402/100",
        "UZS/KGS 2026-05-23 0.0073/1", "IRR/KGS 2026-05-23 0.0007/10",
        "BYN/KGS 2026-05-23 32.0154/1", "IDR/KGS 2026-05-23 0.0494/10",
    )),
    "nbkr_historical_00.html": ("nbkr", 4, (
        "USD/KGS 2005-06-25 40.9614/1", "USD/KGS 2005-06-18 41.0685/1",
        "USD/KGS 2005-06-11 41.0511/1", "USD/KGS 2005-06-04 40.9879/1",
    )),
    "cbr_00.xml": ("cbr", 54, (
        "AUD/RUB 2026-04-25 53.8359/1", "BYN/RUB 2026-04-25 26.7960/1",
        "VND/RUB 2026-04-25 30.0750/10000", "USD/RUB 2026-04-25 75.5273/1",
        "EUR/RUB 2026-04-25 88.2826/1", "IRR/RUB 2026-04-25 53.9256/1000000",
        "KZT/RUB 2026-04-25 16.3172/100", "KGS/RUB 2026-04-25 86.4125/100",
        "CNY/RUB 2026-04-25 11.0270/1", "UZS/RUB 2026-04-25 62.8322/10000",
        "TJS/RUB 2026-04-25 80.0866/10", "MMK/RUB 2026-04-25 35.9654/1000",
    )),
    "cbr_01.xml": ("cbr", 3, (
        "AUD/RUB 2026-03-03 54.7468/1", "AUD/RUB 2026-03-04 55.1336/1",
        "AUD/RUB 2026-03-05 54.4295/1",
    )),
    "cbr_20.xml": ("cbr", 3, (
        "IDR/RUB 2026-03-03 45.9940/10000", "IDR/RUB 2026-03-04 46.0644/10000",
        "IDR/RUB 2026-03-05 46.1179/10000",
    )),
    "cbr_54.xml": ("cbr", 3, (
        "MMK/RUB 2026-03-03 36.7492/1000", "MMK/RUB 2026-03-04 36.9568/1000",
        "MMK/RUB 2026-03-05 37.0480/1000",
    )),
    "ecb_eurofxref-daily_2014-06-10.xml": ("ecb", 32, (
        "EUR/USD 2014-06-10 1.3547/1", "EUR/GBP 2014-06-10 0.80750/1",
        "EUR/RUB 2014-06-10 46.5798/1", "EUR/IDR 2014-06-10 15994.24/1",
        "EUR/KRW 2014-06-10 1378.02/1", "EUR/ZAR 2014-06-10 14.5132/1",
    )),
    "ecb_recent_00.csv": ("ecb", 29 * 22, (
        "EUR/AUD 2026-02-17 1.6776/1", "EUR/AUD 2026-03-05 1.649/1", "EUR/BRL 2026-02-19 6.1519/1",
        "EUR/CAD 2026-03-06 1.5782/1", "EUR/USD 2026-03-09 1.1555/1", "EUR/USD 2026-03-10 1.1641/1",
        "EUR/ZAR 2026-03-18 19.4174/1",
    )),
    "nbk_00.xml": ("nbk", 39, (
        "AUD/KZT 2026-04-01 328.01/1", "AMD/KZT 2026-04-01 12.72/10", "USD/KZT 2026-04-01 478.77/1",
        "EUR/KZT 2026-04-01 548.62/1", "IRR/KZT 2026-04-01 0.4/1000", "KGS/KZT 2026-04-01 5.47/1",
        "RUB/KZT 2026-04-01 5.87/1", "UZS/KZT 2026-04-01 3.93/100", "JPY/KZT 2026-04-01 3/1",
    )),
    "nbk_01.xml": ("nbk", 39, (
        "AUD/KZT 2026-04-02 329.81/1", "USD/KZT 2026-04-02 475.09/1", "EUR/KZT 2026-04-02 551.06/1",
        "KGS/KZT 2026-04-02 5.43/1", "KRW/KZT 2026-04-02 31.55/100", "JPY/KZT 2026-04-02 3/1",
    )),
    "cbu_00.json": ("cbu", 75, (
        "USD/UZS 2026-04-01 12194.21/1", "EUR/UZS 2026-04-01 13984.32/1",
        "RUB/UZS 2026-04-01 149.97/1", "IDR/UZS 2026-04-01 7.18/10", "KGS/UZS 2026-04-01 139.40/1",
        "VND/UZS 2026-04-01 4.63/10", "ZAR/UZS 2026-04-01 711.46/1",
    )),
    "nbt_00.xml": ("nbt", 36, (
        "USD/TJS 2026-05-18 9.3450/1", "RUB/TJS 2026-05-18 0.1277/1",
        "KGS/TJS 2026-05-18 1.0686/10", "KZT/TJS 2026-05-18 0.1971/10",
        "IRR/TJS 2026-05-18 0.0071/1000", "TMT/TJS 2026-05-18 2.6700/1",
        "KRW/TJS 2026-05-18 0.6224/100",
    )),
    "nbu_00.json": ("nbu", 16 * 45, (
        "TND/UAH 2026-03-01 15.093/1", "THB/UAH 2026-03-01 13.9116/10",
        "USD/UAH 2026-03-01 43.2081/1", "VND/UAH 2026-03-01 1.6565/1000",
        "XAU/UAH 2026-03-01 223871.54/1", "BDT/UAH 2026-03-01 3.5367/10",
        "IDR/UAH 2026-03-16 2.6026/1000", "AZN/UAH 2026-03-16 25.9621/1",
    )),
    "nbrb_00.json": ("nbrb", 30, (
        "AUD/BYN 2026-03-17 2.0700/1", "AMD/BYN 2026-03-17 7.8014/1000",
        "USD/BYN 2026-03-17 2.9463/1", "VND/BYN 2026-03-17 11.2071/100000",
        "RUB/BYN 2026-03-17 3.6709/100", "KGS/BYN 2026-03-17 3.3691/100",
        "CHF/BYN 2026-03-17 3.7326/1",
    )),
    "nbm_00.xml": ("nbm", 40, (
        "EUR/MDL 2026-04-06 20.2754/1", "USD/MDL 2026-04-06 17.6124/1",
        "ALL/MDL 2026-04-06 2.1172/10", "KGS/MDL 2026-04-06 2.0087/10",
        "UZS/MDL 2026-04-06 0.1442/100", "XDR/MDL 2026-04-06 23.9652/1",
    )),
    "nbg_00.json": ("nbg", 42, (
        "AED/GEL 2026-02-28 7.2853/10", "AMD/GEL 2026-02-28 7.0960/1000",
        "IRR/GEL 2026-02-28 0.0204/10000", "KGS/GEL 2026-02-28 3.0609/100",
        "RUB/GEL 2026-02-28 3.4619/100", "USD/GEL 2026-02-28 2.6759/1",
        "ZAR/GEL 2026-02-28 1.6805/10",
    )),
    "cba_00.xml": ("cba", 28, (  # thirty rows, two of them metals per gram
        "USD/AMD 2026-03-18 377.39/1", "IRR/AMD 2026-03-18 0.028677/100",
        "JPY/AMD 2026-03-18 23.735/10", "CHF/AMD 2026-03-18 480.2/1", "KGS/AMD 2026-03-18 4.3164/1",
        "UZS/AMD 2026-03-18 0.31003/10", "NZD/AMD 2026-03-18 221.04/1",
    )),
    "er_api_latest_EUR_2025-08-13.json": ("erapi", 162, (
        "EUR/AED 2025-08-13 4.280732/1", "EUR/AMD 2025-08-13 445.596635/1",
        "EUR/BHD 2025-08-13 0.438272/1", "EUR/UZS 2025-08-13 14598.653067/1",
        "EUR/USD 2025-08-13 1.16591/1", "EUR/ZWL 2025-08-13 31.156/1",
    )),
}  # fmt: skip


def samples() -> Path:
    """The folder of the recorded documents."""
    assert SHARED is not None
    return SHARED / "data" / "rates" / "samples"


def parsed(file: str) -> Parsed:
    """A recorded document as its publisher's."""
    parser = GOLDEN[file][0]
    url = HISTORY_URL if file.endswith(".html") else None
    return SOURCES[parser].parse((samples() / file).read_bytes(), source=parser, url=url)


def line(rate: Rate) -> str:
    """A rate as the table above writes it."""
    return f"{rate.pair} {rate.effective_on} {rate.value}/{rate.units}"


@pytest.mark.parametrize("file", GOLDEN)
def test_a_recorded_document_is_read_to_the_last_digit(file: str) -> None:
    _, count, rows = GOLDEN[file]
    answer = parsed(file)
    lines = [line(rate) for rate in answer.rates]
    assert len(lines) == count
    assert answer.problems == ()
    assert [row for row in rows if row not in lines] == []
    assert (lines[0], lines[-1]) == (rows[0], rows[-1])


def test_every_recorded_document_is_in_the_table() -> None:
    recorded = {
        path.name
        for path in samples().iterdir()
        if "openapi" not in path.name and "manifest" not in path.name
    }
    assert recorded == set(GOLDEN)


def test_the_numbers_of_the_bank_of_russia_are_those_of_its_daily_document() -> None:
    from lxml import etree

    from bot.sources.banks.cbr import IDS

    root = etree.fromstring((samples() / "cbr_00.xml").read_bytes())
    assert {row.get("ID"): row.findtext("CharCode") for row in root.iter("Valute")} == IDS


def test_the_numbers_of_belarus_are_those_of_its_daily_document() -> None:
    from bot.sources.banks.nbrb import IDS

    rows = json.loads((samples() / "nbrb_00.json").read_bytes())
    assert {row["Cur_ID"]: (row["Cur_Abbreviation"], row["Cur_Scale"]) for row in rows} == IDS


def test_every_currency_offered_to_readers_is_in_the_national_banks_daily_document() -> None:
    """CNY came into daily.xml after 2022; nothing else is offered than what the bank sets every
    day.
    """
    from bot.model.subjects import CURRENCIES

    assert {rate.pair.base for rate in parsed("nbkr_live_00.xml").rates} == set(CURRENCIES)


def test_every_currency_the_national_bank_sets_today_has_a_history_series() -> None:
    from bot.sources.banks.nbkr import SERIES

    codes = {
        rate.pair.base
        for file in ("nbkr_live_00.xml", "nbkr_live_01.xml")
        for rate in parsed(file).rates
    }
    assert codes - {code for code, _ in SERIES.values()} == {"BYR"}  # replaced by BYN in 2016


def test_nominals_of_the_history_series_are_those_of_the_weekly_document() -> None:
    from bot.sources.banks.nbkr import SERIES

    printed = {rate.pair.base: rate.units for rate in parsed("nbkr_live_01.xml").rates}
    assert {
        code: units for code, units in SERIES.values() if printed.get(code, units) != units
    } == {}


def test_banks_agree_about_a_currency_within_reason() -> None:
    """Directions and nominals are right when dollar prices of the som, seen from six banks, are
    near each other.
    """
    seen = {}
    for file in (
        "nbkr_live_00.xml",
        "cbr_00.xml",
        "nbk_00.xml",
        "cbu_00.json",
        "nbt_00.xml",
        "nbrb_00.json",
    ):
        price = {rate.pair.base: rate.per_unit for rate in parsed(file).rates}
        seen[file] = price["USD"] / price.get("KGS", 1)
    assert all(86 < dollar < 89 for dollar in seen.values()), seen


def test_a_day_set_on_friday_is_dated_saturday() -> None:
    assert {rate.effective_on for rate in parsed("nbg_00.json").rates} == {date(2026, 2, 28)}
    assert date(2026, 2, 28).strftime("%a") == "Sat"
