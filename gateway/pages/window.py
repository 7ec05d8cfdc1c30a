"""The counter (来访登记窗口): one page for a clerk who types fast; everything typed is kept at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from casework.permissions import Verb
from channels.answers import Answers
from channels.visit import check_visit
from channels.web import CONTENT_MAX, PEOPLE_MAX, TITLE_MAX
from config.regions import Level
from gateway.auth import Sitting
from gateway.forms import ACCEPTED_WORDS, shown_size
from gateway.pages import case_words as words
from gateway.pages.case_view import Row
from gateway.pages.evidence import row_of
from gateway.pages.filing import shown
from gateway.pages.people import ID_TYPES
from gateway.window_desk import WindowDesk
from petition.attachment import AttachmentRole
from petition.errors import Problem
from petition.people import IdType, Role
from store.drafts import Draft

PATH = "/desk/window"
FIELDS = (
    *("manner", "relation", "guardian_words", "headcount", "companions", "ticket", "window", "region_words"),
    *("occur_place", "year", "month", "day", "purpose", "title", "content", "requests", "accused_unit"),
    *("accused_name", "accused_post", "is_public", "confidential", "documents", "originals", "outside"),
    *("outside_words", "join_choice"),
)
PERSON = ("name", "id_type", "id_no", "no_id", "phone", "address", "assist_need", "role")
MANNERS = {"self": "本人", "joint": "多人", "agent": "监护人或代理人", "anonymous": "不留姓名（检举控告）"}
ORIGINALS = {"returned": "原件已当场退还", "copies": "只收复印件", "kept": "原件暂存，另附收据"}
FILE_ROLES = {
    AttachmentRole.EVIDENCE: "证明材料",
    AttachmentRole.MINUTES: "签字的登记表、笔录",
    AttachmentRole.RECORDING: "录音录像",
    AttachmentRole.MANDATE: "授权委托书、监护证明",
    AttachmentRole.SIGNATURES: "来访人员签名页",
}
FIELDS_MAX = len(FIELDS) + len(PERSON) * PEOPLE_MAX + 20
_SENT = re.compile(r"people\.([0-9]{1,3})\.([a-z_]+)")
_PLACE = re.compile(r"(remove|drop)\.([0-9]{1,12})")
# What was read back is no longer what stands there once a word is changed.
_READ_BACK = dict.fromkeys(("read_back", "read_at", "read_by", "signed", "signed_words"), "")


class WindowPages:
    """`/desk/window`: the form. Reading back, handing in and the receipt are in `window_record`."""

    def __init__(self, desk: WindowDesk) -> None:
        self._desk = desk
        regions = desk.regions
        home = [place for place in regions.under(desk.home) if place.level is not Level.TOWNSHIP]
        self._places = tuple(regions.full_name(place.code) for place in home)

    def routes(self) -> list[web.RouteDef]:
        """Show, keep, forget."""
        officer = self._desk.gate.officer
        return [
            web.get(PATH, officer(self.show)),
            web.post(PATH, officer(self.keep, streamed=True)),
            web.post(f"{PATH}/discard", officer(self.discard)),
        ]

    async def show(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The form with what was typed before; with ?fix=1 also with what must be mended."""
        self._desk.require(sitting, Verb.REGISTER_VISIT)
        draft = await self._desk.drafts.find(request, sitting)
        if draft is not None and draft.submitted:
            raise web.HTTPSeeOther(f"{PATH}/receipt")
        answers = Answers.from_dict(draft.answers) if draft else Answers({"manner": "self"})
        if draft is None or not answers.get("ticket"):  # from the list of numbers
            asked = {name: request.query.get(name, "")[:12] for name in ("ticket", "window")}
            answers = answers.put({name: value for name, value in asked.items() if value})
        problems = self.problems(answers) if "fix" in request.query else ()
        return self._page(request, sitting, draft, answers, problems)

    async def keep(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Keep what was typed, then do what the pressed button says; what is wrong is said at the fields."""
        desk = self._desk
        desk.require(sitting, Verb.REGISTER_VISIT)
        async with desk.parts(request, FIELDS_MAX) as given:
            draft = await desk.drafts.open(request, sitting)
            fields = given.fields
            draft = await desk.drafts.change(draft, lambda old: self._typed(old, fields))
            role = fields.get("file_role", "")
            kind = AttachmentRole(role) if role in tuple(FILE_ROLES) else AttachmentRole.EVIDENCE
            refused = await desk.drafts.attach(draft, given.files, kind)
            do = fields.get("do", "save")
        if place := _PLACE.fullmatch(do):
            if place[1] == "drop":
                await desk.drafts.detach(draft, int(place[2]))
            else:
                draft = await desk.drafts.change(draft, lambda old: old.drop_person(int(place[2])))
        response = await self._after(request, sitting, await desk.drafts.again(draft), do, refused)
        desk.drafts.give(response, draft)
        return response

    async def discard(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Forget what was typed, or the receipt that was handed over."""
        draft = await self._desk.drafts.find(request, sitting)
        response = web.Response(status=303, headers={"Location": f"{PATH}?new=1"})
        if draft is not None:
            await self._desk.drafts.forget(draft, response)
        return response

    def problems(self, answers: Answers) -> tuple[Problem, ...]:
        """What must be mended before the record is read back."""
        desk = self._desk
        found = check_visit(answers, desk.visits, today=desk.clock().date(), known_region=desk.known_region)
        told = []
        for problem in found:
            if problem.field == "region":
                typed = answers.get("region_words")
                why = desk.corrections.region(typed)[1] if typed else "请填写问题发生地。"
                problem = Problem("region_words", problem.code, why or problem.words)
            told.append(problem)
        return tuple(told)

    async def _after(
        self, request: web.Request, sitting: Sitting, draft: Draft, do: str, refused: Sequence[str]
    ) -> web.Response:
        answers = Answers.from_dict(draft.answers)
        if "application/json" in request.headers.get("Accept", ""):
            return web.json_response({"saved": f"{self._desk.clock():%H:%M}", "problems": list(refused)})
        problems = tuple(Problem("files", "file", each) for each in refused)
        earlier: list[Row] | None = None
        if do in ("look", "read"):
            earlier = await self._desk.earlier(sitting, answers)
        if do == "read":
            problems = (*self.problems(answers), *problems, *_join_problems(answers, earlier or []))
            if not problems:
                return web.Response(status=303, headers={"Location": f"{PATH}/read"})
        if problems or earlier is not None:
            return self._page(request, sitting, draft, answers, problems, earlier=earlier)
        tail = {"add": "#people", "files": "#papers"}.get(do, "#papers" if do.startswith("drop.") else "")
        return web.Response(status=303, headers={"Location": f"{PATH}?saved=1{tail}"})

    def _typed(self, old: Answers, fields: Mapping[str, str]) -> Answers:
        said = {name: fields[name] for name in FIELDS if name in fields}
        for name in ("outside",):  # an empty box is not sent
            said[name] = fields.get(name, "")
        if said.get("manner", "") not in MANNERS:
            said["manner"] = old.manner or "self"
        code = self._desk.region_of(said.get("region_words", ""))
        choice = said.get("join_choice", old.get("join_choice"))
        said |= {"region": code, "join": choice if choice.isalnum() and choice.isupper() else ""}
        answers = old.put(said)
        rows: dict[int, dict[str, str]] = {}
        for key, value in fields.items():
            if (found := _SENT.fullmatch(key)) and found[2] in PERSON:
                rows.setdefault(int(found[1]), {})[found[2]] = value
        for at, typed in sorted(rows.items()):
            if at < PEOPLE_MAX and (at < len(answers.people) or any(typed.get(name) for name in ("name", "id_no"))):
                answers = answers.put_person(min(at, len(answers.people)), typed)
        if fields.get("do") == "add" and len(answers.people) < PEOPLE_MAX:
            manner = answers.manner if answers.manner in ("joint", "agent") else "joint"
            # One more than the page showed, also where the rows before were left empty.
            lacking = max(1, len(rows) + 1 - len(answers.people))
            answers = replace(answers, people=(*answers.people, *({} for _ in range(lacking)))).put({"manner": manner})
        changed = answers.to_dict() != old.to_dict()
        return answers.put(_READ_BACK) if changed else answers

    def _page(
        self,
        request: web.Request,
        sitting: Sitting,
        draft: Draft | None,
        answers: Answers,
        problems: tuple[Problem, ...],
        *,
        earlier: list[Row] | None = None,
    ) -> web.Response:
        context = self._desk.frame(sitting, PATH) | {
            "values": dict.fromkeys(FIELDS, "") | shown(answers.fields),
            "manners": MANNERS,
            "manner": answers.manner or "self",
            "rows": self._rows(answers),
            "id_types": [(kind.value, name) for kind, name in ID_TYPES],
            "relations": self._desk.visits.relations.values(),
            "representatives": self._desk.visits.representatives,
            "purposes": words.PURPOSE,
            "originals": ORIGINALS,
            "file_roles": [(role.value, name) for role, name in FILE_ROLES.items()],
            "files": [_file(upload) for upload in draft.uploads] if draft else [],
            "places": self._places,
            "problems": problems,
            "errors": {problem.field: problem.words for problem in reversed(problems)},
            "earlier": earlier,
            "saved": f"{draft.touched_at:%H:%M}" if draft else "",
            "limits": {"title": TITLE_MAX, "content": CONTENT_MAX},
            "accepted": ACCEPTED_WORDS,
            "max_size": shown_size(self._desk.max_file),
            "full": len(answers.people) >= PEOPLE_MAX,
        }
        status = 422 if problems else 200
        return aiohttp_jinja2.render_template("desk/window/form.html", request, context, status=status)

    def _rows(self, answers: Answers) -> list[dict[str, Any]]:
        count = max(len(answers.named), answers.expected())
        rows = []
        for index in range(count):
            typed = answers.people[index] if index < len(answers.people) else {}
            role = answers.role(index)
            rows.append(
                {
                    "index": index,
                    "values": dict.fromkeys(PERSON, "") | {"id_type": IdType.RESIDENT_ID.value} | shown(typed),
                    "heading": _HEADINGS[role],
                    "choose_role": answers.manner == "joint" and index > 0,
                    "role": role.value,
                    "may_go": index >= answers.expected() or (answers.manner == "joint" and count > 2),
                }
            )
        return rows


_HEADINGS = {
    Role.SELF: "来访人",
    Role.REPRESENTATIVE: "代表",
    Role.COSIGNER: "同来人员",
    Role.PRINCIPAL: "当事人（被代理、被监护的人）",
    Role.AGENT: "到场的监护人或代理人",
}


def _join_problems(answers: Answers, earlier: Sequence[Row]) -> tuple[Problem, ...]:
    """Somebody who has a case already: the clerk decides whether this belongs to it, never the machine."""
    if not earlier:
        return ()
    choice = answers.get("join_choice")
    if choice == "new" or choice in {row.case_no for row in earlier}:
        return ()
    return (Problem("join_choice", "empty", "此人已有信访件，请选择并入原件还是新登记一件。"),)


def _file(upload: Any) -> dict[str, object]:
    return row_of(upload) | {"role": FILE_ROLES.get(upload.role, "证明材料")}
