"""邮件部件 The MIME tree of a mail (RFC 2045-2047, 2231): headers, names, transfer encodings, within a budget."""

from __future__ import annotations

import binascii
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote_to_bytes

from channels.mail_text import clean_line, decode
from petition.errors import PetitionError

DEPTH_MAX = 40  # mail inside mail inside multiparts: no true one comes near
PARTS_MAX = 5_000
NAME_MAX = 120

_HEADER = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,200})[ \t]*:")
_KNOWN = re.compile(
    rb"(?:content-|mime-|x-|from|to|cc|subject|date|message-id|received|reply-to|sender|return-path)[\w-]*[ \t]*:", re.I
)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,120}")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.)*+)"?|([^;]*))', re.S)
_SECTION = re.compile(r"(.+?)(?:\*(\d{1,4}))?(\*)?\Z")
_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,40})?\?([bq])\?([^?]*)(?:\?=|\Z)", re.I)
_GLUED = re.compile(r"content-transfer-encoding\s*:\s*([\w-]+)", re.I)
_DASHES = re.compile(rb"(?:\A|[\r\n])--([^\s\"]{1,200})[ \t]*\r?\n(?=content-)", re.I)
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_BLANK = b" \t\r\n"
_BAD_QUOTED = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")
_BOILERPLATE = re.compile(rb"mime|multi-?part", re.I)


class TooCostly(PetitionError):
    """The mail asks for more processor time or nesting than one mail may have; it is held as it came."""

    code = "mail_too_costly"
    words = "这封邮件的结构过于复杂，已原样留存，由工作人员查看。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One attachment. name: without path and control signs, at most 120 characters."""

    name: str
    media_type: str
    body: bytes


class Budget:
    """The processor seconds and parts one mail may cost; counted for this thread only, so others do not matter."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds
        self._parts = 0

    def check(self) -> None:
        """Raises TooCostly when the time is used up."""
        if time.thread_time() > self._end:
            raise TooCostly

    def part(self, depth: int) -> None:
        """Count one part at this depth; raises TooCostly."""
        self._parts += 1
        if depth > DEPTH_MAX or self._parts > PARTS_MAX:
            raise TooCostly
        self.check()


class Headers:
    """The header fields of one part, in their order; values are unfolded and decoded from raw 8-bit, words are not."""

    def __init__(self, fields: list[tuple[bytes, bytes]]) -> None:
        self._fields: dict[str, list[bytes]] = {}
        for name, value in fields:
            self._fields.setdefault(name.decode("ascii").lower(), []).append(value)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._fields

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of this name, topmost first."""
        return tuple(decode(value, "")[0] for value in self._fields.get(name.lower(), ())[:1000])

    def first(self, name: str) -> str:
        """The topmost value, "" if there is none."""
        values = self._fields.get(name.lower())
        return decode(values[0], "")[0] if values else ""


@dataclass
class Node:
    """One part as it came; children for multiparts. flaws: codes of what was not as it should be."""

    headers: Headers
    body: bytes  # still in its transfer encoding
    default_type: str = "text/plain"
    children: list[Node] = field(default_factory=list)
    flaws: set[str] = field(default_factory=set)

    @cached_property
    def media_type(self) -> str:
        """Lower case, text/plain if it is missing or unreadable (RFC 2045 section 5.2)."""
        found = _TYPE.match(self.headers.first("Content-Type").strip().lower())
        return found[0] if found else self.default_type

    @cached_property
    def disposition(self) -> str:
        """attachment, inline or whatever was written, "" if nothing (RFC 2183)."""
        return self.headers.first("Content-Disposition").partition(";")[0].strip().lower()

    def parameter(self, name: str) -> str:
        """A parameter of Content-Type, "" if there is none."""
        return self._parameters.get(name, "")

    @cached_property
    def _parameters(self) -> dict[str, str]:
        return parameters(self.headers.first("Content-Type"))

    def file_name(self) -> str:
        """The cleaned name, "" if there is none; Content-Disposition before Content-Type."""
        written = parameters(self.headers.first("Content-Disposition")).get("filename", "")
        return clean_name(written or self.parameter("name"))

    def decoded(self) -> bytes:
        """The body without its transfer encoding, as far as it can be decoded; damage goes to flaws."""
        way = self.headers.first("Content-Transfer-Encoding").strip().lower()
        if not way and (glued := _GLUED.search(self.headers.first("Content-Type"))):
            way = glued[1].lower()  # a lost line break made one header out of two
            self.flaws.add("broken_mime")
        if way.startswith("base64"):
            body, whole = base64_bytes(self.body)
        elif way.startswith("quoted-printable"):
            body, whole = binascii.a2b_qp(self.body), _BAD_QUOTED.search(self.body) is None
        else:
            return self.body
        if not whole:
            self.flaws.add("broken_mime")
        return body


def parse(raw: bytes, budget: Budget, depth: int = 0, default_type: str = "text/plain") -> Node:
    """The tree of these bytes, whatever they are; raises TooCostly for too much time, depth or number."""
    budget.part(depth)
    fields, start = _fields(raw, budget)
    node = Node(Headers(fields), raw[start:], default_type)
    if depth == 0 and not fields:
        node.flaws.add("broken_mime")
    if node.media_type.startswith("multipart/"):
        _divide(node, budget, depth)
    return node


def parameters(value: str) -> dict[str, str]:
    """The parameters of a structured header, names in lower case, values decoded (RFC 2231, and words inside quotes).

    Where name and name* are both there, the second is believed (RFC 6266 section 4.3) unless it cannot be decoded.
    """
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, quoted, bare in _PARAMETER.findall(value[:20_000]):
        found = _SECTION.match(name.lower())
        text = re.sub(r'\\(["\\])', r"\1", quoted) if quoted else bare.strip()
        if found and (found[2] or found[3]):
            pieces.setdefault(found[1], {}).setdefault(int(found[2] or 0), (text, bool(found[3])))
        else:
            plain.setdefault(name.lower(), decode_words(text))
    for name, sections in pieces.items():
        text, guessed = _joined([sections[number] for number in sorted(sections)])
        if not guessed or name not in plain:
            plain[name] = text
    return plain


def decode_words(value: str) -> str:
    """A header value with its encoded words decoded (RFC 2047); bytes of neighbours are joined before decoding,
    since many programs cut inside a character."""
    if "=?" not in value:
        return value
    result, last, run, charset, pending = [], 0, bytearray(), "", ""

    def flush() -> None:
        nonlocal pending
        if pending:
            run.extend(base64_bytes(pending.encode("ascii", "ignore"))[0])
        pending = ""
        if run:
            result.append(decode(bytes(run), charset)[0])
            run.clear()

    for found in _WORD.finditer(value):
        between = value[last : found.start()]
        if between.strip() or found[1].lower() != charset:
            flush()
        if between.strip() or not last:
            result.append(between)
        charset, last = found[1].lower(), found.end()
        if found[2] in "bB":
            pending += found[3].strip()
            if len(pending.rstrip("=")) % 4 == 0 or pending.endswith("="):  # else cut inside four signs
                run.extend(base64_bytes(pending.encode("ascii", "ignore"))[0])
                pending = ""
        else:
            run.extend(binascii.a2b_qp(found[3].encode("latin-1", "replace"), header=True))
    flush()
    return "".join([*result, value[last:]])


def base64_bytes(body: bytes) -> tuple[bytes, bool]:
    """(what can be decoded, whether all was well). A body that is no base64 at all comes back as it is."""
    text = body.translate(None, _NOT_BASE64)
    strange = len(body.translate(None, _BLANK)) - len(text)
    if strange * 10 > len(text):
        return body, False
    pieces, whole = [], strange == 0
    for piece in re.split(b"=+", text):  # several encodings one after the other, each with its own padding
        if len(piece) % 4 == 1:
            piece, whole = piece[:-1], False
        pieces.append(binascii.a2b_base64(piece + b"=" * (-len(piece) % 4)))
    return b"".join(pieces), whole


def clean_name(name: str) -> str:
    """A file name without path, control and direction signs, at most NAME_MAX characters, its ending kept."""
    if "%" in name and name.isascii():  # some programs write the escapes of RFC 2231 without its star
        text, guessed = decode(unquote_to_bytes(name), "utf-8")
        name = name if guessed or text.isascii() else text
    name = re.split(r"[/\\]", clean_line(name))[-1].strip(" .\t\"'")
    if len(name) > NAME_MAX:
        stem, dot, ending = name.rpartition(".")
        keep = f".{ending}" if dot and stem and len(ending) <= 10 else ""
        name = name[: NAME_MAX - len(keep)] + keep
    return name


def _joined(sections: list[tuple[str, bool]]) -> tuple[str, bool]:
    first, extended = sections[0]
    charset = ""
    if extended and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
    if not any(star for _, star in sections):
        return decode_words("".join(text for text, _ in sections)), False
    body = bytearray()
    for text, star in [(first, extended), *sections[1:]]:
        body += unquote_to_bytes(text) if star else text.encode("utf-8", "replace")
    return decode(bytes(body), charset or "utf-8")


def _fields(raw: bytes, budget: Budget) -> tuple[list[tuple[bytes, bytes]], int]:
    """(header fields, where the body begins)."""
    fields: list[tuple[bytes, list[bytes]]] = []
    lines = _lines(raw)
    start = 0
    for number, (at, line) in enumerate(lines):
        if number % 500 == 0:
            budget.check()
        text = line.rstrip(b"\r\n")
        start = at + len(line)
        if not text:
            break
        found = _HEADER.match(text)
        if text[:1] in b" \t" and fields:
            fields[-1][1].append(text)
        elif found:
            fields.append((found[1], [text[found.end() :]]))
        elif text.startswith((b"From ", b">From ")) and not fields:  # the separator of mbox files
            continue
        elif fields and _KNOWN.match(raw, start):  # a header folded without its blank
            fields[-1][1].append(text)
        else:
            start = at
            break
    return [(name, b" ".join(piece.strip(_BLANK) for piece in value)) for name, value in fields], start


def _lines(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(offset, line with its end), one by one: the body behind the headers is never copied."""
    at = 0
    while at < len(raw):
        feed, back = raw.find(b"\n", at), raw.find(b"\r", at, at + 2000)
        end = feed + 1 if feed >= 0 else len(raw)
        if 0 <= back < end - 2 or (back >= 0 and feed < 0):  # a bare CR ends a line too
            end = back + 1
        yield at, raw[at:end]
        at = end


def _divide(node: Node, budget: Budget, depth: int) -> None:
    boundary = node.parameter("boundary").encode("utf-8", "replace")
    if not boundary:
        node.flaws.add("broken_mime")
        guess = _DASHES.search(node.body)
        boundary = guess[1] if guess else b""
    default = "message/rfc822" if node.media_type == "multipart/digest" else "text/plain"
    spans, closed = _spans(node.body, boundary, budget) if boundary else ([], False)
    if not spans:  # nothing to divide by: its text is not lost, it is read as it is
        node.flaws.add("broken_mime")
        node.children.append(Node(Headers([]), node.body))
        return
    if not closed:
        node.flaws.add("cut_off")
    for number, (start, end, kind) in enumerate(spans):
        piece = node.body[start:end]
        if kind == "part":
            node.children.append(parse(piece, budget, depth + 1, default))
        elif piece.strip() and not (number == 0 and _BOILERPLATE.search(piece)):
            node.children.append(Node(Headers([]), piece))  # before the first or after the last boundary


def _spans(body: bytes, boundary: bytes, budget: Budget) -> tuple[list[tuple[int, int, str]], bool]:
    """((start, end, "part" or "outside")..., whether the closing boundary came) (RFC 2046 section 5.1.1)."""
    mark = b"--" + boundary
    spans: list[tuple[int, int, str]] = []
    begun, kind, at, tries = 0, "outside", body.find(mark), 0
    while at >= 0:
        tries += 1
        if tries % 200 == 0:
            budget.check()
        after = at + len(mark)
        stop = body.find(b"\n", after, after + 400)
        rest = body[after : stop if stop >= 0 else after + 400].strip(_BLANK)
        if (at and body[at - 1] not in b"\r\n") or rest not in (b"", b"--"):
            at = body.find(mark, after)
            continue
        end = at - 2 if body[at - 2 : at] == b"\r\n" else at - 1
        if kind == "part" or end > begun:
            spans.append((begun, max(end, begun), kind))
        begun = stop + 1 if stop >= 0 else len(body)
        if rest == b"--":
            return [*spans, (begun, len(body), "outside")], True
        kind, at = "part", body.find(mark, after)
    if kind == "part":
        spans.append((begun, len(body), "part"))
        return spans, False
    return [], False
