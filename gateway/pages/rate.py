"""Rating page (评价): whoever holds the query code says how the bureau and the unit did, once."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from casework.rating import Ratings
from gateway.forms import read_fields
from gateway.pages.filing import shown
from gateway.pages.track import PATH, CaseCookie
from petition import numbering
from petition.clock import Clock
from petition.errors import Conflict, Invalid, Problem
from store import history, petitions
from store.database import Store
from store.petitions import Case
from store.transaction import Transaction

_FIELDS = ("bureau", "unit", "words")


class RatePage:
    """`/track/rate`, for a case that this browser has opened with number and code."""

    def __init__(self, store: Store, cookie: CaseCookie, ratings: Ratings, clock: Clock) -> None:
        self._store = store
        self._cookie = cookie
        self._ratings = ratings
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Show and send."""
        return [web.get(f"{PATH}/rate", self.show), web.post(f"{PATH}/rate", self.send)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The two questions."""
        return await self._page(request, self._case(request), dict.fromkeys(_FIELDS, ""), ())

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Write it down; a second click is told that it is done."""
        case_no = self._case(request)
        fields = await read_fields(request)
        typed = {name: fields.get(name, "") for name in _FIELDS}
        try:
            await self._store.write(
                lambda tx: self._ratings.rate(tx, case_no, typed["bureau"], typed["unit"], typed["words"])
            )
        except Invalid as problem:
            return await self._page(request, case_no, typed, problem.problems)
        except Conflict:
            raise web.HTTPSeeOther(f"{PATH}/case?rated=0") from None
        raise web.HTTPSeeOther(f"{PATH}/case?rated=1")

    def _case(self, request: web.Request) -> str:
        case_no = self._cookie.take(request)
        if not case_no:
            raise web.HTTPSeeOther(f"{PATH}?over=1")
        return case_no

    async def _page(
        self, request: web.Request, case_no: str, typed: dict[str, str], problems: tuple[Problem, ...]
    ) -> web.StreamResponse:
        def read(tx: Transaction) -> tuple[Case, bool]:
            case = petitions.get(tx, case_no)
            period = self._ratings.period(case, history.of(tx, case_no), self._clock().date())
            return case, period.open

        case, is_open = await self._store.read(read)
        if not is_open:
            raise web.HTTPSeeOther(f"{PATH}/case?rated=0")
        scale = self._ratings.scale
        context = {
            "case_no_shown": numbering.parse_case_no(case_no).shown,
            "has_unit": bool(case.unit),
            "steps": [(str(value), label, "", "") for value, label in scale.steps.items()],
            "words_most": scale.words_most,
            "article": scale.article,
            "values": shown(typed),
            "problems": problems,
            "errors": {problem.field: problem.words for problem in reversed(problems)},
        }
        status = 422 if problems else 200
        response = aiohttp_jinja2.render_template("track/rate.html", request, context, status=status)
        response.headers["Cache-Control"] = "no-store"
        return response
