"""The middleware (中间层): request number, guard of the route, limits, safe headers, and words for every error."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import count

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from config.settings import Settings
from gateway import errors
from gateway.csrf import Csrf
from gateway.keys import ADDRESS, CSRF
from gateway.limiter import Limiter
from gateway.metrics import Metrics
from gateway.routes import GUARDS, STREAMED, Guard
from petition.errors import Forged, LowDisk, NotFound, PetitionError, TooLarge, Unavailable, Unreadable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Proxies = tuple[IPv4Network | IPv6Network, ...]
Prepare = Callable[[web.Request], None]
ErrorPage = Callable[[web.Request, int, str, str], web.Response]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
SLOW = 1.0  # seconds from which a good answer is worth a line in the log
REQUEST_ID = "X-Request-Id"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_MACHINES = ("/api/", "/webhooks/", "/metrics", "/healthz", "/readyz")

# Everything comes from this house; nothing is framed, guessed, or told to other sites.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(self)",
}
_MACHINE_HEADERS: Mapping[str, str] = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Drain:
    """Set once a stop was asked for: whoever still comes on an open connection is sent away politely."""

    on: bool = False
    inside: int = 0


@web.middleware
class Entrance:
    """The outermost layer: nothing leaves without a number and safe headers, no error without words."""

    def __init__(self, settings: Settings, drain: Drain, metrics: Metrics, error_page: ErrorPage) -> None:
        self._drain = drain
        self._metrics = metrics
        self._error_page = error_page
        self._tls = settings.over_tls
        self._prefix = os.urandom(4).hex()
        self._turn = count(1)

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer the request."""
        started = time.monotonic()
        given = request.headers.get(REQUEST_ID, "")
        number = given if given and _GIVEN_ID.fullmatch(given) else f"{self._prefix}{next(self._turn):08x}"
        structlog.contextvars.bind_contextvars(request=number)
        machine = request.path.startswith(_MACHINES)
        self._drain.inside += 1
        try:
            response = await self._answer(request, handler, machine)
        finally:
            self._drain.inside -= 1
        if not response.prepared:
            self._dress(response, number, machine)
        if request.content.exception() is not None:
            # The server would stumble over the rest of the body, and the answer be lost with the connection.
            response.force_close()
            request.content.feed_eof()
        # A stream of events lasts as long as somebody looks at its page: that is no slow answer.
        took = 0.0 if response.content_type == "text/event-stream" else time.monotonic() - started
        resource = request.match_info.route.resource
        method = request.method if request.method in hdrs.METH_ALL else "other"  # a stranger's words are no label
        self._metrics.answered(method, resource.canonical if resource else "", response.status, took)
        if response.status >= 500 or took > SLOW:
            log.warning("request answered", method=request.method, status=response.status, seconds=round(took, 3))
        return response

    async def _answer(self, request: web.Request, handler: Handler, machine: bool) -> web.StreamResponse:
        if self._drain.on:
            return self._say(request, machine, Unavailable("系统正在重新启动，请稍等片刻再试。您填写的内容没有丢失。"))
        try:
            return await handler(request)
        except PetitionError as problem:
            return self._say(request, machine, problem)
        except web.HTTPException as problem:
            if problem.status < 400:
                return _onward(problem)
            if isinstance(problem, web.HTTPRequestEntityTooLarge):
                return self._say(request, machine, TooLarge())
            status, code, words = errors.of_http(problem)
            answer = errors.problem(status, code, words) if machine else self._error_page(request, status, code, words)
            if "Allow" in problem.headers:
                answer.headers["Allow"] = problem.headers["Allow"]
            return answer
        except (web.RequestPayloadError, HttpProcessingError, ConnectionResetError):
            # The body broke off or its coding is wrong; often nobody is left to read the answer.
            return self._say(request, machine, Unreadable())
        except Exception as problem:
            if isinstance(problem, OSError) and problem.errno in _NO_ROOM:
                # While a file was on its way in: nothing was promised yet, and there may be room again soon.
                log.error("the disk is full", method=request.method)
                return self._say(request, machine, LowDisk())
            log.exception("unexpected error", method=request.method)
            return self._say(request, machine, PetitionError())

    def _say(self, request: web.Request, machine: bool, problem: PetitionError) -> web.Response:
        answer = errors.problem_of(problem)
        if not machine:
            retry = answer.headers.get("Retry-After")
            answer = self._error_page(request, errors.status_of(problem), problem.code, problem.words)
            if retry:
                answer.headers["Retry-After"] = retry
        return answer

    def _dress(self, response: web.StreamResponse, number: str, machine: bool) -> None:
        for name, value in (_MACHINE_HEADERS if machine else HEADERS).items():
            response.headers.setdefault(name, value)
        if not machine:
            response.headers.setdefault("Cache-Control", "no-store")
        response.headers[REQUEST_ID] = number
        response.headers["Server"] = "gateway"  # no versions for strangers
        if self._tls:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if self._drain.on:
            response.headers["Connection"] = "close"
            response.force_close()


@dataclass(frozen=True, slots=True)
class Limits:
    """The limiters of the house: pages and forms, machines' doors, guesses of query codes."""

    forms: Limiter
    doors: Limiter
    codes: Limiter


@web.middleware
class Doorkeeper:
    """Looks up the guard of the route and lets nobody through without it."""

    def __init__(self, settings: Settings, csrf: Csrf, limits: Limits, prepare: Prepare) -> None:
        self._proxies = settings.trusted_proxies
        self._max_body = int(settings.max_body)
        self._max_upload = int(settings.max_upload)
        self._csrf = csrf
        self._limits = limits
        self._prepare = prepare

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check, then run the handler; forms get their token, a new browser its cookie."""
        guard = self._guard(request)
        address = client_address(request, self._proxies)
        request[ADDRESS] = address
        if guard is Guard.DOOR:
            # A door bounds what it reads by itself, so that it can enter what is too large as refused.
            self._limits.doors.check(address)
            return await handler(request)
        if guard is Guard.SIGNED:  # bounded by itself as well
            return await self._signed(request, handler, address)
        self._check_length(request)
        if guard is Guard.CODE:
            self._limits.codes.check(address)
            return await handler(request)
        visitor, new = self._csrf.visitor(request)
        request[CSRF] = self._csrf.token(visitor)
        self._prepare(request)
        if guard in (Guard.FORM, Guard.SIGN_IN) and request.method not in ("GET", "HEAD"):
            self._limits.forms.check(address)
            if guard is Guard.FORM:
                await self._check_form(request)
        response = await handler(request)
        if new and guard is not Guard.PUBLIC and not response.prepared:
            self._csrf.set_cookie(response, visitor)
        return response

    async def _signed(self, request: web.Request, handler: Handler, address: str) -> web.StreamResponse:
        """A signer may send as fast as cases move; who shows wrong signatures is held back."""
        try:
            return await handler(request)
        except Forged:
            self._limits.doors.check(address)
            raise

    async def _check_form(self, request: web.Request) -> None:
        """The token of a form; where files are taken it is read as a stream and checked before the first file."""
        if not request.content_type.startswith("multipart/"):
            try:
                await self._csrf.check(request)
            except (LookupError, ValueError) as problem:  # an encoding that does not exist or does not fit
                raise Unreadable() from problem
        elif request.match_info.route.resource is None or request.match_info.route.resource.canonical not in STREAMED:
            raise web.HTTPUnsupportedMediaType

    def _guard(self, request: web.Request) -> Guard:
        if request.match_info.http_exception is not None:
            raise request.match_info.http_exception
        resource = request.match_info.route.resource
        canonical = resource.canonical if resource is not None else ""
        method = "GET" if request.method == "HEAD" else request.method
        guard = GUARDS.get((method, canonical))
        if guard is None:
            if canonical.startswith("/static"):
                return Guard.PUBLIC
            raise NotFound("没有找到这个页面。")
        return guard

    def _check_length(self, request: web.Request) -> None:
        length = request.content_length or 0
        multipart = request.content_type.startswith("multipart/")
        if length > (self._max_upload + self._max_body if multipart else self._max_body):
            raise TooLarge()


def _onward(problem: web.HTTPException) -> web.Response:
    """A redirect that was raised, as an ordinary answer with its cookies."""
    answer = web.Response(status=problem.status, headers={"Location": problem.headers.get("Location", "/")})
    answer.cookies.update(problem.cookies)
    return answer


def client_address(request: web.Request, proxies: Proxies) -> str:
    """The address of whoever asks: the peer's, or what trusted proxies report, right to left (RFC 7239 in spirit)."""
    address = request.remote or ""
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    while forwarded and _trusted(address, proxies):
        address = forwarded.pop()
    return address


def _trusted(address: str, proxies: Proxies) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in proxies)
