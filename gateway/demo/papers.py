"""Papers (样例材料): small pictures, PDF files and notes, made when they are needed; fictional like the samples."""

from __future__ import annotations

import struct
import zlib

from gateway.demo.samples import SampleFile

_WIDE, _HIGH = 240, 320
MEDIA_TYPES = {"png": "image/png", "pdf": "application/pdf", "txt": "text/plain"}


def paper(file: SampleFile, title: str) -> bytes:
    """The bytes of one piece of evidence. title: of the petition, so that two petitions never share a file."""
    words = f"{file.name} {title}"
    match file.kind:
        case "png":
            return _png(zlib.crc32(words.encode()))
        case "pdf":
            return _pdf(f"Fictional sample {zlib.crc32(words.encode()):08x}")
        case "txt":
            return f"{title}\r\n{file.name}:样例，内容为虚构。\r\n".encode()


def _png(seed: int) -> bytes:
    """A sheet of paper with lines of grey writing, RGB."""
    rows = bytearray()
    for y in range(_HIGH):
        line = y % 24 in range(8, 14) and 24 <= y < _HIGH - 24
        long = 40 + (seed >> (y // 24 % 24)) % 160
        ink = bytes((70, 70, 80)) * (long if line else 0)
        rows += b"\0" + bytes((250, 248, 242)) * 20 + ink + bytes((250, 248, 242)) * (_WIDE - 20 - len(ink) // 3)
    header = struct.pack(">IIBBBBB", _WIDE, _HIGH, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _pdf(words: str) -> bytes:
    """One page with one line of ASCII."""
    text = f"BT /F1 18 Tf 60 760 Td ({words}) Tj ET".encode()
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    body, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    body += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(body)
