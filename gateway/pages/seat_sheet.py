"""The sheet (坐席工单): filled while the caller speaks, kept every second, submitted once, read back to the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import aiohttp_jinja2
from aiohttp import web

from channels.hotline_request import NAME
from channels.hotline_sheet import SheetReader, Spoken, joined_to
from gateway.auth import Gate, Sitting
from gateway.pages.case_room import form_of, reason_of
from gateway.pages.case_text import shown_no
from gateway.pages.receipt import spoken
from gateway.pages.seat_room import PATH, SHEET, SeatRoom, fields_of, number_in, onward
from gateway.pages.seat_view import number_of
from gateway.seat_feed import SeatFeed
from petition import identity, numbering
from petition.arrival import Arrival, Intake, Outcome, Receipt
from petition.errors import Conflict, Invalid, NotFound, Problem
from store import audit, callbacks, calls, ledger, sheets
from store.sheets import Sheet
from store.transaction import Transaction
from store.vault import digest_of

_TRIES = 5  # of a save, when two windows write in the same moment
_WISHED = "来电人要求回呼"


class SheetPages:
    """`/desk/seat/sheets/...`. intake: the one way in; woken: an order may wait to leave."""

    def __init__(
        self, gate: Gate, room: SeatRoom, feed: SeatFeed, intake: Intake, known_region: Callable[[str], bool]
    ) -> None:
        self._gate = gate
        self._room = room
        self._feed = feed
        self._intake = intake
        self._reader = SheetReader(known_region)

    def routes(self) -> list[web.RouteDef]:
        """The page, its drafts and what is done with it."""
        guard = self._gate.officer
        return [
            web.get(SHEET, guard(self.show)),
            web.post(SHEET, guard(self.save)),
            web.get(f"{SHEET}/earlier", guard(self.earlier)),
            web.get(f"{SHEET}/cases/{{case_no}}", guard(self.open_case)),
            web.post(f"{SHEET}/number", guard(self.number)),
            web.post(f"{SHEET}/submit", guard(self.submit)),
            web.post(f"{SHEET}/drop", guard(self.drop)),
        ]

    async def show(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The sheet, or its receipt once it is submitted."""
        sheet = await self._room.sheet(request, sitting)
        if not sheet.case_no:
            return await self._room.page(request, sitting, sheet)
        context = await self._room.frame(request, sitting)
        code = sheet.receipt.get("query_code", "")
        context |= {
            "case_shown": shown_no(sheet.case_no),
            "case_no": sheet.case_no,
            "query_code": numbering.shown_query_code(code) if code else "",
            "spoken": spoken(code) if code else (),
            "texted": sheet.receipt.get("texted") == "yes",
            "held": sheet.receipt.get("held") == "yes",
            "callback": sheet.receipt.get("callback") == "yes",
        }
        return aiohttp_jinja2.render_template("desk/sheet_receipt.html", request, context)

    async def save(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Keep what was typed. A script gets the new version and what other windows changed; else the page again."""
        sheet = await self._room.sheet(request, sitting)
        form = await form_of(request)
        base, changes = number_in(form, "version"), fields_of(form)
        script = "application/json" in request.headers.get("Accept", "")
        if changes.get("join"):
            await self._check_join(sitting, sheet, changes)
        try:
            kept = await self._keep(sheet, base, changes)
        except Conflict as problem:
            if script:
                return web.json_response({"detail": problem.words}, status=409)
            return onward(f"{PATH}/sheets/{sheet.id}")
        if not script:
            anchor = "#place_find" if form.get("find") else ""
            return onward(f"{PATH}/sheets/{sheet.id}{anchor}")
        others = {name: kept.fields[name] for name, at in kept.at.items() if at > base and name not in changes}
        told = {"version": kept.version, "saved": f"{kept.touched_at:%H:%M:%S}", "others": others}
        return web.json_response({**told, "displaced": len(kept.displaced) - len(sheet.displaced)})

    async def earlier(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The caller's earlier cases, as a part of the page."""
        sheet = await self._room.sheet(request, sitting)
        context = await self._room.frame(request, sitting)
        context |= {
            "sheet": sheet,
            "earlier": await self._room.earlier(sitting, sheet),
            "join": sheet.fields.get("join", ""),
        }
        return aiohttp_jinja2.render_template("desk/sheet_earlier.html", request, context)

    async def open_case(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """An earlier case of the caller: on the audit trail before anything of it is shown."""
        sheet = await self._room.sheet(request, sitting)
        case_no = request.match_info["case_no"]
        if case_no not in {row.case_no for row in await self._room.earlier(sitting, sheet)}:
            raise NotFound("没有找到这件信访，请核对编号。")
        await self._room.store.write(
            lambda tx: audit.record(
                tx, sitting.officer.actor, "read_on_call", case_no, "来电人此前的信访件", address=sitting.address
            )
        )
        return onward(f"/desk/cases/{case_no}?queue=all")

    async def number(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The caller's number, after the reason is written down."""
        sheet = await self._room.sheet(request, sitting)
        form = await form_of(request)
        try:
            reason = reason_of(form)
        except Invalid as problem:
            return await self._room.page(request, sitting, sheet, status=422, problems=problem.problems, typed=form)
        number = await self._room.store.read(lambda tx: number_of(tx, sheet))
        await self._room.store.write(
            lambda tx: self._room.calls.show_number(
                tx, sitting.officer, number, sheet.fields.get("join", ""), reason, sitting.address
            )
        )
        return await self._room.page(request, sitting, sheet, number=number)

    async def drop(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """不登记."""
        sheet = await self._room.sheet(request, sitting)
        form = await form_of(request)
        try:
            await self._room.store.write(
                lambda tx: self._room.calls.throw_away(tx, sitting.officer, sheet, form.get("drop", ""))
            )
        except Invalid as problem:
            return await self._room.page(request, sitting, sheet, status=422, problems=problem.problems)
        return onward(f"{PATH}?done=dropped")

    async def submit(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Hand the work order in; a second click, a reload or a lost answer gives the same receipt."""
        sheet = await self._room.sheet(request, sitting)
        page = f"{PATH}/sheets/{sheet.id}"
        if sheet.case_no:
            return onward(page)
        form = await form_of(request)
        try:
            sheet = await self._keep(sheet, number_in(form, "version"), fields_of(form))
            # Once: a second click must find the same bytes.
            if not sheet.fields.get("ended_at", "").strip():
                ended = f"{self._room.store.clock():%Y-%m-%dT%H:%M}"
                sheet = await self._keep(sheet, sheet.version, {"ended_at": ended})
        except Conflict:
            return onward(page)
        number = await self._room.store.read(lambda tx: number_of(tx, sheet))
        try:
            if sheet.fields.get("join"):
                await self._check_join(sitting, sheet, {})
            arrival = self._arrival(sheet, number)
        except Invalid as problem:
            return await self._room.page(request, sitting, sheet, status=422, problems=problem.problems)
        receipt = await self._enter(arrival)
        await self._remember(sitting, sheet, number, arrival, receipt)
        self._feed.wake()
        return onward(page)

    def _arrival(self, sheet: Sheet, number: str) -> Arrival:
        spoken_of = Spoken(
            sheet=sheet.id,
            call_id=sheet.call_id,
            seat=sheet.seat,
            number=number,
            created_at=sheet.created_at,
            fields=sheet.fields,
        )
        arrival = self._reader.read(spoken_of, self._room.store.clock())
        mobile = identity.normal_mobile(sheet.fields.get("caller.mobile", "")) or identity.normal_mobile(
            number or sheet.fields.get("caller_number", "")
        )
        if self._room.texting and sheet.fields.get("text_receipt") == "yes" and mobile:
            arrival = replace(arrival, text_to=mobile)
        return arrival

    async def _enter(self, arrival: Arrival) -> Receipt:
        """In, exactly once. The sheet that came in and was changed before its receipt was seen joins its own case."""
        first, digest = await self._room.store.read(lambda tx: ledger.first_event(tx, NAME, arrival.raw_id))
        own = digest_of(arrival.raw)
        if first and digest != own:
            return await self._intake(joined_to(arrival, first, own))
        return await self._intake(arrival)

    async def _remember(self, sitting: Sitting, sheet: Sheet, number: str, arrival: Arrival, receipt: Receipt) -> None:
        """Keep the receipt and enter the callback; the petition is in, so nothing typed meanwhile may prevent it."""
        wanted = sheet.fields.get("callback_wanted") == "yes"
        told = {
            "query_code": receipt.query_code,
            "texted": "yes" if receipt.texted else "",
            "held": "yes" if receipt.outcome is Outcome.HELD else "",
            "callback": "yes" if wanted else "",
        }
        called = number or sheet.fields.get("caller_number", "") or sheet.fields.get("caller.mobile", "")
        wish = sheet.fields.get("callback_wish", "").strip() or _WISHED

        def work(tx: Transaction) -> None:
            current = sheets.get(tx, sheet.id, sitting.officer.name)
            if current.case_no:
                return
            sheets.submit(tx, current, receipt.case_no, told)
            self._room.calls.submitted(tx, sheet, receipt.case_no)
            if wanted and called:
                self._room.calls.call_back(
                    tx,
                    channel=sheet.channel or NAME,
                    call_id=sheet.call_id or f"sheet:{sheet.id}",
                    number=called,
                    line=sheet.fields.get("line", ""),
                    at=tx.now,
                    wish=wish,
                    case_no=receipt.case_no,
                )

        for left in range(_TRIES, 0, -1):
            try:
                return await self._room.store.write(work)
            except Conflict:
                if left == 1:
                    raise

    async def _keep(self, sheet: Sheet, base: int, changes: Mapping[str, str]) -> Sheet:
        """The sheet with the changes kept; Conflict once it is submitted."""

        def work(tx: Transaction) -> Sheet:
            current = sheets.get(tx, sheet.id, sheet.seat)
            if current.case_no:
                raise Conflict("这张工单已经提交。")
            if all(current.fields.get(name, "") == value for name, value in changes.items()):
                return current
            return sheets.change(tx, current, base, changes)

        for left in range(_TRIES, 0, -1):
            try:
                return await self._room.store.write(work)
            except Conflict:
                # Another window wrote in the same moment, unless the sheet has gone in.
                if left == 1 or (await self._room.store.read(lambda tx: sheets.get(tx, sheet.id, sheet.seat))).case_no:
                    raise
        raise Conflict()

    async def _check_join(self, sitting: Sitting, sheet: Sheet, changes: Mapping[str, str]) -> None:
        """Raise Invalid unless the case to be joined is the call's own or one of the caller's that may be read."""
        join = changes.get("join") or sheet.fields.get("join", "")
        known = {row.case_no for row in await self._room.earlier(sitting, sheet)}
        if join not in known | await self._room.store.read(lambda tx: _own_cases(tx, sheet)):
            raise Invalid((Problem("join", "join_unknown", "只能并入这位来电人此前的信访件。"),))


def _own_cases(tx: Transaction, sheet: Sheet) -> set[str]:
    """The case the call itself had opened (a recorded message), or the one its callback belongs to."""
    if not sheet.call_id:
        return set()
    call = calls.find(tx, sheet.channel, sheet.call_id)
    tasks = callbacks.of_call(tx, sheet.channel, sheet.call_id)
    return {call.case_no if call else "", *(task.case_no for task in tasks)} - {""}
