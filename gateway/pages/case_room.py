"""The case room (阅件室): opens a case for an officer, audited where it must be, and gathers what its pages show."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from casework.decisions import SHORTEST_REASON
from casework.desk import Desk, Original, find_original, without_hidden_links
from casework.permissions import Allowed, Verb
from gateway.auth import Sitting
from gateway.pages import case_words as words
from gateway.pages.case_view import CaseView, CaseViews
from gateway.pages.desk import DeskPages
from petition.errors import Invalid, NotFound, Problem
from store import audit, groups, history, outbox
from store.database import Store
from store.history import Step
from store.outbox import Order
from store.petitions import Case
from store.transaction import Transaction

LONGEST_REASON = 200
_LARGEST_RAW = 4 << 20  # bytes of an original that are read into a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A case with what stands around it."""

    case: Case
    steps: list[Step]
    orders: list[Order]
    original: Original | None
    may: frozenset[Verb]


class CaseRoom:
    """Shared by the pages of a case; every read of a case goes through `open`."""

    def __init__(self, store: Store, desk: Desk, views: CaseViews, frame: DeskPages) -> None:
        self.store = store
        self.desk = desk
        self.views = views
        self._frame = frame

    async def open(self, sitting: Sitting, case_no: str, verb: Verb = Verb.READ) -> Case:
        """The case; raises NotFound or Forbidden. Looks at sealed and hidden cases are on the audit trail before this
        returns."""
        officer = sitting.officer
        sight = await self.store.read(lambda tx: self.desk.look(tx, officer, case_no, verb))
        if sight.audit_action:
            await self.store.write(
                lambda tx: audit.record(
                    tx,
                    officer.actor,
                    sight.audit_action,
                    case_no,
                    sight.audit_reason or verb.value,
                    address=sitting.address,
                )
            )
        return sight.get()

    async def gather(self, sitting: Sitting, case: Case) -> Gathered:
        """What the pages of the case show."""
        return await self.store.read(lambda tx: self._gather(tx, sitting, case))

    async def view(self, sitting: Sitting, case: Case, *, unmasked: bool = False) -> CaseView:
        """The case in words; unmasked only after the reason is on the audit trail."""
        found = await self.gather(sitting, case)
        lamp = self.desk.lamp(found.case, self.store.clock().date(), found.steps)
        raw = None
        if unmasked and found.original is not None and found.original.size <= _LARGEST_RAW:
            raw = await self.body(found.original)
        return self.views.view(
            found.case, found.steps, found.orders, found.original, lamp, found.may, unmasked=unmasked, raw=raw
        )

    async def body(self, original: Original) -> bytes:
        """The bytes of an original, wherever they lie."""
        if original.body is not None:
            return original.body
        return await asyncio.to_thread(self.store.files.open, original.digest)

    async def page(
        self,
        request: web.Request,
        sitting: Sitting,
        template: str,
        case: Case,
        *,
        status: int = 200,
        unmasked: bool = False,
        **more: Any,
    ) -> web.Response:
        """A page of the case inside the frame of the desk."""
        context = await self._frame.frame(request, sitting, chosen=case.case_no)
        context |= {
            "case": await self.view(sitting, case, unmasked=unmasked),
            **await self.store.read(lambda tx: _joint(tx, case)),
            "reasons": words.REASONS,
            "problems": (),
            "typed": {},
            **more,
        }
        return aiohttp_jinja2.render_template(template, request, context, status=status)

    async def with_reason(
        self, sitting: Sitting, case: Case, action: str, reason: str, fields: tuple[str, ...]
    ) -> None:
        """Write down that identity data is about to be shown, and why."""
        await self.store.write(
            lambda tx: audit.record(
                tx, sitting.officer.actor, action, case.case_no, reason, fields, address=sitting.address
            )
        )

    def _gather(self, tx: Transaction, sitting: Sitting, case: Case) -> Gathered:
        permissions = self.desk.permissions
        return Gathered(
            case=without_hidden_links(tx, permissions, sitting.officer, case),
            steps=history.of(tx, case.case_no),
            orders=outbox.of(tx, case.case_no),
            original=find_original(tx, case),
            may=frozenset(verb for verb in Verb if isinstance(permissions.may(sitting.officer, verb, case), Allowed)),
        )


def _joint(tx: Transaction, case: Case) -> dict[str, object]:
    """The link of a joint petition, and for each petitioner how the mobile was proved (None: did not join by it)."""
    found = groups.find(tx, case.case_no)
    known = groups.proofs(tx, case.case_no) if found is not None else {}
    return {
        "group": found,
        "headcount": case.petition.headcount,
        "proofs": [known.get(groups.person_code(tx.vault, one)) for one in case.petition.petitioners],
    }


def case_no_of(request: web.Request) -> str:
    """The case number of the address; NotFound for what can be none."""
    text = request.match_info["case_no"]
    if not (text.isascii() and text.isalnum() and len(text) <= 40):
        raise NotFound("没有找到这件信访，请核对编号。")
    return text


def version_of(form: dict[str, str]) -> int:
    """The version the form was made from; 0, which fits no case, if it is missing."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def form_of(request: web.Request) -> dict[str, str]:
    """The text fields of the form."""
    return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}


def reason_of(form: dict[str, str]) -> str:
    """The reason for showing identity data, chosen and, if need be, in own words; Invalid if there is none."""
    chosen, own = form.get("why", ""), form.get("why_words", "").strip()
    if chosen not in words.REASONS:
        raise Invalid((Problem("why", "why_empty", "请选择查看身份信息的理由。"),))
    if chosen == "other" and len(own) < SHORTEST_REASON:
        raise Invalid((Problem("why_words", "why_empty", "请写明查看身份信息的理由。"),))
    return f"{words.REASONS[chosen]} {own[:LONGEST_REASON]}".strip()


def back_to(request: web.Request, case_no: str, done: str) -> web.Response:
    """To the page of the case, in the queue the officer works through."""
    queue = request.query.get("queue", "new")
    queue = queue if queue.isalpha() and len(queue) < 12 else "new"
    return web.Response(status=303, headers={"Location": f"/desk/cases/{case_no}?queue={queue}&done={done}"})
