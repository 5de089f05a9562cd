"""Numbers in Russian words, in every case and gender; num2words, which only writes them, is turned
round.
"""

from bot.languages.parts import Numbers

CASES = "ngdaip"
GENDERS = "mfn"


def words() -> dict[str, int]:
    """The words for 0 to 90 and the hundreds."""
    from num2words import num2words

    found = {}
    for number in [*range(20), *range(20, 100, 10), *range(100, 1000, 100)]:
        for case in CASES:
            for gender in GENDERS:
                found[num2words(number, lang="ru", case=case, gender=gender)] = number
    return found


NUMBERS = Numbers(
    words=words,
    scales={
        1_000: (
            "тысяча тысячи тысяч тысячу тысяче тысячей тысячам тысячах тыс тыща тыщи тыщу тыщ "
            "косарь косаря косарей"
        ),
        1_000_000: (
            "миллион миллиона миллионов миллиону миллионе миллионом миллионах млн лям ляма лямов"
        ),
        1_000_000_000: (
            "миллиард миллиарда миллиардов миллиарду миллиарде миллиардом миллиардах млрд"
        ),
        1_000_000_000_000: "триллион триллиона триллионов трлн",
    },
    short_scales={1_000: "к т", 1_000_000: "м кк"},
    half_of={1_000: "полтысячи", 1_000_000: "полмиллиона полляма", 1_000_000_000: "полмиллиарда"},
    a_hundred="сотня сотню сотни",
    one_and_half="полтора полторы полутора",
    half="пол половиной",
    plus_before={"половиной": "с"},  # "миллион с половиной"
)
