"""Words for dangers in warnings, in Kyrgyz."""

from bot.languages.parts import HazardWords

HAZARDS = HazardWords(
    events={
        "tsunami": "цунами",
        "earthquake": "жер титир",
        "landslide": r"жер көч|таш кул|сел(?:дин|ден|ге)?\b",
        "avalanche": "кар көчкү",
        "volcano": "вулкан",
        "flood": "суу ташк",
        "wildfire": "өрт",
        "storm": "бороон|шамал|нөшөр|жаан|мөндүр|кар жаа",
        "drought": "кургакчыл",
        "heat": "аптап|ысык(?!.көл)",
        "cold": "суук|үшүк",
    },
    figures="чалуу|арыз|даттан|кайрылуу|комментарий|суроо|фейк|имиш|качкын|мигрант|нааразы|түтүк|"
    "канализаци",
    centre=r"эпицентр|очок|очог|чакырым|километр|км\b",
)
