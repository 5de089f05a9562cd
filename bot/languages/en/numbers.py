"""Numbers in English words; num2words, which only writes them, is turned round."""

from bot.languages.parts import Numbers


def words() -> dict[str, int]:
    """The words for 0 to 90."""
    from num2words import num2words

    return {num2words(number, lang="en"): number for number in [*range(20), *range(20, 100, 10)]}


NUMBERS = Numbers(
    words=words,
    scales={
        1_000: "thousand thousands grand",
        1_000_000: "million millions mln mio",
        1_000_000_000: "billion billions bn bln",
        1_000_000_000_000: "trillion trillions trn",
    },
    short_scales={1_000: "k", 1_000_000: "m mm kk", 1_000_000_000: "b"},
    hundred="hundred hundreds",
    half="half",
    plus="and",
)
