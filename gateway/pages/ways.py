"""Ways in (来路): the theme channels on the pages of citizens, and what the petition keeps of the way it came."""

from __future__ import annotations

from aiohttp import web

from channels.answers import Answers
from channels.web import NAME
from config.themes import Theme, Themes
from gateway.drafts import PATH
from petition.clock import Clock
from petition.origin import Origin


class Ways:
    """`GET /theme/CODE`, and what the pages of the filing ask about themes."""

    def __init__(self, themes: Themes, clock: Clock) -> None:
        self._themes = themes
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The address of a theme."""
        return [web.get("/theme/{code}", self.enter)]

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """To the beginning of the form, which has the words of the theme, or says that it is closed."""
        theme = self._themes.find(request.match_info["code"])
        raise web.HTTPSeeOther(f"{PATH}?theme={theme.code if theme else 'none'}")

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
        return Origin(theme=theme.code if theme else "")
