"""Forms (表单): reads what a browser sends, urlencoded or in parts, bounded, and says what a file really is."""

from __future__ import annotations

import asyncio
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import filetype
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from channels.web import UNSEEN
from petition.errors import TooLarge, Unreadable

# The words of a form field in parts; longer ones come urlencoded and are bounded by the body's limit.
_FIELD_MAX = 200_000
_FIELDS_MAX = 100
_PIECE = 1 << 16
_HEAD = 8192  # enough for every signature filetype knows
_NAME_MAX = 120

# What may be handed in as evidence (DOMAIN 3.5: by content, not by name), with the words of the page.
ACCEPTED = ("image/", "video/", "audio/", "text/plain", "application/pdf", "application/msword", "application/rtf",
            "application/vnd.openxmlformats-officedocument.", "application/vnd.ms-", "application/vnd.wps")  # fmt: skip
ACCEPTED_WORDS = "照片、视频、录音、PDF、Word、Excel 或纯文本"

# What aiohttp raises for bodies that are not what their headers say: wrong boundaries, headers, encodings, charsets.
_BROKEN = (HttpProcessingError, ValueError, LookupError, AssertionError, RuntimeError)

CsrfCheck = Callable[[web.Request, str], None]


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """One received file in a temporary place. problem: why it cannot be taken, in words; then `path` is empty."""

    name: str
    media_type: str
    size: int
    path: Path
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """A multipart form."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: tuple[IncomingFile, ...] = ()


async def read_fields(request: web.Request) -> dict[str, str]:
    """The text fields of an urlencoded form, the last of each name; Unreadable when it is none.

    Forms in parts are refused here: their token is not checked before the handler (see `read_parts`).
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise Unreadable()
    try:
        posted = await request.post()
    except _BROKEN as problem:
        raise Unreadable() from problem
    return {name: value for name, value in posted.items() if isinstance(value, str)}


@asynccontextmanager
async def read_parts(
    request: web.Request, *, check_csrf: CsrfCheck, max_file: int, max_files: int, max_fields: int = _FIELDS_MAX
) -> AsyncIterator[Parts]:
    """The fields and files of a multipart form; the temporary files are gone after the block unless taken over.

    check_csrf: called with the request and the field `_csrf`, which must come before every file; raises Forbidden.
    A file too large or of a kind not taken is read to its end and reported, so that the other files are not lost.
    """
    if not request.content_type.startswith("multipart/"):
        raise Unreadable()
    with tempfile.TemporaryDirectory(prefix="upload-") as folder:
        fields: dict[str, str] = {}
        files: list[IncomingFile] = []
        checked = False
        try:
            reader = await request.multipart()
            while (part := await reader.next()) is not None:
                if not isinstance(part, BodyPartReader):
                    raise Unreadable()
                if part.filename is None:
                    fields[part.name or ""] = await _text(part)
                    if part.name == "_csrf":
                        check_csrf(request, fields["_csrf"])
                        checked = True
                else:
                    if not checked:
                        check_csrf(request, "")
                    if len(files) >= max_files:
                        raise TooLarge(f"一次最多添加{max_files}份材料。")
                    taken = await _file(part, Path(folder) / str(len(files)), max_file)
                    files += [taken] if taken else []
                if len(fields) > max_fields:
                    raise TooLarge()
        except _BROKEN as problem:
            raise Unreadable() from problem
        if not checked:
            check_csrf(request, "")
        yield Parts(fields, tuple(files))


def media_type_of(path: Path, name: str) -> str:
    """The media type by the bytes; plain text only if it reads as text; application/octet-stream otherwise."""
    with path.open("rb") as source:
        head = source.read(_HEAD)
    kind = filetype.guess(head)
    if kind is not None:
        mime = str(kind.mime)
        suffix = Path(name).suffix.lower()
        # Office files are zip archives; only their names tell them apart when the first entry is an unusual one.
        if mime == "application/zip" and suffix in _OFFICE and b"[Content_Types].xml" in head:
            return _OFFICE[suffix]
        return mime
    return "text/plain" if head and _is_text(head) else "application/octet-stream"


def shown_size(size: int) -> str:
    """A size for people: 3.2 MB, 340 KB."""
    return f"{size / (1 << 20):.1f} MB".replace(".0 ", " ") if size >= 1 << 20 else f"{max(1, round(size / 1024))} KB"


def clean_name(name: str) -> str:
    """A file name without folders and hidden signs, cut in the middle when it is too long."""
    plain = UNSEEN.sub("", unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])).strip()
    if len(plain) > _NAME_MAX:
        plain = plain[: _NAME_MAX - 30] + "…" + plain[-29:]
    return plain or "未命名文件"


_OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


def _is_text(head: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):  # the head may end inside a character
            try:
                text = head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return not UNSEEN.search(text)
    return False


async def _text(part: BodyPartReader) -> str:
    body = bytearray()
    while piece := await part.read_chunk(_PIECE):
        body += piece
        if len(body) > _FIELD_MAX:
            raise TooLarge()
    return body.decode("utf-8", "replace")


async def _file(part: BodyPartReader, path: Path, most: int) -> IncomingFile | None:
    name = clean_name(part.filename or "")
    size = 0
    with path.open("wb") as target:
        while piece := await part.read_chunk(_PIECE):
            size += len(piece)
            if size > 2 * most:
                raise TooLarge(f"“{name}”太大，每份材料最大{shown_size(most)}。")
            if size <= most:
                await asyncio.to_thread(target.write, piece)
    if not size:
        # A browser sends an empty nameless part when no file was chosen; an empty file with a name is a mistake.
        return None if not part.filename else IncomingFile(name, "", 0, Path(), f"“{name}”是空文件，请重新选择。")
    if size > most:
        words = f"“{name}”有{shown_size(size)}，每份材料最大{shown_size(most)}，请压缩或剪短后再添加。"
        return IncomingFile(name, "", size, Path(), words)
    media_type = media_type_of(path, name)
    if not media_type.startswith(ACCEPTED):
        words = f"“{name}”不是能接收的类型。可以添加{ACCEPTED_WORDS}；压缩包请解开后逐个添加。"
        return IncomingFile(name, media_type, size, Path(), words)
    return IncomingFile(name, media_type, size, path)
