"""The words of a case on a page (信访件文字): masked or plain, with their evidence and the places it points to."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from datetime import datetime

from channels.mail import TooCostly, read_mail
from gateway.pages import case_words as words
from petition import identity, numbering
from petition.errors import Invalid
from petition.petition import Evidence, Petition

DOUBTFUL = 0.7  # below it a value is marked for a second look
_RAW_SHOWN = 60_000  # characters of an original on the page; the rest is in the file
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")  # could turn the page's own words around


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceText:
    """Where a value came from, in words. doubtful: to be looked at twice; mark: id of the place in the original."""

    words: str
    quote: str = ""
    doubtful: bool = False
    mark: str = ""


def mask_text(petition: Petition, text: str) -> str:
    """Free text with numbers, addresses and the petitioners' names masked, if possible at the same length."""
    text = _BIDI.sub("", identity.scrub(text))
    for person in petition.petitioners:
        for value, kept in ((person.address, 0), (person.name, 1)):
            if len(value) >= 2:
                text = text.replace(value, value[:kept] + "＊" * (len(value) - kept))
    return text


def evidence_text(petition: Petition, key: str, known: Evidence, unmasked: bool) -> EvidenceText:
    """Stage, source and confidence in words; the place in the text as a quotation."""
    source = words.SOURCE.get(known.source, known.source)
    quote = ""
    text = getattr(petition, known.source, "") if known.span else ""
    if known.span and isinstance(text, str):
        quote = text_of(petition, text[slice(*known.span)], unmasked)
    if known.source in ("stated", "officer"):
        told = source
    else:
        stage = words.STAGE.get(known.stage, known.stage)
        told = f"{stage}·据{source}·把握 {round(known.confidence * 100)}%"
    return EvidenceText(
        words=told,
        quote=quote[:80],
        doubtful=known.confidence < DOUBTFUL,
        mark=f"mark-{key.replace('.', '-')}" if known.span and known.source == "content" else "",
    )


def shown_no(case_no: str) -> str:
    """The case number in groups; what is no case number stays as it is."""
    try:
        return numbering.parse_case_no(case_no).shown
    except Invalid:
        return case_no


def moment(at: datetime) -> str:
    """2026年11月22日 09:30."""
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"


def short_moment(at: datetime) -> str:
    """11月22日 09:30."""
    return f"{at.month}月{at.day}日 {at:%H:%M}"


def size_words(size: int) -> str:
    """820 字节, 12 KB, 3.4 MB."""
    if size < 1024:
        return f"{size} 字节"
    return f"{size / 1024:.0f} KB" if size < 1 << 20 else f"{size / (1 << 20):.1f} MB"


def raw_text(media_type: str, raw: bytes) -> str:
    """The original as text if it is text, bounded; empty for pictures, recordings and the like."""
    kind = media_type.partition(";")[0].strip()
    if kind == "message/rfc822":
        return _BIDI.sub("", _mail_text(raw)[:_RAW_SHOWN])
    if not (kind.startswith("text/") or kind == "application/json"):
        return ""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    if kind == "application/json":
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    return _BIDI.sub("", text[:_RAW_SHOWN])


def _mail_text(raw: bytes) -> str:
    """A mail as a person reads it: its head, all its words, the names of its files; the bytes are in the file."""
    try:
        mail = read_mail(raw, seconds=1.0)
    except TooCostly:
        return raw[:_RAW_SHOWN].decode("gb18030", "replace")
    people = "；".join(f"{name} <{address}>".strip() for name, address in mail.senders)
    head = [f"发件人：{people}", f"主题：{mail.subject}"]
    if mail.date is not None:
        head.append(f"发出时间：{moment(mail.date)}")
    quoted = f"【引用的往来文字】\n{mail.quoted}" if mail.quoted.strip() else ""
    files = f"【附件】{'、'.join(part.name for part in mail.parts)}" if mail.parts else ""
    return "\n\n".join(part for part in ("\n".join(head), mail.text, mail.signature, quoted, files) if part.strip())


def text_of(petition: Petition, text: str, unmasked: bool) -> str:
    return _BIDI.sub("", text) if unmasked else mask_text(petition, text)


def segments_of(petition: Petition, unmasked: bool) -> tuple[tuple[str, str], ...]:
    """The content cut at the places evidence points to: (text, id of the mark or empty)."""
    shown = text_of(petition, petition.content, unmasked)
    spans = sorted(
        (*each.span, f"mark-{key.replace('.', '-')}")
        for key, each in petition.evidence.items()
        if each.span and each.source == "content"
    )
    if len(shown) != len(petition.content):
        return ((shown, ""),)  # masking moved the places
    segments: list[tuple[str, str]] = []
    done = 0
    for start, end, mark in spans:
        if start < done or not start < end <= len(shown):
            continue
        segments += [(shown[done:start], ""), (shown[start:end], mark)]
        done = end
    segments.append((shown[done:], ""))
    return tuple(segment for segment in segments if segment[0])
