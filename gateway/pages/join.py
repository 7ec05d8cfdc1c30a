"""Join (加入联名): who has the link states name, number and household, and gets a code of one's own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

import aiohttp_jinja2
from aiohttp import web

from channels.joining import FIELDS, WORDS_MAX, check_join, join_of, leave_of, mobile_of
from gateway.forms import read_fields
from gateway.group_desk import GroupDesk
from gateway.keys import ADDRESS
from gateway.limiter import Limiter
from gateway.mobile_proof import MobileProof
from gateway.pages.filing import shown
from gateway.pages.group import JOIN
from gateway.pages.people import ID_TYPES
from gateway.pages.track import CaseCookie
from petition import numbering
from petition.arrival import Intake
from petition.clock import Clock
from petition.errors import NotFound, Problem, Unavailable
from petition.identity import mask_phone
from petition.people import IdType
from petition.petition import Form
from store.groups import Group

MEMBER = "member"
_ONCE = re.compile("[A-Za-z0-9_-]{20,40}")
_GONE = "这个链接没有打开联名。可能没有抄全，也可能已经换了新的，请向发给您的人要新的链接。"


def member_cookie(cookie: CaseCookie) -> CaseCookie:
    """The note `this browser knows the code of that joining`; it opens nothing of the case itself."""
    return CaseCookie(cookie.codes, cookie.clock, cookie.secure, name=MEMBER, path=JOIN, purpose="join-session")


class JoinPages:
    """`/join/{token}` for whoever has the link, `/join/mine` for who joined."""

    def __init__(
        self,
        desk: GroupDesk,
        intake: Intake,
        proof: MobileProof,
        cookie: CaseCookie,
        clock: Clock,
        *,
        notice_version: str,
    ) -> None:
        self._desk = desk
        self._intake = intake
        self._proof = proof
        self._cookie = cookie
        self._clock = clock
        self._notice = notice_version
        rate = desk.rules.joins_a_minute
        self._limiter = Limiter(rate, 3 * rate)

    def routes(self) -> list[web.RouteDef]:
        """The own page first, so that no link can be called so."""
        return [
            web.get(f"{JOIN}/mine", self.mine),
            web.post(f"{JOIN}/mine", self.leave),
            web.get(rf"{JOIN}/{{token:[A-Za-z0-9_-]{{20,40}}}}", self.show),
            web.post(rf"{JOIN}/{{token:[A-Za-z0-9_-]{{20,40}}}}", self.join),
        ]

    async def entrance(self, case_no: str, query_code: str) -> web.HTTPSeeOther | None:
        """The way to the own page if the code belongs to somebody who joined; None if it does not."""
        uid = await self._desk.member_of(case_no, query_code)
        if not uid:
            return None
        response = web.HTTPSeeOther(f"{JOIN}/mine")
        self._cookie.give(response, uid)
        return response

    async def show(self, request: web.Request) -> web.StreamResponse:
        """What it is about, and the form."""
        return self._page(request, await self._group(request), {"id_type": IdType.RESIDENT_ID.value}, ())

    async def join(self, request: web.Request) -> web.StreamResponse:
        """Check, prove the mobile where codes can be sent, join; a second click gives the same code."""
        group = await self._group(request)
        if not group.takes(self._clock()):
            return self._page(request, group, {}, ())
        fields = await read_fields(request)
        typed = {name: fields.get(name, "") for name in FIELDS}
        typed["once"] = fields.get("once", "") if _ONCE.fullmatch(fields.get("once", "")) else secrets.token_urlsafe(18)
        self._limiter.check(f"join:{request.get(ADDRESS) or request.remote}")
        if problems := check_join(typed, self._clock().date(), by_mobile=self._proof.ready):
            return self._page(request, group, typed, problems)
        proved = ""
        if self._proof.ready:
            mobile, purpose = mobile_of(typed), f"join:{group.case_no}"
            if "code" not in fields or fields.get("do") == "again":
                try:
                    await self._proof.send(purpose, mobile)
                except Unavailable:
                    # Nobody is kept out because a message does not leave: the papers tell who it is, and officers see
                    # that the mobile was not proved.
                    if problems := check_join(typed, self._clock().date(), by_mobile=False):
                        return self._page(request, group, typed, problems)
                else:
                    return self._page(request, group, typed, (), mobile=mobile)
            elif self._proof.check(purpose, mobile, fields["code"]):
                proved = "sms"
            else:
                words = "验证码不对，或者已经过期。请核对短信，也可以重新发送。"
                return self._page(request, group, typed, (Problem("code", "wrong", words),), mobile=mobile)
        raw_id = f"join-{typed['once']}"
        arrival = join_of(
            group.case_no, typed, raw_id, self._clock(), form=Form.WEB, notice=self._notice, proved=proved
        )
        receipt = await self._intake(arrival)
        context = {
            "case_no_shown": numbering.parse_case_no(group.case_no).shown,
            "query_code": numbering.shown_query_code(receipt.query_code),
            "title_shown": shown({"": group.title})[""],
        }
        return self._render("join/done.html", request, context)

    async def mine(self, request: web.Request) -> web.StreamResponse:
        """Where the case stands, and the way out."""
        view = await self._desk.member(self._uid(request))
        if view is None:
            raise NotFound()
        context = {
            "view": view,
            "case_no_shown": numbering.parse_case_no(view.member.case_no).shown,
            "title_shown": shown({"": view.title})[""],
            "left": view.member.left_at is not None or "left" in request.query,
        }
        return self._render("join/mine.html", request, context)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """退出联名, or close the page on a shared telephone."""
        uid = self._uid(request)
        fields = await read_fields(request)
        if fields.get("do") == "leave":
            view = await self._desk.member(uid)
            if view is not None and view.member.left_at is None:
                await self._intake(leave_of(view.member.case_no, uid, f"leave-{uid}", self._clock()))
            raise web.HTTPSeeOther(f"{JOIN}/mine?left=1")
        response = web.HTTPSeeOther("/track")
        response.del_cookie(MEMBER, path=JOIN)
        raise response

    def _uid(self, request: web.Request) -> str:
        uid = self._cookie.take(request)
        if not uid:
            raise web.HTTPSeeOther("/track?over=1")
        return uid

    async def _group(self, request: web.Request) -> Group:
        group = await self._desk.by_token(request.match_info["token"])
        if group is None:
            self._limiter.check(f"guess:{request.get(ADDRESS) or request.remote}")
            raise NotFound(_GONE)
        return group

    def _page(
        self,
        request: web.Request,
        group: Group,
        typed: Mapping[str, str],
        problems: tuple[Problem, ...],
        *,
        mobile: str = "",
    ) -> web.StreamResponse:
        """The form; with `mobile` the question for the code that was sent there."""
        takes = group.takes(self._clock()) and group.joined < self._desk.rules.members
        context = {
            "title_shown": shown({"": group.title})[""],
            "summary_shown": shown({"": group.summary})[""],
            "values": shown({"once": secrets.token_urlsafe(18), **typed}),
            "fields": FIELDS,
            "problems": problems,
            "errors": {problem.field: problem.words for problem in reversed(problems)},
            "id_types": [(kind, name) for kind, name in ID_TYPES if kind is not IdType.USCC],
            "content_max": WORDS_MAX,
            "proves": self._proof.ready,
            "mobile_shown": mask_phone(mobile),
            "until": group.expires_at,
            "notice_version": self._notice,
        }
        name = "join/closed.html" if not takes else "join/code.html" if mobile else "join/join.html"
        return self._render(name, request, context, 422 if problems else 200)

    @staticmethod
    def _render(name: str, request: web.Request, context: Mapping[str, object], status: int = 200) -> web.Response:
        response = aiohttp_jinja2.render_template(name, request, dict(context), status=status)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"  # the link must not travel
        return response
