"""A headline says that its event is over, or does not; in the three languages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.detect.endings import LATE_REPORTS, begins_anew, says_it_is_over
from bot.model.news import StoredEntry, Story
from tests.factories import NOW, entry

OVER = (
    ("en", "Bishkek to Osh road opens again after avalanche"),
    ("en", "Torugart crossing reopened to lorries"),
    ("en", "Fire at Karakol market put out"),
    ("ru", "Дорога Бишкек – Ош вновь открыта"),
    ("ru", "Пожар на складе в Оше потушен"),
    ("ky", "Бишкек – Ош жолу кайра ачылды"),
    ("ky", "Базардагы өрт өчүрүлдү"),
    ("en", "Flights resume at Manas airport"),
    ("ru", "Движение по трассе возобновлено"),
    ("ru", "Огонь на складе потушили"),
    ("ru", "Пожар в г. Ош потушен. Кто виноват?"),
    ("en", "Kyrgyzstan reopens border crossing: who can cross?"),
    ("en", "Torugart crossing reopens, what next?"),
    ("en", "Ready or not, Torugart reopens"),
    ("en", "Fire at Karakol market put out: man arrested?"),
    ("ru", "Движение по трассе возобновлено: кто может проехать?"),
    ("ru", "Пожар на складе потушен — что известно?"),
    ("ru", "Пожар на складе потушен, а кто виноват?"),
    ("ru", "Пожар потушен, частично сгорела крыша"),
    ("ru", "Движение по трассе возобновлено лишь сегодня"),
    ("ky", "Базардагы өрт өчүрүлдү: эмне белгилүү?"),
)
GOING_ON = (
    ("en", "Landslide blocks the road to Osh"),
    ("en", "Police reports a put option fraud"),
    ("ru", "Взрыв на рынке в Оше"),
    ("ru", "В Оше открыта новая школа"),
    ("ky", "Ошто жаңы мектеп ачылды"),
    ("en", ""),
    ("en", "Shelling of Batken resumes"),
    ("en", "Troops reopen fire on a village"),
    ("en", "Wildfire is still not contained"),
    ("en", "Firefighters battle to put out a blaze in Osh"),
    ("en", "Ceasefire is over"),
    ("ru", "На границе вновь открыли огонь"),
    ("ru", "Обстрелы Баткена возобновились"),
    ("ru", "В Оше снова открылась стрельба"),
    ("ru", "Пожар до сих пор не потушен"),
    ("ru", "Пожарные не могут потушить лес"),
    ("ky", "Өрт өчүрүлө элек"),
    ("ky", "Өрт азырынча өчүрүлгөн жок"),
    ("ky", "Чек арада кагылыш кайрадан ачылды"),
    ("en", "Is the fire at Karakol market put out?"),
    ("ru", "Движение по трассе восстановлено? Ответ министерства"),
    ("ky", "Базардагы өрт өчүрүлдүбү?"),
    ("ru", "Движение по трассе будет восстановлено завтра"),
    ("ru", "Пожар на складе потушен лишь частично"),
    ("en", "Torugart crossing partially reopens"),
    ("en", "Reopening delayed at Torugart"),
    ("en", "Is the fire put out, and who is guilty?"),
    ("en", "Shelling, once halted, resumes"),
    ("ru", "Восстановлено движение по трассе Бишкек – Ош?"),
    ("ru", "Потушен ли пожар: ответ министерства"),
    ("ky", "Торугарт бекети жарым-жартылай кайра ачылды"),
    ("ky", "Өрт жарым-жартылай өчүрүлдү"),
    ("ky", "Өрт өчүрүлдүбү: ӨКМ жооп берди"),
    ("ky", "Өрт толук өчүрүлгөнбү"),
)
#: Headlines of what ended, one a line, by what was closed or threatened.
ENDED = {
    "en": """
        Bishkek-Osh road open
        The Bishkek – Osh road is open to all traffic
        Officials open the Too-Ashuu pass after the snowfall
        Border with Tajikistan opened for lorries
        Highway to Naryn cleared of snow
        Traffic on the Bishkek-Osh highway restored
        Power restored in Talas after the storm
        State of emergency lifted in Batken
        State of emergency in Osh and Jalal-Abad provinces cancelled
        Government lifts the curfew in Osh
        Governor revokes evacuation order for Mailuu-Suu
        Mudflow warning called off
        The threat of a mudflow has passed
        Danger of flooding averted in Uzgen
        Tsunami alert cancelled
        Siege of the bank is over
        Hostage crisis in Osh ended, two men arrested
        Shelling of Batken is over
        Firefighters put out a blaze at Dordoi market
        Wildfire near Karakol under control
        Forest fire extinguished, ministry says
        Floodwaters recede in Jalal-Abad
        Trains resume after the earthquake
        Road reopened after a landslide closed it
        Road reopened after the attack
        Airspace over Batken opened
        First bridge of many years burns as the pass opens
        Highway M41 opened after a rockslide
        Road damaged by a mudflow opened
        Crews open mountain road after avalanche
        Kazakhstan opens border for Kyrgyz lorries
        Border crossing point at Kordai opened
        Fire burning near Karakol extinguished
        Power lines restored after the storm
        Curfew imposed after clashes lifted
        Traffic along the Chui avenue resumed
        Hostage standoff ends in Tokmok
        President lifts the state of emergency
        Road Bishkek-Osh opened
        Road Osh – Batken cleared of snow
        Checkpoint Ak-Tilek opened
        Border checkpoint Kordai opened
        Flights Bishkek-Moscow resumed
        Kordai checkpoint opened after the president's visit
    """,
    "ru": """
        Дорога Бишкек-Ош открыта
        Дорога Бишкек – Ош открыта для всех машин
        Перевал Төө-Ашуу открыли после лавины
        На перевале Отмок открыто движение
        Трассу Бишкек – Нарын расчистили от снега
        Открыт проезд по трассе Бишкек – Ош
        Граница с Таджикистаном открыта
        Угроза селя миновала
        Угроза схода лавин в Чон-Кемине миновала
        Опасность прошла, жители возвращаются домой
        Режим ЧС снят
        В Баткене снят режим ЧС
        Режим чрезвычайной ситуации в Сузакском районе отменили
        Чрезвычайное положение отменено
        Кабмин отменил чрезвычайное положение в Оше
        Комендантский час в Джалал-Абаде отменён
        Военное положение завершено
        Штормовое предупреждение снято
        Предупреждение о цунами отменено
        Ограничения на трассе сняты
        Блокада села снята
        Электроснабжение Таласа восстановлено
        Свет в Канте восстановили
        Рейсы из Манаса возобновлены
        Пожар на ул. Токтогула потушен
        Возгорание на рынке «Дордой» ликвидировано
        Отбой тревоги в Майлуу-Суу
        Вода отступила, дорога размыта
        Дорога открыта после обстрела
        В Оше дорога открыта
        Дорога открыта снова
        Движение открыто: дорога была закрыта сутки
        Аэропорт Ош открыт после тумана
        Дорожники расчистили трассу после лавины
        Все дороги на юге открыты
        Утечка газа в Кара-Балте устранена
        Президент отменил чрезвычайное положение
    """,
    "ky": """
        Бишкек-Ош жолу ачылды
        Бишкек – Ош жолу бардык унаага ачылды
        Төө-Ашуу ашуусу ачылган
        Тажикстан менен чек ара ачылды
        Торугарт бекети ачылды
        Көчкүдөн кийин жолду ачышты
        Нарынга кеткен жол кардан тазаланды
        Баткенде өзгөчө абал алынды
        Өзгөчө кырдаал режими жокко чыгарылды
        Ошто комендант сааты жокко чыгарылды
        Аскердик абал токтотулду
        Сел коркунучу жок
        Сел коркунучу өттү
        Суу ташкынынын коркунучу артта калды
        Жарандарга коюлган чектөөлөр алынып салынды
        Карантин алынды
        Айылдын блокадасы алынды
        Шаарга электр жарыгы берилди
        Манастан учак каттамы башталды
        Токойдогу өрт ооздукталды
        Базардагы өрттү өчүрүштү
        Дордойдогу орт очурулду
        Суу ташкыны басаңдады
        Атайын операция аяктады
        Унаа каттамы калыбына келди
        Жол эки күндөн кийин ачылды
        Чек ара дүйшөмбү күнү ачылды
        Ашуу көчкүдөн тазаланды
        Торугарт өткөрүү пункту кайра иштей баштады
        ЖЭБдеги авария жоюлду
    """,
}
#: And of what did not.
UNENDED = {
    "en": """
        Road reopened, then closed again
        Road reopened and closed again within hours
        Road reopened, blocked by a new landslide
        Fire put out, then flares up again
        Fire put out. Flames reignite an hour later
        Fire put out, reignites within an hour
        Fire breaks out at Karakol market
        Fire crews put out a call for volunteers
        A new road opened in Osh
        Border guards open fire on a car
        A café opened on the road to Osh
        Road to Osh stays open despite the snow
        Road to open tomorrow
        Torugart reopens tomorrow
        State of emergency not lifted yet
        Will the curfew be lifted?
        Ministry denies the road is opened
        Siege laws over the province debated
        Prosecutors reopen the case of the market blast
        Search for the missing miners resumes
        Trial over the market blast resumes
        Crane lifted the bus out of the gorge
        The ministry put out a statement on the blast
        Museum's burnt picture restored
        Reports contained errors on the blast
        Threat of mudflows almost over the village
        Government may lift the emergency
        Fire out of control near Karakol
        Fire is out of control near Karakol
        Fires are out of hand in the forest
        Internet is back down in Osh
        Border clash probe opened
        Road crash investigation opened in Osh
        Curfew order extended, not lifted
        Evacuation of Osh continues
        Road closed and school opened
        Rescue work resumes at the mine
        Road café opened
        Bridge museum opens
        Road Museum Opens in Osh
        Airport terminal opened by president
        President opens road museum
        Kyrgyzstan opens border talks with Tajikistan
        Fire chief is out
        Outbreak report contained mistakes
        Ban supporter removed from hall
        Warning shot lifts tensions
        Storm relief bill passed by parliament
        Water tower restored by volunteers
        Power couple is back on stage
        Siege film ended its run
        Flood victims recede from the news
        Airport opened to tourists
        Museum of the road opened in Naryn
        Prime minister opens a highway in Jalal-Abad
        Bridge over Naryn opened in a festive ceremony
        Highway opened a year ago already falls apart
        Checkpoint Cafe Opened on Highway
        Airport Manas opened a tender for catering
        Airport Manas opened tender for catering
        Criminal case opened over road deaths
    """,
    "ru": """
        Дорога открыта, но вечером снова закрыта
        Дорогу открыли и вновь закрыли
        Дорогу открыли, затем перекрыли
        Пожар потушен, но вспыхнул снова
        Пожар потушен. Снова горит склад
        Дорога Бишкек – Ош закрыта
        Дорога будет открыта завтра
        Дорогу Бишкек – Ош откроют вечером
        Открыта новая дорога Бишкек – Ош
        Новая дорога открыта в Нарыне
        На границе открыли кафе
        На трассе открыли огонь
        Пограничники на границе открыли стрельбу
        Дорога открыта лишь частично
        Дорога открыта только для спецтранспорта
        Дорога Бишкек-Ош открыта?
        Когда снимут режим ЧС
        Режим ЧС не снят
        Режим ЧС введён в Оше
        Режим ЧС снимут завтра
        Снятие режима ЧС отложено
        Отмена комендантского часа обсуждается
        МЧС опровергло, что угроза селя миновала
        Фейк: дорога Бишкек – Ош открыта
        Угроза для жизни раненых миновала
        Затраты на восстановление моста оценили
        Движение возобновлено не будет
        Суд возобновил процесс о взрыве
        Поиски пропавших возобновлены
        Взрыв сняли на видео
        Сель сошёл на трассу
        Сезон закончен: лиги возобновлены не будут
        Если дорога открыта, поедем
        Дорога закрыта, школа открыта
        Дорога закрыта и школа открыта
        По дороге на перевал открыта выставка
        Дорога в школу и обратно стала опаснее чем год назад но музей открыт
        Кафе у дороги открыто
        Возле аэропорта открыли гостиницу
        Запрет снят с рассмотрения
        Музей дороги открыт
        Кафе дороги «Шёлковый путь» открыто
        Аэропорт открыли для туристов
        Президент торжественно открыл трассу Север – Юг
        Дорога, открытая год назад, разрушается
        Второй мост через Нарын открыт
    """,
    "ky": """
        Чек ара окуясы боюнча кылмыш иши ачылды
        Жол боюнда кафе ачылды
        Чек араны көздөй ок ачышты
        Чек араны көздөй ок ачылды
        Чек ара тарапка ок ачты
        Чек ара бекети көздөй от ачылды
        Жолду бойлой ок ачышты
        Жол ачылды, бирок кайра жабылды
        Жол ачылып, кайра жабылды
        Өрт өчүрүлдү, бирок кайра тутанды
        Жол ачылган жок
        Жол ачыла элек
        Жол ачылбады
        Жол эртең ачылат
        Жол эртең ачылды деп жарыяланат
        Жол ачылдыбы?
        Жол качан ачылат
        Бишкек – Ош жолу жабылды
        Ошто жаңы жол ачылды
        Чек арада кафе ачылды
        Эки жаңы чек ара бекети ачылды
        Чек арада атышуу башталды
        Жол жарым-жартылай ачылды
        Өзгөчө абал алынган жок
        Өзгөчө абал киргизилди
        Өзгөчө абал алынабы?
        Жарадарлардын өмүрүнө коркунуч жок
        Бишкекте жарык өчүрүлдү
        Жарыктын эмнеге өчүрүлгөнү айтылды
        Издөө иштери кайра башталды
        Жол ачылды деген маалымат төгүн
        Издөө иши башталды
        Чек ара ачык бойдон
        Жол музейи ачылды
        Чек ара базары ачылды
        Көпүрө боюндагы кафе ачылды
        Жол полициясынын кеңсеси ачылды
        Карантин тасмасы алынды
        Ошто көпүрө салтанаттуу ачылды
        Президент Өзгөндө көпүрө ачты
        Аэропорт туристтер үчүн ачылды
        Экинчи көпүрө ачылды
    """,
}


def headlines(of: dict[str, str]) -> list[tuple[str, str]]:
    """The headlines of a table, each with its language."""
    return [
        (code, line.strip()) for code, lines in of.items() for line in lines.strip().split("\n")
    ]


@pytest.mark.parametrize("code", ENDED)
def test_a_table_of_ends_has_twenty_a_language(code: str) -> None:
    assert min(len(of[code].strip().split("\n")) for of in (ENDED, UNENDED)) >= 20


@pytest.mark.parametrize(("language", "title"), [*OVER, *headlines(ENDED)])
def test_what_ended_is_said_so(language: str, title: str) -> None:
    assert says_it_is_over(entry(title=title, language=language))


@pytest.mark.parametrize(("language", "title"), [*GOING_ON, *headlines(UNENDED)])
def test_what_goes_on_or_merely_begins_is_no_end(language: str, title: str) -> None:
    assert not says_it_is_over(entry(title=title, language=language))


ANEW = (
    ("en", "Fire at Karakol market flares up again"),
    ("en", "Shelling of Batken resumes"),
    ("ru", "Рынок в Караколе снова горит"),
    ("ru", "Обстрелы Баткена возобновились"),
    ("ky", "Караколдо базар кайрадан күйүп жатат"),
)


@pytest.mark.parametrize(("language", "title"), ANEW)
def test_what_begins_anew_does_so_after_an_end_alone(language: str, title: str) -> None:
    """And a road that is open again does not."""
    titles = ("Fire at Karakol market", "Fire at Karakol market put out")
    told = [
        StoredEntry(
            pk=number,
            feed="one",
            entry=entry(title=one, language="en", published_at=NOW),
            seen_at=NOW,
            story=1,
        )
        for number, one in enumerate(titles)
    ]
    story, begun = Story(pk=1, entries=tuple(told)), entry(title=title, language=language)
    assert begins_anew(begun, story, NOW + timedelta(hours=1))
    assert not begins_anew(begun, story, NOW - timedelta(hours=1))
    assert not begins_anew(begun, Story(pk=1, entries=(told[0],)), NOW + timedelta(hours=1))
    for code, over in OVER:
        assert not begins_anew(entry(title=over, language=code), story, NOW + timedelta(hours=1))
    # without such a word by the hours, unless it tells of what was long ago
    for headline, anew in (
        (titles[0], True),
        ("Ten years since the fire at Karakol market", False),
    ):
        said = entry(title=headline, language="en")
        assert begins_anew(said, story, NOW + LATE_REPORTS) is anew
        assert not begins_anew(said, story, NOW + LATE_REPORTS - timedelta(seconds=1))
