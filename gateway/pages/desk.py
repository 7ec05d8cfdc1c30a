"""The desk (工作台): queues with counts on the left, the list in the middle, and search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp_jinja2
from aiohttp import web

from casework.desk import Desk, Filters, Item, Queue
from casework.permissions import Verb
from config.roles import Roles
from gateway.auth import Gate, Sitting
from gateway.pages import case_words as words
from gateway.pages.case_view import CaseViews, Row
from petition import numbering
from petition.errors import Invalid
from petition.petition import Form, Purpose, Urgency
from store.accounts import Officer
from store.database import Store
from store.transaction import Transaction

LONGEST_SEARCH = 100
_FILTERS = ("urgency", "form", "purpose", "category", "theme", "late")


class DeskPages:
    """`/desk` and `/desk/search`. The frame (queues, list) is shared with the pages of a case."""

    def __init__(self, store: Store, gate: Gate, desk: Desk, views: CaseViews, roles: Roles) -> None:
        self._store = store
        self._gate = gate
        self._desk = desk
        self._views = views
        self._roles = roles

    def routes(self) -> list[web.RouteDef]:
        """The two routes."""
        return [
            web.get("/desk", self._gate.officer(self.show)),
            web.post("/desk/search", self._gate.officer(self.search)),
        ]

    async def show(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """A queue."""
        context = await self.frame(request, sitting)
        return aiohttp_jinja2.render_template("desk/desk.html", request, context)

    async def search(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """By case number: straight to the case. By phone or ID number: a list, written down in the audit trail.

        A POST, because an address with an ID number in it would stand in logs and histories.
        """
        text = str((await request.post()).get("q", "")).strip()[:LONGEST_SEARCH]
        try:
            number = numbering.parse_case_no(text)
            return web.Response(status=303, headers={"Location": f"/desk/cases/{number}?queue=all"})
        except Invalid:
            pass
        found = await self._store.write(
            lambda tx: self._desk.search(tx, sitting.officer, text, sitting.address) if text else []
        )
        today = self._store.clock().date()
        rows = [self._views.row(Item(case=each, lamp=self._desk.lamp(each, today))) for each in found]
        context = await self.frame(request, sitting)
        context |= {"rows": rows, "searched": True, "title": "检索结果"}
        return aiohttp_jinja2.render_template("desk/desk.html", request, context)

    async def frame(self, request: web.Request, sitting: Sitting, *, chosen: str = "") -> dict[str, Any]:
        """The context of queues and list: the same around every case. chosen: the case that is open."""
        queue = _queue(request.query.get("queue", ""))
        filters = _filters(request.query)
        counts, rows = await self._store.read(lambda tx: self._read(tx, sitting.officer, queue, filters))
        kept = {name: request.query[name] for name in ("queue", *_FILTERS) if request.query.get(name)}
        place = next((at for at, row in enumerate(rows) if row.case_no == chosen), None)
        return {
            "sitting": sitting,
            "csrf": sitting.csrf,
            "role_words": self._roles.labels(sitting.officer.roles),
            "may_search": self._desk.permissions.has(sitting.officer, Verb.SEARCH),
            "may_visit": self._desk.permissions.has(sitting.officer, Verb.REGISTER_VISIT),
            "may_answer": self._desk.permissions.has(sitting.officer, Verb.ANSWER),
            "may_file_for": self._desk.permissions.has(sitting.officer, Verb.FILE_FOR),
            "may_list": self._desk.permissions.has(sitting.officer, Verb.LIST),
            "queues": [(key.value, words.QUEUE[key.value], counts.get(key)) for key in Queue],
            "queue": queue.value,
            "title": words.QUEUE[queue.value],
            "empty_words": words.QUEUE_EMPTY[queue.value],
            "filters": kept,
            "filtered": any(name in kept for name in _FILTERS),
            "query": urlencode(kept),
            "choices": {"urgency": words.URGENCY, "form": words.FORM, "purpose": words.PURPOSE},
            "categories": [(each.code, each.name) for each in self._views.categories.children()],
            "themes": [(each.code, each.title) for each in self._views.themes.rows.values()],
            "rows": rows,
            "chosen": chosen,
            "next_case": _after(rows, place),
            "previous_case": rows[place - 1].case_no if place else "",
            "done_words": words.DONE.get(request.query.get("done", ""), ""),
            "searched": False,
        }

    def _read(
        self, tx: Transaction, officer: Officer, queue: Queue, filters: Filters
    ) -> tuple[Mapping[Queue, int], list[Row]]:
        items = self._desk.items(tx, officer, queue, filters)
        return self._desk.counts(tx, officer), [self._views.row(item) for item in items]


def _queue(text: str) -> Queue:
    return Queue(text) if text in tuple(Queue) else Queue.NEW


def _filters(query: Mapping[str, str]) -> Filters:
    """What is not in the lists is no filter: an old bookmark shows too much rather than an error."""
    urgency, form, purpose = query.get("urgency", ""), query.get("form", ""), query.get("purpose", "")
    category = query.get("category", "")
    return Filters(
        urgency=Urgency(urgency) if urgency in tuple(Urgency) else None,
        form=Form(form) if form in tuple(Form) else None,
        purpose=Purpose(purpose) if purpose in tuple(Purpose) else None,
        category=category if len(category) <= 8 and category.replace(".", "").isdigit() else "",
        theme=query.get("theme", "")[:40],
        late=query.get("late") == "yes",
    )


def _after(rows: list[Row], place: int | None) -> str:
    """The case to go on with: the one below the open one, or the first if the open one has left the queue."""
    if place is None:
        return rows[0].case_no if rows else ""
    return rows[place + 1].case_no if place + 1 < len(rows) else ""
