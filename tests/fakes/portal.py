"""The portal alone: real pages over a real store, an intake that remembers, a browser without scripts."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from gateway.csrf import Csrf
from gateway.house import House
from gateway.keys import CSRF
from gateway.mobile_proof import Sender
from gateway.portal import Portal
from gateway.web import STATIC
from petition.arrival import Arrival, Intake, Outcome, Receipt
from petition.errors import PetitionError

Client = TestClient[web.Request, web.Application]
CODE = "7Q4K-2M9X-A1BC"
_STATUS = {"forbidden": 403, "foreign_form": 403, "not_found": 404, "too_many": 429, "unavailable": 503}


@dataclass
class RememberingIntake:
    """Takes everything in; the same id again gives the same receipt. `refusal` is raised once when it is set."""

    arrivals: list[Arrival] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refusal: PetitionError | None = None

    async def __call__(self, arrival: Arrival) -> Receipt:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        self.arrivals.append(arrival)
        self.bodies += [upload.path.read_bytes() for upload in arrival.uploads if upload.path]
        return Receipt(
            case_no="620000W20261120000017",
            query_code=CODE,
            received_at=arrival.received_at,
            outcome=Outcome.PETITION,
        )

    @property
    def ids(self) -> set[str]:
        """The different events that came in."""
        return {arrival.raw_id for arrival in self.arrivals}


def portal_app(house: House, intake: Intake, codes: Sender | None = None) -> web.Application:
    """An application with the portal's routes, its CSRF check and its error words as plain text."""
    csrf = Csrf(house.store.vault, house.settings.public_url, False)
    portal = Portal(house, intake, csrf, STATIC, codes)

    @web.middleware
    async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
        visitor, new = csrf.visitor(request)
        request[CSRF] = csrf.token(visitor)
        portal.prepare(request)
        try:
            if not request.content_type.startswith("multipart/"):
                await csrf.check(request)
            response: web.StreamResponse = await handler(request)
        except PetitionError as problem:
            return web.Response(status=_STATUS.get(problem.code, 400), text=f"{problem.code} {problem.words}")
        if new:
            csrf.set_cookie(response, visitor)
        return response

    app = web.Application(middlewares=[guard], client_max_size=60 << 20)
    portal.set_up(app)
    app.add_routes(portal.routes())
    app.router.add_static("/static", Path(STATIC))
    return app


@dataclass
class Page:
    """What a browser without scripts shows."""

    status: int
    path: str
    text: str

    @property
    def words(self) -> str:
        """The text without marks."""
        return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(script|style|svg).*?</\1>", " ", self.text)))

    @property
    def errors(self) -> list[str]:
        """The lines of the summary of errors, each proved to lead to a field of the page or to another page."""
        found = re.search(r'(?s)<div class="errors".*?</ul>', self.text)
        if found is None:
            return []
        for target in re.findall(r'href="([^"]+)"', found[0]):
            assert not target.startswith("#") or f'id="{target[1:]}"' in self.text, target
        return [html.unescape(each) for each in re.findall(r"<a [^>]*>(.*?)</a>", found[0])]

    def value(self, name: str) -> str:
        """What stands in an input or a text area."""
        if area := re.search(rf'(?s)<textarea[^>]* name="{name}"[^>]*>\n?(.*?)</textarea>', self.text):
            return html.unescape(area[1])
        found = re.search(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', self.text)
        return html.unescape(found[1]) if found else ""


class Browser:
    """Opens pages, keeps cookies, sends forms with the token of the page it last saw."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._token = ""

    async def get(self, path: str) -> Page:
        """Open a page, following where it leads."""
        return await self._seen(await self.client.get(path))

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **more: Any) -> Page:
        """Send an urlencoded form."""
        data = {"_csrf": self._token, **(fields or {})}
        return await self._seen(await self.client.post(path, data=data, **more))

    async def send(
        self, path: str, files: list[tuple[str, bytes]], fields: Mapping[str, str] | None = None, **more: Any
    ) -> Page:
        """Send a form with files."""
        return await self._seen(await self.client.post(path, data=self.parts(files, fields), **more))

    def parts(self, files: list[tuple[str, bytes]], fields: Mapping[str, str] | None = None) -> FormData:
        """A multipart form with the token first."""
        form = FormData(quote_fields=False, default_to_multipart=True)  # as browsers do
        for name, value in {"_csrf": self._token, **(fields or {})}.items():
            form.add_field(name, value)
        for name, body in files:
            form.add_field("files", body, filename=name, content_type="application/octet-stream")
        return form

    async def _seen(self, response: Any) -> Page:
        text = await response.text()
        if found := re.search(r'name="_csrf" value="([^"]+)"', text):
            self._token = found[1]
        return Page(response.status, response.url.path_qs, text)
