"""Group (网上联名): the opener of a joint petition makes the link, closes it, and chooses who represents."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp_jinja2
import segno
from aiohttp import web

from channels.web import LINE_MAX, TITLE_MAX, UNSEEN
from gateway.forms import read_fields
from gateway.group_desk import GroupDesk, OpenersView
from gateway.pages.filing import shown
from gateway.pages.track import PATH, CaseCookie
from petition import numbering
from petition.clock import Clock
from petition.errors import Problem
from petition.identity import tidy

JOIN = "/join"
SUMMARY_MAX = 500
_ASKED = {"title": ("标题", TITLE_MAX), "summary": ("说明", SUMMARY_MAX), "household": ("您家的门牌", LINE_MAX)}
_SAID = {
    "released": "链接做好了，可以发给大家。",
    "renewed": "旧链接和旧二维码已经作废，请发新的。",
    "closed": "链接已经关闭，不再收人。",
    "open": "链接重新打开了。",
    "chosen": "代表已经更新。",
}


class GroupPages:
    """`/track/group` and the sheet to print; only who opened the case with its own query code gets here."""

    def __init__(self, desk: GroupDesk, cookie: CaseCookie, clock: Clock, *, public_url: str) -> None:
        self._desk = desk
        self._cookie = cookie
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    def routes(self) -> list[web.RouteDef]:
        """Show, change, print."""
        return [
            web.get(f"{PATH}/group", self.show),
            web.post(f"{PATH}/group", self.change),
            web.get(f"{PATH}/group/sheet", self.sheet),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The link with its people, or the form that makes it."""
        view = await self._view(request)
        typed = {"title": view.title, "summary": "", "household": ""}
        if view.group is not None:
            typed |= {"title": view.group.title, "summary": view.group.summary}
        return self._page(request, view, typed, ())

    async def change(self, request: web.Request) -> web.StreamResponse:
        """What the opener decided; what must be mended is said at the field."""
        view = await self._view(request)
        fields = await read_fields(request)
        case_no, done = view.case_no, ""
        match fields.get("do", ""):
            case "release":
                typed = {name: fields.get(name, "").strip() for name in _ASKED}
                if problems := _check(typed):
                    return self._page(request, view, typed, problems)
                await self._desk.release(case_no, **typed)
                done = "released"
            case "renew" if view.group is not None:
                await self._desk.renew(case_no)
                done = "renewed"
            case "close" | "open" as wanted if view.group is not None:
                await self._desk.set_open(case_no, wanted == "open")
                done = "open" if wanted == "open" else "closed"
            case "represent":
                person, chosen = fields.get("person", "")[:64], fields.get("chosen") == "yes"
                if not await self._desk.represent(case_no, person, chosen):
                    most = self._desk.rules.representatives
                    words = f"代表最多{most}人（《信访工作条例》第二十条）。请先取消一位，再选新的。"
                    return self._page(request, view, {}, (Problem("signers", "representatives", words),))
                done = "chosen"
        raise web.HTTPSeeOther(f"{PATH}/group" + (done and f"?done={done}"))

    async def sheet(self, request: web.Request) -> web.StreamResponse:
        """One page for the stairwell: title, code, address."""
        view = await self._view(request)
        if view.group is None or not view.group.takes(self._clock()):
            raise web.HTTPSeeOther(f"{PATH}/group")
        return self._render("track/sheet.html", request, self._told(view))

    async def _view(self, request: web.Request) -> OpenersView:
        case_no = self._cookie.take(request)
        if not case_no:
            raise web.HTTPSeeOther(f"{PATH}?over=1")
        view = await self._desk.opener(case_no)
        if view is None:
            raise web.HTTPSeeOther(f"{PATH}/case")
        return view

    def _told(self, view: OpenersView) -> dict[str, object]:
        group = view.group
        url = f"{self._public_url}{JOIN}/{group.token}" if group is not None else ""
        code = segno.make(url or "-", error="m", micro=False)
        return {
            "case_no_shown": numbering.parse_case_no(view.case_no).shown,
            "group": group,
            "takes": group is not None and group.takes(self._clock()),
            "headcount": view.headcount,
            "signers": view.signers,
            "url": url,
            "qr": code.svg_data_uri(scale=8, border=2, dark="#1a2233", light="#fff"),
            "title_shown": shown({"": group.title})[""] if group is not None else "",
            "summary_shown": shown({"": group.summary})[""] if group is not None else "",
            "most": self._desk.rules.representatives,
        }

    def _page(
        self, request: web.Request, view: OpenersView, typed: Mapping[str, str], problems: tuple[Problem, ...]
    ) -> web.StreamResponse:
        context = self._told(view) | {
            "values": shown(typed),
            "problems": problems,
            "errors": {problem.field: problem.words for problem in reversed(problems)},
            "said": _SAID.get(request.query.get("done", ""), ""),
            "summary_max": SUMMARY_MAX,
        }
        return self._render("track/group.html", request, context, 422 if problems else 200)

    @staticmethod
    def _render(name: str, request: web.Request, context: dict[str, object], status: int = 200) -> web.Response:
        response = aiohttp_jinja2.render_template(name, request, context, status=status)
        response.headers["Cache-Control"] = "no-store"
        return response


def _check(typed: Mapping[str, str]) -> tuple[Problem, ...]:
    found = []
    for name, (label, most) in _ASKED.items():
        value = typed[name]
        if hidden := UNSEEN.search(value):
            words = f"{label}的第{hidden.start() + 1}个字是无法显示的控制符（显示为�），请删掉它。"
            found.append(Problem(name, "unseen", words))
        elif not tidy(value):
            found.append(Problem(name, "empty", f"请填写{label}。"))
        elif len(value) > most:
            found.append(Problem(name, "long", f"{label}最多{most}个字，现在有{len(value)}个字，请写短一些。"))
    return tuple(found)
