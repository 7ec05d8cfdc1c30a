"""The seat room (话务室): what the pages of the hotline seat share: frame, sheet, earlier cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from casework.calls import NO_PETITION, Calls
from casework.permissions import Verb
from channels.hotline_sheet import CHOICES, FIELDS, GROUPS, LONGEST
from config.reference import Reference
from gateway.auth import Sitting
from gateway.pages import case_words as words
from gateway.pages.case_text import shown_no
from gateway.pages.regions_picker import Place, RegionPicker
from gateway.pages.seat_view import EarlierRow, earlier, live, masked, number_of
from petition.errors import Problem
from store import sheets
from store.database import Store
from store.sheets import Sheet
from store.transaction import Transaction

PATH = "/desk/seat"
SHEET = f"{PATH}/sheets/{{sheet}}"
_LABELS = {field: label for _, fields in GROUPS for field, label, _ in fields}


@dataclass(frozen=True, slots=True)
class SeatRoom:
    """Given to the pages of the seat. texting: whether receipts may go out as text messages."""

    store: Store
    calls: Calls
    reference: Reference
    picker: RegionPicker
    texting: bool

    async def frame(self, request: web.Request, sitting: Sitting) -> dict[str, Any]:
        """The context every page of the seat needs; Forbidden for officers who do not answer calls."""
        officer, permissions = sitting.officer, self.calls.permissions
        self.calls.check(officer)
        return {
            "sitting": sitting,
            "csrf": sitting.csrf,
            "role_words": self.reference.roles.labels(officer.roles),
            "may_search": permissions.has(officer, Verb.SEARCH),
            "may_list": permissions.has(officer, Verb.LIST),
            "may_answer": True,
            "may_visit": permissions.has(officer, Verb.REGISTER_VISIT),
            "live": await self.store.read(lambda tx: live(tx, officer)),
            "chosen": "",
            "reasons": words.REASONS,
            "problems": (),
            "errors": {},
            "typed": {},
        }

    async def sheet(self, request: web.Request, sitting: Sitting) -> Sheet:
        """The sheet of the address; NotFound for another seat's."""
        self.calls.check(sitting.officer)
        name = request.match_info["sheet"][:40]
        return await self.store.read(lambda tx: sheets.get(tx, name, sitting.officer.name))

    async def page(
        self,
        request: web.Request,
        sitting: Sitting,
        sheet: Sheet,
        *,
        status: int = 200,
        problems: tuple[Problem, ...] = (),
        typed: Mapping[str, str] | None = None,
        number: str = "",
    ) -> web.Response:
        """The page of a sheet that is being written. number: the caller's, once it may be shown."""
        context = await self.frame(request, sitting)
        hits: tuple[Place, ...] = ()
        if find := sheet.fields.get("place_find", "").strip():
            hits = self.picker.picker("", find, "").hits
        region = sheet.fields.get("place_region", "")
        join = sheet.fields.get("join", "")
        caller = await self.store.read(lambda tx: number_of(tx, sheet))
        context |= {
            "sheet": sheet,
            "groups": GROUPS,
            "options": CHOICES,
            "labels": _LABELS,
            "fields": sheet.fields,
            "caller": masked(caller) if caller else "",
            "number": number,
            "places": hits[:8],
            "place": self.picker.full_name(region) if region else "",
            "earlier": await self.earlier(sitting, sheet),
            "join": join,
            "join_shown": shown_no(join) if join else "",
            "texting": self.texting,
            "no_petition": NO_PETITION,
            "problems": problems,
            "errors": {one.field: one.words for one in problems},
            "typed": typed or {},
            "saved": f"{sheet.touched_at:%H:%M:%S}",
        }
        return aiohttp_jinja2.render_template("desk/sheet.html", request, context, status=status)

    async def earlier(self, sitting: Sitting, sheet: Sheet) -> tuple[EarlierRow, ...]:
        """The cases of whoever the sheet is about: by the number of the call, and by what was typed."""
        return await self.store.read(lambda tx: self.earlier_now(tx, sitting, sheet))

    def earlier_now(self, tx: Transaction, sitting: Sitting, sheet: Sheet) -> tuple[EarlierRow, ...]:
        """The same inside a transaction."""
        fields = sheet.fields
        numbers = (number_of(tx, sheet), fields.get("caller_number", ""), fields.get("caller.mobile", ""))
        return earlier(
            tx,
            sitting.officer,
            self.calls.permissions,
            self.reference.units,
            numbers,
            fields.get("caller.id_no", ""),
        )


def fields_of(form: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a sheet in a posted form; what a sheet does not have is left out."""
    return {
        name: value.replace("\r\n", "\n")[:LONGEST]
        for name, value in form.items()
        if name in FIELDS and isinstance(value, str)
    }


def number_in(form: Mapping[str, Any], name: str) -> int:
    """A whole number of a posted form, 0 for anything else."""
    text = str(form.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def onward(path: str) -> web.Response:
    """On to a page of the seat, by GET."""
    return web.Response(status=303, headers={"Location": path})
