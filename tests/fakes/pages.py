"""Pages for tests: small true TIFF, PNG, JPEG and PDF files, made here byte by byte."""

from __future__ import annotations

import struct
import zlib


def tiff(pages: int = 1, mark: int = 0) -> bytes:
    """A bilevel TIFF of 16 x 2 pixels a page, little-endian; mark makes the pixels differ."""
    body = bytearray(b"II*\0\0\0\0\0")
    link = 4
    for page in range(pages):
        strip = len(body)
        body += struct.pack("<HH", (mark + page) & 0xFFFF, page & 0xFFFF)
        struct.pack_into("<I", body, link, len(body))
        entries = [(256, 3, 16), (257, 3, 2), (258, 3, 1), (259, 3, 1), (262, 3, 0), (273, 4, strip), (279, 4, 4)]
        body += struct.pack("<H", len(entries))
        for tag, kind, value in entries:
            body += struct.pack("<HHI", tag, kind, 1) + (
                struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value)
            )
        link = len(body)
        body += b"\0\0\0\0"
    return bytes(body)


def png(mark: int = 0) -> bytes:
    """One grey pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixel = zlib.compress(bytes([0, mark]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def pdf(mark: int = 0) -> bytes:
    """One empty page."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n%% " + str(mark).encode() + b"\n"
        b"trailer<</Root 1 0 R>>\n%%EOF\n"
    )


def jpeg(mark: int = 0) -> bytes:
    """A JFIF head and its end, with a comment between."""
    words = str(mark).encode()
    comment = b"\xff\xfe" + struct.pack(">H", len(words) + 2) + words
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + comment + b"\xff\xd9"
