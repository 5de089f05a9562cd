"""What newsrooms write in English."""

from bot.languages.parts import News

NEWS = News(
    denials="denie deny refut debun",
    follow_ups=(
        "explai react respon detail reveal cancel slams defend apolog rumor preview concer appeal "
        "warns after"
    ),
    capital_headlines=True,
    clause="and while",
    common_names=(
        "minister ministry president republic parliament general committee center centre academy "
        "telegram reuters interfax tass sputnik akipress kloop kaktus facebook instagram twitter "
        "youtube internet azattyk radio agency press service state national colonel major "
        "captain interior federation region oblast district monday tuesday wednesday thursday "
        "friday saturday sunday aleksandr alexander vladimir sergei dmitry andrei mikhail "
        "michael nikolai ivan yuri igor oleg aleksei viktor anna maria natalia elena azamat "
        "bakyt nurlan almaz ulan kanat marat talant ruslan timur muhammad mohammed ahmad ali "
        "abdul john james david joe robert"
    ),
    not_people="year percent january",
    counted={
        2: "two",
        3: "three",
        4: "four",
        5: "five",
        6: "six",
        7: "seven",
        8: "eight nine",
        10: "ten",
        20: "dozens scores",
        200: "hundreds",
        2000: "thousands",
    },
)
