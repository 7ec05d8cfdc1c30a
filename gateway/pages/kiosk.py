"""Kiosk (自助机): four large doors, a session that ends by itself, and nothing left for the next person."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from gateway import drafts
from gateway.csrf import COOKIE as VISITOR
from gateway.drafts import DraftDesk
from gateway.forms import read_fields
from gateway.keys import KIOSK
from gateway.kiosk import COOKIE, KEPT, PATH, WARNING, Kiosks, kiosk_at
from gateway.pages import track
from gateway.pages.display import TEXT, THEME
from gateway.pages.group import JOIN
from gateway.pages.join import MEMBER
from gateway.pages.track import CaseCookie
from petition.errors import Forbidden

_YEAR = 365 * 24 * 3600
_NOT_HERE = "这台设备没有登记为自助机。"
# What a person leaves in a browser: name of the cookie, its path.
_TRACES = (
    (drafts.COOKIE, drafts.PATH),
    (track.COOKIE, track.PATH),
    (MEMBER, JOIN),
    (VISITOR, "/"),
    (TEXT, "/"),
    (THEME, "/"),
)


class KioskPages:
    """`/kiosk` and what ends a session; under `/file` and `/track` because only there the browser shows its notes."""

    def __init__(
        self, kiosks: Kiosks, desk: DraftDesk, cookie: CaseCookie, *, web_open: bool, video_open: bool, secure: bool
    ) -> None:
        self._kiosks = kiosks
        self._desk = desk
        self._cookie = cookie
        self._open = {"web_open": web_open, "video_open": video_open}
        self._secure = secure

    def routes(self) -> list[web.RouteDef]:
        """Home, the question whether somebody is there, the end."""
        return [
            web.get(PATH, self.home),
            web.post(f"{PATH}/leave", self.leave),
            web.get(f"{PATH}/still", self.still),
            web.get("/file/end", self.end),
            web.post("/file/end", self.end),
            web.post("/file/stay", self.stay),
            web.post("/track/stay", self.stay),
        ]

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Switches the browser to a terminal and shows the four doors."""
        if not self._kiosks.allowed(request):
            raise Forbidden(_NOT_HERE)
        context = {
            **self._open,
            "kiosk": kiosk_at(PATH),
            "ended": request.query.get("ended", ""),
            "may_leave": not self._kiosks.networks,
        }
        response = aiohttp_jinja2.render_template("kiosk/home.html", request, context)
        response.set_cookie(COOKIE, "1", max_age=_YEAR, httponly=True, samesite="Lax", secure=self._secure)
        return response

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """An ordinary browser again; only where terminals are not tied to addresses."""
        if self._kiosks.networks:
            raise Forbidden("这台自助机由管理员登记，不能在这里退出。")
        response = web.HTTPSeeOther("/")
        response.del_cookie(COOKIE)
        raise response

    async def still(self, request: web.Request) -> web.StreamResponse:
        """Without scripts: asks for the last seconds whether somebody is there, then ends."""
        back = request.query.get("back", PATH)
        known = back.startswith(("/file", "/track", "/kiosk", "/contact", "/guide", "/join", "/privacy"))
        response = aiohttp_jinja2.render_template(
            "kiosk/still.html", request, {"back": back if known and len(back) < 200 else PATH}
        )
        response.headers["Refresh"] = f"{int(WARNING.total_seconds())}; url=/file/end?why=idle"
        return response

    async def end(self, request: web.Request) -> web.StreamResponse:
        """Forget what was typed and shown, here and in the browser; other browsers lose nothing by a mere link."""
        if request.get(KIOSK) is None:
            raise web.HTTPSeeOther("/")
        draft = await self._desk.find(request)
        if draft is not None:
            await self._desk.drafts.drop(draft.token)
        why = "idle" if request.query.get("why") == "idle" else "done"
        response = web.Response(status=303, headers={"Location": f"{PATH}?ended={why}"})
        for name, path in _TRACES:
            response.del_cookie(name, path=path)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    async def stay(self, request: web.Request) -> web.StreamResponse:
        """Somebody is there: the two minutes begin anew."""
        await read_fields(request)
        response = web.Response(status=204)
        if request.get(KIOSK) is None:
            return response
        await self._desk.stay(request)
        if case_no := self._cookie.take(request):
            self._cookie.give(response, case_no, KEPT)
        return response
