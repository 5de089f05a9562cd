"""The words of newsrooms in English."""

from bot.languages.parts import News

NEWS = News(
    denials="denie deny refut debun",
    follow_ups=(
        "explai react respon detail reveal cancel slams defend apolog rumor preview concer appeal "
        "warns after"
    ),
    over="is over, lifted, put out, extinguished, contained, all clear, back to normal",
    again="reopen, open again, opens again, restored, resum",
    anew="again, anew, resum, reignit, rekindl, flares up, flare up, renewed, reclosed",
    fighting="fire fighting fights shelling attack clash strike airstrike hostilit bomb shoot "
    "gunfire offensive violence raid",
    not_before="not no never yet cannot to will would may might could can should must if whether "
    "partly partially until ceasefire truce",
    not_behind="partly, partially, only partly, only partially, delayed, postponed",
    asking="what who whom whose which why when where how is are was were has have had do does did "
    "will can could should",
    corrected="correction, corrections, corrected, corrects, clarification, erratum",
    taken_back="retraction, retracted, withdrawn, story withdrawn, story retracted, "
    "report withdrawn, report retracted, story kill",
    takes_back="story has been withdrawn, story has been retracted, "
    "the story has been withdrawn, the story has been retracted, "
    "this story has been withdrawn, this story has been retracted, "
    "this article has been withdrawn, this article has been retracted, "
    "this report has been withdrawn, this report has been retracted, "
    "we withdraw this story, we retract this story, "
    "we have withdrawn this story, we have retracted this story",
    stemmer="english",
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
    shortened="mr mrs ms dr st no vs gen col lt sgt",
)
