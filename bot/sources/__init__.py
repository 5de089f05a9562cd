"""Publishers: bytes → model. One file a publisher; this table is all that knows them by name."""

from __future__ import annotations

from bot.sources import cba, cbr, cbu, ecb, erapi, frankfurter, nbg, nbk, nbkr, nbm, nbrb, nbt, nbu
from bot.sources.base import Parsed, RateSource, Request

SOURCES: dict[str, RateSource] = {
    "nbkr": nbkr.SOURCE,
    "cbr": cbr.SOURCE,
    "ecb": ecb.SOURCE,
    "nbk": nbk.SOURCE,
    "cbu": cbu.SOURCE,
    "nbt": nbt.SOURCE,
    "nbu": nbu.SOURCE,
    "nbrb": nbrb.SOURCE,
    "nbm": nbm.SOURCE,
    "nbg": nbg.SOURCE,
    "cba": cba.SOURCE,
    "frankfurter": frankfurter.SOURCE,
    "erapi": erapi.SOURCE,
}

__all__ = ["SOURCES", "Parsed", "RateSource", "Request"]
