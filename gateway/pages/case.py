"""The case (信访件): the original beside the record, and the decisions that need no page of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from urllib.parse import quote

from aiohttp import web

from casework.decisions import Decisions
from casework.permissions import Allowed, Verb
from gateway.auth import Gate, OfficerHandler, Sitting
from gateway.pages.case_room import CaseRoom, back_to, case_no_of, form_of, reason_of, version_of
from petition.errors import Conflict, Invalid, NotFound, Problem
from store.petitions import Case
from store.transaction import Transaction

PATH = "/desk/cases/{case_no}"
_IDENTITY = ("name", "id_no", "mobile", "landline", "email", "address", "content", "original")
# Types a browser may be told; anything else goes out as plain bytes to be saved.
_TOLD = ("image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf", "text/plain", "audio/", "video/")

Decide = Callable[[Transaction, dict[str, str]], Case]


class CasePages:
    """`/desk/cases/{case_no}` and what is decided there. woken: called when an order may wait to leave the house."""

    def __init__(self, gate: Gate, room: CaseRoom, decisions: Decisions, woken: Callable[[], None]) -> None:
        self._gate = gate
        self._room = room
        self._decisions = decisions
        self._woken = woken

    def routes(self) -> list[web.RouteDef]:
        """The page and its forms."""
        posts: dict[str, OfficerHandler] = {
            "/identity": self.identity,
            "/files/{digest}": self.file,
            "/confirm": self.confirm,
            "/release": self.release,
            "/link": self.link,
            "/retry": self.retry,
        }
        return [
            web.get(PATH, self._gate.officer(self.show)),
            *(web.post(PATH + tail, self._gate.officer(handler)) for tail, handler in posts.items()),
        ]

    async def show(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The case, identity data masked."""
        case = await self._room.open(sitting, case_no_of(request))
        return await self._room.page(request, sitting, "desk/case.html", case)

    async def identity(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """The case with identity data, after the reason is written down."""
        case = await self._room.open(sitting, case_no_of(request), Verb.READ_IDENTITY)
        form = await form_of(request)
        try:
            reason = reason_of(form)
        except Invalid as problem:
            return await self._again(request, sitting, case, form, problem)
        await self._room.with_reason(sitting, case, "read_identity", reason, _IDENTITY)
        return await self._room.page(request, sitting, "desk/case.html", case, unmasked=True)

    async def file(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """A file of the case, or its original, to be saved; the same reason is needed as for identity data."""
        case = await self._room.open(sitting, case_no_of(request), Verb.READ_IDENTITY)
        digest = request.match_info["digest"]
        form = await form_of(request)
        try:
            reason = reason_of(form)
        except Invalid as problem:
            return await self._again(request, sitting, case, form, problem)
        found = await self._room.gather(sitting, case)
        named = {each.sha256: (each.name, each.media_type) for each in case.petition.attachments}
        if found.original is not None:
            named.setdefault(found.original.digest, (f"{case.case_no}-原件", found.original.media_type))
        if digest not in named:
            raise NotFound("这个文件不属于这件信访。")
        await self._room.with_reason(sitting, case, "read_file", reason, (digest,))
        name, media_type = named[digest]
        if found.original is not None and digest == found.original.digest and found.original.body is not None:
            pieces: Iterator[bytes] = iter([found.original.body])
        else:
            pieces = self._room.store.files.pieces(digest)
        return await _send(request, name, media_type, pieces)

    async def confirm(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """确认登记."""
        number = case_no_of(request)
        return await self._decide(
            request,
            sitting,
            "confirm",
            lambda tx, form: self._decisions.confirm(
                tx, sitting.officer, number, version_of(form), form.get("note", "")
            ),
        )

    async def release(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """放行来件."""
        number = case_no_of(request)
        return await self._decide(
            request,
            sitting,
            "release",
            lambda tx, form: self._decisions.release_held(
                tx, sitting.officer, number, version_of(form), form.get("reason", "")
            ),
        )

    async def link(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """认定或否定重复件."""
        number = case_no_of(request)
        same = (await form_of(request)).get("same") == "yes"
        return await self._decide(
            request,
            sitting,
            "link" if same else "unlink",
            lambda tx, form: self._decisions.link(
                tx, sitting.officer, number, version_of(form), form.get("other", ""), same=same
            ),
        )

    async def retry(self, request: web.Request, sitting: Sitting) -> web.StreamResponse:
        """重新投递."""
        number = case_no_of(request)
        return await self._decide(
            request,
            sitting,
            "retry",
            lambda tx, form: self._decisions.retry(tx, sitting.officer, number, _number(form.get("order", ""))),
        )

    async def _decide(self, request: web.Request, sitting: Sitting, done: str, decide: Decide) -> web.StreamResponse:
        """Decide and go on; what cannot be done is said beside the form, with everything typed still in it."""
        case = await self._room.open(sitting, case_no_of(request))
        form = await form_of(request)
        try:
            decided = await self._room.store.write(lambda tx: decide(tx, form))
        except (Conflict, Invalid) as problem:
            # Opened anew: what is shown beside the typed words is the present state.
            case = await self._room.open(sitting, case.case_no)
            return await self._again(request, sitting, case, form, problem)
        self._woken()
        may = self._room.desk.permissions.may(sitting.officer, Verb.READ, decided)
        if not isinstance(may, Allowed):
            return web.Response(status=303, headers={"Location": "/desk?done=moved"})
        return back_to(request, case.case_no, done)

    async def _again(
        self, request: web.Request, sitting: Sitting, case: Case, form: dict[str, str], problem: Conflict | Invalid
    ) -> web.Response:
        problems = problem.problems if isinstance(problem, Invalid) else (Problem("", problem.code, problem.words),)
        status = 422 if isinstance(problem, Invalid) else 409
        return await self._room.page(
            request, sitting, "desk/case.html", case, status=status, problems=problems, typed=form
        )


async def _send(request: web.Request, name: str, media_type: str, pieces: Iterator[bytes]) -> web.StreamResponse:
    told = media_type if media_type.startswith(_TOLD) else "application/octet-stream"
    response = web.StreamResponse(
        headers={
            "Content-Type": told,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name[:150], safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
    )
    first = await asyncio.to_thread(next, pieces, b"")  # a broken seal must still become an error page
    await response.prepare(request)
    while first:
        await response.write(first)
        first = await asyncio.to_thread(next, pieces, b"")
    await response.write_eof()
    return response


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
