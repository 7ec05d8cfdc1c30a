"""开放接口 The REST door: petitions as JSON, or as multipart with files, from apps and other systems.

POST /api/v1/petitions   Idempotency-Key: 3f1c...   {"form": "APP", "title": "...", "content": "...", ...}
201 {"case_no": "620000A2026112200001K", "query_code": "7M2K-...", "received_at": "...", "track_url": "..."}
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import filetype
from aiohttp import BodyPartReader, web
from pydantic import TypeAdapter, ValidationError

from channels.door import Hall
from channels.rest_form import FILES_MAX, PetitionForm, checked, problems_of
from petition.arrival import Arrival, Receipt, Upload
from petition.errors import Invalid, PetitionError, Problem, TooLarge, Unreadable
from petition.petition import Form

NAME = "rest"
PATH = "/api/v1/petitions"
KEY = "Idempotency-Key"

_GOOD_KEY = re.compile(r"[\x21-\x7e]{8,200}")
_PIECE = 1 << 16
_JSON = "application/json"


@dataclass(slots=True)
class _Received:
    """What came over the wire."""

    body: bytes = b""
    uploads: tuple[Upload, ...] = ()


class Rest:
    """The door of machines; see docs/api for the fields."""

    name = NAME

    def __init__(self) -> None:
        self._form = TypeAdapter(PetitionForm)

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """POST /api/v1/petitions."""

        async def post(request: web.Request) -> web.Response:
            return await self._post(request, hall)

        return [web.post(PATH, post)]

    async def _post(self, request: web.Request, hall: Hall) -> web.Response:
        received_at = hall.clock()
        key = _key(request)
        async with _received(request, hall) as came:
            try:
                arrival = self.read(came.body, came.uploads, key or secrets.token_hex(16), received_at, hall)
            except PetitionError as problem:
                await hall.refuse(_unread(came.body, received_at), problem.code)
                raise
            receipt = await hall.intake(arrival)
        return _answer(receipt, hall)

    def read(self, body: bytes, uploads: tuple[Upload, ...], raw_id: str, received_at: datetime, hall: Hall) -> Arrival:
        """One body as an Arrival; raises Unreadable, or Invalid with every problem and its path."""
        try:
            form = self._form.validate_json(body)
        except ValidationError as problem:
            found = problems_of(problem)
            if found is None:
                raise Unreadable("请求正文不是有效的 JSON。") from problem
            raise Invalid(found) from problem
        problems, statement = checked(form, body, received_at.date(), hall.known_region)
        if problems:
            raise Invalid(problems)
        return Arrival(
            channel=NAME,
            form=Form(form.form),
            raw_id=raw_id,
            received_at=received_at,
            petition_date=form.petition_date or received_at.date(),
            raw=body,
            raw_type=_JSON,
            statement=statement,
            uploads=uploads,
            sub_source=form.sub_source,
        )


def _key(request: web.Request) -> str:
    key = request.headers.get(KEY, "")
    if key and not _GOOD_KEY.fullmatch(key):
        words = "Idempotency-Key 应为8到200个可见的ASCII字符,建议用UUID。"
        raise Invalid((Problem(KEY, "idempotency_key", words),), words)
    return key


def _unread(body: bytes, received_at: datetime) -> Arrival:
    return Arrival(
        channel=NAME,
        form=Form.APP,
        raw_id=secrets.token_hex(16),
        received_at=received_at,
        petition_date=received_at.date(),
        raw=body,
        raw_type=_JSON,
    )


def _answer(receipt: Receipt, hall: Hall) -> web.Response:
    body = {
        "case_no": receipt.case_no,
        "query_code": receipt.query_code,
        "received_at": receipt.received_at.isoformat(),
        "track_url": f"{hall.public_url}/track?case_no={receipt.case_no}",
    }
    return web.Response(
        status=201,
        body=json.dumps(body).encode(),
        content_type=_JSON,
        headers={"Location": f"{PATH}/{receipt.case_no}"},
    )


@asynccontextmanager
async def _received(request: web.Request, hall: Hall) -> AsyncIterator[_Received]:
    """The body and the files; temporary files are gone after the block unless the intake took them over."""
    if not request.content_type.startswith("multipart/"):
        if request.content_type != _JSON:
            raise web.HTTPUnsupportedMediaType
        yield _Received(await _bounded(request, hall.max_body))
        return
    hall.spool.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=hall.spool) as folder:
        try:
            yield await _parts(request, hall, Path(folder))
        except (ValueError, AssertionError, LookupError) as problem:
            if isinstance(problem, ValidationError):
                raise
            raise Unreadable("多部分请求的写法有误。") from problem


async def _bounded(request: web.Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > most:
            raise TooLarge(f"请求正文最大 {most} 字节。")
    return bytes(body)


async def _parts(request: web.Request, hall: Hall, folder: Path) -> _Received:
    received = _Received()
    uploads: list[Upload] = []
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise Unreadable("多部分请求不能嵌套。")
        if part.name == "petition":
            received.body = await _piece(part, hall.max_body)
        elif part.name == "attachments":
            if len(uploads) >= FILES_MAX:
                raise TooLarge(f"附件最多 {FILES_MAX} 个。")
            uploads.append(await _file(part, folder / str(len(uploads)), hall.max_upload))
        else:
            name = str(part.name)[:50]
            raise Invalid((Problem(name, "unknown_field", "多部分请求只有 petition 和 attachments 两种字段。"),))
    if not received.body:
        raise Invalid((Problem("petition", "missing", "缺少 petition 字段。"),))
    return replace(received, uploads=tuple(uploads))


async def _piece(part: BodyPartReader, most: int) -> bytes:
    body = bytearray()
    while piece := await part.read_chunk(_PIECE):
        body += piece
        if len(body) > most:
            raise TooLarge()
    return bytes(body)


async def _file(part: BodyPartReader, path: Path, most: int) -> Upload:
    size, head = 0, b""
    with path.open("wb") as target:
        while piece := await part.read_chunk(_PIECE):
            size += len(piece)
            if size > most:
                raise TooLarge(f"每个附件最大 {most} 字节。")
            head = head or piece[:8192]
            target.write(piece)
    if not size:
        raise Invalid((Problem("attachments", "empty", "附件是空文件。"),))
    kind = filetype.guess(head)
    name = re.sub(r"[\x00-\x1f\x7f/\\]", "", part.filename or "")[:120] or "未命名文件"
    return Upload(name=name, media_type=str(kind.mime) if kind else "application/octet-stream", path=path)
