"""Taking in a body over a real connection: bounded, and never waited for without end."""

from __future__ import annotations

import asyncio
import zlib

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.body import receive
from petition.errors import PetitionError

WHOLE = zlib.compress(b"a" * 500)
# label, header lines, what is sent of the body, the code, what was kept
CASES = [
    ("whole", b"Content-Length: 3", b"abc", "", b"abc"),
    ("too large", b"Content-Length: 600", b"a" * 600, "too_large", b"a" * 600),
    ("falls silent", b"Content-Length: 9", b"abc", "unreadable", b"abc"),
    ("a deflate that is cut off", b"Content-Encoding: deflate\r\nContent-Length: 9", WHOLE[:9], "unreadable", b""),
    ("no gzip", b"Content-Encoding: gzip\r\nContent-Length: 3", b"abc", "unreadable", b""),
]


@pytest.mark.parametrize(
    ("head", "sent", "code", "kept"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
async def test_a_body_ends_one_way_or_another(head: bytes, sent: bytes, code: str, kept: bytes) -> None:
    told: asyncio.Future[tuple[str, bytes]] = asyncio.get_running_loop().create_future()

    begun = asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        body, said = bytearray(), ""
        begun.set()
        try:
            await receive(request, 500, body, silence=0.05)
        except PetitionError as problem:
            said = problem.code
        told.set_result((said, bytes(body)))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server:
        _, wire = await asyncio.open_connection("127.0.0.1", server.port)
        wire.write(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        await asyncio.wait_for(begun.wait(), 5)
        wire.write(sent)
        said, body = await asyncio.wait_for(told, 5)
        wire.close()
    assert said == code
    assert body.startswith(kept[:3])
