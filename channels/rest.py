"""开放接口 The REST door: petitions as JSON, or as multipart with files, from apps and other systems.

POST /api/v1/petitions   Idempotency-Key: 3f1c...   {"form": "APP", "title": "...", "content": "...", ...}
201 {"case_no": "620000A2026112200001K", "query_code": "7M2K-...", "received_at": "...", "track_url": "..."}
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import filetype
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import TypeAdapter, ValidationError

from channels.body import receive
from channels.door import Hall
from channels.rest_form import FILES_MAX, PetitionForm, checked, problems_of
from channels.theme import check_theme, themed
from channels.web import UNSEEN
from petition.arrival import Arrival, Receipt, Upload
from petition.errors import Invalid, Problem, TooLarge, Unreadable
from petition.petition import Form

NAME = "rest"
PATH = "/api/v1/petitions"
KEY = "Idempotency-Key"

_GOOD_KEY = re.compile(r"[\x21-\x7e]{8,200}")
_PIECE = 1 << 16
_HEAD = 8192  # enough for every signature filetype knows
_JSON = "application/json"
_CUT = (HttpProcessingError, web.RequestPayloadError, ConnectionError)  # the body broke off, or its coding is wrong


@dataclass(slots=True)
class _Received:
    """What came over the wire so far: a refusal keeps it even when reading stopped half-way."""

    body: bytes = b""
    uploads: list[Upload] = field(default_factory=list)
    size: int = 0

    def count(self, piece: bytes, most: int) -> None:
        """Add to the size of the whole request; raises TooLarge."""
        self.size += len(piece)
        if self.size > most:
            raise TooLarge(f"一次请求合计最大 {most} 字节。")


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
        came = _Received()
        try:
            key = _key(request)
            with _spooled(request, hall) as folder:
                await _receive(request, hall, folder, came)
                arrival = self.read(came.body, tuple(came.uploads), key or secrets.token_hex(16), received_at, hall)
                receipt = await hall.intake(arrival)
        except (Invalid, Unreadable, TooLarge) as problem:
            await hall.refuse(_unread(came.body, received_at), problem.code)
            raise
        except web.HTTPUnsupportedMediaType:
            await hall.refuse(_unread(b"", received_at), "unsupported_type")
            raise
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
        problems += check_theme(hall.themes, form.theme)
        if problems:
            raise Invalid(problems)
        sub_source, notes = themed(hall.themes, form.theme, NAME, received_at.date(), form.sub_source)
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
            sub_source=sub_source,
            notes=notes,
        )


def _key(request: web.Request) -> str:
    key = request.headers.get(KEY)
    if key is None:
        return ""
    if not _GOOD_KEY.fullmatch(key):  # an empty one as well: its sender believes to be safe from repeats
        words = "Idempotency-Key 应为8到200个可见的ASCII字符，建议用UUID。"
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
        "track_url": f"{hall.public_url}/track?no={receipt.case_no}",
    }
    return web.Response(
        status=201,
        body=json.dumps(body).encode(),
        content_type=_JSON,
        headers={"Location": f"{PATH}/{receipt.case_no}"},
    )


@contextmanager
def _spooled(request: web.Request, hall: Hall) -> Iterator[Path]:
    """A folder for the files of this request; they are gone after the block unless the intake took them over."""
    if not request.content_type.startswith("multipart/"):
        yield hall.spool
        return
    hall.spool.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=hall.spool) as folder:
        yield Path(folder)


async def _receive(request: web.Request, hall: Hall, folder: Path, came: _Received) -> None:
    if request.content_type == _JSON:
        await _read_json(request, hall.max_body, came)
    elif request.content_type.startswith("multipart/"):
        try:
            await _read_parts(request, hall, folder, came)
        except (ValueError, AssertionError, LookupError, RuntimeError, *_CUT) as problem:
            raise Unreadable("多部分请求的写法有误。") from problem
    else:
        raise web.HTTPUnsupportedMediaType


async def _read_json(request: web.Request, most: int, came: _Received) -> None:
    if (request.content_length or 0) > most:
        raise TooLarge(f"请求正文最大 {most} 字节。")
    body = bytearray()
    try:
        await receive(request, most, body)
    finally:
        came.body = bytes(body)


async def _read_parts(request: web.Request, hall: Hall, folder: Path, came: _Received) -> None:
    most = hall.max_body + hall.max_upload
    if (request.content_length or 0) > most:
        raise TooLarge(f"一次请求合计最大 {most} 字节。")
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise Unreadable("多部分请求不能嵌套。")
        if part.name == "petition" and not came.body:
            came.body = await _text(part, hall, came)
        elif part.name == "petition":
            raise Invalid((Problem("petition", "repeated", "petition 字段只能有一个。"),))
        elif part.name == "attachments":
            if len(came.uploads) >= FILES_MAX:
                raise TooLarge(f"附件最多 {FILES_MAX} 个。")
            came.uploads.append(await _file(part, folder / str(len(came.uploads)), hall, came))
        else:
            words = "多部分请求只有 petition 和 attachments 两种字段。"
            raise Invalid((Problem(UNSEEN.sub("?", str(part.name))[:50], "unknown_field", words),))
    if not came.body:
        raise Invalid((Problem("petition", "missing", "缺少 petition 字段。"),))


async def _text(part: BodyPartReader, hall: Hall, came: _Received) -> bytes:
    body = bytearray()
    while piece := await part.read_chunk(_PIECE):
        came.count(piece, hall.max_body + hall.max_upload)
        body += piece
        if len(body) > hall.max_body:
            raise TooLarge(f"petition 字段最大 {hall.max_body} 字节。")
    return bytes(body)


async def _file(part: BodyPartReader, path: Path, hall: Hall, came: _Received) -> Upload:
    size, head = 0, b""
    with path.open("wb") as target:
        while piece := await part.read_chunk(_PIECE):
            came.count(piece, hall.max_body + hall.max_upload)
            size += len(piece)
            if size > hall.max_upload:
                raise TooLarge(f"每个附件最大 {hall.max_upload} 字节。")
            if len(head) < _HEAD:
                head += piece[:_HEAD]
            target.write(piece)
    if not size:
        raise Invalid((Problem(f"attachments.{len(came.uploads)}", "empty", "附件是空文件。"),))
    kind = filetype.guess(head)
    name = UNSEEN.sub("", re.sub(r"[\r\n\t/\\]", "", part.filename or ""))[:120].strip() or "未命名文件"
    return Upload(name=name, media_type=str(kind.mime) if kind else "application/octet-stream", path=path)
