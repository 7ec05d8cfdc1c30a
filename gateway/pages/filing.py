"""Filing (我要反映): one question a page, seven steps, everything kept as typed, no JavaScript needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp_jinja2
from aiohttp import web

from channels import web as door
from channels.answers import MANNERS, PAGES, STEP_TITLES, VIAS, Answers
from channels.web import UNSEEN, check_step
from gateway.drafts import PATH, DraftDesk
from gateway.forms import read_fields
from gateway.keys import KIOSK
from gateway.pages.regions_picker import RegionPicker
from gateway.pages.ways import Ways
from petition.errors import Problem
from petition.petition import Purpose
from store.drafts import Draft

# Which inputs each page keeps; people, region and evidence have handlers of their own.
_INPUTS = {
    "who": ("manner",),
    "scene": ("occur_place", "year", "month", "day"),
    "purpose": ("purpose",),
    "story": ("title", "content"),
    "requests": ("requests",),
    "accused": ("accused_unit", "accused_name", "accused_post"),
    "wishes": ("is_public", "confidential"),
}
_STEP = dict(PAGES)
_LIMITS = {name: getattr(door, name) for name in ("TITLE_MAX", "CONTENT_MAX", "NAME_MAX", "REPRESENTATIVES_MAX")}


def pages_for(answers: Answers) -> tuple[str, ...]:
    """The pages this petition needs: nobody is asked what the law or an earlier answer has settled."""
    skipped = set()
    if answers.manner == "anonymous":
        skipped |= {"people", "purpose"}
    if answers.purpose is Purpose.ACCUSATION:
        skipped.add("wishes")
    return tuple(page for page, _ in PAGES if page not in skipped)


def url_of(page: str, answers: Answers) -> str:
    """The address of a page; for oneself the page of people is the page of the one person."""
    if page == "people" and answers.manner == "self":
        return f"{PATH}/person/1"
    return f"{PATH}/{page}"


def after(page: str, answers: Answers, *, to_check: bool = False) -> str:
    """The address of the page that follows, or of the check page when the person came from there."""
    if to_check:
        return f"{PATH}/check"
    pages = pages_for(answers)
    order = [name for name, _ in PAGES]
    return next((url_of(each, answers) for each in pages if order.index(each) > order.index(page)), f"{PATH}/check")


def before(page: str, answers: Answers) -> str:
    """The address of the page that goes before; the first one leads back to the introduction."""
    order = [name for name, _ in PAGES]
    earlier = [each for each in pages_for(answers) if order.index(each) < order.index(page)]
    return url_of(earlier[-1], answers) if earlier else PATH


def shown(values: Mapping[str, str]) -> dict[str, str]:
    """Typed values for a page: signs that cannot be seen become the replacement sign, so that they can be found."""
    return {name: UNSEEN.sub("\ufffd", value) for name, value in values.items()}


def view(page: str, answers: Answers, problems: tuple[Problem, ...], *, to_check: bool = False) -> dict[str, Any]:
    """What every page of the filing gives its template."""
    return {
        "page": page,
        "step": _STEP[page],
        "steps": STEP_TITLES,
        "answers": answers,
        "values": shown(answers.fields),
        "problems": problems,
        "errors": {problem.field: problem.words for problem in reversed(problems)},
        "back": f"{PATH}/check" if to_check else before(page, answers),
        "to_check": to_check,
        "limits": _LIMITS,
    }


class FilingPages:
    """The introduction and the pages with plain questions; see people, evidence, receipt for the others."""

    def __init__(self, desk: DraftDesk, picker: RegionPicker, ways: Ways) -> None:
        self._desk = desk
        self._picker = picker
        self._ways = ways

    def routes(self) -> list[web.RouteDef]:
        """`/file` and one path for each page."""
        plain = [
            route
            for page in _INPUTS
            for route in (web.get(f"{PATH}/{page}", self.show), web.post(f"{PATH}/{page}", self.keep))
        ]
        return [
            web.get(PATH, self.introduction),
            web.post(PATH, self.begin),
            web.post(f"{PATH}/discard", self.discard),
            web.get(f"{PATH}/region", self.show_region),
            web.post(f"{PATH}/region", self.keep_region),
            *plain,
        ]

    async def introduction(self, request: web.Request) -> web.StreamResponse:
        """What is needed, how long it takes; a draft of this browser can be taken up again."""
        draft = await self._desk.find(request)
        resume = ""
        if draft is not None and not draft.submitted:
            answers = Answers.from_dict(draft.answers)
            resume = self._first_open(answers)
        via = request.query.get("via", "")
        context = {
            "resume": resume,
            "receipt": draft is not None and draft.submitted is not None,
            "gone": "gone" in request.query,
            "discarded": "discarded" in request.query,
            "via": via if via in VIAS else "",
            "theme": self._ways.open_theme(request.query.get("theme", "")),
            "place": self._ways.place(request),
            "closed": self._ways.closed(request.query.get("theme", "")),
        }
        return aiohttp_jinja2.render_template("filing/start.html", request, context)

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """Begin afresh; an older draft of this browser is forgotten."""
        fields = await read_fields(request)
        theme = fields.get("theme", "")
        if self._ways.closed(theme):
            # It was closed while the page was open; an older draft is not touched before the person decides.
            raise web.HTTPSeeOther(f"{PATH}?theme={quote(theme)}")
        old = await self._desk.find(request)
        if old is not None:
            await self._desk.drafts.drop(old.token)
        response = web.HTTPSeeOther(f"{PATH}/who")
        begun = {"via": fields.get("via", "")} if fields.get("via") in VIAS else {}
        kiosk = request.get(KIOSK) is not None
        if kiosk:
            begun["via"] = "kiosk"
        if theme:
            begun["theme"] = theme
        if place := self._ways.place(request):
            begun["site"] = place.code
        await self._desk.begin(response, Answers(begun), kiosk=kiosk)
        raise response

    async def discard(self, request: web.Request) -> web.StreamResponse:
        """Forget everything typed: for phones that are shared."""
        draft = await self._desk.find(request)
        response = web.HTTPSeeOther(f"{PATH}?discarded=1")
        if draft is not None:
            await self._desk.forget(draft, response)
        raise response

    async def show(self, request: web.Request) -> web.StreamResponse:
        """A page with what was typed before; with ?fix=1 also with what must be mended."""
        page = request.path.rsplit("/", 1)[-1]
        draft = await self._desk.current(request)
        answers = Answers.from_dict(draft.answers)
        if page != "who" and not answers.manner:
            raise web.HTTPSeeOther(f"{PATH}/who")
        problems = self._check(page, answers) if "fix" in request.query else ()
        context = view(page, answers, problems, to_check=request.query.get("from") == "check")
        return aiohttp_jinja2.render_template(f"filing/{page}.html", request, context)

    async def keep(self, request: web.Request) -> web.StreamResponse:
        """Keep what was typed, right or wrong; go on, or back to the page to mend it."""
        page = request.path.rsplit("/", 1)[-1]
        draft = await self._desk.current(request)
        fields = await read_fields(request)
        typed = {name: fields.get(name, "") for name in _INPUTS[page]}
        if page == "who" and typed["manner"] not in MANNERS:
            typed["manner"] = ""
        answers = await self._desk.change(request, draft, lambda old: old.put(typed))
        to_check = fields.get("from") == "check"
        if self._check(page, answers):
            raise web.HTTPSeeOther(f"{PATH}/{page}?fix=1" + ("&from=check" if to_check else ""))
        # A changed beginning changes which pages are needed: those must be passed again.
        settled = page not in ("who", "purpose") or not self._check("check", answers)
        raise web.HTTPSeeOther(after(page, answers, to_check=to_check and settled))

    async def show_region(self, request: web.Request) -> web.StreamResponse:
        """The picker: ?at=code lists the parts of a place, ?q=words searches."""
        draft = await self._desk.current(request)
        answers = Answers.from_dict(draft.answers)
        problems = self._check("region", answers) if "fix" in request.query else ()
        context = view("region", answers, problems, to_check=request.query.get("from") == "check")
        context["picker"] = self._picker.picker(
            request.query.get("at", "") or self._ways.region(answers), request.query.get("q", ""), answers.get("region")
        )
        return aiohttp_jinja2.render_template("filing/region.html", request, context)

    async def keep_region(self, request: web.Request) -> web.StreamResponse:
        """Keep the chosen place."""
        draft = await self._desk.current(request)
        fields = await read_fields(request)
        to_check = fields.get("from") == "check"
        code = fields.get("region", "")
        if not self._picker.known(code):
            raise web.HTTPSeeOther(f"{PATH}/region?fix=1" + ("&from=check" if to_check else ""))
        answers = await self._desk.change(request, draft, lambda old: old.put({"region": code}))
        raise web.HTTPSeeOther(after("region", answers, to_check=to_check))

    def _check(self, page: str, answers: Answers) -> tuple[Problem, ...]:
        today = self._desk.clock().date()
        return check_step(page, answers, today=today, known_region=self._picker.known)

    def _first_open(self, answers: Answers) -> str:
        wanted = (page for page in pages_for(answers) if page == "check" or self._check(page, answers))
        return url_of(next(wanted, "check"), answers)


def answers_of(draft: Draft) -> Answers:
    """What was typed into a draft."""
    return Answers.from_dict(draft.answers)
