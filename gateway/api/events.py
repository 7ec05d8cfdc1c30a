"""Routing events (状态回传接口): the routing system tells what became of a case."""

from __future__ import annotations

import asyncio

from aiohttp import web
from sqlalchemy.exc import IntegrityError

from dispatch.events import apply, read_event
from dispatch.routing import Routing
from petition.errors import NotFound, TooLarge
from store.database import Store

EVENT_MAX = 64 << 10  # bytes; the longest event the form allows stays under 20 KB


class RoutingEvents:
    """`POST /api/v1/routing/events`, signed by Standard Webhooks; closed while no secret is set."""

    def __init__(self, store: Store, routing: Routing, secret: str) -> None:
        self._store = store
        self._routing = routing
        self._secret = secret

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.post("/api/v1/routing/events", self.post)]

    async def post(self, request: web.Request) -> web.Response:
        """Apply one event, exactly once by its id."""
        if not self._secret:
            raise NotFound("没有设置转送系统。")
        body = await _body(request)
        event = await asyncio.to_thread(read_event, self._secret, request.headers, body)
        try:
            applied = await self._store.write(lambda tx: apply(tx, event, self._routing))
        except IntegrityError:
            # Two copies of one event at once: the other one won, so this one finds it applied.
            applied = await self._store.write(lambda tx: apply(tx, event, self._routing))
        return web.json_response({"case_no": applied.case_no, "result": applied.result, "status": applied.status.value})


async def _body(request: web.Request) -> bytes:
    """The body, byte by byte as it was signed."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > EVENT_MAX:
            raise TooLarge(f"状态回传最大 {EVENT_MAX} 字节。")
    return bytes(body)
