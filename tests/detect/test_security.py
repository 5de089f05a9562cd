"""Security stories: found in three languages, not confused with sport and business, loud only when
it matters.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.detect.language import OTHER as NOT_OURS
from bot.detect.language import language_of, told_language
from bot.detect.lexicon import build_lexicon, read_pattern
from bot.detect.security import detect, lexicon
from bot.detect.topics import judged
from bot.model.alerts import Severity
from bot.reasons import reason

SECURITY = [
    ("en", "Border guards exchange fire near the village, two soldiers wounded"),
    ("en", "Police arrest three suspects in armed robbery"),
    ("en", "Earthquake destroys homes, dozens killed"),
    ("en", "NATO and CSTO officials warn of terrorist threat"),
    ("en", "Former minister sentenced to eight years in prison for bribery"),
    ("en", "Mudslide cuts road to the pass, families evacuated"),
    ("ru", "Пограничники отбили нападение на заставу, трое военных ранены"),
    ("ru", "Милиция задержала подозреваемого в убийстве"),
    ("ru", "ОДКБ проведёт учения на границе с Афганистаном"),
    ("ru", "Селевой поток разрушил мост, жителей эвакуировали"),
    ("ru", "ГКНБ пресёк деятельность ячейки террористов"),
    ("ru", "Бывшего мэра приговорили к шести годам колонии за взятки"),
    ("ky", "Чек арада атышуу болду, эки жоокер жарадар"),
    ("ky", "Милиция уурулукка шектелгендерди кармады"),
    ("ky", "Жер титирөөдөн үйлөр кыйрап, адамдар каза тапты"),
    ("ky", "ЖККУ өлкөлөрү терроризмге каршы машыгуу өткөрөт"),
    ("ky", "Сел жүрүп, тургундар эвакуацияланды"),
    ("ky", "Сот мурдагы министрди пара алганы үчүн эркинен ажыратты"),
]
OTHER = [
    ("en", "Striker scores twice as the team wins the derby"),
    ("en", "Parliament votes on next year's budget"),
    ("en", "Shares crash as investors flee technology companies"),
    ("en", "Landlords must return a security deposit within a month"),
    ("en", "New film about the battle of the bands opens the festival"),
    ("en", "Bank raises interest rate on deposits"),
    ("ru", "Сборная победила в финале чемпионата"),
    ("ru", "Центробанк повысил ключевую ставку"),
    ("ru", "Певица представила новый альбом"),
    ("ru", "Учёные рассказали о пользе яблок"),
    ("ru", "В столице открылась выставка ковров"),
    ("ru", "Нападающий забил два гола и вывел клуб в финал кубка"),
    ("ky", "Балбандар дүйнө чемпионатында алтын медаль утту"),
    ("ky", "Улуттук банк доллардын курсун жарыялады"),
    ("ky", "Мектепте жаңы окуу жылы башталды"),
    ("ky", "Ырчы Ошто концерт берди"),
    ("ky", "Дыйкандар быйылкы түшүмдү жыйнап бүттү"),
    ("ky", "Президент элчини кабыл алды"),
]


#: Disasters told plainly, without a word about people hurt.
PLAIN_DISASTERS = [
    ("ru", "В Ошской области произошло землетрясение магнитудой 5,1"),
    ("ru", "На юге Кыргызстана зарегистрировано землетрясение"),
    ("ru", "Жители Бишкека ощутили подземные толчки"),
    ("ru", "Сильное землетрясение произошло у берегов Японии"),
    ("ru", "Сель сошёл на село в Баткенской области"),
    ("ru", "Селевые потоки размыли дорогу Бишкек — Ош"),
    ("ru", "Наводнение затопило десятки домов в Оренбуржье"),
    ("ru", "Из-за паводка в Джалал-Абаде подтопило дома"),
    ("ru", "Лавина сошла на трассу в Суусамыре"),
    ("ru", "На перевале Тоо-Ашуу сошла лавина, дорога закрыта"),
    ("ru", "Оползень накрыл два дома в Узгене"),
    ("ru", "Пожар произошёл на рынке «Дордой»"),
    ("ru", "Крупный пожар на складе в Бишкеке тушат десять расчётов"),
    ("ru", "Лесной пожар охватил 200 гектаров"),
    ("ru", "Взрыв прогремел в жилом доме в Караганде"),
    ("ru", "Взрыв на шахте в Казахстане"),
    ("ru", "Таджикистан закрыл границу с Афганистаном"),
    ("ru", "Кыргызстан и Узбекистан временно закрыли пункт пропуска на границе"),
    ("ru", "Ураган повалил деревья и оборвал провода в Таласе"),
    ("ru", "Прорыв дамбы: вода идёт к селу"),
    ("ru", "В горах Нарына камнепад перекрыл дорогу"),
    ("ru", "Из-за схода сели закрыта дорога в ущелье"),
    ("ru", "МЧС предупреждает о селевой опасности"),
    ("ky", "Ош облусунда 5,1 магнитудадагы жер титирөө болду"),
    ("ky", "Бишкекте жер титиреди"),
    ("ky", "Баткенде сел жүрүп, үйлөрдү суу каптады"),
    ("ky", "Суу ташкыны айылды каптады"),
    ("ky", "Сел жолду жууп кетти"),
    ("ky", "Тоо-Ашууда кар көчкү түштү"),
    ("ky", "Көчкү түшүп, жол жабылды"),
    ("ky", "Дордой базарында өрт чыкты"),
    ("ky", "Кампада чоң өрт чыгып, аны он эсеп өчүрүүдө"),
    ("ky", "Токой өртү 200 гектарды каптады"),
    ("ky", "Турак үйдө жарылуу болду"),
    ("ky", "Казакстандагы шахтада жарылуу болду"),
    ("ky", "Тажикстан Ооганстан менен чек арасын жапты"),
    ("ky", "Кыргызстан менен Өзбекстандын чек арасындагы өткөрүү бекети убактылуу жабылды"),
    ("ky", "Катуу шамал үйлөрдүн чатырын учурду"),
    ("ky", "Нарында таш көчкү жолду жапты"),
    ("ky", "ӨКМ сел коркунучу тууралуу эскертти"),
]
#: Their words, borrowed by trade, sport, shows and the weather forecast.
NEAR_MISSES = [
    ("ru", "Взрыв интереса к горным турам: отели заняты до осени"),
    ("ru", "Лавина покупок обрушилась на магазины перед праздником"),
    ("ru", "Пожар цен: яблоки подорожали вдвое"),
    ("ru", "Новый альбом группы стал взрывом эмоций"),
    ("ru", "Форвард «Дордоя» устроил пожар в штрафной и забил дважды"),
    ("ru", "Лавина голов в Суперлиге: четыре матча, двадцать мячей"),
    ("ru", "Синоптики обещают дождь и до +25 в Бишкеке"),
    ("ru", "В выходные ожидаются дожди, местами грозы и сильный ветер"),
    ("ru", "Погода на завтра: в Оше без осадков"),
    ("ru", "Наводнение рынка дешёвыми телефонами тревожит продавцов"),
    ("ru", "На селе открыли новую школу"),
    ("ru", "Село Кара-Ой отметило столетие"),
    ("ru", "Землетрясение в мире моды: дизайнер покинул дом"),
    ("ru", "Режиссёр снимет фильм о землетрясении 1911 года"),
    ("ru", "Учёные научились предсказывать землетрясения по радону"),
    ("ru", "Сель-Рохо — новый курорт"),
    ("ru", "Границы возможного: пианист сыграл сорок часов подряд"),
    ("ru", "Вода закрыта: плановое отключение на улице Советской"),
    ("ru", "Стартап закрыл раунд на миллион долларов"),
    ("ru", "Поток туристов на Иссык-Куль вырос вдвое"),
    ("ru", "Буря эмоций после финала кубка"),
    ("ru", "Ураган оваций сопровождал премьеру"),
    ("ru", "Команда закрыла сезон победой"),
    ("ru", "Банк закрыл три отделения в регионах"),
    ("ru", "Толчком к реформе стал рост цен"),
    ("ru", "Штанга: кыргызстанец взял золото в толчке"),
    ("ru", "Спортсмен выиграл серебро в толкании ядра"),
    ("ru", "Огненное шоу открыло фестиваль"),
    ("ru", "Ставки рухнули, как лавина"),
    ("ky", "Тоо турларына кызыгуу жарылды: мейманканалар толо"),
    ("ky", "Соода көчкүсү: дүкөндөр толуп турат"),
    ("ky", "Баа өрттөй күйүп турат: алма эки эсе кымбаттады"),
    ("ky", "Күчтүү финал: «Дордой» эки топ киргизди"),
    ("ky", "Эртең Бишкекте жаан жаайт, +25 градус"),
    ("ky", "Дем алыш күндөрү жамгыр жаап, шамал болот"),
    ("ky", "Айылда жаңы мектеп ачылды"),
    ("ky", "Сел клубу чемпион болду"),
    ("ky", "Туристтердин агымы эки эсе өстү"),
    ("ky", "Режиссёр 1911-жылкы жер титирөө тууралуу тасма тартат"),
    ("ky", "Чек арасыз дарыгерлер окуу өткөрдү"),
    ("ky", "Банк үч бөлүмүн жапты"),
    ("ky", "Концертте от шоу көрсөтүлдү"),
    ("ky", "Ырчынын жаңы альбому жарылуу жасады"),
    ("ky", "Балбан кар көчкүдөй чабуул койду"),
]


@pytest.mark.parametrize(("language", "title"), SECURITY + PLAIN_DISASTERS)
def test_a_security_headline_is_found(language: str, title: str) -> None:
    verdict = detect(title, "", language)
    assert verdict.security, verdict
    assert verdict.topics[0] == "security"
    assert verdict.reasons


@pytest.mark.parametrize(("language", "title"), OTHER + NEAR_MISSES)
def test_a_peaceful_headline_is_left_alone(language: str, title: str) -> None:
    verdict = detect(title, "", language)
    assert not verdict.security, verdict
    assert verdict.severity is Severity.INFO
    assert "security" not in verdict.topics


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("ru", "В Ошской области произошло землетрясение магнитудой 5,1"),
        ("ru", "Селевые потоки размыли дорогу Бишкек — Ош"),
        ("ru", "Кыргызстан закрыл границу до утра"),
        ("ky", "Ош облусунда 5,1 магнитудадагы жер титирөө болду"),
        ("ky", "Баткенде сел жүрүп, үйлөрдү суу каптады"),
    ],
)
def test_a_plain_disaster_near_by_is_told(language: str, title: str) -> None:
    assert detect(title, "", language).severity is not Severity.INFO


def test_the_sample_that_started_the_project_is_security(shared: Path) -> None:
    title, *paragraphs = (shared / "seed/sample.txt").read_text(encoding="utf-8").split("\n\n")[1:]
    verdict = detect(title, "\n".join(paragraphs))
    assert verdict.security
    assert verdict.language == "en"
    assert ("kind", "alliance") in [pair for reason in verdict.reasons for pair in reason.figures]


def test_a_title_weighs_more_than_the_text() -> None:
    headline = detect("Explosion at the market", "Traders talk about it.", "en")
    mention = detect(
        "Traders talk about the market", "It is quiet. Some remember the explosion.", "en"
    )
    assert headline.score > mention.score


def test_the_first_sentence_stands_for_a_missing_title() -> None:
    text = "Border guards returned fire. The harvest is good this year."
    assert detect("", text, "en") == detect(
        "Border guards returned fire. ", "The harvest is good this year.", "en"
    )


@pytest.mark.parametrize(
    ("language", "text", "dead"),
    [
        ("en", "Attack on a post: three soldiers were killed and five wounded", 3),
        ("en", "Blast kills 14, injures 30", 14),
        ("en", "Blast: killed 2, wounded 5", 2),
        ("en", "Blast: wounded 5, killed 2", 2),
        ("en", "Blast: 2 killed, 5 wounded", 2),
        ("en", "Blast: 5 wounded, 2 killed", 2),
        ("en", "An officer was killed and 40 wounded in a blast", 0),
        ("ru", "Взрыв: двое погибли и десять ранены", 2),
        ("ru", "В ДТП погиб один и ранены пятеро", 0),
        ("ru", "Взрыв: число погибших выросло до 17, пострадали 60", 17),
        ("ky", "Жарылуу: үч адам каза болуп, беш адам жараат алды", 3),
        # the other's word stands nearer than its own
        ("en", "Blast: a soldier was killed and 40 people were wounded", 0),
        ("en", "Blast: a soldier was killed, 40 people were badly wounded", 0),
        ("en", "Blast: a dozen were wounded, 14 people there were killed", 14),
        ("en", "Blast: wounded and burnt, 14 people in the bus died", 14),
        ("ru", "Взрыв: погиб солдат, 40 человек были ранены", 0),
        ("ru", "Взрыв: погиб солдат и ещё 40 человек тяжело ранены", 0),
        ("ru", "Взрыв: есть раненые, 14 человек в автобусе погибли", 14),
        ("ky", "Жарылуу: аскер каза болду, 40 киши оор жарадар болду", 0),
        ("ky", "Жарылуу: аскер каза болуп 40 киши оор жарадар болду", 0),
        ("ky", "Жарылуу: 40 киши жарадар болуп 14 киши каза тапты", 14),
        ("ky", "Жарылуу: жарадарлар бар, 14 киши автобуста каза болду", 14),
    ],
)
def test_the_wounded_are_not_counted_as_dead(language: str, text: str, dead: int) -> None:
    """A figure beside both words is whose it is, in any order of the two."""
    found = [
        reason.figure("n") for reason in detect(text, "", language).reasons if reason.code == "dead"
    ]
    assert found == ([dead] if dead else [])


def test_severity_rises_with_danger_nearness_and_the_dead() -> None:
    texts = (
        "Man arrested for theft",
        "Shelling reported at a distant front, 3 soldiers killed",
        "Shelling on the Kyrgyz border, 12 killed, villages evacuated",
    )
    assert [detect(text, "", "en").severity for text in texts] == [
        Severity.INFO,
        Severity.NOTABLE,
        Severity.URGENT,
    ]


def test_a_year_or_an_age_is_not_a_death_toll() -> None:
    for text in ("Killed in 1916 uprising war", "A 42 year old man killed in fire"):
        assert not any(reason.code == "dead" for reason in detect(text, "", "en").reasons)
    assert reason("dead", n=12) in detect("Fire: 12 people killed", "", "en").reasons


def test_an_anniversary_of_a_war_wakes_nobody() -> None:
    now = detect("Invasion: Kyrgyzstan evacuates border villages, 20 killed", "", "en")
    then = detect(
        "Anniversary of the invasion: Kyrgyzstan evacuates border villages, 20 killed", "", "en"
    )
    assert now.severity is Severity.URGENT
    assert then.severity.rank < now.severity.rank


def test_what_else_a_story_is_about_is_named() -> None:
    assert judged("Центробанк: инфляция и курс рубля, ставка по кредитам", "", "ru").topics == (
        "economy",
    )


def test_the_longest_pattern_at_a_place_takes_its_words() -> None:
    words = build_lexicon(
        [read_pattern("fire*", "disaster", 1), read_pattern("fire sale*", "economy", -1)], 0
    )
    assert [pattern.text for _, pattern in words.find(["fire", "sales", "fires"])] == [
        "fire sale*",
        "fire*",
    ]


def test_a_phrase_beats_the_word_it_begins_with() -> None:
    words = build_lexicon(
        [read_pattern("security", "alliance", 1), read_pattern("secur* deposit*", "economy", -1)], 0
    )
    assert [pattern.kind for _, pattern in words.find(["security", "deposits"])] == ["economy"]
    assert [pattern.kind for _, pattern in words.find(["security", "council"])] == ["alliance"]


@pytest.mark.parametrize("language", ["en", "ru", "ky"])
def test_every_line_of_the_lexicons_is_on_its_own_side_of_zero(language: str) -> None:
    words = lexicon(language)
    for pattern in (p for found in (*words.exact.values(), *words.stems.values()) for p in found):
        against = pattern.kind in {"sport", "culture", "economy", "science", "health", "politics"}
        assert (pattern.weight < 0) == against, pattern


def measured(path: Path, *, step: int) -> dict[str, tuple[float, float]]:
    """Precision and recall by tier, of every so many of the texts."""
    counts: dict[str, list[int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[::step]:
        row = json.loads(line)
        if row["label"] not in {"security", "other"}:
            continue
        said, true = (
            detect(row["title"], row["text"], row["lang"]).security,
            row["label"] == "security",
        )
        count = counts.setdefault(row["tier"], [0, 0, 0])
        count[0] += said and true
        count[1] += said
        count[2] += true
    return {tier: (hit / said, hit / true) for tier, (hit, said, true) in counts.items()}


# On the texts that taught both the words and the wording, so that these are floors and no measure;
# what unseen texts gave is in docs/detection.md.
FLOORS = {
    ("en", "core"): (0.94, 0.95),
    ("en", "hard"): (0.90, 0.95),
    ("ru", "core"): (0.92, 0.89),
    ("ru", "hard"): (0.95, 0.90),
    ("ky", "core"): (0.93, 0.87),
    ("ky", "hard"): (0.85, 0.90),
}


#: Of the labelled texts one in so many: in the long run all of them.
STEPS = [pytest.param(1, marks=pytest.mark.slow), 3]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("language", ["en", "ru", "ky"])
def test_labelled_news_is_told_apart(shared: Path, language: str, step: int) -> None:
    """Precision and recall stay above their floors, on clean and on hard texts."""
    folder = shared / "data/security"
    scores = measured(folder / f"{language}.dev.jsonl", step=step)
    scores |= measured(folder / f"{language}.hard.dev.jsonl", step=step)
    for tier in ("core", "hard"):
        precision, recall = scores[tier]
        assert precision >= FLOORS[language, tier][0], scores
        assert recall >= FLOORS[language, tier][1], scores


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *((language, title) for language, title in SECURITY + OTHER),
        ("ru", "Сборная Кыргызстана выиграла турнир"),
        ("ru", "Садыр Жапаров прибыл в Душанбе"),
        ("ky", "Бишкекте ууру кармалды"),  # not one letter that Russian lacks
        ("ky", "Президент Москвага барды"),
        ("ky", "Сел жүрдү"),
        ("en", "Жогорку Кеңеш (Jogorku Kenesh) is the parliament of Kyrgyzstan"),
    ],
)
def test_the_language_of_a_short_title_is_told(language: str, text: str) -> None:
    assert language_of(text) == language


FOREIGN = [
    "Алматыда жарылыс болып, үш адам қаза тапты",
    "Шекарада атыс болды, екі сарбаз жараланды",
    "Тошкентда портлаш содир бўлди, уч киши ҳалок бўлди",
    "Дар Душанбе таркиш рух дод, се нафар ҳалок шуданд",
]


@pytest.mark.parametrize(
    ("said", "text", "language"),
    [
        ("en", "Взрыв в Оше", "ru"),
        ("ky", "На рынке в городе погибли люди, и об этом сообщает милиция", "ru"),
        ("ru", "Оштогу базарда жарылуу болуп, көп киши өлдү", "ky"),
        ("ru", "In Osh a market burns, and nobody knows as yet who is to blame for it", "en"),
        ("ru", "iPhone 18 Pro Max", "ru"),
        (
            "ru",
            "В магазине App Store появились YouTube Premium, Disney Plus и Microsoft Office",
            "ru",
        ),
        ("en", "Жогорку Кеңеш (Jogorku Kenesh) is the parliament of Kyrgyzstan", "en"),
        ("ky", "Бишкекте ууру кармалды", "ky"),
        ("ru", "Депутат Жогорку Кенеша Өмүрбек Текебаев выступил", "ru"),
        ("de", "Взрыв в Оше", "de"),
        *((said, text, NOT_OURS) for text in FOREIGN for said in ("ru", "ky", "en")),
        ("ru", "Тоқаев Қазақстанда қалды", NOT_OURS),
        ("kk", "Алматыда жарылыс болып, үш адам қаза тапты", "kk"),
        ("ru", "В Қонаеве взрыв: Қазақстан и Ғани Әбдірахманов молчат", "ru"),
        ("ky", "Қасым-Жомарт Тоқаев Бишкекке келди", "ky"),
        ("en", "The Kazakh word қазақша is read by nobody in this office", "en"),
        ("ru", "100 $", "ru"),
    ],
)
def test_a_publisher_is_believed_unless_the_text_is_clearly_in_another_language(
    said: str, text: str, language: str
) -> None:
    assert told_language(said, text) == language


@pytest.mark.parametrize("text", FOREIGN)
def test_what_is_in_a_language_that_nobody_speaks_here_is_judged_by_no_words_of_ours(
    text: str,
) -> None:
    """Whatever its publisher says; the words are nearly those of Kyrgyz."""
    for said in ("ru", "ky", NOT_OURS, "kk", None):
        found = judged(text, f"Бомба! {text}", said)
        assert not found.security
        assert [why.code for why in found.reasons] == ["foreign"]


def test_kyrgyz_in_the_letters_of_older_keyboards_is_judged_as_kyrgyz() -> None:
    """Which have ѳ and ӊ in the place of ө and ң, as some newsrooms write to this day."""
    headline = "Чек арада атышууда эки чек арачы өлдү, бирөө жаңы мылтыктан жаракат алды"
    older = headline.translate(str.maketrans("өң", "ѳӊ"))
    assert older != headline
    assert judged(older, "", "ky") == judged(headline, "", "ky")
    assert told_language("ky", older) == language_of(older) == "ky"


def test_no_real_news_is_taken_from_the_language_that_its_publisher_says(shared: Path) -> None:
    """And under another language's name nine of ten are found out."""
    found = total = 0
    for language in ("en", "ru", "ky"):
        lines = (shared / f"data/security/{language}.dev.jsonl").read_text("utf-8").splitlines()
        for row in map(json.loads, lines[:300]):
            text = f"{row['title']}\n{row['text']}"
            assert told_language(language, text) == language
            for other in {"en", "ru", "ky"} - {language}:
                total += 1
                found += told_language(other, text) == language
    assert found / total >= 0.9


def test_a_text_without_letters_is_in_the_language_asked_for() -> None:
    assert language_of("100 $", default="ky") == "ky"
    assert language_of("") == "ru"


@pytest.mark.parametrize("step", STEPS)
def test_the_language_of_real_news_is_told(shared: Path, step: int) -> None:
    """At least 99.5 % of labelled texts are given their language."""
    right = total = 0
    for language in ("en", "ru", "ky"):
        texts = (shared / f"data/security/{language}.dev.jsonl").read_text(encoding="utf-8")
        for line in texts.splitlines()[::step]:
            row = json.loads(line)
            total += 1
            right += language_of(f"{row['title']}\n{row['text']}") == language
    assert right / total >= 0.995
