"""Village agents (信访代理): one page on a phone, sent again harmlessly; the code is handed over."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from casework.permissions import Verb
from channels.answers import Answers
from channels.proxy import arrival_of, check_proxy, mandate_of
from channels.web import CONTENT_MAX, TITLE_MAX
from gateway.auth import Sitting
from gateway.drafts import RECEIPT
from gateway.forms import ACCEPTED_WORDS, shown_size
from gateway.pages import case_words as words
from gateway.pages.evidence import row_of
from gateway.pages.filing import shown
from gateway.pages.people import ID_TYPES
from gateway.pages.receipt import raw_id_of
from gateway.pages.window_record import told
from gateway.window_desk import WindowDesk
from petition import numbering
from petition.arrival import Upload
from petition.attachment import AttachmentRole
from petition.errors import Forbidden, Invalid, Problem
from petition.people import IdType
from store import audit
from store.drafts import Draft

PATH = "/desk/proxy"
FILED = "file_for"  # the audit row of a filing: by it an agent is known as the one who filed
FIELDS = (
    *("relation", "second_name", "second_phone", "region_words", "occur_place", "year", "month", "day", "purpose"),
    *("title", "content", "requests", "accused_unit", "accused_name", "accused_post", "is_public", "confidential"),
    *("mandate", "consent"),
)
PERSON = ("name", "id_type", "id_no", "no_id", "phone", "address", "assist_need")
FILE_ROLES = {AttachmentRole.MANDATE: "授权委托书", AttachmentRole.EVIDENCE: "证明材料"}
_ONCE = re.compile("[A-Za-z0-9_-]{20,40}")
_DROP = re.compile(r"drop\.([0-9]{1,12})")


class ProxyPages:
    """`/desk/proxy`: the form, the receipt for the principal, and the mandate that comes later."""

    def __init__(self, desk: WindowDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Show, keep and send; receipt; forget; mandate."""
        officer = self._desk.gate.officer
        return [
            web.get(PATH, officer(self.show)),
            web.post(PATH, officer(self.keep, streamed=True)),
            web.get(f"{PATH}/receipt", officer(self.receipt)),
            web.post(f"{PATH}/discard", officer(self.discard)),
            web.get(f"{PATH}/mandate", officer(self.show_mandate)),
            web.post(f"{PATH}/mandate", officer(self.send_mandate, streamed=True)),
        ]

    async def show(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The form with what was typed before."""
        self._desk.require(sitting, Verb.FILE_FOR)
        draft = await self._desk.drafts.find(request, sitting)
        if draft is not None and draft.submitted:
            raise web.HTTPSeeOther(f"{PATH}/receipt")
        # The draft is there before anything is typed: were its token lost with the first answer, a form sent again over
        # a weak network would be another filing.
        draft = await self._desk.drafts.open(request, sitting)
        answers = Answers.from_dict(draft.answers)
        response = self._page(request, sitting, draft, answers if answers.manner else self._fresh(sitting), ())
        self._desk.drafts.give(response, draft)
        return response

    async def keep(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Keep what was typed; with `do=submit` hand it in once, however often the network makes it come."""
        desk = self._desk
        desk.require(sitting, Verb.FILE_FOR)
        async with desk.parts(request) as given:
            draft = await desk.drafts.find(request, sitting)
            if draft is not None and draft.submitted:
                # The answer to the first sending was lost on the way.
                return web.Response(status=303, headers={"Location": f"{PATH}/receipt"})
            draft = await desk.drafts.open(request, sitting)
            fields = given.fields
            draft = await desk.drafts.change(draft, lambda old: self._typed(old, fields, sitting))
            role = fields.get("file_role", "")
            kind = AttachmentRole(role) if role in tuple(FILE_ROLES) else AttachmentRole.EVIDENCE
            refused = await desk.drafts.attach(draft, given.files, kind)
            do = fields.get("do", "save")
        if found := _DROP.fullmatch(do):
            await desk.drafts.detach(draft, int(found[1]))
        draft = await desk.drafts.again(draft)
        response = await self._after(request, sitting, draft, do, refused)
        desk.drafts.give(response, draft)
        return response

    async def receipt(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Number and code, to be handed to the principal."""
        self._desk.require(sitting, Verb.FILE_FOR)
        draft = await self._desk.drafts.find(request, sitting)
        if draft is None or not draft.submitted:
            raise web.HTTPSeeOther(PATH)
        context = self._desk.frame(sitting, PATH) | told(self._desk, draft.submitted)
        context |= {"until": draft.touched_at + RECEIPT, "again": f"{PATH}/discard"}
        return aiohttp_jinja2.render_template("desk/window/receipt.html", request, context)

    async def discard(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Forget what was typed, or the receipt that was handed over."""
        draft = await self._desk.drafts.find(request, sitting)
        response = web.Response(status=303, headers={"Location": PATH})
        if draft is not None:
            await self._desk.drafts.forget(draft, response)
        return response

    async def show_mandate(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The form for a mandate that comes later."""
        self._desk.require(sitting, Verb.FILE_FOR)
        return self._mandate_page(request, sitting, "", secrets.token_urlsafe(18), (), sent="sent" in request.query)

    async def send_mandate(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Add the photo to a case that this agent has filed; of another case nothing is told."""
        desk = self._desk
        desk.require(sitting, Verb.FILE_FOR)
        async with desk.parts(request) as given:
            typed, once = given.fields.get("case_no", ""), given.fields.get("once", "")
            problems = [Problem("files", "file", file.problem) for file in given.files if file.problem]
            if not problems and not given.files:
                problems.append(Problem("files", "empty", "请选择授权委托书的照片。"))
            case_no = await self._own_case(sitting, typed)
            if not case_no:
                problems.append(Problem("case_no", "unknown", "这不是您代办的信访编号，请照回执核对。"))
            if problems:
                return self._mandate_page(request, sitting, typed, once, tuple(problems))
            uploads = [
                Upload(name=file.name, media_type=file.media_type, path=file.path, role=AttachmentRole.MANDATE)
                for file in given.files
            ]
            digests = [await asyncio.to_thread(_digest, file.path) for file in given.files]
            once = once if _ONCE.fullmatch(once) else secrets.token_urlsafe(18)
            await desk.intake(mandate_of(case_no, uploads, digests, f"mandate-{once}", desk.clock()))
        return web.Response(status=303, headers={"Location": f"{PATH}/mandate?sent=1"})

    async def _own_case(self, sitting: Sitting, typed: str) -> str:
        try:
            number = str(numbering.parse_case_no(typed))
        except Invalid:
            return ""
        rows = await self._desk.store.read(lambda tx: audit.of(tx, number))
        mine = any(row.action == FILED and row.actor == sitting.officer.actor for row in rows)
        return number if mine else ""

    def _fresh(self, sitting: Sitting) -> Answers:
        regions, home = self._desk.regions, sitting.officer.region
        place = regions.full_name(home) or regions.full_name(home[:6])
        return Answers(
            {
                "manner": "agent",
                "relation": "committee",
                "is_public": "no",
                "confidential": "no",
                "region_words": place,
            },
            ({}, {"name": sitting.officer.display_name}),
        )

    def _typed(self, old: Answers, fields: Mapping[str, str], sitting: Sitting) -> Answers:
        said = {name: fields[name] for name in FIELDS if name in fields}
        said["consent"] = fields.get("consent", "")  # an empty box is not sent
        said |= {"manner": "agent", "notice": self._desk.notice_version}
        said["region"] = self._desk.region_of(said.get("region_words", ""))
        principal = {name: fields[f"people.0.{name}"] for name in PERSON if f"people.0.{name}" in fields}
        agent = {"phone": fields.get("people.1.phone", ""), "name": sitting.officer.display_name}
        return old.put(said).put_person(0, principal).put_person(1, agent)

    def _problems(self, draft: Draft, answers: Answers) -> tuple[Problem, ...]:
        desk = self._desk
        roles = [upload.role for upload in draft.uploads]
        found = check_proxy(answers, roles, desk.visits, today=desk.clock().date(), known_region=desk.known_region)
        typed = answers.get("region_words")
        why = (desk.corrections.region(typed)[1] if typed else "") or "请填写问题发生地。"
        return tuple(Problem("region_words", each.code, why) if each.field == "region" else each for each in found)

    async def _after(
        self, request: web.Request, sitting: Sitting, draft: Draft, do: str, refused: Sequence[str]
    ) -> web.Response:
        answers = Answers.from_dict(draft.answers)
        if "application/json" in request.headers.get("Accept", ""):
            return web.json_response({"saved": f"{self._desk.clock():%H:%M}", "problems": list(refused)})
        problems = tuple(Problem("files", "file", each) for each in refused)
        if do == "submit":
            problems = (*self._problems(draft, answers), *problems)
            if not problems:
                await self._enter(sitting, draft, answers)
                return web.Response(status=303, headers={"Location": f"{PATH}/receipt"})
        if problems:
            return self._page(request, sitting, draft, answers, problems)
        tail = "#papers" if do == "files" or do.startswith("drop.") else ""
        return web.Response(status=303, headers={"Location": f"{PATH}?saved=1{tail}"})

    async def _enter(self, sitting: Sitting, draft: Draft, answers: Answers) -> None:
        desk = self._desk
        if not answers.people:
            raise Forbidden()
        digests = [upload.sha256 for upload in draft.uploads]
        async with desk.drafts.uploads(draft) as uploads:
            arrival = arrival_of(answers, uploads, digests, raw_id_of(draft), desk.clock(), desk.visits)
            receipt = await desk.intake(arrival)
        await desk.store.write(
            lambda tx: audit.record(tx, sitting.officer.actor, FILED, receipt.case_no, address=sitting.address)
        )
        kept = {
            "purpose": answers.purpose or "",
            "clerk": sitting.officer.display_name,
            "proxy": "yes",
            "texted": "yes" if receipt.texted else "",
            "waits": "yes" if arrival.hold else "",
        }
        await desk.drafts.submitted(draft, receipt, kept)

    def _page(
        self,
        request: web.Request,
        sitting: Sitting,
        draft: Draft | None,
        answers: Answers,
        problems: tuple[Problem, ...],
    ) -> web.Response:
        people = (*answers.people, {}, {})
        context = self._desk.frame(sitting, PATH) | {
            "values": dict.fromkeys(FIELDS, "") | shown(answers.fields),
            "principal": dict.fromkeys(PERSON, "") | {"id_type": IdType.RESIDENT_ID.value} | shown(people[0]),
            "agent": {"name": sitting.officer.display_name, "phone": people[1].get("phone", "")},
            "id_types": [(kind.value, name) for kind, name in ID_TYPES],
            "relations": [(each.key, f"{each.label}（{each.proof}）") for each in self._desk.visits.relations.values()],
            "agents": self._desk.visits.agents,
            "purposes": words.PURPOSE,
            "limits": {"title": TITLE_MAX, "content": CONTENT_MAX},
            "saved": f"{draft.touched_at:%H:%M}" if draft else "",
            **self._papers(draft, problems),
        }
        status = 422 if problems else 200
        return aiohttp_jinja2.render_template("desk/window/proxy.html", request, context, status=status)

    def _papers(self, draft: Draft | None, problems: tuple[Problem, ...]) -> dict[str, Any]:
        uploads = draft.uploads if draft else ()
        return {
            "files": [row_of(each) | {"role": FILE_ROLES.get(each.role, "证明材料")} for each in uploads],
            "file_roles": [(role.value, name) for role, name in FILE_ROLES.items()],
            "accepted": ACCEPTED_WORDS,
            "max_size": shown_size(self._desk.max_file),
            "problems": problems,
            "errors": {problem.field: problem.words for problem in reversed(problems)},
        }

    def _mandate_page(
        self,
        request: web.Request,
        sitting: Sitting,
        case_no: str,
        once: str,
        problems: tuple[Problem, ...],
        *,
        sent: bool = False,
    ) -> web.Response:
        typed = {"case_no": shown({"": case_no[:60]})[""], "once": once, "sent": sent}
        context = self._desk.frame(sitting, PATH) | typed | self._papers(None, problems)
        status = 422 if problems else 200
        return aiohttp_jinja2.render_template("desk/window/mandate.html", request, context, status=status)


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
