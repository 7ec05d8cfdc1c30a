"""The hotline seat (话务坐席): calls that ring, callbacks that wait, and the stream that tells the page of them."""

from __future__ import annotations

from contextlib import aclosing

import aiohttp_jinja2
from aiohttp import web

from gateway.auth import Gate, Sitting
from gateway.pages.case_room import form_of, reason_of
from gateway.pages.seat_room import PATH, SeatRoom, number_in, onward
from gateway.pages.seat_view import task_row
from gateway.seat_feed import SeatFeed
from petition.errors import Conflict, Invalid, NotFound, Problem
from store import callbacks

CALL = f"{PATH}/calls/{{call}}"
TASK = f"{PATH}/callbacks/{{task}}"
_DONE = {"callback": "回呼已办结。", "dropped": "已注明原因，不登记。"}


class SeatPages:
    """`/desk/seat`: the list, the stream, and the callbacks."""

    def __init__(self, gate: Gate, room: SeatRoom, feed: SeatFeed) -> None:
        self._gate = gate
        self._room = room
        self._feed = feed

    def routes(self) -> list[web.RouteDef]:
        """The pages and their forms."""
        guard = self._gate.officer
        return [
            web.get(PATH, guard(self.show)),
            web.get(f"{PATH}/stream", guard(self.stream)),
            web.get(f"{PATH}/live", guard(self.live)),
            web.get(f"{PATH}/regions.json", guard(self.regions)),
            web.post(f"{CALL}/take", guard(self.take)),
            web.post(f"{PATH}/sheets", guard(self.write)),
            web.get(TASK, guard(self.task)),
            web.post(f"{TASK}/take", guard(self.take_task)),
            web.post(f"{TASK}/number", guard(self.number)),
            web.post(f"{TASK}/done", guard(self.done)),
        ]

    async def show(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Calls, callbacks, and work orders that were begun."""
        context = await self._room.frame(request, sitting)
        context["done_words"] = _DONE.get(request.query.get("done", ""), "")
        return aiohttp_jinja2.render_template("desk/seat.html", request, context)

    async def live(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The part of the page that changes by itself."""
        context = await self._room.frame(request, sitting)
        return aiohttp_jinja2.render_template("desk/seat_live.html", request, context)

    async def stream(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Server-sent events: a mark whenever something changed; nothing about anybody is in it."""
        self._room.calls.check(sitting.officer)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # a proxy that gathers would keep the bell from ringing
                "X-Content-Type-Options": "nosniff",
            }
        )
        await response.prepare(request)
        last = request.headers.get("Last-Event-ID", "")[:40]

        def gone() -> bool:
            return request.transport is None or request.transport.is_closing()

        try:
            await response.write(b"retry: 1000\n\n")
            async with aclosing(self._feed.follow(sitting.officer.name, last, gone)) as marks:
                async for mark in marks:
                    told = f"id: {mark}\nevent: changed\ndata: {mark}\n\n" if mark else ": still here\n\n"
                    await response.write(told.encode())
            await response.write_eof()
        except ConnectionError:
            pass  # the page was closed
        return response

    async def regions(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """Places for what is being typed."""
        self._room.calls.check(sitting.officer)
        return await self._room.picker.search(request)

    async def take(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """接听."""
        row = _row(request, "call")
        try:
            sheet = await self._room.store.write(lambda tx: self._room.calls.take(tx, sitting.officer, row))
        except Conflict as problem:
            context = await self._room.frame(request, sitting)
            context |= {"problems": (Problem("", problem.code, problem.words),), "done_words": ""}
            return aiohttp_jinja2.render_template("desk/seat.html", request, context, status=409)
        self._feed.wake()
        return onward(f"{PATH}/sheets/{sheet.id}")

    async def write(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """手工登记: a call no telephone system told of, or the talk of a callback."""
        task = number_in(await form_of(request), "task")
        sheet = await self._room.store.write(lambda tx: self._room.calls.write_by_hand(tx, sitting.officer, task))
        return onward(f"{PATH}/sheets/{sheet.id}")

    async def task(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """A callback, its number masked."""
        return await self._task(request, sitting)

    async def take_task(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """认领回呼."""
        row, version = _row(request, "task"), number_in(await form_of(request), "version")
        try:
            await self._room.store.write(lambda tx: self._room.calls.take_callback(tx, sitting.officer, row, version))
        except Conflict as problem:
            return await self._task(request, sitting, problem)
        self._feed.wake()
        return onward(f"{PATH}/callbacks/{row}")

    async def number(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The number, after the reason is written down."""
        row = _row(request, "task")
        try:
            reason = reason_of(await form_of(request))
        except Invalid as problem:
            return await self._task(request, sitting, problem)
        shown = await self._room.store.write(
            lambda tx: self._room.calls.show_callback(tx, sitting.officer, row, reason, sitting.address)
        )
        return await self._task(request, sitting, number=shown.number)

    async def done(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """办结回呼."""
        row, form = _row(request, "task"), await form_of(request)
        version, result = number_in(form, "version"), form.get("result", "")
        try:
            await self._room.store.write(lambda tx: self._room.calls.done(tx, sitting.officer, row, version, result))
        except (Conflict, Invalid) as problem:
            return await self._task(request, sitting, problem)
        self._feed.wake()
        return onward(f"{PATH}?done=callback")

    async def _task(
        self, request: web.Request, sitting: Sitting, problem: Conflict | Invalid | None = None, *, number: str = ""
    ) -> web.Response:
        """The page of a callback, with what went wrong and everything typed."""
        row = _row(request, "task")
        context = await self._room.frame(request, sitting)
        task = await self._room.store.read(lambda tx: callbacks.get(tx, row))
        problems: tuple[Problem, ...] = ()
        if problem is not None:
            own = problem.problems if isinstance(problem, Invalid) else ()
            problems = own or (Problem("", problem.code, problem.words),)
        context |= {
            "task": task_row(task, self._room.store.clock()),
            "over": task.done_at is not None,
            "result": task.result,
            "number": number,
            "problems": problems,
            "errors": {one.field: one.words for one in problems},
            "typed": await form_of(request) if request.method == "POST" else {},
        }
        status = 200 if problem is None else 422 if isinstance(problem, Invalid) else 409
        return aiohttp_jinja2.render_template("desk/callback.html", request, context, status=status)


def _row(request: web.Request, name: str) -> int:
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound("没有这个来电或回呼任务。")
    return int(text)
