"""The cookies of one request: some sites hand one out with a redirect and want it back behind."""

from __future__ import annotations

from http.cookies import SimpleCookie

import aiohttp
from yarl import URL


class Cookies:
    """The cookies that the redirects of one request set, each for the host that set it."""

    def __init__(self) -> None:
        # few requests are redirected, fewer with cookies
        self._jar: aiohttp.CookieJar | None = None

    def keep(self, cookies: SimpleCookie, url: URL) -> None:
        """Remember what the answer from `url` set; of another domain's the jar takes none."""
        if cookies:
            self._jar = self._jar or aiohttp.CookieJar(unsafe=True)  # for hosts that are numbers
            self._jar.update_cookies(cookies, url)

    def sent_to(self, url: URL) -> dict[str, str]:
        """The header with the cookies of that address; none where it has none."""
        pairs: list[str] = []
        if self._jar is not None:
            for name, morsel in self._jar.filter_cookies(url).items():
                pairs.append(f"{name}={morsel.coded_value}")
        if not pairs:
            return {}
        return {"Cookie": "; ".join(pairs)}
