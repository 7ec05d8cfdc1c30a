"""winmail.dat 拆包 What Outlook packs into one application/ms-tnef part: its attachments and its text (MS-OXTNEF)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.mail_text import Check, decode

_SIGNATURE = b"\x78\x9f\x3e\x22"
_CODEPAGE, _BODY, _MESSAGE = 0x0006_9007, 0x0002_800C, 0x0006_9003
_BEGIN, _TITLE, _DATA, _ATTACHMENT = 0x0006_9002, 0x0001_8010, 0x0006_800F, 0x0006_9005
# MAPI properties (MS-OXPROPS) and the widths of their types (MS-OXCDATA 2.11.1), padded to four bytes.
_P_BODY, _P_RTF, _P_HTML = 0x1000, 0x1009, 0x1013
_P_NAME, _P_LONG_NAME, _P_TYPE, _P_OBJECT = 0x3704, 0x3707, 0x370E, 0x3701
_WIDTHS = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = frozenset({0xD, 0x1E, 0x1F, 0x102})
_UNICODE, _OBJECT, _MANY = 0x1F, 0xD, 0x1000
_UNPACKED_MAX = 20_000_000  # bytes of text: RTF packs at most some twenty to one
# What every dictionary of compressed RTF begins with (MS-OXRTFCP 2.1.2.1).
_PRESET = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    + b"\r\n"
    + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_RTF = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\", re.I
)
_ASIDE = frozenset({b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer"})
_SIGNS = {b"par": "\n", b"line": "\n", b"row": "\n", b"tab": "\t", b"cell": " | "}


class Broken(Exception):
    """These bytes are no whole TNEF; the part is kept as it is."""


@dataclass(slots=True)
class Packed:
    """One attachment inside."""

    name: str = ""
    media_type: str = ""
    body: bytes = b""


@dataclass(slots=True)
class Unpacked:
    """All that was inside. text, or page if only HTML was there; "" if neither."""

    text: str = ""
    page: str = ""
    attachments: list[Packed] = field(default_factory=list)


def unpack(body: bytes, check: Check) -> Unpacked:
    """The attachments and the text of a winmail.dat; raises Broken, or what check raises."""
    try:
        return _unpack(body, check)
    except (struct.error, IndexError) as problem:
        raise Broken from problem


def _unpack(body: bytes, check: Check) -> Unpacked:
    if body[:4] != _SIGNATURE:
        raise Broken
    found, at, codepage = Unpacked(), 6, ""
    rich = b""
    while at + 9 <= len(body):
        check()
        kind, length = struct.unpack_from("<II", body, at + 1)
        data = body[at + 9 : at + 9 + length]
        at += 9 + length + 2  # a checksum of two bytes follows; a wrong one is no reason to lose the content
        if len(data) < length:
            raise Broken
        if kind == _CODEPAGE and length >= 4:
            codepage = f"cp{struct.unpack_from('<I', data)[0]}"
        elif kind == _BODY:
            found.text = found.text or _words(data, codepage)
        elif kind == _MESSAGE:
            for number, wide, value in _properties(data, check):
                if number == _P_BODY:
                    found.text = _words(value, "utf-16-le" if wide else codepage) or found.text
                elif number == _P_HTML:
                    found.page = _words(value, "utf-16-le" if wide else _page_set(value))
                elif number == _P_RTF:
                    rich = value
        elif kind == _BEGIN:
            found.attachments.append(Packed())
        elif kind in (_TITLE, _DATA, _ATTACHMENT):
            if not found.attachments:
                found.attachments.append(Packed())
            _fill(found.attachments[-1], kind, data, codepage, check)
    if at < len(body):
        raise Broken
    if rich and not found.text.strip() and not found.page.strip():
        found.text = rtf_text(decompressed(rich, check), check)
    return found


def _fill(packed: Packed, kind: int, data: bytes, codepage: str, check: Check) -> None:
    if kind == _TITLE:
        packed.name = packed.name or _words(data, codepage)
    elif kind == _DATA:
        packed.body = data
    else:
        for number, wide, value in _properties(data, check):
            text = _words(value, "utf-16-le" if wide else codepage) if number != _P_OBJECT else ""
            if number == _P_LONG_NAME or (number == _P_NAME and not packed.name):
                packed.name = text or packed.name
            elif number == _P_TYPE:
                packed.media_type = text.lower()
            elif number == _P_OBJECT and not packed.body:
                packed.body = value


def _words(value: bytes, label: str) -> str:
    if label == "utf-16-le":
        return value[: len(value) & ~1].decode(label, "replace").rstrip("\0")
    return decode(value, label)[0].rstrip("\0")


def _page_set(page: bytes) -> str:
    found = re.search(rb"charset\s*=\s*[\"']?([\w-]{1,40})", page[:4096])
    return found[1].decode("ascii", "ignore") if found else ""


def _properties(data: bytes, check: Check) -> Iterator[tuple[int, bool, bytes]]:
    """(property id, whether it is UTF-16, value) of an encapsulated property list (MS-OXTNEF 2.1.3.4)."""
    (count,) = struct.unpack_from("<I", data)
    at = 4
    for _ in range(count):
        check()
        kind, number = struct.unpack_from("<HH", data, at)
        at += 4
        if number >= 0x8000:  # a named one: a GUID, then a number or a name
            (named, width) = struct.unpack_from("<II", data, at + 16)
            at += 24 + (_padded(width) if named else 0)
        many, kind = bool(kind & _MANY), kind & ~_MANY
        values = 1
        if many or kind in _VARIABLE:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
        if kind not in _VARIABLE and kind not in _WIDTHS:
            raise Broken
        for _ in range(values):
            check()
            width = _WIDTHS.get(kind, 0)
            if kind in _VARIABLE:
                (width,) = struct.unpack_from("<I", data, at)
                at += 4
            if at + width > len(data):
                raise Broken
            value = data[at : at + width]
            at += _padded(width)
            yield number, kind == _UNICODE, value[16:] if kind == _OBJECT else value  # an object begins with its kind


def _padded(width: int) -> int:
    return width + -width % 4


def decompressed(body: bytes, check: Check) -> bytes:
    """Compressed RTF unpacked (MS-OXRTFCP 2.2); raises Broken for what is none."""
    _, size, mark = struct.unpack_from("<II4s", body)
    if mark == b"MELA":
        return body[16 : 16 + size]
    if mark != b"LZFu" or size > _UNPACKED_MAX:
        raise Broken
    window, place = bytearray(_PRESET.ljust(4096, b"\0")), len(_PRESET)
    out, at = bytearray(), 16
    while at < len(body) and len(out) < size:
        check()
        flags = body[at]
        at += 1
        for bit in range(8):
            if at >= len(body):
                break
            if not flags >> bit & 1:
                signs = bytearray(body[at : at + 1])
                at += 1
            else:
                pair = int.from_bytes(body[at : at + 2], "big")
                at += 2
                start, length = pair >> 4, (pair & 15) + 2
                if start == place:  # the end mark
                    return bytes(out)
                signs = bytearray()
                for step in range(length):  # sign by sign: a match may run into what it writes
                    sign = window[(start + step) & 4095]
                    window[(place + step) & 4095] = sign
                    signs.append(sign)
            for sign in signs:
                window[place] = sign
                place = (place + 1) & 4095
            out += signs
    return bytes(out)


def rtf_text(body: bytes, check: Check) -> str:
    """The words of an RTF text, without its formatting; HTML wrapped into it (MS-OXRTFEX) without tags."""
    out: list[str] = []
    pending = bytearray()
    codepage, skip, after = "gb18030", 1, 0  # the page of \\'xx, and how many signs stand in for one \\u
    aside: list[bool] = [False]

    def flush() -> None:
        if pending:
            out.append(decode(bytes(pending), codepage)[0])
            pending.clear()

    for number, found in enumerate(_RTF.finditer(body)):
        if number % 200 == 0:
            check()
        word, value, code, sign, brace, plain = found.groups()
        if brace:
            flush()
            if brace == b"{":
                aside.append(aside[-1])
            elif len(aside) > 1:
                aside.pop()
            continue
        if word in _ASIDE or sign == b"*" or (word == b"htmlrtf" and value != b"0"):
            aside[-1] = True
        elif word == b"htmlrtf":
            aside[-1] = False
        elif word == b"ansicpg" and value:
            codepage = f"cp{int(value)}"
        elif word == b"uc" and value:
            skip = min(abs(int(value)), 8)
        if aside[-1]:
            continue
        if word == b"u" and value:
            flush()
            out.append(chr(int(value) % 65536))
            after = skip
        elif code:
            pending += bytes.fromhex(code.decode()) if not after else b""
            after = max(0, after - 1)
        elif plain:
            pending += plain[after:]
            after = 0
        elif sign and sign in b"\\{}~":
            pending += sign.replace(b"~", b" ")
        elif word in _SIGNS:
            flush()
            out.append(_SIGNS[word])
    flush()
    return "".join(out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()
