"""Correction and re-routing (更正、改派): the two decisions with a page of their own, the original always beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from casework.corrections import CHOICES, FLAGS, MATTER, PERSON
from casework.decisions import Decisions
from casework.permissions import Allowed, Verb
from casework.unit_search import UnitSearch
from config.categories import Categories
from gateway.auth import Gate, Sitting
from gateway.pages import case_words as words
from gateway.pages.case import PATH
from gateway.pages.case_room import CaseRoom, back_to, case_no_of, form_of, reason_of, version_of
from gateway.pages.case_text import mask_text
from petition.errors import Conflict, Invalid, Problem
from petition.petition import Petition
from store.petitions import Case
from store.transaction import Transaction

_AREAS: Mapping[str, int] = {"summary": 4, "main_facts": 4, "requests": 4, "accused": 3, "content": 12}
_HINTS: Mapping[str, str] = {
    "requests": "一行一项。",
    "accused": "一行一个：单位 / 姓名 / 职务。只知道一部分时，斜杠照写。",
    "problem_region": "写成“兰州市城关区”的样子，或填区划代码。",
    "title": "最多 60 个字。",
}
_IDENTITY = ("name", "id_no", "mobile", "landline", "email", "address", "content")
_SEARCH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One field of the form. latest: the present value where it differs from what was typed; group: a heading."""

    key: str
    label: str
    kind: str
    value: str
    rows: int = 1
    hint: str = ""
    error: str = ""
    latest: str = ""
    options: tuple[tuple[str, str], ...] = ()
    group: str = ""

    @property
    def id(self) -> str:
        """The id of the element."""
        return self.key.replace(".", "-")


class CorrectionPages:
    """`/desk/cases/{case_no}/correct` and `/reroute`."""

    def __init__(
        self,
        gate: Gate,
        room: CaseRoom,
        decisions: Decisions,
        units: UnitSearch,
        categories: Categories,
        woken: Callable[[], None],
    ) -> None:
        self._gate = gate
        self._room = room
        self._decisions = decisions
        self._units = units
        self._categories = categories
        self._woken = woken

    def routes(self) -> list[web.RouteDef]:
        """Forms and what becomes of them."""
        officer = self._gate.officer
        return [
            web.get(PATH + "/correct", officer(self.show)),
            web.post(PATH + "/correct", officer(self.correct)),
            web.post(PATH + "/correct/identity", officer(self.show_identity)),
            web.get(PATH + "/reroute", officer(self.show_units)),
            web.post(PATH + "/reroute", officer(self.reroute)),
        ]

    async def show(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The form without what holds identity data."""
        case = await self._room.open(sitting, case_no_of(request), Verb.CORRECT)
        typed = self._decisions.corrections.typed_of(case.petition)
        open_keys = [key for key in MATTER if mask_text(case.petition, typed[key]) == typed[key]]
        return await self._form(request, sitting, case, {key: typed[key] for key in open_keys})

    async def show_identity(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The whole form, after the reason for seeing identity data is written down."""
        case = await self._room.open(sitting, case_no_of(request), Verb.CORRECT)
        form = await form_of(request)
        verdict = self._room.desk.permissions.may(sitting.officer, Verb.READ_IDENTITY, case)
        if not isinstance(verdict, Allowed):
            raise verdict.error()
        try:
            reason = reason_of(form)
        except Invalid as problem:
            return await self._room.page(
                request, sitting, "desk/case.html", case, status=422, problems=problem.problems, typed=form
            )
        await self._room.with_reason(sitting, case, "read_identity", reason, _IDENTITY)
        typed = self._decisions.corrections.typed_of(case.petition)
        return await self._form(request, sitting, case, typed, unmasked=True)

    async def correct(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Save; what is wrong or was changed meanwhile is said at the field, nothing typed is lost."""
        number = case_no_of(request)
        case = await self._room.open(sitting, number, Verb.CORRECT)
        form = await form_of(request)
        typed = {key: value for key, value in form.items() if key in MATTER or key == "content" or _of_person(key)}
        reason, unseal = form.get("reason", ""), form.get("unseal") == "yes"

        def work(tx: Transaction) -> Case:
            return self._decisions.correct(tx, sitting.officer, number, version_of(form), typed, reason, unseal=unseal)

        try:
            corrected = await self._room.store.write(work)
        except (Invalid, Conflict) as problem:
            case = await self._room.open(sitting, number, Verb.CORRECT)
            problems = _problems(problem)
            stale = isinstance(problem, Conflict)
            return await self._form(
                request, sitting, case, typed, problems=problems, reason=reason, unseal=unseal, stale=stale
            )
        return self._done(request, sitting, corrected, "correct")

    async def show_units(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The units to choose from."""
        case = await self._room.open(sitting, case_no_of(request), Verb.REROUTE)
        return await self._units_page(request, sitting, case, {})

    async def reroute(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Send the case to the chosen unit."""
        number = case_no_of(request)
        case = await self._room.open(sitting, number, Verb.REROUTE)
        form = await form_of(request)

        def work(tx: Transaction) -> Case:
            return self._decisions.reroute(
                tx, sitting.officer, number, version_of(form), form.get("unit", ""), form.get("reason", "")
            )

        try:
            rerouted = await self._room.store.write(work)
        except (Invalid, Conflict) as problem:
            case = await self._room.open(sitting, number, Verb.REROUTE)
            return await self._units_page(request, sitting, case, form, _problems(problem))
        return self._done(request, sitting, rerouted, "reroute")

    def _done(self, request: web.Request, sitting: Sitting, case: Case, done: str) -> web.Response:
        self._woken()
        may = self._room.desk.permissions.may(sitting.officer, Verb.READ, case)
        if isinstance(may, Allowed):
            return back_to(request, case.case_no, done)
        return web.Response(status=303, headers={"Location": "/desk?done=moved"})

    async def _form(
        self,
        request: web.Request,
        sitting: Sitting,
        case: Case,
        typed: Mapping[str, str],
        *,
        problems: Sequence[Problem] = (),
        reason: str = "",
        unseal: bool = False,
        unmasked: bool = False,
        stale: bool = False,
    ) -> web.Response:
        status = 409 if stale else 422 if problems else 200
        return await self._room.page(
            request,
            sitting,
            "desk/correct.html",
            case,
            status=status,
            unmasked=unmasked,
            inputs=self._inputs(case.petition, typed, problems, compared=bool(problems)),
            problems=problems,
            errors={problem.field: problem.words for problem in problems},
            reason=reason,
            unseal=unseal,
            whole="content" in typed,
        )

    def _inputs(
        self, petition: Petition, typed: Mapping[str, str], problems: Sequence[Problem], *, compared: bool
    ) -> list[Input]:
        errors = {problem.field: problem.words for problem in problems}
        now = self._decisions.corrections.typed_of(petition)
        options: dict[str, tuple[tuple[str, str], ...]] = {
            "purpose": tuple(words.PURPOSE.items()),
            "urgency": tuple(words.URGENCY.items()),
            "legal_path": tuple(words.LEGAL_PATH.items()),
            "litigation_stage": tuple(words.LITIGATION.items()),
            "category": tuple((code, f"{code} {self._categories.full_name(code)}") for code in self._categories.rows),
            "id_type": tuple(words.ID_TYPE.items()),
        }
        found, group = [], ""
        for key in (*MATTER, "content", *(key for key in now if _of_person(key))):
            if key not in typed:
                continue
            name = key.rpartition(".")[2]
            select = key in CHOICES or name in ("category", "id_type")
            kind = "flag" if key in FLAGS else "select" if select else "area" if key in _AREAS else "line"
            before = mask_text(petition, now.get(key, ""))
            differs = compared and before != mask_text(petition, typed[key].replace("\r\n", "\n"))
            heading = f"信访人 {int(key.split('.')[1]) + 1}" if _of_person(key) else ""
            found.append(
                Input(
                    key=key,
                    label=words.FIELD[name],
                    kind=kind,
                    value=typed[key],
                    rows=_AREAS.get(key, 1),
                    hint=_HINTS.get(key, ""),
                    error=errors.get(key, ""),
                    latest=(dict(options.get(name, ())).get(before, before) or "（空）")[:300] if differs else "",
                    options=options.get(name, ()) if select else (),
                    group=heading if heading != group else "",
                )
            )
            group = heading
        return found

    async def _units_page(
        self,
        request: web.Request,
        sitting: Sitting,
        case: Case,
        form: Mapping[str, str],
        problems: Sequence[Problem] = (),
    ) -> web.Response:
        text = (form.get("q") or request.query.get("q", "")).strip()[:_SEARCH_MAX]
        petition = case.petition
        units = self._units.find(text, petition.problem_region, lambda code: self._decisions.guard(petition, code))
        status = 200 if not problems else 409 if problems[0].field == "" else 422
        return await self._room.page(
            request,
            sitting,
            "desk/reroute.html",
            case,
            status=status,
            q=text,
            units=[
                (
                    found.unit.code,
                    found.unit.name,
                    int(found.unit.level),
                    words.LEVEL[int(found.unit.level)],
                    found.place,
                    found.barred,
                )
                for found in units
            ],
            current=case.unit,
            problems=problems,
            errors={problem.field: problem.words for problem in problems},
            typed=dict(form),
        )


def _problems(problem: Invalid | Conflict) -> tuple[Problem, ...]:
    return problem.problems if isinstance(problem, Invalid) else (Problem("", problem.code, problem.words),)


def _of_person(key: str) -> bool:
    head, _, rest = key.partition(".")
    place, _, name = rest.partition(".")
    return head == "petitioners" and place.isascii() and place.isdigit() and name in PERSON
