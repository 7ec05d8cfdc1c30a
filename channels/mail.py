"""邮件 One mail, read: who wrote, what, and what hangs on it. Pure functions of bytes, no network."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import filetype

from channels import tnef
from channels.mail_history import split_history, split_signature
from channels.mail_kind import MailKind, authentication_of, kind_of
from channels.mail_parts import (
    Budget,
    Headers,
    Node,
    Part,
    TooCostly,
    base64_bytes,
    clean_name,
    decode_words,
    parse,
)
from channels.mail_text import clean_line, clean_text, decode, html_text
from petition.clock import SHANGHAI, aware

__all__ = ["Mail", "MailKind", "Part", "TooCostly", "read_mail"]

REFERENCES_MAX = 50
SUBJECT_MAX = 2_000

NOTES = {
    "broken_mime": "邮件格式有缺损，已尽量读出，请核对原件。",
    "charset_guessed": "邮件没有写明或写错了文字编码，文字是推测读出的，请核对原件。",
    "cut_off": "邮件可能没有收全，请核对原件。",
    "encrypted": "邮件经过加密或签名封装，内容按附件保存。",
    "nested_mail": "邮件里附有另一封邮件，已一并读出。",
    "uuencoded": "正文中夹带的文件已取出作为附件。",
    "winmail": "附件 winmail.dat 已拆开。",
    "winmail_broken": "附件 winmail.dat 无法拆开，已原样保存。",
}
_ENDINGS = {
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/zip": "zip",
    "application/pkcs7-mime": "p7m",
    "application/pkcs7-signature": "p7s",
    "application/pgp-signature": "asc",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/tiff": "tif",
    "audio/mpeg": "mp3",
    "video/mp4": "mp4",
    "message/rfc822": "eml",
    "message/global": "eml",
    "text/plain": "txt",
    "text/html": "html",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/vcard": "vcf",
}
_MAILS = ("message/rfc822", "message/global")
_SEALED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted")
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_REPLY = re.compile(
    r"\s*(?:\[[^\]]{0,40}\]\s*)?(?:(?:re|fw|fwd|aw|sv|回复|回覆|答复|答覆|转发|轉寄)(?:\[\d{1,3}\])?\s*[:：])", re.I
)
_STUB = re.compile(
    r"view (?:it |this (?:e-?mail|message) )?in (?:an? )?html|html (?:capable|enabled|compatible)|does not support html"
    r"|(?:不支持|无法显示|請使用|请使用|请用).{0,10}html|html.{0,8}(?:格式|方式)(?:的邮件|查看|显示|阅读)",
    re.I,
)
_IDS = re.compile(r"<([^<>]{1,998})>")
_ITEM = re.compile(r'(?:"(?:[^"\\]|\\.)*+"|<[^<>]*+>|\([^()]*+\)|[^,;])++', re.S)
_UUENCODED = re.compile(r"(?m)^begin(-base64)? [0-7]{3,4} (\S.{0,250})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a mail says; empty means not said."""

    kind: MailKind
    message_id: str  # as sent without <>
    references: tuple[str, ...]  # ids of In-Reply-To and References, newest first, without <>, at most 50
    subject: str
    is_reply: bool  # the subject begins with Re:, 回复:, 转发: or so
    senders: tuple[tuple[str, str], ...]  # (display name, address) of every From
    sender: str  # the address to believe: From, else Sender, else Return-Path
    date: datetime | None  # aware, Asia/Shanghai
    text: str  # what the citizen wrote, without quoted history and signature
    quoted: str  # the quoted history that was cut off
    signature: str
    parts: tuple[Part, ...]  # every attachment
    authentication: tuple[str, ...]  # "spf=pass", "dkim=fail": only from the topmost header of a trusted host
    notes: tuple[tuple[str, str], ...]  # (stable code, plain Chinese words)


def read_mail(
    raw: bytes, *, own: frozenset[str] = frozenset(), trusted: frozenset[str] = frozenset(), seconds: float = 2.0
) -> Mail:
    """The mail in these bytes. own: our addresses (lower case), for loops. trusted: authserv-ids to believe.

    Raises TooCostly when the budget of processor seconds or depth is used up; never anything else, for any bytes.
    """
    budget = Budget(seconds)
    root = parse(raw, budget)
    headers = root.headers
    reading = _Reading(budget)
    reading.take(root, 0)
    subject = clean_line(decode_words(headers.first("Subject")[: SUBJECT_MAX * 20]))[:SUBJECT_MAX]
    is_reply = _REPLY.match(subject) is not None
    references = _references(headers)
    said = clean_text("\n\n".join(reading.texts))
    budget.check()
    forwarded = re.match(r"\s*(?:fwd?|转发|轉寄)", subject, re.I) is not None
    text, quoted = (said.strip(), "") if forwarded else split_history(said, is_reply or bool(references), budget.check)
    text, signature = split_signature(text)
    senders: tuple[tuple[str, str], ...] = ()
    for value in headers.all("From"):
        budget.check()
        senders += tuple(_people(value))
    sender = _believed(headers, senders)
    budget.check()
    return Mail(
        kind=kind_of(root, sender, subject, own),
        message_id=next(iter(_ids(headers.first("Message-ID"))), ""),
        references=references,
        subject=subject,
        is_reply=is_reply,
        senders=senders,
        sender=sender,
        date=_moment(headers.first("Date")),
        text=text,
        quoted=quoted,
        signature=signature,
        parts=tuple(reading.parts),
        authentication=authentication_of(headers, trusted),
        notes=tuple((code, NOTES[code]) for code in sorted(reading.notes)),
    )


@dataclass
class _Reading:
    """One way through the tree: texts and attachments in their order."""

    budget: Budget
    texts: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)

    def take(self, node: Node, depth: int) -> None:
        """Add what this part and its children say and carry; raises TooCostly."""
        self.budget.check()
        kind = node.media_type
        if kind == "multipart/alternative":
            self._choose(node, depth)
        elif kind.startswith("multipart/"):
            self.notes |= {"encrypted"} if kind == "multipart/encrypted" else set()
            for child in node.children:
                self.take(child, depth + 1)
        elif kind in _MAILS:
            self._unpack_mail(node, depth)
        elif kind in _TNEF or node.file_name().lower() == "winmail.dat":
            self._unpack_winmail(node)
        elif kind in ("text/plain", "text/html") and node.disposition != "attachment" and not node.file_name():
            self._read(node)
        else:
            self.notes |= {"encrypted"} if kind in _SEALED else set()
            self._keep(node.file_name(), kind, node.decoded())
        self.notes |= node.flaws

    def _read(self, node: Node) -> None:
        body = node.decoded()
        if b"\0" in body and not node.parameter("charset").lower().startswith(("utf-16", "utf-32", "utf16", "utf32")):
            self.notes.add("broken_mime")
            self._keep("", "application/octet-stream", body)
            return
        text, guessed = decode(body, node.parameter("charset"))
        self.notes |= {"charset_guessed"} if guessed else set()
        if node.media_type == "text/html":
            text = html_text(text, self.budget.check)
        else:
            text = self._without_files(clean_text(text))
        if "-----BEGIN PGP MESSAGE-----" in text:
            self.notes.add("encrypted")
        if text.strip():
            self.texts.append(text)

    def _choose(self, node: Node, depth: int) -> None:
        """The same content in several forms, taken once: plain words, unless they only point to the HTML."""
        best, best_rank = "", -1
        for child in node.children:
            inner = _Reading(self.budget)
            inner.take(child, depth + 1)
            self.parts += inner.parts
            self.notes |= inner.notes
            text = "\n\n".join(inner.texts)
            plain = child.media_type == "text/plain"
            stub = plain and (len(text) < 400 and _STUB.search(text) is not None)
            rank = 0 if not text.strip() else 1 if stub else 3 if plain else 2
            if rank == 2 and best_rank == 3 and len(text) > 4 * len(best) + 200:
                rank = 4  # the plain form is only a beginning
            if rank > best_rank:
                best, best_rank = text, rank
        if best.strip():
            self.texts.append(best)

    def _unpack_mail(self, node: Node, depth: int) -> None:
        body = node.decoded()
        self._keep(node.file_name(), node.media_type, body)
        self.notes.add("nested_mail")
        inner = _Reading(self.budget)
        inner.take(parse(body, self.budget, depth + 1), depth + 1)
        self.parts += inner.parts
        self.notes |= inner.notes
        if not "".join(self.texts).strip():
            self.texts += inner.texts

    def _unpack_winmail(self, node: Node) -> None:
        body = node.decoded()
        try:
            found = tnef.unpack(body, self.budget.check)
        except tnef.Broken:
            self.notes.add("winmail_broken")
            self._keep(node.file_name() or "winmail.dat", node.media_type, body)
            return
        self.notes.add("winmail")
        for packed in found.attachments:
            self._keep(clean_name(packed.name), packed.media_type or "application/octet-stream", packed.body)
        if not "".join(self.texts).strip():
            text = found.text if found.text.strip() else html_text(found.page, self.budget.check)
            self.texts += [text] if text.strip() else []

    def _without_files(self, text: str) -> str:
        """The text without its uuencoded files, which become attachments; a block that is none stays."""
        kept, last = [], 0
        for found in _UUENCODED.finditer(text) if "begin" in text else ():
            if found.start() < last:
                continue
            body, end = self._uudecoded(text, found.end(), found[1] is not None)
            if body:
                kept.append(text[last : found.start()])
                last = end
                self._keep(clean_name(found[2]), "application/octet-stream", body)
                self.notes.add("uuencoded")
        return "".join([*kept, text[last:]])

    def _uudecoded(self, text: str, at: int, base64: bool) -> tuple[bytes, int]:
        body = bytearray()
        while at < len(text):
            self.budget.check()
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            line = text[at:end].rstrip("\r")
            if line in ("end", "====", "`", ""):
                at = end + 1
                if line in ("end", "===="):
                    break
                continue
            try:
                piece = base64_bytes(line.encode("ascii"))[0] if base64 else binascii.a2b_uu(line.encode("ascii"))
            except (binascii.Error, UnicodeError):
                break
            body += piece
            at = end + 1
        return bytes(body), min(at, len(text))

    def _keep(self, name: str, media_type: str, body: bytes) -> None:
        if not name:
            guess = filetype.guess(body[:8192]) if body else None
            ending = _ENDINGS.get(media_type) or (guess.extension if guess else "bin")
            name = f"附件{len(self.parts) + 1}.{ending}"
        self.parts.append(Part(name=name, media_type=media_type, body=body))


def _ids(value: str) -> tuple[str, ...]:
    found = _IDS.findall(value) or [word for word in value.split() if "@" in word] or value.split()[:1]
    return tuple(clean for word in found if (clean := "".join(clean_line(word).split())))


def _references(headers: Headers) -> tuple[str, ...]:
    """In-Reply-To first, then References from its end: there the newest stands (RFC 5322 section 3.6.4)."""
    answered = [one for value in headers.all("In-Reply-To")[:20] for one in _ids(value[:20_000]) if "@" in one]
    earlier = [one for value in headers.all("References")[:20] for one in _ids(value[-50_000:]) if "@" in one]
    return tuple(dict.fromkeys([*answered, *reversed(earlier)]))[:REFERENCES_MAX]


def _people(value: str) -> list[tuple[str, str]]:
    """(name, address) of each mailbox in an address header, "" where there is none (RFC 5322 section 3.4)."""
    found = []
    for item in _ITEM.findall(value[:5_000])[:200]:
        item = item.strip()[:1000]
        inside = re.findall(r"<([^<>]*)>", item)
        address = "".join(inside[-1].split()) if inside else ""
        name = item[: item.rfind("<")] if inside else item
        if not inside and "@" in item:
            address = next(word.strip("()[]'\"") for word in item.split() if "@" in word)
            name = item.replace(address, " ", 1).strip().removeprefix("(").removesuffix(")")
        name = re.sub(r'\\(["\\])', r"\1", name.strip().strip('"'))
        name = clean_line(decode_words(name)).strip("\"' ")
        address = clean_line(address) if "@" in address else ""
        if name or address:
            found.append((name, address))
    return found


def _believed(headers: Headers, senders: tuple[tuple[str, str], ...]) -> str:
    others = (pair for name in ("Sender", "Return-Path") for pair in _people(headers.first(name)))
    return next((address for _, address in (*senders, *others) if address), "")


def _moment(value: str) -> datetime | None:
    value = value.strip()[:200]
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError, LookupError):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
    try:
        if moment.tzinfo is None:  # "-0000": the zone is unknown, the time is UTC (RFC 5322 section 3.3)
            moment = moment.replace(tzinfo=UTC if value.endswith("-0000") else SHANGHAI)
        return aware(moment)
    except (ValueError, OverflowError):
        return None
