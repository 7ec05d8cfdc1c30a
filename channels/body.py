"""The body (请求正文): how a door takes one in, bounded, so that a refusal can keep what had come."""

from __future__ import annotations

from aiohttp import web

from petition.errors import TooLarge


async def receive(request: web.Request, most: int, body: bytearray) -> None:
    """Add the body of a request to `body`, as far as it comes; raises TooLarge beyond `most` bytes."""
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > most:
            raise TooLarge(f"请求正文最大 {most} 字节。")
