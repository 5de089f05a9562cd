"""What Kyrgyz asks about money with. Its "with", менен, stands behind the wanted currency."""

from bot.languages.parts import Questions

QUESTIONS = Questions(
    words={
        "q": "канчадан,канчага,кандай",
        "Q": "канча",
        "r": "баасы,наркы,курс,курсу",
        "i": "эсептеп бер,которуп бер,которчу,айландыр,айландырып бер",
        "x": "азыр,азыркы,бүгүн,бүгүнкү,бугун,болот,болду,болгон,турган,эле,турат,экен,карата,бул",
        "p": "бот,сураныч",
        "w": "менен",
    },
)
