"""Sheets (图像页): what a file of scanned or faxed pages is by its bytes, and whether it came whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator

PDF, TIFF, PNG, JPEG = "application/pdf", "image/tiff", "image/png", "image/jpeg"
ENDINGS = {PDF: (".pdf",), TIFF: (".tif", ".tiff"), PNG: (".png",), JPEG: (".jpg", ".jpeg")}

_HEAD = 1024  # a PDF may have this much before its mark (ISO 32000-1, annex H.3.4.1)
_TAIL = 2048
_PAGES_MOST = 10_000
_SIZES = {3: ("H", 2), 4: ("I", 4)}  # TIFF 6.0: SHORT, LONG
_STRIPS = {273: 279, 324: 325}  # offsets and byte counts: of strips, of tiles


def kind_of(body: bytes) -> str:
    """The media type of pages (PDF, TIFF, PNG, JPEG), or empty; the name of the file does not count."""
    if body.startswith(b"\xff\xd8\xff"):
        return JPEG
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if body.startswith((b"II*\0", b"MM\0*")):
        return TIFF
    return PDF if b"%PDF-" in body[:_HEAD] else ""


def is_whole(body: bytes, kind: str) -> bool:
    """Whether the file ends as its format says; a file cut off on the way does not."""
    tail = body[-_TAIL:]
    if kind == TIFF:
        return pages_of(body, kind) > 0
    return {PDF: b"%%EOF", PNG: b"IEND\xaeB`\x82", JPEG: b"\xff\xd9"}[kind] in tail


def pages_of(body: bytes, kind: str) -> int:
    """How many pages: counted in a TIFF (0 if it is cut off), 1 for a picture, 0 (not known) for a PDF."""
    if kind != TIFF:
        return int(kind in (PNG, JPEG))
    order = "<" if body[:2] == b"II" else ">"
    try:
        return sum(1 for _ in _directories(body, order))
    except (struct.error, ValueError):
        return 0


def _directories(body: bytes, order: str) -> Iterator[int]:
    """The place of each page's directory; struct.error or ValueError when it points beyond the file."""
    seen: set[int] = set()
    (place,) = struct.unpack_from(f"{order}I", body, 4)
    while place:
        if place in seen or len(seen) >= _PAGES_MOST:
            raise ValueError("the directories lead in a circle")
        seen.add(place)
        (entries,) = struct.unpack_from(f"{order}H", body, place)
        strips = {}
        for at in range(place + 2, place + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(f"{order}HHI", body, at)
            if tag in (*_STRIPS, *_STRIPS.values()) and kind in _SIZES:
                strips[tag] = _numbers(body, order, at + 8, kind, count)
        for offsets, counts in _STRIPS.items():
            for start, length in zip(strips.get(offsets, ()), strips.get(counts, ()), strict=False):
                if start + length > len(body):
                    raise ValueError("a page lies beyond the end")
        yield place
        (place,) = struct.unpack_from(f"{order}I", body, place + 2 + 12 * entries)


def _numbers(body: bytes, order: str, at: int, kind: int, count: int) -> tuple[int, ...]:
    """The values of one entry: in it when they fit into four bytes, else where it points."""
    sign, size = _SIZES[kind]
    if size * count > len(body):
        raise ValueError("more values than bytes")
    if size * count > 4:
        (at,) = struct.unpack_from(f"{order}I", body, at)
    return struct.unpack_from(f"{order}{count}{sign}", body, at)
