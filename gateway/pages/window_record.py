"""The record (来访登记表): read aloud, signed, handed in exactly once, and the receipt for the visitor."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import aiohttp_jinja2
import segno
from aiohttp import web

from casework.permissions import Verb
from channels.answers import Answers
from channels.visit import SIGNED, arrival_of, check_read_back, documents_of
from gateway.auth import Sitting
from gateway.drafts import RECEIPT
from gateway.forms import ACCEPTED_WORDS, shown_size
from gateway.pages import case_words as words
from gateway.pages.evidence import row_of
from gateway.pages.filing import shown
from gateway.pages.people import ID_TYPES, ROLE_NAMES
from gateway.pages.receipt import raw_id_of, spoken
from gateway.pages.schedule import next_steps
from gateway.pages.window import FIELDS, FILE_ROLES, ORIGINALS, PATH, WindowPages
from gateway.window_desk import WindowDesk
from petition import numbering
from petition.arrival import Receipt
from petition.attachment import AttachmentRole
from petition.errors import Conflict, NotFound, Problem
from petition.petition import Purpose
from store import audit, tickets
from store.drafts import Draft
from store.tickets import TicketState
from store.transaction import Transaction

# What a receipt may say beside the number; what is not kept is empty.
_TOLD = (*("clerk", "ticket", "window", "joined", "papers", "originals", "outside", "proxy", "texted", "waits"),)
_SIGNING = ("read_back", "signed", "signed_words")
_EMPTY = dict.fromkeys(("name", "id_type", "id_no", "no_id", "phone", "address", "assist_need"), "")


class WindowRecordPages:
    """`/desk/window/read` and `/desk/window/receipt`."""

    def __init__(self, desk: WindowDesk, form: WindowPages) -> None:
        self._desk = desk
        self._form = form

    def routes(self) -> list[web.RouteDef]:
        """Read back, hand in, receipt."""
        officer = self._desk.gate.officer
        return [
            web.get(f"{PATH}/read", officer(self.read)),
            web.post(f"{PATH}/read", officer(self.hand_in, streamed=True)),
            web.get(f"{PATH}/receipt", officer(self.receipt)),
        ]

    async def read(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The record as it will be kept, to be read aloud and printed for the signature."""
        draft = await self._draft(request, sitting)
        return self._page(request, sitting, draft, ())

    async def hand_in(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Keep how it was signed; hand in once. A second click, a reload or a lost answer gives the same receipt."""
        desk = self._desk
        async with desk.parts(request) as given:
            draft = await self._draft(request, sitting)
            said = {name: given.fields.get(name, "") for name in _SIGNING}
            role = given.fields.get("file_role", "")
            kind = AttachmentRole(role) if role in tuple(FILE_ROLES) else AttachmentRole.MINUTES
            refused = await desk.drafts.attach(draft, given.files, kind)
            draft = await desk.drafts.change(
                await desk.drafts.again(draft), lambda old: self._signed(old, said, sitting)
            )
            do = given.fields.get("do", "")
        answers = Answers.from_dict(draft.answers)
        problems = tuple(Problem("files", "file", each) for each in refused)
        if do != "submit":
            if problems:
                return self._page(request, sitting, draft, problems)
            raise web.HTTPSeeOther(f"{PATH}/read#signing")
        if self._form.problems(answers):
            raise web.HTTPSeeOther(f"{PATH}?fix=1")
        problems = (*check_read_back(answers), *problems)
        if problems:
            return self._page(request, sitting, draft, problems)
        joined = answers.get("join")
        if joined and joined not in {row.case_no for row in await desk.earlier(sitting, answers)}:
            # The case was closed or moved out of sight meanwhile: the clerk decides anew.
            await desk.drafts.change(draft, lambda old: old.put({"join": "", "join_choice": ""}))
            raise web.HTTPSeeOther(f"{PATH}?fix=1")
        await self._enter(sitting, draft, answers)
        raise web.HTTPSeeOther(f"{PATH}/receipt")

    async def receipt(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Number, code, dates, papers: to be printed and handed over."""
        self._desk.require(sitting, Verb.REGISTER_VISIT)
        draft = await self._desk.drafts.find(request, sitting)
        if draft is None or not draft.submitted:
            raise web.HTTPSeeOther(PATH)
        context = self._desk.frame(sitting, PATH) | told(self._desk, draft.submitted)
        context |= {"until": draft.touched_at + RECEIPT, "again": f"{PATH}/discard"}
        return aiohttp_jinja2.render_template("desk/window/receipt.html", request, context)

    async def _draft(self, request: web.Request, sitting: Sitting) -> Draft:
        self._desk.require(sitting, Verb.REGISTER_VISIT)
        draft = await self._desk.drafts.find(request, sitting)
        if draft is None:
            raise web.HTTPSeeOther(PATH)
        if draft.submitted:
            raise web.HTTPSeeOther(f"{PATH}/receipt")
        if self._form.problems(Answers.from_dict(draft.answers)):
            raise web.HTTPSeeOther(f"{PATH}?fix=1")
        return draft

    def _signed(self, old: Answers, said: Mapping[str, str], sitting: Sitting) -> Answers:
        if all(old.get(name) == value.strip() for name, value in said.items()) and old.get("read_at"):
            return old  # the same click again: the same record, so that it is entered once
        fresh = old.put(said)
        read = fresh.get("read_back") == "yes"
        return fresh.put(
            {
                "read_at": f"{self._desk.clock():%Y-%m-%d %H:%M}" if read else "",
                "read_by": sitting.officer.actor if read else "",
                "notice": self._desk.notice_version,
            }
        )

    async def _enter(self, sitting: Sitting, draft: Draft, answers: Answers) -> None:
        desk = self._desk
        digests = [upload.sha256 for upload in draft.uploads]
        async with desk.drafts.uploads(draft) as uploads:
            arrival = arrival_of(answers, uploads, digests, raw_id_of(draft), desk.clock(), desk.visits)
            receipt: Receipt = await desk.intake(arrival)
        ticket = answers.get("ticket")
        await desk.store.write(lambda tx: _written_down(tx, sitting, receipt.case_no, ticket))
        shown_later = {
            "purpose": answers.purpose or "",
            "clerk": sitting.officer.display_name,
            "ticket": answers.get("ticket"),
            "window": answers.get("window"),
            "joined": "yes" if answers.get("join") else "",
            "papers": str(len(documents_of(answers))),
            "originals": ORIGINALS.get(answers.get("originals"), ""),
            "texted": "yes" if receipt.texted else "",
            "outside": answers.get("outside_words") if answers.get("outside") == "yes" else "",
        }
        await desk.drafts.submitted(draft, receipt, shown_later)

    def _page(
        self, request: web.Request, sitting: Sitting, draft: Draft, problems: tuple[Problem, ...]
    ) -> web.Response:
        answers = Answers.from_dict(draft.answers)
        desk = self._desk
        kinds = {kind.value: name for kind, name in ID_TYPES}
        relation = desk.visits.relations.get(answers.get("relation"))
        context = desk.frame(sitting, PATH) | {
            "values": dict.fromkeys((*FIELDS, *_SIGNING, "read_at", "read_by"), "") | shown(answers.fields),
            "people": [
                _EMPTY
                | shown(person)
                | {"role": ROLE_NAMES[answers.role(index)], "kind": kinds.get(person.get("id_type", ""), "")}
                for index, person in enumerate(answers.named)
            ],
            "relation": relation.label if relation and answers.manner == "agent" else "",
            "anonymous": answers.manner == "anonymous",
            "headcount": answers.headcount,
            "region": desk.regions.full_name(answers.get("region")),
            "occurred": answers.occur_time,
            "purpose": words.PURPOSE.get(answers.purpose or "", ""),
            "requests": [shown({"": line})[""] for line in answers.requests],
            "handed": documents_of(answers),
            "originals": ORIGINALS.get(answers.get("originals"), ""),
            "joined": answers.get("join"),
            "signing": SIGNED,
            "files": [row_of(each) | {"role": FILE_ROLES.get(each.role, "证明材料")} for each in draft.uploads],
            "now": desk.clock(),
            "office_name": desk.office_name,
            "problems": problems,
            "errors": {problem.field: problem.words for problem in reversed(problems)},
            "accepted": ACCEPTED_WORDS,
            "max_size": shown_size(desk.max_file),
        }
        return aiohttp_jinja2.render_template(
            "desk/window/record.html", request, context, status=422 if problems else 200
        )


def _written_down(tx: Transaction, sitting: Sitting, case_no: str, ticket: str) -> None:
    """The audit row of the registration, and the number of the visitor as done, if there is such a number."""
    audit.record(tx, sitting.officer.actor, "register_visit", case_no, address=sitting.address)
    if ticket.isascii() and ticket.isdigit() and len(ticket) < 7:
        with suppress(Conflict, NotFound):  # a number of yesterday, or one the clerk has closed already
            tickets.move(tx, sitting.officer.unit, int(ticket), TicketState.DONE)


def told(desk: WindowDesk, submitted: Mapping[str, str]) -> dict[str, object]:
    """What a receipt says, whoever filed; the query code is empty when the words joined an earlier case."""
    received = datetime.fromisoformat(submitted["received_at"])
    purpose = Purpose(submitted["purpose"]) if submitted.get("purpose") else None
    case_no, code = submitted["case_no"], submitted["query_code"]
    url = f"{desk.public_url.rstrip('/')}/track?no={case_no}"
    return {
        "case_no_shown": numbering.parse_case_no(case_no).shown,
        "query_code": numbering.shown_query_code(code) if code else "",
        "spoken": spoken(code) if code else (),
        "received_at": received,
        "track_url": url,
        "qr": segno.make(url, error="m", micro=False).svg_data_uri(scale=5, border=2, dark="#1a2233", light="#fff"),
        "next_steps": next_steps(desk.deadlines, received.date(), purpose),
        "accusation": purpose is Purpose.ACCUSATION,
        "office_name": desk.office_name,
        "kept": dict.fromkeys(_TOLD, "") | dict(submitted),
    }
