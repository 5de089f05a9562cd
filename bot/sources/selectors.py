"""CSS selectors of the catalog's pages, as lxml reads them.

cssselect turns a selector into XPath, for the check of the catalog and for every poll alike: what
the check takes, a poll can read. Pseudo-classes that only hold while somebody looks at a page
(`:hover`) are refused: cssselect gives them an XPath that never finds anything. So are namespaces
(`svg|a`), which no page of HTML declares: XPath looks for them only where the rest has matched, so
that a trial on another page than the publisher's finds nothing wrong. And so is what names where
the reading starts (`:root`, `:scope`): it starts below that, and would find nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cssselect import HTMLTranslator, SelectorError
from cssselect.parser import Attrib, Element, Pseudo, parse
from cssselect.xpath import ExpressionError, XPathExpr
from lxml import etree, html

LONGEST_SELECTOR = 500  # characters; one that somebody writes has some fifty
NEEDS_A_READER = frozenset({"hover", "active", "focus", "target", "visited"})
WHERE_IT_STARTS = frozenset({"root", "scope"})
RIGHT = 'a CSS selector such as ".news .title a"'

#: An assertion is how cssselect takes an empty text, as in `:lang("")`.
_NOT_UNDERSTOOD = (SelectorError, etree.XPathError, RecursionError, ValueError, AssertionError)
_EMPTY_PAGE = html.fromstring("<html><body></body></html>")


class _Translator(HTMLTranslator):
    """The rules of HTML, without what needs somebody who looks at the page, or namespaces."""

    def xpath_pseudo(self, pseudo: Pseudo) -> XPathExpr:
        """Refuse the pseudo-classes that find nothing here; the others are cssselect's."""
        if pseudo.ident in NEEDS_A_READER:
            raise ExpressionError(f":{pseudo.ident} only holds while somebody looks at the page")
        if pseudo.ident in WHERE_IT_STARTS:
            raise ExpressionError(f":{pseudo.ident} is where the reading starts; leave it out")
        return super().xpath_pseudo(pseudo)

    def xpath_element(self, selector: Element) -> XPathExpr:
        """Refuse an element of a namespace."""
        _refuse(selector.namespace)
        return super().xpath_element(selector)

    def xpath_attrib(self, selector: Attrib) -> XPathExpr:
        """Refuse an attribute of a namespace."""
        _refuse(selector.namespace)
        return super().xpath_attrib(selector)


def _refuse(namespace: str | None) -> None:
    """ExpressionError for a namespace that is named: `*|a` is an `a` of any, `|a` of none."""
    if namespace is not None and namespace != "*":
        raise ExpressionError(f"{namespace[:40]}| is a namespace, and a page has none")


_TRANSLATOR = _Translator()


@lru_cache(maxsize=1000)
def xpath_of(selector: str, *, start: str = "descendant::") -> str:
    """An XPath for a CSS selector.

    `start` is the axis of its first part: `descendant::`, or `descendant-or-self::` for what may be
    the element itself. Raises ValueError, saying what would be right, where lxml cannot read it.
    """
    if not selector.strip() or len(selector) > LONGEST_SELECTOR:
        raise ValueError(RIGHT)
    try:
        path = _translate(selector, start)
        etree.XPath(path)(_EMPTY_PAGE)
    except _NOT_UNDERSTOOD as error:
        why, *_ = str(error).splitlines() or ["not understood"]
        raise ValueError(f"{RIGHT} ({why[:120]})") from None
    return path


def _translate(selector: str, start: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", selector.strip()):
        raise ValueError("with a control character in it")
    paths = []
    for one in parse(selector):
        if one.pseudo_element is not None:
            raise ValueError("a pseudo-element is no part of a page")
        paths.append(_TRANSLATOR.selector_to_xpath(one, prefix=start))
    return " | ".join(paths)
