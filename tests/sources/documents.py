"""One small document of each shape, in our own markup with true figures, and what must be read from
it.

Figures: the National Bank's of 2021-10-20 and others as published; layout is reduced to what the
reader needs.
"""

from __future__ import annotations

from dataclasses import dataclass

PROLOG_1251 = '<?xml version="1.0" encoding="windows-1251"?>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A body of the parser's, its address where that matters, and its rows as "PAIR day
    value/units".
    """

    parser: str
    body: bytes
    rows: tuple[str, ...]
    url: str | None = None


NBKR_DAILY = Document(
    parser="nbkr",
    body=(
        PROLOG_1251 + '<CurrencyRates Name="Курсы" Date="20.10.2021">'
        '<Currency ISOCode="USD"><Nominal>1</Nominal><Value>84,7935</Value></Currency>'
        '<Currency ISOCode="EUR"><Nominal>1</Nominal><Value>98,8523</Value></Currency>'
        '<Currency ISOCode="RUB"><Nominal>1</Nominal><Value>1,1948</Value></Currency>'
        "</CurrencyRates>"
    ).encode("cp1251"),
    rows=(
        "USD/KGS 2021-10-20 84.7935/1",
        "EUR/KGS 2021-10-20 98.8523/1",
        "RUB/KGS 2021-10-20 1.1948/1",
    ),
)

NBKR_WEEKLY = Document(
    parser="nbkr",
    body=(
        PROLOG_1251 + '<CurrencyRates Date="23.05.2026">'
        "<Currency "
        'ISOCode="JPY"><Nominal>10</Nominal><ValidFor>7</ValidFor><Value>5,4969</Value></Currency>'
        "<Currency "
        'ISOCode="GBP"><Value>117,4147</Value><ValidFor>7</ValidFor><Nominal>1</Nominal></Currency>'
        "</CurrencyRates>"
    ).encode("cp1251"),
    rows=("JPY/KGS 2026-05-23 5.4969/10", "GBP/KGS 2026-05-23 117.4147/1"),
)

NBKR_HISTORY = Document(
    parser="nbkr",
    url="https://www.nbkr.kg/index1.jsp?item=1562&lang=ENG&valuta_id=36&beg_day=01",
    body=(
        b"<html><body><table><tr><th>Date</th><th>Rate</th></tr>"
        b"<tr><td><!--date-->02.11.2020<!--date--></td><td><!--value-->7,8116<!--value--></td></tr>"
        b"<tr><td><!--date-->26.10.2020<!--date--></td><td><!--value-->7,7434<!--value--></td></tr>"
        b"</table></body></html>"
    ),
    rows=("JPY/KGS 2020-11-02 7.8116/10", "JPY/KGS 2020-10-26 7.7434/10"),
)

CBR_DAILY = Document(
    parser="cbr",
    body=(
        PROLOG_1251 + '<ValCurs Date="25.04.2026" name="x">'
        '<Valute ID="R01235"><CharCode>USD</CharCode><Nominal>1</Nominal><Name>Доллар</Name>'
        "<Value>75,5273</Value><VunitRate>75,5273</VunitRate></Valute>"
        '<Valute ID="R01300"><CharCode>IRR</CharCode><Nominal>1000000</Nominal><Name>Риал</Name>'
        "<Value>53,9256</Value><VunitRate>5,39256E-05</VunitRate></Valute></ValCurs>"
    ).encode("cp1251"),
    rows=("USD/RUB 2026-04-25 75.5273/1", "IRR/RUB 2026-04-25 53.9256/1000000"),
)

CBR_DYNAMIC = Document(
    parser="cbr",
    body=(
        PROLOG_1251 + '<ValCurs ID="R01370" DateRange1="24.04.2026" DateRange2="25.04.2026">'
        '<Record Date="24.04.2026" Id="R01370">'
        "<Nominal>100</Nominal><Value>86,0001</Value></Record>"
        '<Record Date="25.04.2026" Id="R01370">'
        "<Nominal>100</Nominal><Value>86,4125</Value></Record></ValCurs>"
    ).encode(),
    rows=("KGS/RUB 2026-04-24 86.0001/100", "KGS/RUB 2026-04-25 86.4125/100"),
)

ECB_DAYS = Document(
    parser="ecb",
    body=(
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b'<g:Envelope xmlns:g="urn:g" xmlns="urn:e"><g:name>x</g:name><Cube>'
        b'<Cube time="2014-06-10"><Cube currency="USD" rate="1.3547"/>'
        b'<Cube currency="GBP" rate="0.80750"/></Cube>'
        b'<Cube time="2014-06-09"><Cube currency="USD" rate="1.3643"/></Cube></Cube></g:Envelope>'
    ),
    rows=(
        "EUR/USD 2014-06-10 1.3547/1",
        "EUR/GBP 2014-06-10 0.80750/1",
        "EUR/USD 2014-06-09 1.3643/1",
    ),
)

ECB_CSV = Document(
    parser="ecb",
    body=(
        b"KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,TIME_PERIOD,OBS_VALUE,OBS_STATUS\r\n"
        b"EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,2026-03-09,1.1555,A\r\n"
        b"EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,2026-03-10,1.1641,A\r\n"
        b"EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,2026-04-03,NaN,H\r\n"
    ),
    rows=("EUR/USD 2026-03-09 1.1555/1", "EUR/USD 2026-03-10 1.1641/1"),
)

NBK_DAY = Document(
    parser="nbk",
    body=(
        "<rates><title>Курсы</title><date>02.04.2026</date>"
        "<item><title>USD</title><description>475.09</description><quant>1</quant><change>"
        "-3.68</change></item>"
        "<item><title>UZS</title><description>3.91</description><quant>100</quant></item></rates>"
    ).encode(),
    rows=("USD/KZT 2026-04-02 475.09/1", "UZS/KZT 2026-04-02 3.91/100"),
)

NBK_RSS = Document(
    parser="nbk",
    body=(
        b'<?xml version="1.0"?><rss version="2.0"><channel><title>Rates</title>'
        b"<item><title>KGS</title><pubDate>02.04.2026</pubDate><description>5.43</description>"
        b"<quant>1</quant></item>"
        b"</channel></rss>"
    ),
    rows=("KGS/KZT 2026-04-02 5.43/1",),
)

CBU = Document(
    parser="cbu",
    body=(
        '[{"Ccy":"USD","CcyNm_RU":"Доллар","Nominal":"1","Rate":"12194.21","Diff":"-16.5",'
        '"Date":"01.04.2026"},'
        '{"Ccy":"IDR","Nominal":"10","Rate":"7.18","Diff":"0","Date":"01.04.2026"}]'
    ).encode(),
    rows=("USD/UZS 2026-04-01 12194.21/1", "IDR/UZS 2026-04-01 7.18/10"),
)

NBT = Document(
    parser="nbt",
    body=(
        b'<ValCurs Date="2026-05-18"><Valute ID="810"><CharCode>RUB</CharCode><Nominal>1</Nominal>'
        b"<Value>0.1277</Value></Valute><Valute "
        b'ID="417"><CharCode>KGS</CharCode><Nominal>10</Nominal>'
        b"<Value>1.0686</Value></Valute></ValCurs>"
    ),
    rows=("RUB/TJS 2026-05-18 0.1277/1", "KGS/TJS 2026-05-18 1.0686/10"),
)

NBU = Document(
    parser="nbu",
    body=(
        b'[{"exchangedate":"07.03.2026","cc":"THB","rate":13.9116,"units":10,'
        b'"rate_per_unit":1.39116,"group":"1","calcdate":"05.03.2026","special":null},'
        b'{"exchangedate":"08.03.2026","cc":"THB","rate":13.9116,"units":10,'
        b'"rate_per_unit":1.39116,"group":"1","calcdate":"05.03.2026","special":null}]'
    ),
    rows=("THB/UAH 2026-03-07 13.9116/10", "THB/UAH 2026-03-08 13.9116/10"),
)

NBU_OLD = Document(
    parser="nbu",
    body=b'[{"r030":840,"txt":"x","rate":43.2081,"cc":"USD","exchangedate":"01.03.2026"}]',
    rows=("USD/UAH 2026-03-01 43.2081/1",),
)

NBRB = Document(
    parser="nbrb",
    body=(
        b'[{"Cur_ID":440,"Date":"2026-03-17T00:00:00","Cur_Abbreviation":"AUD","Cur_Scale":1,'
        b'"Cur_OfficialRate":2.0700},'
        b'{"Cur_ID":512,"Date":"2026-03-17T00:00:00","Cur_Abbreviation":"VND","Cur_Scale":100000,'
        b'"Cur_OfficialRate":11.2071}]'
    ),
    rows=("AUD/BYN 2026-03-17 2.0700/1", "VND/BYN 2026-03-17 11.2071/100000"),
)

NBRB_RANGE = Document(
    parser="nbrb",
    body=(
        b'[{"Cur_ID":456,"Date":"2026-03-16T00:00:00","Cur_OfficialRate":3.7011},'
        b'{"Cur_ID":456,"Date":"2026-03-17T00:00:00","Cur_OfficialRate":3.6709}]'
    ),
    rows=("RUB/BYN 2026-03-16 3.7011/100", "RUB/BYN 2026-03-17 3.6709/100"),
)

NBM = Document(
    parser="nbm",
    body=(
        b'<?xml version="1.0" encoding="UTF-8"?><ValCurs Date="06.04.2026"><Valute '
        b'ID="26"><NumCode>417</NumCode>'
        b"<CharCode>KGS</CharCode><Nominal>10</Nominal><Name>Som</Name><Value>2.0087</Value>"
        b"</Valute></ValCurs>"
    ),
    rows=("KGS/MDL 2026-04-06 2.0087/10",),
)

NBG = Document(
    parser="nbg",
    body=(
        b'[{"date":"2026-02-28T00:00:00.000Z","currencies":[{"code":"AMD","quantity":1000,'
        b'"rateFormated":"7.0960",'
        b'"diffFormated":"0.0083","rate":7.0960,"diff":0.0083,"date":"2026-02-27T17:01:00.093Z",'
        b'"validFromDate":"2026-02-28T00:00:00.000Z"}]}]'
    ),
    rows=("AMD/GEL 2026-02-28 7.0960/1000",),
)

_SOAP = (
    "<s:Envelope "
    'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
)

CBA = Document(
    parser="cba",
    body=_SOAP.format(
        "<R "
        'xmlns="http://www.cba.am/"><ExchangeRatesLatestResult><CurrentDate>'
        "2026-03-18T00:00:00</CurrentDate><Rates>"
        "<ExchangeRate><ISO>JPY</ISO><Amount>10</Amount><Rate>23.735</Rate></ExchangeRate>"
        "<ExchangeRate><ISO>XAU</ISO><Amount>1</Amount><Rate>60871</Rate></ExchangeRate>"
        "</Rates></ExchangeRatesLatestResult></R>"
    ).encode(),
    rows=("JPY/AMD 2026-03-18 23.735/10",),
)

CBA_RANGE = Document(
    parser="cba",
    body=_SOAP.format(
        '<R xmlns="http://www.cba.am/"><d:diffgram xmlns:d="urn:d"><DocumentElement xmlns="">'
        "<ExchangeRatesByRange><RateDate>2026-03-17T00:00:00+04:00</RateDate><ISO>KGS</ISO><Amount>"
        "1</Amount>"
        "<Rate>4.3228</Rate></ExchangeRatesByRange>"
        "<ExchangeRatesByRange><RateDate>2026-03-18T00:00:00+04:00</RateDate><ISO>KGS</ISO><Amount>"
        "1</Amount>"
        "<Rate>4.3164</Rate></ExchangeRatesByRange></DocumentElement></d:diffgram></R>"
    ).encode(),
    rows=("KGS/AMD 2026-03-17 4.3228/1", "KGS/AMD 2026-03-18 4.3164/1"),
)

FRANKFURTER_V2 = Document(
    parser="frankfurter",
    body=(
        b'[{"date":"2026-03-25","base":"USD","quote":"USD","rate":1.0},'
        b'{"date":"2026-03-25","base":"USD","quote":"KGS","rate":87.448}]'
    ),
    rows=("USD/KGS 2026-03-25 87.448/1",),
)

FRANKFURTER_V1 = Document(
    parser="frankfurter",
    body=(
        b'{"amount":10.0,"base":"EUR","start_date":"1999-01-04","end_date":"1999-01-05",'
        b'"rates":{"1999-01-04":{"AUD":19.1},"1999-01-05":{"AUD":18.944}}}'
    ),
    rows=("EUR/AUD 1999-01-04 19.1/10", "EUR/AUD 1999-01-05 18.944/10"),
)

FRANKFURTER_V1_DAY = Document(
    parser="frankfurter",
    body=b'{"amount":1.0,"base":"EUR","date":"2026-03-25","rates":{"USD":1.1568}}',
    rows=("EUR/USD 2026-03-25 1.1568/1",),
)

ERAPI = Document(
    parser="erapi",
    body=(
        b'{"result":"success","time_last_update_unix":1755043351,"base_code":"EUR",'
        b'"rates":{"EUR":1,"KGS":101.9,"BHD":0.438272}}'
    ),
    rows=("EUR/KGS 2025-08-13 101.9/1", "EUR/BHD 2025-08-13 0.438272/1"),
)

GOOD: dict[str, Document] = {
    name: value for name, value in sorted(globals().items()) if isinstance(value, Document)
}
