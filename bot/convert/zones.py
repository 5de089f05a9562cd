"""A time zone as people write it: by a city in three languages, by an offset, or by its IANA name in any case.

    Москва · в Москве · Moscow time · мск · Ош · New York · europe/moscow · +6 · UTC+5:30 · GMT+06:00 · Кыргызстан

Names of the zones' own cities, and of countries that have one zone, are CLDR's through Babel. Other cities people here
live in or phone are ours, because the tz database has one city a zone: Osh keeps Bishkek's time, Kazan Moscow's.

An offset becomes a zone without summer time: whole hours are `Etc/GMT-6` (whose sign is turned round: POSIX), the few
others are a place that keeps that offset all year.
"""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from collections.abc import Iterator, Mapping
from functools import cache

from bot.convert.plain import plain_text

LONGEST = 60  # letters of a name
_LANGUAGES = ("en", "ru", "ky")
_NOT_ZONES = frozenset({"localtime", "Factory", "posixrules"})
_CITIES = {
    "Asia/Bishkek": "osh,ош,jalal abad,джалал абад,жалал абад,manas,манас,karakol,каракол,naryn,нарын,talas,талас,"
    "batken,баткен,tokmok,токмок,kant,кант,balykchy,балыкчы,cholpon ata,чолпон ата,kyzyl kiya,кызыл кия,uzgen,узген,"
    "өзгөн,kara balta,кара балта,frunze,фрунзе,kyrgyzstan,kyrgyz,kg",
    "Asia/Almaty": "алма ата,alma ata,astana,астана,nur sultan,нур султан,shymkent,шымкент,чимкент,karaganda,караганда,"
    "taraz,тараз,kokshetau,кокшетау,pavlodar,павлодар,kazakhstan,казахстан,казакстан,қазақстан,qazaqstan,kz",
    "Asia/Tashkent": "namangan,наманган,andijan,андижан,анжиян,fergana,фергана,uzbekistan,узбекистан,өзбекстан,uz",
    "Asia/Samarkand": "bukhara,бухара,khiva,хива,nukus,нукус,urgench,ургенч",
    "Asia/Dushanbe": "khujand,худжанд,кожент,khorog,хорог,tj",
    "Europe/Moscow": "msk,мск,москов,saint petersburg,st petersburg,petersburg,санкт петербург,петербург,питер,спб,"
    "kazan,казань,казан,nizhny novgorod,нижний новгород,sochi,сочи,rostov,ростов,ростов на дону,krasnodar,краснодар,"
    "voronezh,воронеж,tula,тула,tver,тверь,murmansk,мурманск,makhachkala,махачкала,grozny,грозный",
    "Asia/Yekaterinburg": "ekaterinburg,ufa,уфа,chelyabinsk,челябинск,perm,пермь,tyumen,тюмень,surgut,сургут,"
    "orenburg,оренбург",
    "Europe/Samara": "togliatti,tolyatti,тольятти,izhevsk,ижевск",
    "Asia/Vladivostok": "khabarovsk,хабаровск",
    "Asia/Krasnoyarsk": "abakan,абакан,norilsk,норильск",
    "Asia/Irkutsk": "ulan ude,улан удэ",
    "Asia/Shanghai": "beijing,peking,пекин,бээжин,guangzhou,гуанчжоу,shenzhen,шэньчжэнь,yiwu,иу,china,китай,кытай,cn",
    "Asia/Urumqi": "kashgar,кашгар,кашкар,урумчи",
    "Asia/Kolkata": "delhi,дели,new delhi,нью дели,mumbai,мумбаи,бомбей,bangalore,india,индия",
    "Asia/Dubai": "abu dhabi,абу даби,uae,оаэ,бае,emirates,эмираты",
    "Asia/Riyadh": "mecca,мекка,меке,medina,медина,jeddah,джидда",
    "Asia/Tokyo": "osaka,осака",
    "Asia/Seoul": "busan,пусан,korea,корея",
    "Asia/Ho_Chi_Minh": "hanoi,ханой",
    "Europe/Istanbul": "стамбул,ыстамбул,ankara,анкара,antalya,анталья,анталия,izmir,измир,turkiye",
    "Europe/Berlin": "munich,мюнхен,hamburg,гамбург,frankfurt,франкфурт,cologne,кельн,germany,германия,de",
    "Europe/Zurich": "geneva,женева,basel,базель,bern,берн",
    "Europe/Rome": "milan,милан,venice,венеция",
    "Europe/Madrid": "barcelona,барселона,spain,испания",
    "Europe/Paris": "lyon,лион,marseille,марсель,nice,ницца",
    "Europe/Warsaw": "krakow,краков,wroclaw,вроцлав,gdansk,гданьск",
    "Europe/Kyiv": "kyiv,kiev,киев,odesa,odessa,одесса,lviv,львов,kharkiv,харьков,ukraine,украина",
    "Europe/London": "manchester,манчестер,liverpool,ливерпуль,england,англия,uk",
    "Asia/Jerusalem": "tel aviv,тель авив,haifa,хайфа",
    "America/New_York": "washington,вашингтон,boston,бостон,miami,майами,philadelphia,филадельфия,atlanta,атланта,nyc",
    "America/Chicago": "houston,хьюстон,dallas,даллас",
    "America/Los_Angeles": "san francisco,сан франциско,seattle,сиэтл,san diego,сан диего,las vegas,лас вегас,la",
    "America/Toronto": "ottawa,оттава,montreal,монреаль",
    "America/Argentina/Buenos_Aires": "buenos aires,буэнос айрес",
    "Etc/UTC": "utc,gmt,z,zulu,greenwich,гринвич,гмт,ютс",
}
#: Minutes east of Greenwich that no whole-hour zone has → a place without summer time that keeps them.
_ODD_OFFSETS = {
    -570: "Pacific/Marquesas", 210: "Asia/Tehran", 270: "Asia/Kabul", 330: "Asia/Kolkata", 345: "Asia/Kathmandu",
    390: "Asia/Yangon", 525: "Australia/Eucla", 570: "Australia/Darwin",
}  # fmt: skip
_WEST, _EAST = -12, 14  # whole hours that `Etc/GMT±n` knows
_MOSCOW = 180  # minutes: "мск+4"
_OFFSET = re.compile(
    r"(?P<from>utc|gmt|гмт|ютс|msk|мск)? ?(?P<sign>[+-])? ?(?P<hours>\d{1,2})(?: ?: ?(?P<minutes>\d\d)|(?P<glued>\d\d)"
    r"|[.,](?P<part>5|50|25|75))?(?: ?(?:h|hours?|ч|часа?|часов|саат))?",
)
_BESIDE = re.compile(
    r"(?<!\S)(?:time|zone|timezone|city|по|в|во|на|время|времени|часовой|пояс|город|г|убактысы|убакыты|убактысында|"
    r"убакыт|боюнча|шаары|алкагы|the|in|of)(?!\S)"
)
_KYRGYZ_CASE = re.compile(r"(?:[дт][аеоө](?:гы|ги|гу|гү)?|[дтн][ыиуү]н)$")
_ADJECTIVE = re.compile(r"ск(?:ое|ому|ий|ого|ом|ая|ой)$")
_VOWELS = "аеёиоуыьюяйэ"


def read_zone(text: str) -> str | None:
    """The IANA key of the time zone that a text names; None when it names none.

    The first call reads the names of all zones, some tenths of a second: call it beside the loop.
    """
    if not 0 < len(text) <= LONGEST:
        return None
    plain = plain_text(text).strip(" .!?")
    if "/" in plain and (exact := _keys().get(plain.lower())) is not None:
        return exact
    offset = _OFFSET.fullmatch(plain.lower())
    if offset is not None:
        return _at_offset(offset)
    if "+" in plain:
        return None  # an offset that cannot be read
    name = _folded(plain)
    short = " ".join(_BESIDE.sub(" ", name).split())
    names = _names()
    return names.get(name) or names.get(short) or _keys().get(plain.lower()) or _in_a_case(short)


def _at_offset(match: re.Match[str]) -> str | None:
    origin = match["from"]
    if match["sign"] is None and origin is None:
        return None  # a bare number may be anything
    parts = {None: 0, "5": 30, "50": 30, "25": 15, "75": 45}
    minutes = int(match["minutes"] or match["glued"] or parts[match["part"]])
    if minutes >= 60:
        return None
    east = int(match["hours"]) * 60 + minutes
    east = -east if match["sign"] == "-" else east
    if origin in {"msk", "мск"}:
        east += _MOSCOW
    hours, rest = divmod(east, 60)
    if rest:
        return _ODD_OFFSETS.get(east)
    if not _WEST <= hours <= _EAST:
        return None
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/UTC"


def _in_a_case(name: str) -> str | None:
    """The zone of a city in a case: "Москве", "Бишкекте", "московское"."""
    names = _names()
    for shorter in (_KYRGYZ_CASE.sub("", name), _ADJECTIVE.sub("", name)):
        if shorter != name and shorter in names:
            return names[shorter]
    return _stems().get(name.rstrip(_VOWELS)) if _is_cyrillic(name) else None


def _is_cyrillic(name: str) -> bool:
    return re.fullmatch(r"[а-яё ]{4,}", name) is not None


@cache
def _keys() -> Mapping[str, str]:
    """Every key of the tz database by its lower case."""
    return {key.lower(): key for key in sorted(zoneinfo.available_timezones() - _NOT_ZONES)}


@cache
def _names() -> Mapping[str, str]:
    """Folded names of cities and of countries with one zone, to keys; ours before CLDR's."""
    found: dict[str, str] = {}
    for key, names in _CITIES.items():
        found |= dict.fromkeys(names.split(","), key)
    for name, key in _cldr_names():
        found.setdefault(name, key)
    for key in _keys().values():
        found.setdefault(_folded(key), key)
        found.setdefault(_folded(key.rpartition("/")[2]), key)
    return found


def _cldr_names() -> Iterator[tuple[str, str]]:
    from babel import Locale
    from babel.core import get_global

    territories: Mapping[str, str] = get_global("zone_territories")
    known = _keys()
    for language in _LANGUAGES:
        locale = Locale(language)
        for key, names in locale.time_zones.items():
            if key.lower() in known and "city" in names:
                yield _folded(names["city"]), known[key.lower()]
            if key.lower() in known:
                yield _folded(key.rpartition("/")[2]), known[key.lower()]
        alone: dict[str, list[str]] = {}
        for key, territory in territories.items():
            if key in locale.time_zones and key.lower() in known:
                alone.setdefault(territory, []).append(key)
        for territory, keys in alone.items():
            if len(keys) == 1 and territory in locale.territories:
                yield _folded(locale.territories[territory]), keys[0]


@cache
def _stems() -> Mapping[str, str]:
    """Cyrillic names without their last vowels, where that leaves one zone."""
    found: dict[str, set[str]] = {}
    for name, key in _names().items():
        if _is_cyrillic(name):
            found.setdefault(name.rstrip(_VOWELS), set()).add(key)
    return {stem: keys.pop() for stem, keys in found.items() if len(keys) == 1 and len(stem) >= 3}


def _folded(name: str) -> str:
    """One spelling of a name: lower case, ё as е, Latin without accents, one space for what stands between words."""
    plain = unicodedata.normalize("NFD", plain_text(name).lower().replace("ё", "е"))
    plain = unicodedata.normalize("NFC", re.sub(r"(?<=[a-z])[\u0300-\u036f]+", "", plain))
    return " ".join(re.sub(r"[^\w]+|_", " ", plain).split())
