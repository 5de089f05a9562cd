"""The operator's page: one document without anything from elsewhere, on a phone and on a desk.

It is made of sections that are rendered alike for the first answer and for what follows live. Each
value is escaped where it enters; what may run is named by its hash, so that nothing else does.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.i18n import t
from bot.languages import LANGUAGES
from bot.ops import sections
from bot.ops.sources import sources
from bot.ops.view import View, text
from bot.ops.whole import Whole

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "page.css").read_text(encoding="utf-8")
SCRIPT = (FOLDER / "page.js").read_text(encoding="utf-8")
SECONDS_WITHOUT_SCRIPT = 30  # after which a browser that runs none asks anew


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


#: What the page may load and run: its own style and script, and the stream beside it.
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hash(STYLE)}",
        f"script-src {_hash(SCRIPT)}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


#: The sections of the page in their order, and how each is made.
SECTIONS: Mapping[str, Callable[[Whole, View], str]] = {
    "verdict": sections.verdict,
    "sources": sources,
    "alerts": sections.alerts,
    "rates": sections.rates,
    "outbox": sections.outbox,
    "telegram": sections.telegram,
    "processes": sections.processes,
    "database": sections.database,
}


#: From this section on they stand beside the sources, where there is room.
BESIDE = "alerts"


def rendered(whole: Whole, view: View) -> dict[str, str]:
    """Each section's content by its id."""
    return {key: make(whole, view) for key, make in SECTIONS.items()}


def document(whole: Whole, view: View) -> str:
    """The page as it is first sent."""
    parts: list[str] = []
    for key, content in rendered(whole, view).items():
        if key == BESIDE:
            parts.append("<div>")
        parts.append(f'<section id="{key}">{content}</section>')
    return (
        f'<!doctype html><html lang="{view.language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<noscript>{_refresh(view)}</noscript>"
        f"<title>{text('page.title', view)}</title><style>{STYLE}</style>"
        f'<body data-stream="{html.escape(view.address("/status/events"))}">'
        f"<header><h1>Jarchy</h1>{_languages(view)}</header>"
        f"<main>{''.join(parts)}</div></main><script>{SCRIPT}</script></html>"
    )


def _refresh(view: View) -> str:
    address = html.escape(view.address("/status"))
    return f'<meta http-equiv="refresh" content="{SECONDS_WITHOUT_SCRIPT};url={address}">'


def _languages(view: View) -> str:
    """The languages by their own names, the other ones to be chosen."""
    shown: list[str] = []
    for code in LANGUAGES:
        name = html.escape(t("language.name", code))
        if code == view.language:
            shown.append(f"<b>{name}</b>")
        else:
            address = html.escape(view.address("/status", lang=code))
            shown.append(f'<a href="{address}" lang="{code}" hreflang="{code}">{name}</a>')
    return f'<nav aria-label="{text("page.languages", view)}">{" ".join(shown)}</nav>'
