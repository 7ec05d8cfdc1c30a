"""The body (请求正文): how a door takes one in, bounded, so that a refusal can keep what had come."""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from petition.errors import TooLarge, Unreadable

# Seconds without a byte. A cut-off body of coding deflate never ends for the server: nobody would answer its sender.
SILENCE = 30.0


async def receive(request: web.Request, most: int, body: bytearray, silence: float = SILENCE) -> None:
    """Add the body of a request to `body`, as far as it comes.

    Raises TooLarge beyond `most` bytes, Unreadable for a body that broke off, fell silent or is coded wrongly.
    """
    try:
        while True:
            async with asyncio.timeout(silence):
                piece = await request.content.readany()
            if not piece:
                return
            body += piece
            if len(body) > most:
                raise TooLarge(f"请求正文最大 {most} 字节。")
    except (HttpProcessingError, web.RequestPayloadError, ConnectionError, TimeoutError) as problem:
        raise Unreadable("请求正文没有收完整，或压缩有误。") from problem
