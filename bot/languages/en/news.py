"""The words of newsrooms in English."""

from bot.languages.parts import News

# What may stand right behind a thing that has ended: "road to Osh opened", "road closed on Friday
# opened", "highway M41 opened". Any other word is a noun that the thing is said of.
_BEHIND_A_THING = (
    "about above across after again ahead all along alongside already also amid among an and any "
    "around as at away back because before behind below beneath beside between beyond both but by "
    "despite down due during early entirely except finally for from here in inside into just last "
    "late later like near nearby next no not now of off on once only onto or out outside over "
    "overnight past since so soon still than that the their then there these this those through "
    "throughout till to today together tomorrow tonight toward towards under underway until up "
    "upon via when where which while who whose with within without yesterday yet "
    "a is are was were be been being has have had get gets got will would may might can could "
    "should must cannot never remain remains stay stays keep keeps nationwide countrywide "
    "hit cut shut swept torn broken lost set built struck hours days weeks months "
    "leading linking connecting running burning raging threatening covering affecting causing "
    "including monday tuesday wednesday thursday friday saturday sunday one two three four five "
    "six seven eight nine ten dozens hundreds thousands"
)

NEWS = News(
    denials="denie deny refut debun",
    negations="not no never nobody none neither without",
    follow_ups=(
        "explai react respon detail reveal cancel slams defend apolog rumor preview concer appeal "
        "warns after"
    ),
    over="is over, are over, all clear, back to normal",
    again="reopen*, open again, opens again",
    ended={
        "fire, fires, blaze, blazes, wildfire, wildfires, flames": (
            "is out, are out, put out, extinguished, extinguish, contained, doused, quelled, "
            "under control"
        ),
        "outbreak, spill, leak": ("contained, under control"),
        (
            "road, roads, highway, highways, motorway, route, pass, border, crossing, "
            "crossings, checkpoint, checkpoints, airport, runway, airspace, tunnel, bridge, "
            "traffic, railway, crossing point, crossing points, border post, border posts, "
            "road section, highway section"
        ): ("open, opened, opens, cleared, unblocked, reopened"),
        (
            "emergency, curfew, curfews, restriction, restrictions, ban, bans, warning, "
            "warnings, alert, alerts, advisory, advisories, order, orders, lockdown, "
            "quarantine, siege, blockade, cordon, martial law, threat, evacuation, evacuations, "
            "regime, emergency rule, emergency measures, emergency status"
        ): (
            "lifted, lifts, lift, cancelled, canceled, called off, rescinded, rescinds, "
            "revoked, revokes, cancels, removed"
        ),
        (
            "curfew, lockdown, quarantine, siege, blockade, standoff, martial law, state of "
            "emergency, hostage crisis"
        ): ("ended, has ended, ends, over in, over after"),
        "threat, danger, storm, risk": ("passed, has passed, subsided, averted"),
        (
            "power, electricity, water, gas, heating, internet, traffic, service, services, "
            "rail, flights, trains, communications, communication, supply, supplies, links, line, "
            "lines, grid, pipeline"
        ): ("restored, resumed, resume, resumes, back on, is back, are back"),
        (
            "flights, trains, buses, classes, lessons, work, operations, production, movement, "
            "ferry, ferries, trade"
        ): ("resumed, resume, resumes"),
        "floodwaters, floodwater, flood, floods, waters": (
            "recede, receded, recedes, subside, subsided"
        ),
    },
    opening="open",
    inaugural="ceremon*, inaugurat*, ribbon*, festive*, tourist*, visitor*, guests, investor*, "
    "to the public, for the public, president, prime minister, premier, year ago, last year",
    anew="again, anew, resum*, reignit*, rekindl*, flares up, flare up, renewed, reclosed",
    shut="closed closes shut blocked blocks",
    before_it="after since following because once earlier been was were had that which",
    fighting="fire fighting fights shelling attack clash strike airstrike hostilit bomb shoot "
    "gunfire offensive violence raid case probe inquir investigat trial search wound debate",
    not_before="not no never yet cannot be will would may might could can should must if whether "
    "partly partially until ceasefire truce",
    else_before="stay stays stayed remain remains remained kept keep keeps half nearly almost",
    infinitive="to",
    not_behind="partly, partially, only partly, only partially, delayed, postponed, only to, "
    "only for, new, a new, ahead, season, call, a call, statement, a statement, of control, "
    "of hand, of containment, down, off",
    not_of="new first second third rescue search recovery military combat",
    not_at="on at near in along beside by from off due amid with",
    makes_another=rf"(?!(?:{'|'.join(_BEHIND_A_THING.split())}|\w+ed|\w+ly|\w*\d\w*|.)$)\w+",
    to_come="tomorrow soon",
    asking="what who whom whose which why when where how is are was were has have had do does did "
    "will can could should",
    corrected="correction, corrections, corrected, corrects, clarification, erratum",
    updated="updated, update, adds, expanded",
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
    calls="breaking, breaking news, urgent, just in, attention, important, alert, flash",
)
