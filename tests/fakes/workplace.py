"""The desk alone: real pages over a real store, a clock set by hand, an officer whose browser runs no scripts."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import aiohttp_jinja2
import jinja2
import pyotp
from aiohttp import web
from aiohttp.test_utils import TestClient
from argon2 import PasswordHasher

from config.reference import Reference
from dispatch.conflict import Guard
from gateway.auth import Passwords
from gateway.csrf import Csrf
from gateway.keys import CSRF
from gateway.officers import Credentials, add_officer
from gateway.pages.display import asset_urls, display_of
from gateway.portal import TEMPLATES
from gateway.web import STATIC
from gateway.workplace import Workplace
from petition.clock import SHANGHAI
from petition.deadlines import DeadlineEngine
from petition.petition import Lane
from store import audit
from store.database import Store, open_store
from store.petitions import Case

Client = TestClient[web.Request, web.Application]
START = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)
PASSWORD = "correct horse battery"


@dataclass
class Room:
    """A workplace over the migrated database in `folder`. at: what its clock says; woken: how often a relay was."""

    folder: Path
    reference: Reference
    over_tls: bool = False
    at: datetime = START
    woken: int = 0
    passwords: Passwords = field(
        default_factory=lambda: Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    )

    def __post_init__(self) -> None:
        secret = b"a secret for tests, 32 bytes or more"
        self.store: Store = open_store("", self.folder, secret, lambda: self.at, min_free=0)
        self.place = Workplace(
            self.store,
            self.reference,
            DeadlineEngine(self.reference.deadlines.rules, self.reference.calendars),
            Guard(self.reference.units).check,
            self.passwords,
            self._wake,
            office_region="620000",
            over_tls=self.over_tls,
        )

    def _wake(self) -> None:
        self.woken += 1

    def move(self, **by: float) -> None:
        """The clock goes on."""
        self.at += timedelta(**by)

    def hire(self, name: str = "yanshi", role: str = "screener", **changes: Any) -> Credentials:
        """An officer of the provincial bureau with a second factor."""
        values: dict[str, Any] = {
            "display_name": "演示员",
            "role_keys": (role,),
            "region": "620000",
            "unit": "620000-xinfang",
            "lanes": (Lane.NORMAL,),
            "password": PASSWORD,
            "with_totp": True,
        }
        return add_officer(
            self.store,
            self.reference.roles,
            self.reference.units,
            self.passwords.hash_now,
            name=name,
            **{**values, **changes},
        )

    def code(self, officer: Credentials) -> str:
        """What the officer's authenticator shows now; the clock moves on, because a code is good once."""
        self.move(seconds=30)
        secret = parse_qs(urlparse(officer.otpauth).query)["secret"][0]
        return pyotp.HOTP(secret).at(int(self.at.timestamp()) // 30)

    def trail(self, case: Case | None = None) -> list[tuple[str, str]]:
        """(action, reason) of the audit rows, newest first, of one case if named."""
        rows = self.store.read_now(lambda tx: audit.of(tx, case.case_no) if case else audit.recent(tx))
        return [(row.action, row.reason) for row in rows]

    def app(self) -> web.Application:
        """The desk's routes with what the house's middleware would do for them."""
        csrf = Csrf(self.store.vault, "http://127.0.0.1", False)

        @web.middleware
        async def before(request: web.Request, handler: Any) -> web.StreamResponse:
            request[CSRF] = csrf.token(csrf.visitor(request)[0])
            response: web.StreamResponse = await handler(request)
            return response

        async def context(request: web.Request) -> dict[str, Any]:
            return {
                "csrf_token": lambda: request[CSRF],
                "display": display_of(request),
                "office": self.reference.office,
                "request": request,
                "here": request.path_qs,
            }

        app = web.Application(middlewares=[before])
        environment = aiohttp_jinja2.setup(
            app,
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            context_processors=[context],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals["asset"] = asset_urls(STATIC)
        app.add_routes(self.place.routes())
        return app


@dataclass
class Page:
    """What came back."""

    status: int
    path: str
    body: str
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """The words without tags."""
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", self.body)))

    @property
    def titles(self) -> list[str]:
        """The titles of the list."""
        return re.findall(r'<span class="row-title">([^<]*)</span>', self.body)

    def hidden(self, name: str) -> str:
        """The value of the first hidden field of that name."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.body)
        return html.unescape(found[1]) if found else ""


def url(case: Case, tail: str = "") -> str:
    """The address of a case's page."""
    return f"/desk/cases/{case.case_no}{tail}"


@dataclass
class Browser:
    """An officer's browser: keeps cookies, follows redirects, brings the page's own tokens with every form."""

    room: Room
    client: Client
    page: Page = field(default_factory=lambda: Page(0, "", "", {}))

    async def get(self, path: str, **more: Any) -> Page:
        """Open a page."""
        async with self.client.get(path, **more) as answer:
            self.page = Page(answer.status, str(answer.url.relative()), await answer.text(), answer.headers)
        return self.page

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **more: Any) -> Page:
        """Submit a form of the page that is open, with its hidden tokens."""
        kept = {name: value for name in ("csrf", "version", "next", "carry") if (value := self.page.hidden(name))}
        async with self.client.post(path, data={**kept, **(fields or {})}, **more) as answer:
            body = await answer.read()
            self.page = Page(answer.status, str(answer.url.relative()), body.decode("utf-8", "replace"), answer.headers)
        return self.page

    async def sign_in(self, officer: Credentials, path: str = "/desk") -> Page:
        """All of it: the page asked for, the password, the code."""
        await self.get(path)
        await self.post("/desk/sign-in", {"name": officer.name, "password": officer.password})
        return await self.post("/desk/sign-in/code", {"code": self.room.code(officer)})
