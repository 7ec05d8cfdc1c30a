"""Home (首页): the doors that are open, what happens to a petition, and the rights of the petitioner."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp_jinja2
from aiohttp import web

from config.office import Entrance, Office
from gateway.keys import KIOSK
from gateway.pages.ways import Ways
from petition.deadlines import DeadlineEngine

# 电话和来访: channels that need no page of ours, in the order they are shown.
_CALL_OR_COME = ("voice", "hotline", "visit", "letter", "sms", "email", "wechat", "fax", "kiosk")


class HomePage:
    """`GET /` and `GET /contact`."""

    def __init__(self, office: Office, channels: Sequence[str], deadlines: DeadlineEngine, ways: Ways) -> None:
        self._office = office
        self._channels = frozenset(channels)
        self._deadlines = deadlines
        self._ways = ways

    def routes(self) -> list[web.RouteDef]:
        """Both pages."""
        return [web.get("/", self.home), web.get("/contact", self.contact)]

    async def home(self, request: web.Request) -> web.StreamResponse:
        """The first page; at a terminal the four large doors."""
        if request.get(KIOSK) is not None:
            raise web.HTTPSeeOther("/kiosk")
        limits = {
            key: self._deadlines.rule(key).days for key in ("transfer", "acceptance", "opinion", "review_request")
        }
        context = {
            "web_open": "web" in self._channels,
            "video_open": "video" in self._channels,
            "entrances": self.entrances(),
            "themes": self._ways.doors(),
            "place": self._ways.place(request),
            "limits": limits,
        }
        return aiohttp_jinja2.render_template("home.html", request, context)

    async def contact(self, request: web.Request) -> web.StreamResponse:
        """电话和来访: how to call, write or come."""
        return aiohttp_jinja2.render_template("contact.html", request, {"entrances": self.entrances()})

    def entrances(self) -> list[Entrance]:
        """The entrances of open channels, and of those that are always there (telephone, window, post)."""
        return [
            entrance
            for name in _CALL_OR_COME
            if (entrance := self._office.entrance(name)) and (entrance.always or name in self._channels)
        ]
