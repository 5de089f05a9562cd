"""Days as English writes them: Nov 20, 20th of November, yesterday, 3 days ago."""

from bot.languages.parts import Days

DAYS = Days(
    months=(
        "jan(?:uary)?",
        "feb(?:ruary)?",
        "mar(?:ch)?",
        "apr(?:il)?",
        "may",
        "june?",
        "july?",
        "aug(?:ust)?",
        "sept?(?:ember)?",
        "oct(?:ober)?",
        "nov(?:ember)?",
        "dec(?:ember)?",
    ),
    named={
        -2: "day before yesterday|the day before yesterday",
        -1: "yesterday(?:'s)?",
        0: "today(?:'s)?",
        1: "tomorrow(?:'s)?",
    },
    weekdays=("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    last="last|this past|past",
    day="days?",
    week="weeks?",
    one="an?",
    ago="ago",
    ordinal="st|nd|rd|th",
    before_month="of",
    month_starts=(
        "jan",
        "feb",
        "mar",
        "apr",
        "may",
        "jun",
        "jul",
        "aug",
        "sep",
        "oct",
        "nov",
        "dec",
    ),
    at="at",
)
