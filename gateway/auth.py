"""Sign-in (登录): passwords, second factor, sessions, and the gate every page for officers stands behind."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

import aiohttp_jinja2
from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gateway.csrf import ForeignForm
from gateway.errors import status_of
from gateway.keys import ADDRESS
from petition.errors import PetitionError, TooMany, Unavailable
from store import accounts, audit
from store.accounts import Officer, Session
from store.database import Store
from store.transaction import Transaction
from store.vault import BrokenSeal

SIGN_IN = "/desk/sign-in"
CODE = "/desk/sign-in/code"
ENROL = "/desk/sign-in/enrol"
HOME = "/desk"
# About 80 ms on one core of the office machine; the memory, not the time, is what hinders a guessing machine.
TIME_COST, MEMORY_COST = 2, 47104  # passes, KiB
AT_ONCE = 2  # checks at one moment: 2 x 46 MiB, and the second core stays free for the citizens
WAITING = 16  # beyond it the honest answer is "come again": a flood of sign-ins must not eat the machine
LONGEST_PASSWORD = 256
_TOKENS = frozenset({"csrf", "_csrf"})
CARRY = 48 << 10  # bytes of typed text that are carried over a new sign-in

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """An officer at the desk: who, since when, and the token every form must bring back."""

    officer: Officer
    session: Session
    csrf: str
    address: str


OfficerHandler = Callable[[web.Request, Sitting], Awaitable[web.StreamResponse]]


class Passwords:
    """Argon2id (RFC 9106) off the loop, a few at a time. Safe to share within one loop."""

    def __init__(self, hasher: PasswordHasher | None = None, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_COST, parallelism=1)
        self._free = asyncio.Semaphore(at_once)
        self._places = at_once + waiting
        self._inside = 0
        # What an unknown name is checked against, so that the answer takes as long as for a known one.
        self._decoy = self._hasher.hash(secrets.token_urlsafe(24))

    def hash_now(self, password: str) -> str:
        """The hash to store; takes its time, never call it on a loop."""
        return self._hasher.hash(password)

    async def right(self, stored: str, password: str) -> bool:
        """Whether the password fits; an empty `stored` costs the same and is never right. TooMany if too many wait."""
        if self._inside >= self._places:
            raise TooMany(10, "现在登录的人太多，请稍等十秒再试。")
        self._inside += 1
        try:
            async with self._free:
                fits = await asyncio.to_thread(self._fits, stored or self._decoy, password[:LONGEST_PASSWORD])
        finally:
            self._inside -= 1
        return fits and bool(stored)

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (Argon2Error, InvalidHashError):
            return False


class Gate:
    """Knows who sits at the desk. Pages wrap their handlers with `officer`; nothing else reads the cookie."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        *,
        over_tls: bool,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._over_tls = over_tls
        # __Host- ties the cookie to this host and to TLS; plain HTTP (localhost) cannot have it.
        self.cookie = "__Host-desk" if over_tls else "desk"

    def officer(self, handler: OfficerHandler, *, streamed: bool = False) -> Handler:
        """The handler behind the gate: full sign-in, CSRF token on every POST, no caching, errors as desk pages.

        streamed: the form brings files; its handler checks the token by `check_token` before the first of them.
        """

        async def guarded(request: web.Request) -> web.StreamResponse:
            token = request.cookies.get(self.cookie, "")
            session = await self._session(token)
            if session is None or not session.second_factor:
                return await self._to_sign_in(request, token, streamed=streamed)
            sitting = Sitting(
                officer=session.officer, session=session, csrf=self.csrf(token), address=address_of(request)
            )
            try:
                if request.method not in ("GET", "HEAD") and not streamed:
                    await self.check_csrf(request, token)
                response = await handler(request, sitting)
            except PetitionError as problem:
                response = problem_page(request, problem, sitting)
            if not response.prepared:
                _private(response)
            return response

        return _marked(guarded, "officer")

    def open(self, handler: Handler) -> Handler:
        """For the sign-in pages themselves: no sign-in needed, errors as desk pages, no form from other sites."""

        async def opened(request: web.Request) -> web.StreamResponse:
            try:
                if request.method not in ("GET", "HEAD"):
                    check_origin(request)
                response = await handler(request)
            except PetitionError as problem:
                response = problem_page(request, problem, None)
            _private(response)
            return response

        return _marked(opened, "open")

    async def password(self, name: str, password: str, address: str) -> tuple[str, Officer] | None:
        """A half session for name and password, or None whatever was wrong: one answer for every reason."""
        attempt = await self._store.write(lambda tx: accounts.begin_attempt(tx, name))
        right = await self._passwords.right("" if attempt.barred else attempt.password_hash, password)
        officer = attempt.officer
        if officer is None or attempt.barred or not right:
            # An unknown name is not written down: people type their password into the wrong field.
            actor = officer.actor if officer else "officer:"
            reason = "locked" if attempt.barred and officer else "wrong password"
            await self._store.write(
                lambda tx: audit.record(tx, actor, "sign_in_failed", reason=reason, address=address)
            )
            return None
        token = secrets.token_urlsafe(32)
        await self._store.write(lambda tx: accounts.password_right(tx, officer, token, address))
        return token, officer

    async def code(self, half: str, code: str, address: str, new_secret: str = "") -> tuple[str, Officer] | None:
        """The full session for a right code, else None; with `new_secret` the second factor is set up with it."""
        token = secrets.token_urlsafe(32)

        def work(tx: Transaction) -> Officer | None:
            if new_secret:
                officer = accounts.enrol(tx, half, token, new_secret, code, address)
            else:
                officer = accounts.second_factor(tx, half, token, code, address)
            if officer is not None:
                audit.record(tx, officer.actor, "enrolled" if new_secret else "sign_in", address=address)
            return officer

        officer = await self._store.write(work)
        return None if officer is None else (token, officer)

    async def half(self, request: web.Request) -> tuple[str, Session] | None:
        """The token and session of somebody between password and code."""
        token = request.cookies.get(self.cookie, "")
        session = await self._session(token)
        return None if session is None or session.second_factor else (token, session)

    async def sign_out(self, request: web.Request, response: web.StreamResponse) -> None:
        """End the sign-in here and in the browser."""
        token = request.cookies.get(self.cookie, "")
        await self._store.write(lambda tx: accounts.sign_out(tx, token))
        response.del_cookie(self.cookie, path="/", secure=self._over_tls, httponly=True, samesite="Strict")

    def give(self, response: web.StreamResponse, token: str) -> None:
        """Put the session token into the browser; it ends with the browser or with the session."""
        response.set_cookie(self.cookie, token, path="/", httponly=True, samesite="Strict", secure=self._over_tls)

    def csrf(self, token: str) -> str:
        """The form token of a session."""
        return self._store.vault.mac("desk-csrf", token.encode()).hex()[:40]

    def enrolment_secret(self, half: str) -> str:
        """The proposed TOTP secret (160 bits, base 32) of a half session: the same on every reload, nowhere stored."""
        return base64.b32encode(self._store.vault.mac("totp-enrolment", half.encode())[:20]).decode()

    async def check_csrf(self, request: web.Request, token: str) -> None:
        """Raise ForeignForm unless the form brings the token of this session."""
        form = await request.post()
        given = form.get("csrf")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), self.csrf(token).encode()):
            raise ForeignForm()

    def check_token(self, request: web.Request, given: str) -> None:
        """The same for a token already at hand: the first field of a form with files."""
        token = request.cookies.get(self.cookie, "")
        if not hmac.compare_digest(given.encode(), self.csrf(token).encode()):
            raise ForeignForm()

    def carry(self, path: str, owner: str, fields: list[tuple[str, str]]) -> str:
        """What was typed into a form whose sign-in had run out, sealed for a trip through the sign-in pages."""
        body = json.dumps({"path": path, "owner": owner, "fields": fields}, ensure_ascii=False).encode()
        if not owner or len(body) > CARRY:
            return ""
        return base64.urlsafe_b64encode(self._store.vault.seal(body, b"carry")).decode()

    def carried(self, sealed: str, officer: Officer) -> tuple[str, list[tuple[str, str]]] | None:
        """(path, fields) of `carry`, for the officer who typed them and nobody else."""
        try:
            body = json.loads(self._store.vault.open(base64.urlsafe_b64decode(sealed.encode()), b"carry"))
        except (BrokenSeal, ValueError):
            return None
        if body["owner"] != officer.name:
            return None
        return body["path"], [(str(name), str(value)) for name, value in body["fields"]]

    async def _session(self, token: str) -> Session | None:
        if not token or len(token) > 100:
            return None
        session = await self._store.read(lambda tx: accounts.session(tx, token))
        if session is not None and session.second_factor and self._store.clock() - session.seen_at > accounts.TOUCH:
            await self._store.write(lambda tx: accounts.touch(tx, token))
        return session

    async def _to_sign_in(self, request: web.Request, token: str, *, streamed: bool) -> web.StreamResponse:
        form = await _posted(request, streamed=streamed)
        if form is None:
            response: web.Response = web.Response(status=HTTPStatus.SEE_OTHER)
            response.headers["Location"] = f"{SIGN_IN}?{urlencode({'next': request.path_qs})}"
        else:
            fields = [(key, value) for key, value in form.items() if isinstance(value, str) and key not in _TOKENS]
            owner = await self._store.read(lambda tx: accounts.owner(tx, token)) if token else ""
            carry = self.carry(request.path, owner, fields)
            context = {"next": HOME, "carry": carry, "timed_out": True, "problem": "", "name": ""}
            response = aiohttp_jinja2.render_template(
                "desk/sign_in.html", request, context, status=HTTPStatus.UNAUTHORIZED
            )
        _private(response)
        return response


async def _posted(request: web.Request, *, streamed: bool) -> Mapping[str, object] | None:
    """What was typed into the form that came too late; None if there is no form, or one whose files are too large."""
    if request.method in ("GET", "HEAD"):
        return None
    try:
        return await request.post()
    except (web.HTTPRequestEntityTooLarge, ValueError):
        if not streamed:
            raise
        return None


def guarded_by(handler: object) -> str:
    """`officer`, `open`, or empty for a handler that no gate has wrapped; for the test that no route stands open."""
    return str(getattr(handler, "guarded_by", ""))


def check_origin(request: web.Request) -> None:
    """Raise ForeignForm for a form sent by another site (Fetch Metadata, else Origin); tools that send neither pass."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and origin.partition("://")[2] != request.host
    if foreign:
        raise ForeignForm("这个表单来自别的网站，没有受理。")


def address_of(request: web.Request) -> str:
    """Where the request comes from: what the middleware found out behind proxies, else the peer."""
    return str(request.get(ADDRESS) or request.remote or "")


def local_path(path: str) -> str:
    """A path of the desk to go on to after the sign-in; anything else becomes the desk itself."""
    good = path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))
    return path if good and "\\" not in path and path.isprintable() and not path.startswith(SIGN_IN) else HOME


def problem_page(request: web.Request, problem: PetitionError, sitting: Sitting | None) -> web.Response:
    """The error as a page of the desk."""
    status = status_of(problem)
    context = {"problem": problem.words, "sitting": sitting, "status": status}
    response = aiohttp_jinja2.render_template("desk/problem.html", request, context, status=status)
    if isinstance(problem, TooMany | Unavailable):
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _private(response: web.StreamResponse) -> None:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Referrer-Policy", "same-origin")


def _marked(handler: Handler, guard: str) -> Handler:
    handler.guarded_by = guard  # type: ignore[attr-defined]
    return handler
