"""The request (热线请求): what the hotline's doors check before they read - key, kind, size, JSON without loss."""

from __future__ import annotations

import hmac
import json
import secrets
from datetime import datetime
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from channels.body import receive
from petition.arrival import Arrival
from petition.errors import Forbidden, Forged, TooLarge, Unreadable
from petition.petition import Form

NAME = "hotline"
KEY = "X-API-Key"
JSON = "application/json"


def verify(request: web.Request, keys: frozenset[str]) -> None:
    """Raises Forbidden when no key is configured, Forged for a wrong one; called before the body is read."""
    if not keys:
        raise Forbidden("热线接口没有开通：尚未配置接口密钥。")
    given = request.headers.get(KEY, "").encode("utf-8", "surrogateescape")
    # A sum, not any(): every key is compared, so that the time does not tell which one was near.
    if not sum(hmac.compare_digest(key.encode(), given) for key in keys):
        raise Forged("接口密钥不对。")


async def take_in(request: web.Request, most: int, body: bytearray) -> None:
    """The body, into `body` as far as it came; raises TooLarge, Unreadable, HTTPUnsupportedMediaType."""
    if request.content_type != JSON:
        raise web.HTTPUnsupportedMediaType
    if (request.content_length or 0) > most:
        raise TooLarge(f"请求正文最大 {most} 字节。")
    try:
        await receive(request, most, body)
    except (HttpProcessingError, web.RequestPayloadError, ConnectionError) as problem:
        raise Unreadable("请求正文没有收完整，或压缩有误。") from problem


def parse(body: bytes) -> object:
    """The JSON value; a name that comes twice in an object gets a name of its own, so that no value is lost unseen."""
    try:
        return json.loads(body, object_pairs_hook=_fields)
    except (ValueError, RecursionError) as problem:
        raise Unreadable("请求正文不是有效的 JSON。") from problem


def answer(value: object, status: int) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=json.dumps(value, ensure_ascii=False).encode(), content_type=JSON)


def unread(body: bytes, received_at: datetime) -> Arrival:
    """What was sent, for `hall.refuse`."""
    return Arrival(
        channel=NAME,
        form=Form.HOTLINE,
        raw_id=secrets.token_hex(16),
        received_at=received_at,
        petition_date=received_at.date(),
        raw=body,
        raw_type=JSON,
    )


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, (name, value) in enumerate(pairs):
        found[f"{name}#{place}" if name in found else name] = value
    return found
