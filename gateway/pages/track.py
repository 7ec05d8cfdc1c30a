"""Tracking (查询进度): number and query code open a case for half an hour; timeline, time limits, printable."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import aiohttp_jinja2
from aiohttp import web

from casework.rating import Ratings
from config.units import Units
from gateway.forms import read_fields
from gateway.group_desk import may_open
from gateway.keys import ADDRESS, KIOSK
from gateway.kiosk import KEPT
from gateway.pages.filing import shown
from gateway.pages.schedule import bars
from petition import numbering
from petition.clock import Clock
from petition.deadlines import DeadlineEngine
from petition.errors import Invalid, NotFound, Problem
from petition.petition import Lane, Purpose
from petition.workflow import PROGRESS, progress, words_for_citizen
from store import history, petitions
from store.database import Store
from store.history import Step
from store.petitions import Case
from store.transaction import Transaction

COOKIE = "case"
PATH = "/track"
OPEN_FOR = timedelta(minutes=30)
_PURPOSE = "track-session"

# 文书 as the petitioner knows them (DOMAIN 1.4); others are internal and not named here.
DOCUMENTS = {
    "DOC_RECEIPT": "收件回执",
    "DOC_FORWARD_NOTICE": "转送（交办）告知单",
    "DOC_ACCEPT_NOTICE": "受理告知书",
    "DOC_NOT_ACCEPT_NOTICE": "不予受理告知书",
    "DOC_PATH_NOTICE": "法定途径告知书",
    "DOC_EXTENSION_NOTICE": "延长办理期限告知书",
    "DOC_HEARING_NOTICE": "听证通知",
    "DOC_OPINION": "信访处理意见书",
    "DOC_REPLY": "答复",
    "DOC_SERVICE_RETURN": "送达回证",
    "DOC_REVIEW_OPINION": "复查意见书",
    "DOC_RE_REVIEW_OPINION": "复核意见书",
    "DOC_NO_LONGER_NOTICE": "不再受理告知书",
    "DOC_MEDIATION_AGREEMENT": "调解协议书",
    "DOC_SETTLEMENT": "和解协议书",
}


class Limiter(Protocol):
    """Holds back who asks too often."""

    def check(self, key: str) -> None:
        """Count one try; raises TooMany."""
        ...


class Codes(Protocol):
    """Keyed message codes; `store.vault.Vault` is one."""

    def mac(self, purpose: str, message: bytes) -> bytes:
        """A code bound to a purpose."""
        ...

    def same(self, purpose: str, message: bytes, code: bytes) -> bool:
        """Whether the code belongs to the message, in constant time."""
        ...


class Cases(Protocol):
    """What tracking needs to know; `StoredCases` asks the store."""

    async def opens(self, case_no: str, query_code: str) -> bool:
        """Whether the code opens the case."""
        ...

    async def look(self, case_no: str) -> tuple[Case, list[Step]] | None:
        """The case and the steps its petitioner may see, oldest first."""
        ...


class Joined(Protocol):
    """Where somebody goes whose code belongs to a joining and not to the case itself."""

    async def entrance(self, case_no: str, query_code: str) -> web.HTTPSeeOther | None:
        """The way there, or None."""
        ...


class NobodyJoined:
    """The null twin: a house without joint petitions by link."""

    async def entrance(self, case_no: str, query_code: str) -> web.HTTPSeeOther | None:
        """Nobody."""
        return None


@dataclass(frozen=True, slots=True)
class StoredCases:
    """`Cases` over the store."""

    store: Store

    async def opens(self, case_no: str, query_code: str) -> bool:
        return await self.store.read(lambda tx: petitions.check_code(tx, case_no, query_code))

    async def look(self, case_no: str) -> tuple[Case, list[Step]] | None:
        def read(tx: Transaction) -> tuple[Case, list[Step]] | None:
            case = petitions.find(tx, case_no)
            return None if case is None else (case, [step for step in history.of(tx, case_no) if step.public])

        return await self.store.read(read)


@dataclass(frozen=True, slots=True)
class CaseCookie:
    """The signed note `this browser knows the code of that case until then`; it holds no secret."""

    codes: Codes
    clock: Clock
    secure: bool
    name: str = COOKIE
    path: str = PATH
    purpose: str = _PURPOSE

    def give(self, response: web.StreamResponse, case_no: str, lasts: timedelta = OPEN_FOR) -> None:
        """Open the case to the browser for half an hour, or for as long as a terminal may stand idle."""
        until = int((self.clock() + lasts).timestamp())
        message = f"{case_no}.{until}"
        code = base64.urlsafe_b64encode(self.codes.mac(self.purpose, message.encode())).decode().rstrip("=")
        response.set_cookie(
            self.name, f"{message}.{code}", path=self.path, httponly=True, samesite="Lax", secure=self.secure,
            max_age=int(lasts.total_seconds()),
        )  # fmt: skip

    def take(self, request: web.Request) -> str:
        """The case this browser may see, or empty."""
        case_no, _, rest = request.cookies.get(self.name, "").partition(".")
        until, _, code = rest.partition(".")
        try:
            given = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
        except ValueError:
            return ""
        if not until.isascii() or not until.isdigit() or int(until[:12]) < self.clock().timestamp():
            return ""
        return case_no if self.codes.same(self.purpose, f"{case_no}.{until}".encode("utf-8", "replace"), given) else ""


class TrackPages:
    """`/track` asks for number and code, `/track/case` shows the case."""

    def __init__(
        self,
        cases: Cases,
        cookie: CaseCookie,
        limiter: Limiter,
        deadlines: DeadlineEngine,
        units: Units,
        ratings: Ratings,
        clock: Clock,
        joined: Joined | None = None,
    ) -> None:
        self._joined: Joined = joined or NobodyJoined()
        self._cases = cases
        self._cookie = cookie
        self._limiter = limiter
        self._deadlines = deadlines
        self._units = units
        self._ratings = ratings
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Ask, open, show, close."""
        return [
            web.get(PATH, self.ask),
            web.post(PATH, self.open),
            web.get(f"{PATH}/case", self.show),
            web.post(f"{PATH}/close", self.close),
        ]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """The form; ?no= comes from the QR code of a receipt."""
        values = {"case_no": request.query.get("no", "")[:60], "query_code": ""}
        return self._form(request, values, (), over="over" in request.query)

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Check number and code; what was typed stays on the page, after a wrong try too."""
        fields = await read_fields(request)
        typed = {name: fields.get(name, "")[:200] for name in ("case_no", "query_code")}
        problems: list[Problem] = []
        number = ""
        try:
            number = str(numbering.parse_case_no(typed["case_no"]))
        except Invalid as problem:
            problems += problem.problems
        if not typed["query_code"].strip():
            problems.append(Problem("query_code", "empty", "请填写查询码。"))
        elif not numbering.is_query_code(typed["query_code"]):
            problems.append(Problem("query_code", "shape", "查询码是12位字母和数字，请照回执填写，横线可以不写。"))
        if problems:
            return self._form(request, typed, tuple(problems))
        # Both keys: one address trying many cases, and many addresses trying one case.
        self._limiter.check(f"track:address:{request.get(ADDRESS) or request.remote}")
        self._limiter.check(f"track:case:{number}")
        if not await self._cases.opens(number, typed["query_code"]):
            if (way := await self._joined.entrance(number, typed["query_code"])) is not None:
                raise way
            words = "编号和查询码对不上。请照回执逐位核对；仍不行，请带证件到接待窗口或打电话找回。"
            return self._form(request, typed, (Problem("query_code", "wrong", words),))
        response = web.HTTPSeeOther(f"{PATH}/group" if fields.get("next") == "group" else f"{PATH}/case")
        self._cookie.give(response, number, KEPT if request.get(KIOSK) is not None else OPEN_FOR)
        raise response

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Where the case stands."""
        case_no = self._cookie.take(request)
        if not case_no:
            raise web.HTTPSeeOther(f"{PATH}?over=1" if COOKIE in request.cookies else PATH)
        found = await self._cases.look(case_no)
        if found is None:
            raise NotFound()
        case, steps = found
        response = aiohttp_jinja2.render_template("track/case.html", request, self._view(case, steps, request))
        response.headers["Cache-Control"] = "no-store"
        if request.get(KIOSK) is not None:
            self._cookie.give(response, case_no, KEPT)
        return response

    async def close(self, request: web.Request) -> web.StreamResponse:
        """Leave the case: for phones that are shared."""
        response = web.HTTPSeeOther(PATH)
        response.del_cookie(COOKIE, path=PATH)
        raise response

    def _form(
        self, request: web.Request, values: dict[str, str], problems: tuple[Problem, ...], *, over: bool = False
    ) -> web.StreamResponse:
        context = {
            "values": shown(values),
            "problems": problems,
            "errors": {problem.field: problem.words for problem in reversed(problems)},
            "over": over,
        }
        status = 422 if problems else 200
        return aiohttp_jinja2.render_template("track/ask.html", request, context, status=status)

    def _view(self, case: Case, steps: list[Step], request: web.Request) -> dict[str, object]:
        record = case.petition
        sealed = record.purpose is Purpose.ACCUSATION or case.lane is Lane.SEALED
        lines = [
            {
                "at": step.at,
                "words": words_for_citizen(step.status, accusation=sealed),
                "told": "" if sealed else step.words,
                "unit": "" if sealed else self._unit(step.unit),
                "document": "" if sealed else DOCUMENTS.get(step.document, ""),
            }
            for step in steps
        ]
        today = self._clock().date()
        return {
            "case_no": case.case_no,
            "case_no_shown": numbering.parse_case_no(case.case_no).shown,
            "title": shown({"": record.title})[""],
            "received_at": case.received_at,
            "status_words": words_for_citizen(case.status, accusation=sealed),
            "reached": progress(case.status),
            "progress": PROGRESS,
            "unit": "" if sealed else self._unit(case.unit),
            "sealed": sealed,
            "asks_supplement": case.status.value == "RETURNED_FOR_SUPPLEMENT",
            "lines": list(reversed(_merged(lines))),
            "bars": bars(
                self._deadlines,
                steps,
                case.received_at,
                today,
                purpose=Purpose.ACCUSATION if sealed else record.purpose,
                simplified=record.simplified is True,
            ),
            "added": request.query.get("added") == "1",
            "joint": may_open(case),
            "rated": request.query.get("rated", ""),
            "rating": self._ratings.period(case, steps, today),
            "now": self._clock(),
        }

    def _unit(self, code: str) -> str:
        unit = self._units.find(code)
        return unit.name if unit else ""


def _merged(lines: list[dict[str, object]]) -> list[dict[str, object]]:
    """Steps that read the same to the petitioner one after the other are shown once, at the first date."""
    kept: list[dict[str, object]] = []
    for line in lines:
        plain = {key: line[key] for key in ("words", "told", "unit", "document")}
        if not kept or any(kept[-1][key] != value for key, value in plain.items()):
            kept.append(line)
    return kept
