"""Errors at the edge (差错应答): one table from what happened to HTTP, as problem+json or as a page."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from petition.errors import (
    Conflict,
    Forbidden,
    Forged,
    Invalid,
    NotFound,
    PetitionError,
    TooLarge,
    TooMany,
    Unavailable,
    Unreadable,
)

# First match wins; a subclass keeps the status of its parent.
STATUS: tuple[tuple[type[PetitionError], int], ...] = (
    (Invalid, 422),
    (Unreadable, 400),
    (Forged, 401),
    (TooLarge, 413),
    (Conflict, 409),
    (NotFound, 404),
    (Forbidden, 403),
    (TooMany, 429),
    (Unavailable, 503),
)
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_type"}
_WORDS = {
    400: "请求的写法有误，无法读取。",
    404: "没有找到这个页面。",
    405: "这个网址不支持这种操作。",
    413: "提交的内容超过了大小限制。",
    415: "不支持这种内容类型。",
}


def status_of(error: PetitionError) -> int:
    """The HTTP status of an error; 500 for one without a row."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def of_http(error: web.HTTPException) -> tuple[int, str, str]:
    """(status, code, words) for an error aiohttp raised itself."""
    status = error.status
    return status, CODES.get(status, f"http_{status}"), _WORDS.get(status, PetitionError.words)


def problem(status: int, code: str, words: str, **more: Any) -> web.Response:
    """An answer of RFC 9457; `code` is stable, `detail` is for people."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": words, **more}
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/problem+json"},
    )


def problem_of(error: PetitionError) -> web.Response:
    """The problem+json answer to a `PetitionError`."""
    more: dict[str, Any] = {"retryable": error.retryable}
    if isinstance(error, Invalid):
        more["errors"] = [{"field": one.field, "code": one.code, "detail": one.words} for one in error.problems]
    answer = problem(status_of(error), error.code, error.words, **more)
    if isinstance(error, TooMany | Unavailable):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer
