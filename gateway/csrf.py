"""CSRF (跨站请求防护): a form counts only if our own page in the same browser made it."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from aiohttp import web

from petition.errors import Forbidden, Unreadable
from store.vault import Vault

COOKIE = "visitor"
FIELD = "_csrf"
HEADER = "X-CSRF-Token"
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class ForeignForm(Forbidden):
    """The form came from elsewhere, or the browser's cookie is gone."""

    code = "foreign_form"
    words = "页面放置太久或打开方式有变，请返回上一页，刷新后再提交。您填写的内容没有丢失。"


class Csrf:
    """Tokens are a code over a random cookie: nothing is stored, no token outlives its browser."""

    def __init__(self, vault: Vault, public_url: str, secure: bool) -> None:
        self._vault = vault
        self._host = urlsplit(public_url).netloc
        self._secure = secure

    def visitor(self, request: web.Request) -> tuple[str, bool]:
        """(the browser's random name, whether it is new)."""
        known = request.cookies.get(COOKIE, "")
        return (known, False) if 20 <= len(known) <= 64 else (secrets.token_urlsafe(24), True)

    def token(self, visitor: str) -> str:
        """The token for forms of this browser."""
        return self._vault.mac("csrf", visitor.encode()).hex()[:40]

    def set_cookie(self, response: web.StreamResponse, visitor: str) -> None:
        """Give a new browser its name, for this session only."""
        response.set_cookie(COOKIE, visitor, httponly=True, samesite="Lax", secure=self._secure, path="/")

    async def check(self, request: web.Request) -> None:
        """Raises ForeignForm unless an unsafe request comes from our own page; reads an urlencoded form."""
        if request.method in _UNSAFE:
            self.check_token(request, request.headers.get(HEADER) or await self._posted(request))

    async def _posted(self, request: web.Request) -> str:
        try:
            return str((await request.post()).get(FIELD, ""))
        except (UnicodeDecodeError, LookupError, ValueError) as problem:
            raise Unreadable() from problem

    def check_token(self, request: web.Request, given: str) -> None:
        """The same for a token already at hand, such as the first field of a form with files."""
        origin = request.headers.get("Origin")
        if origin and origin != "null" and urlsplit(origin).netloc not in (self._host, request.host):
            raise ForeignForm()
        visitor, new = self.visitor(request)
        if new or not secrets.compare_digest(given.encode(), self.token(visitor).encode()):
            raise ForeignForm()
