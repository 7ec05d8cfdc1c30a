"""The WeChat door opened for tests (微信门): several at once over one desk, closed in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.wechat import Wechat
from tests.fakes.texts import answered
from tests.fakes.wechat import FakePlatform, Person, WechatDesk, hall_of

Opener = Callable[..., Awaitable[Person]]


@asynccontextmanager
async def doors(spool: Path) -> AsyncIterator[Opener]:
    """What opens a door, with a desk of its own unless one is given; sealed: the account is in the safe mode."""
    clients: list[TestClient[Any, Any]] = []

    async def start(
        desk: WechatDesk | None = None, *, sealed: bool = True, platform: FakePlatform | None = None, **changes: Any
    ) -> Person:
        desk = desk or WechatDesk()
        hall = hall_of(desk, spool, platform or FakePlatform(), sealed=sealed, **changes)
        app = web.Application(middlewares=[answered])
        app.add_routes(Wechat().routes(hall))
        client = TestClient(TestServer(app))
        clients.append(client)
        await client.start_server()
        return Person(client, desk, sealed)

    yield start
    for client in clients:
        await client.close()
