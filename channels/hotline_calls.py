"""来电事件 Calls of any telephone system (呼叫中心): it tells us when one rings, is answered, and is over.

POST /api/v1/hotline/calls   X-API-Key: ...
{"call_id": "PBX-20261122-000123", "event": "ringing", "number": "15400000001", "line": "12345"}
200 {"call_id": "PBX-20261122-000123", "event": "ringing", "seats_open": true}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError, with_config

from channels.door import Hall
from channels.hotline_form import canonical
from channels.hotline_request import NAME, answer, parse, take_in, unread, verify
from channels.rest_form import PROBLEMS_MAX, problems_of, texts_of
from channels.switchboard import Call
from channels.web import UNSEEN
from petition import identity
from petition.clock import aware
from petition.errors import Forbidden, Forged, Invalid, Problem, TooLarge, Unreadable

PATH = "/api/v1/hotline/calls"
EVENT_MAX = 16 << 10  # bytes
_SOMEBODY = "未报坐席"
_ROOT = {"petition": "event"}  # how the shared reader names the whole body
_DAY = timedelta(days=1)  # of grace: clocks differ


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """One event of one call. number: the caller's, empty when it is hidden; seat: the extension that answered."""

    call_id: Annotated[str, Field(pattern=r"^[!-~]{1,100}$")]
    event: Literal["ringing", "answered", "over"]
    number: Annotated[str, Field(max_length=40)] = ""
    line: Annotated[str, Field(pattern=r"^[0-9A-Za-z\u4e00-\u9fff -]{0,20}$")] = ""
    seat: Annotated[str, Field(max_length=60)] = ""
    at: AwareDatetime | None = None
    wish: Annotated[str, Field(max_length=500)] = ""


class CallEvents:
    """The door of telephone systems. A call event is no petition: only what is refused enters the ledger."""

    def __init__(self) -> None:
        self._form = TypeAdapter(CallEvent)

    def route(self, hall: Hall) -> web.RouteDef:
        """POST /api/v1/hotline/calls."""

        async def post(request: web.Request) -> web.Response:
            return await self._post(request, hall)

        return web.post(PATH, post)

    async def _post(self, request: web.Request, hall: Hall) -> web.Response:
        received_at, body = hall.clock(), bytearray()
        try:
            verify(request, hall.api_keys)
            await take_in(request, min(EVENT_MAX, hall.max_body), body)
            event = self.read(bytes(body), received_at)
        except (Forbidden, Forged, Invalid, Unreadable, TooLarge) as problem:
            await hall.refuse(unread(bytes(body), received_at), problem.code)
            raise
        except web.HTTPUnsupportedMediaType:
            await hall.refuse(unread(b"", received_at), "unsupported_type")
            raise
        at = min(aware(event.at), received_at) if event.at else received_at
        told: dict[str, object] = {"call_id": event.call_id, "event": event.event}
        number = identity.normal_mobile(event.number) or identity.normal_landline(event.number) or event.number.strip()
        call = Call(
            channel=NAME,
            id=event.call_id,
            number=number,
            line=event.line.strip(),
            at=at,
            # Who answers without a name is somebody all the same.
            seat=(event.seat.strip() or _SOMEBODY) if event.event == "answered" else "",
        )
        if event.event == "over":
            await hall.switchboard.over(NAME, event.call_id, at)
        else:
            told["seats_open"] = await hall.switchboard.ring(call)
        if event.wish.strip():
            await hall.switchboard.call_back(call, event.wish.strip())
        return answer(told, 200)

    def read(self, body: bytes, now: datetime) -> CallEvent:
        """The event of a body; raises Unreadable, Invalid with every problem and its path."""
        value = parse(body)
        try:
            hidden = [
                Problem(path or "event", "unseen", "有无法显示的控制符，请删掉它。")
                for path, text in texts_of(value)
                if UNSEEN.search(text)
            ]
            # Written anew, so that a name that came twice is refused; in strict mode a moment is read from JSON only.
            written = canonical(value)
        except RecursionError as problem:
            raise Unreadable("请求正文的嵌套层数太多。") from problem
        if hidden:
            raise Invalid(tuple(hidden[:PROBLEMS_MAX]))
        try:
            event = self._form.validate_json(written)
        except ValidationError as problem:
            shape = problems_of(problem)
            if shape is None:
                raise Unreadable("请求正文不是有效的 JSON。") from problem
            raise Invalid(tuple(replace(one, field=_ROOT.get(one.field, one.field)) for one in shape)) from problem
        if problems := tuple(_problems(event, now)):
            raise Invalid(problems)
        return event


def _problems(event: CallEvent, now: datetime) -> Iterator[Problem]:
    if event.at is not None and not now - 30 * _DAY <= event.at <= now + _DAY:
        yield Problem("at", "out_of_range", "这个时间不可能，请核对。")
