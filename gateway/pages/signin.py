"""Sign-in pages (登录): name and password, then the code; the first time the authenticator is set up."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import aiohttp_jinja2
import segno
from aiohttp import web

from gateway.auth import CODE, ENROL, HOME, SIGN_IN, Gate, Sitting, address_of, local_path
from gateway.officers import otpauth
from petition.errors import TooMany
from store.accounts import FAILURES, LOCK, Officer

# One sentence for every reason: it must not tell whether the name exists, the account rests or the password is wrong.
WRONG = (
    f"账号或密码不正确，或者账号正在锁定中。连续错 {FAILURES} 次会锁定 {int(LOCK.total_seconds() // 60)} 分钟，"
    "再错会更久。忘记密码请找系统管理员。"
)
WRONG_CODE = "验证码不正确、已经用过，或者账号正在锁定中。请等下一个验证码出现后再输入。"


class SignInPages:
    """`/desk/sign-in` and its two steps, and sign-out."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def routes(self) -> list[web.RouteDef]:
        """All routes of signing in and out."""
        gate = self._gate
        return [
            web.get(SIGN_IN, gate.open(self.show)),
            web.post(SIGN_IN, gate.open(self.password)),
            web.get(CODE, gate.open(self.show_code)),
            web.post(CODE, gate.open(self.code)),
            web.get(ENROL, gate.open(self.show_enrolment)),
            web.post(ENROL, gate.open(self.enrol)),
            web.post("/desk/sign-out", gate.officer(self.sign_out)),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Name and password."""
        return _page(request, "desk/sign_in.html", _context(request))

    async def password(self, request: web.Request) -> web.StreamResponse:
        """Check them; right leads to the code, wrong shows the page again with the name kept."""
        form = await _form(request)
        context = _context(request, form)
        name, password = form.get("name", ""), form.get("password", "")
        try:
            found = await self._gate.password(name, password, address_of(request)) if name and password else None
        except TooMany as problem:
            context |= {"problem": problem.words, "name": name}
            response = _page(request, "desk/sign_in.html", context, HTTPStatus.TOO_MANY_REQUESTS)
            response.headers["Retry-After"] = str(problem.retry_after)
            return response
        if found is None:
            context |= {"problem": WRONG if name and password else "请填写账号和密码。", "name": name}
            return _page(request, "desk/sign_in.html", context, HTTPStatus.UNPROCESSABLE_ENTITY)
        token, officer = found
        response = self._second_page(request, officer, token, form)
        self._gate.give(response, token)
        return response

    async def show_code(self, request: web.Request) -> web.StreamResponse:
        """The code of the authenticator."""
        half = await self._gate.half(request)
        if half is None:
            return _to(SIGN_IN)
        return self._second_page(request, half[1].officer, half[0], {"next": request.query.get("next", "")})

    show_enrolment = show_code

    async def code(self, request: web.Request) -> web.StreamResponse:
        """Check the code; right opens the desk."""
        return await self._finish(request, enrolling=False)

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        """Check the first code of a new authenticator; right sets it up and opens the desk."""
        return await self._finish(request, enrolling=True)

    async def sign_out(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """End the sign-in."""
        response = _to(f"{SIGN_IN}?done=signed_out")
        await self._gate.sign_out(request, response)
        return response

    async def _finish(self, request: web.Request, *, enrolling: bool) -> web.StreamResponse:
        half = await self._gate.half(request)
        if half is None:
            return _to(f"{SIGN_IN}?done=half_over")
        token, session = half
        form = await _form(request)
        secret = self._gate.enrolment_secret(token) if enrolling else ""
        done = await self._gate.code(token, form.get("code", ""), address_of(request), secret)
        if done is None:
            return self._second_page(request, session.officer, token, form, WRONG_CODE)
        new_token, officer = done
        carried = self._gate.carried(form["carry"], officer) if form.get("carry") else None
        if carried is None:
            response = _to(local_path(form.get("next", HOME)))
        else:
            path, fields = carried
            context = {"path": path, "fields": fields, "csrf": self._gate.csrf(new_token)}
            response = _page(request, "desk/again.html", context)
        self._gate.give(response, new_token)
        return response

    def _second_page(
        self, request: web.Request, officer: Officer, token: str, form: dict[str, str], problem: str = ""
    ) -> web.Response:
        context = _context(request, form) | {"problem": problem, "officer": officer}
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        if officer.enrolled:
            return _page(request, "desk/code.html", context, status)
        secret = self._gate.enrolment_secret(token)
        picture = segno.make(otpauth(secret, officer.name), error="m")
        context |= {
            "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
            "qr": picture.svg_data_uri(scale=4, border=3, dark="#000", light="#fff"),
        }
        return _page(request, "desk/enrol.html", context, status)


def _context(request: web.Request, form: dict[str, str] | None = None) -> dict[str, Any]:
    given = form or {}
    return {
        "next": local_path(given.get("next") or request.query.get("next", HOME)),
        "carry": given.get("carry", ""),
        "done": request.query.get("done", ""),
        "timed_out": False,
        "problem": "",
        "name": "",
    }


async def _form(request: web.Request) -> dict[str, str]:
    return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}


def _page(request: web.Request, name: str, context: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return aiohttp_jinja2.render_template(name, request, context, status=status)


def _to(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
