"""Words around quiet hours, in Kyrgyz: кечки 11ден таңкы 7ге чейин."""

from bot.languages.parts import QuietWords

QUIET = QuietWords(
    beside="чейин саат сааттан баштап жана менен күн сайын",
    endings="да де до дө та те то тө дан ден дон дөн тан тен тон төн га ге го гө ка ке ко кө",
    spans="чейин сааттан баштап дан ден дон дөн тан тен тон төн",
    morning="таңкы эртең мененки таңга эртеңки",
    evening="кечки кечинде түштөнкийинки",
    night="түнкү түндө түнкүсүн",
    part_leads=True,
)
