"""Ways in (来路): theme channels and QR sheets on the pages of citizens, and what the petition keeps of its way."""

from __future__ import annotations

from aiohttp import web

from channels.answers import Answers
from channels.web import NAME
from config.themes import Theme, Themes
from gateway.drafts import PATH
from gateway.sites import Site, Sites
from petition.clock import Clock
from petition.origin import Origin

COOKIE = "site"
_STAYS = 2 * 60 * 60  # seconds: long enough to fill in the form, short enough for a telephone that is carried on


class Ways:
    """`GET /theme/CODE` and `GET /s/CODE`, and what the pages of the filing ask about themes and places."""

    def __init__(self, themes: Themes, sites: Sites, clock: Clock, *, secure: bool) -> None:
        self._themes = themes
        self._sites = sites
        self._clock = clock
        self._secure = secure

    def routes(self) -> list[web.RouteDef]:
        """The address of a theme, and that of a sheet."""
        return [web.get("/theme/{code}", self.enter), web.get("/s/{code}", self.scan)]

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """To the beginning of the form, which has the words of the theme, or says that it is closed."""
        theme = self._themes.find(request.match_info["code"])
        raise web.HTTPSeeOther(f"{PATH}?theme={theme.code if theme else 'none'}")

    async def scan(self, request: web.Request) -> web.StreamResponse:
        """Somebody scanned a sheet: the browser keeps the place for a while. An unknown code is the normal home."""
        site = self._sites.find(request.match_info["code"])
        if site is None:
            raise web.HTTPSeeOther("/")
        response = web.HTTPSeeOther(f"/theme/{site.theme}" if self.open_theme(site.theme) else "/")
        response.set_cookie(
            COOKIE, site.code, path="/", max_age=_STAYS, httponly=True, samesite="Lax", secure=self._secure
        )
        raise response

    def place(self, request: web.Request) -> Site | None:
        """The place whose sheet this browser scanned, as long as the sheet is good."""
        code = request.cookies.get(COOKIE, "")
        return self._sites.find(code) if code else None

    def region(self, answers: Answers) -> str:
        """Where the picker of places may begin: the region of the sheet, or empty."""
        site = self._sites.find(answers.get("site"))
        return site.region[:6] if site else ""

    def doors(self) -> tuple[Theme, ...]:
        """The themes that are open today."""
        return self._themes.open_on(self._clock().date(), NAME)

    def open_theme(self, code: str) -> Theme | None:
        """The theme, if it takes petitions of the web form today."""
        return next((theme for theme in self.doors() if theme.code == code), None)

    def theme_of(self, answers: Answers) -> Theme | None:
        """The theme a draft was begun under; it stays, even if the theme is closed before the draft is handed in."""
        return self._themes.find(answers.get("theme"))

    def closed(self, code: str) -> str:
        """What to call a theme that is not open: its title, 这个专题 for one nobody knows; empty for no theme."""
        if not code or self.open_theme(code):
            return ""
        theme = self._themes.find(code)
        return f"“{theme.title}”" if theme else "这个专题"

    def origin(self, answers: Answers) -> Origin:
        """What the petition keeps of the way it came."""
        theme = self.theme_of(answers)
        site = self._sites.find(answers.get("site"))
        code, words = (site.code, site.origin) if site else ("", "")
        return Origin(theme=theme.code if theme else "", site=code, words=words)
