"""The waiting hall (候访叫号): numbers given and called by the clerks, and shown to everybody without a name."""

from __future__ import annotations

import re

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy.exc import IntegrityError

from casework.permissions import Verb
from gateway.auth import Sitting
from gateway.pages.case_room import form_of
from gateway.window_desk import WindowDesk
from petition.errors import Conflict
from store import tickets
from store.database import Store
from store.tickets import Ticket, TicketState
from store.transaction import Transaction

DESK, PUBLIC = "/desk/window/queue", "/queue"
LONGEST_WINDOW = 12
_TRIES = 5  # two processes give out a number at once
_DO = re.compile(r"(call|serve|done|leave)\.([1-9][0-9]{0,5})")
_STATES = {
    "call": TicketState.CALLED,
    "serve": TicketState.SERVING,
    "done": TicketState.DONE,
    "leave": TicketState.LEFT,
}
STATE_WORDS = {"waiting": "等候", "called": "已叫号", "serving": "接待中", "done": "已办结", "left": "已离开"}


async def issue(store: Store, office: str, source: str, priority: str = "") -> Ticket:
    """The next number of the office's day, for the counter and for self-service terminals; Conflict if it fails."""
    for _ in range(_TRIES):
        try:
            return await store.write(lambda tx: tickets.issue(tx, office, source, priority))
        except IntegrityError:
            continue
    raise Conflict("取号的人太多，请再试一次。")


class WaitingPages:
    """`/desk/window/queue` for the clerks of an office, which is their unit."""

    def __init__(self, desk: WindowDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Look and do."""
        officer = self._desk.gate.officer
        return [web.get(DESK, officer(self.show)), web.post(DESK, officer(self.act))]

    async def show(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Who waits, who was called, and the buttons."""
        desk = self._desk
        desk.require(sitting, Verb.REGISTER_VISIT)
        found = await desk.store.read(lambda tx: tickets.today(tx, sitting.officer.unit))
        issued = request.query.get("issued", "")
        context = desk.frame(sitting, DESK) | {
            "window": _window(request.query.get("window", "")),
            "issued": next((each for each in found if str(each.number) == issued), None),
            "nobody": "nobody" in request.query,
            "waiting": [each for each in found if each.state is TicketState.WAITING],
            "called": [each for each in found if each.state in (TicketState.CALLED, TicketState.SERVING)],
            "over": [each for each in found if each.state in (TicketState.DONE, TicketState.LEFT)],
            "states": STATE_WORDS,
            "priorities": desk.visits.priorities,
            "office_name": desk.office_name,
            "now": desk.clock(),
        }
        return aiohttp_jinja2.render_template("desk/window/queue.html", request, context)

    async def act(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Give a number, call the next one, or say what became of one."""
        desk, office = self._desk, sitting.officer.unit
        desk.require(sitting, Verb.REGISTER_VISIT)
        form = await form_of(request)
        window, do = _window(form.get("window", "")), form.get("do", "")
        tail = f"window={window}"
        if do == "issue":
            priority = form.get("priority", "")
            kept = priority if priority in desk.visits.priorities else ""
            tail += f"&issued={(await issue(desk.store, office, 'counter', kept)).number}"
        elif do == "next":
            ranks = {each.key: each.rank for each in desk.visits.priorities.values()}
            called = await desk.store.write(lambda tx: tickets.call_next(tx, office, window, ranks))
            tail += "" if called else "&nobody=1"
        elif found := _DO.fullmatch(do):
            state, number = _STATES[found[1]], int(found[2])
            moved = window if state is TicketState.CALLED else ""
            await desk.store.write(lambda tx: tickets.move(tx, office, number, state, moved))
            if state is TicketState.SERVING:
                location = f"/desk/window?ticket={number}&window={window}"
                return web.Response(status=303, headers={"Location": location})
        return web.Response(status=303, headers={"Location": f"{DESK}?{tail}"})


class QueueBoard:
    """`/queue`: the screen of the hall. Numbers only; every office that has given out numbers today has its board."""

    def __init__(self, desk: WindowDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """The one page."""
        return [web.get(PUBLIC, self.show)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Who is being called, the newest first, and how many wait."""
        desk = self._desk
        units = desk.views.units

        def read(tx: Transaction) -> tuple[list[str], list[Ticket], str]:
            offices = tickets.offices(tx)
            asked = request.query.get("office", "")
            office = asked if asked in offices else offices[0] if offices else ""
            return offices, tickets.today(tx, office), office

        offices, found, office = await desk.store.read(read)
        called = [each for each in found if each.state in (TicketState.CALLED, TicketState.SERVING) and each.called_at]
        called.sort(key=lambda each: each.called_at or desk.clock(), reverse=True)
        names = {code: unit.name if (unit := units.find(code)) else code for code in offices}
        context = {
            "called": called,
            "waiting": sum(each.state is TicketState.WAITING for each in found),
            "next_up": [each.number for each in found if each.state is TicketState.WAITING][:5],
            "offices": names if len(names) > 1 else {},
            "office_code": office,
            "office_words": names.get(office, desk.office_name),
            "now": desk.clock(),
        }
        response = aiohttp_jinja2.render_template("queue.html", request, context)
        response.headers["Cache-Control"] = "no-store"
        return response


def _window(text: str) -> str:
    """A window as it may stand in an address: letters, digits, 号, 窗口."""
    return "".join(sign for sign in text.strip() if sign.isalnum())[:LONGEST_WINDOW]
