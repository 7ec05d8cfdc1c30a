"""传真 The fax door: pages a fax machine leaves in a folder, or a fax gateway sends as mail; read by a person later.

$DATA/fax/inbox/fax-8615400000001-20261122-093000.tif   ->  done/2026-11-22/, or failed/ with a reason
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from aiohttp import web

from channels import sheet
from channels.door import Hall, Listener
from channels.faxbox import Faxbox
from channels.inbox import Changed, Found, Inbox, is_link
from channels.mail import Mail
from channels.web import UNSEEN
from petition.arrival import Arrival, Statement, Upload
from petition.attachment import AttachmentRole
from petition.clock import SHANGHAI
from petition.errors import PetitionError
from petition.identity import normal_landline, normal_mobile
from petition.people import Person
from petition.petition import Form, Note

NAME = "fax"
MAILBOX = "传真"  # how a mailbox of a fax gateway is noted in GATEWAY_MAIL_ADDRESSES
WAITING = "传真待录入"
_BINARY = "application/octet-stream"
_BELIEVED = timedelta(days=30)  # a fax machine whose clock is further off is not believed
_DRAIN = 3.0  # seconds the file at hand is waited for
_AFTER_TROUBLE = 60.0  # seconds until a file that made us stumble is tried again
_NAME_LONGEST = 200

log = structlog.get_logger(__name__)


class Fax:
    """The door of the fax machine."""

    name = NAME

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """None: faxes do not come over HTTP."""
        return []

    async def listen(self, hall: Hall) -> Listener:
        """Begin to watch the folder of the fax box."""
        if hall.faxbox is None:
            raise ValueError("the fax door needs a fax box")
        poller = FaxPoller(hall, hall.faxbox, Inbox(hall.faxbox.inbox, hall.faxbox.watch))
        await poller.start()
        return poller


class FaxPoller:
    """Looks into the folder again and again; one bad file never stops the next."""

    def __init__(self, hall: Hall, box: Faxbox, inbox: Inbox) -> None:
        self._hall = hall
        self._box = box
        self._inbox = inbox
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; a share that is not there is waited for, the other doors open all the same."""
        self._task = asyncio.create_task(self._run(), name="fax")

    async def stop(self) -> None:
        """Begin no further file; the one at hand is finished."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_DRAIN)
            self._task.cancel()

    async def _run(self) -> None:
        told = ""  # a trouble that lasts is told once
        while not self._stopping.is_set():
            try:
                await self.round()
                told = ""
            except (OSError, PetitionError) as problem:
                name = problem.code if isinstance(problem, PetitionError) else str(problem.strerror)
                if name != told:
                    log.warning("faxes wait in their folder", problem=name)
                told = name
            except Exception:
                log.exception("a round over the fax folder stumbled")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._box.watch.every)

    async def round(self) -> None:
        """One look and everything it found. Raises what is no file's fault: OSError, Unavailable."""
        await asyncio.to_thread(self._inbox.open)
        if number := await asyncio.to_thread(self._inbox.take_back):
            log.warning("faxes taken back from a process that was killed", count=number)
        for found in await asyncio.to_thread(self._inbox.look):
            if self._stopping.is_set():
                return
            try:
                await self._take(found)
            except PetitionError as problem:
                if problem.retryable:
                    raise  # no room, no database: the next file would fare no better
                log.warning("a fax could not be entered", problem=problem.code)
                self._inbox.postpone(found, _AFTER_TROUBLE)
            except Exception as problem:
                # There may be a bug in us: the file stays, and the next one is not kept waiting.
                log.error("a fax could not be entered", problem=type(problem).__name__)
                self._inbox.postpone(found, _AFTER_TROUBLE)
        await asyncio.to_thread(self._inbox.sweep, self._hall.clock().date())

    async def _take(self, found: Found) -> None:
        base = self._arrival(found)
        if not found.regular:
            return await self._refuse(found, base, "not_a_file", "这不是普通文件（例如链接），没有打开。")
        try:
            body = await asyncio.to_thread(self._inbox.read, found, self._hall.max_upload)
        except (Changed, FileNotFoundError):
            return  # looked at again when it stands still
        except OSError as problem:
            if is_link(problem):
                return await self._refuse(found, base, "not_a_file", "这是链接，没有打开。")
            if not isinstance(problem, PermissionError):
                raise
            if self._inbox.patient(found):
                return
            return await self._refuse(found, base, "unreadable", "没有读取这个文件的权限，请改好权限后放回收件夹。")
        if body is None:
            return await self._refuse(found, base, "too_large", "文件超过大小上限，请分成几份放回收件夹。")
        kind = sheet.kind_of(body)
        if not body or (kind and not sheet.is_whole(body, kind)):
            if self._inbox.patient(found):
                return  # perhaps it is still being written, slowly
            if not body:
                return await self._refuse(found, base, "empty", "这是空文件，里面没有传真页。")
        await self._enter(found, _read(base, body, kind, shown_name(found.name)), kind)

    async def _enter(self, found: Found, arrival: Arrival, kind: str) -> None:
        claimed = await asyncio.to_thread(self._inbox.claim, found)
        if claimed is None:
            return
        try:
            # A stop must not leave it half done: committed, but still lying there.
            await asyncio.shield(self._hall.intake(arrival))
        except BaseException:
            await asyncio.to_thread(self._inbox.give_back, claimed)
            raise
        if kind:
            await asyncio.to_thread(self._inbox.done, claimed, arrival.received_at.date())
        else:
            words = "已登记待人工核对：这个文件不是 PDF、TIFF、PNG 或 JPEG 图像。"
            await asyncio.to_thread(self._inbox.failed, claimed, words)
        log.info("a fax is entered", bytes=len(arrival.raw), kind=kind or _BINARY)

    async def _refuse(self, found: Found, base: Arrival, reason: str, words: str) -> None:
        claimed = await asyncio.to_thread(self._inbox.claim, found)
        if claimed is None:
            return
        told = f"{reason}:{found.name}:{found.stamp.size}:{found.stamp.modified}"
        raw_id = hashlib.sha256(os.fsencode(told)).hexdigest()[:40]
        await self._hall.refuse(replace(base, raw_id=raw_id), reason)
        await asyncio.to_thread(self._inbox.failed, claimed, words)
        log.warning("a file in the fax folder is put aside", reason=reason)

    def _arrival(self, found: Found) -> Arrival:
        """What is known before the file is opened; its name says who sent it and when."""
        received_at = self._hall.clock()
        said = _said(Path(shown_name(found.name)).stem, self._box.names)
        sent_at = _moment(said.get("day", ""), said.get("time", ""), received_at)
        return Arrival(
            channel=NAME,
            form=Form.FAX,
            raw_id="",
            received_at=received_at,
            petition_date=(sent_at or received_at).date(),
            raw=b"",
            raw_type=_BINARY,
            sub_source=MAILBOX,
            statement=Statement(petitioners=_senders(said.get("sender", ""))),
            notes=_sent_note(sent_at),
        )


def of_mail(base: Arrival, mail: Mail, patterns: Sequence[re.Pattern[str]] = ()) -> Arrival:
    """The mail of a fax gateway as a fax: its pages wait to be read, its own words are not the sender's."""
    pages = [part for part in mail.parts if sheet.kind_of(part.body)]
    local = mail.sender.partition("@")[0]
    sender = next((number for words in (mail.subject, local) if (number := _number(words, patterns))), "")
    content, hold = _words(len(mail.parts)), WAITING
    if not pages:
        content, hold = mail.text.strip() or content, f"{WAITING}：邮件里没有传真页，请看原件"
    return replace(
        base,
        channel=NAME,
        form=Form.FAX,
        statement=Statement(petitioners=_senders(sender), content=content),
        uploads=tuple(
            Upload(
                name=part.name,
                media_type=sheet.kind_of(part.body) or part.media_type,
                body=part.body,
                role=AttachmentRole.ORIGINAL if sheet.kind_of(part.body) else AttachmentRole.EVIDENCE,
            )
            for part in mail.parts
        ),
        hold=hold,
    )


def shown_name(name: str) -> str:
    """A file name as text: what is no UTF-8 is tried as GB 18030; hidden signs are left out, long ones are cut."""
    raw = os.fsencode(name)
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            text = UNSEEN.sub("", unicodedata.normalize("NFC", raw.decode(encoding))).strip()
            return text if len(text) <= _NAME_LONGEST else text[: _NAME_LONGEST - 20] + "…" + text[-19:]
    return "传真" + Path(raw.decode("ascii", "replace")).suffix.replace("\ufffd", "")


def _read(base: Arrival, body: bytes, kind: str, name: str) -> Arrival:
    pages = sheet.pages_of(body, kind) if kind else 0
    hold, notes = WAITING, list(base.notes)
    if not kind:
        hold = f"{WAITING}：不是传真图像，请核对原件"
    elif not sheet.is_whole(body, kind):
        hold = f"{WAITING}：文件可能没有传完，请核对原件"
        notes.append(_note("FAX_CUT_OFF", "传真文件没有正常的结尾，可能缺页，请核对原件。"))
    elif not name.lower().endswith(sheet.ENDINGS[kind]):
        notes.append(_note("FAX_ENDING", "文件名的后缀与内容不符，按内容认定类型。"))
    role = AttachmentRole.ORIGINAL if kind else AttachmentRole.EVIDENCE
    return replace(
        base,
        # The same pages under another name are the same fax: entered as linked.
        raw_id=hashlib.sha256(body).hexdigest()[:40],
        raw=body,
        raw_type=kind or _BINARY,
        uploads=(Upload(name=name or "传真", media_type=kind or _BINARY, body=body, role=role),),
        statement=replace(base.statement, content=_words(1, pages)),
        hold=hold,
        notes=tuple(notes),
    )


def _words(files: int, pages: int = 0) -> str:
    told = f"{pages}页" if pages > 1 else f"{files}个文件" if files > 1 else ""
    return f"（传真来件{told and '，共' + told}，文字见附件，待录入。）"


def _said(stem: str, patterns: Sequence[re.Pattern[str]]) -> dict[str, str]:
    found = next((match for pattern in patterns if (match := pattern.fullmatch(stem))), None)
    return {} if found is None else {name: text or "" for name, text in found.groupdict().items()}


def _number(words: str, patterns: Sequence[re.Pattern[str]]) -> str:
    found = (match["sender"] for pattern in patterns if (match := pattern.search(words)))
    return next((number for number in found if normal_mobile(number) or normal_landline(number)), "")


def _senders(number: str) -> tuple[Person, ...]:
    """The fax number as a contact; it may be a copy shop's and proves nothing."""
    mobile = normal_mobile(number)
    landline = "" if mobile else normal_landline(number)
    return (Person(mobile=mobile, landline=landline),) if mobile or landline else ()


def _moment(day: str, time: str, received_at: datetime) -> datetime | None:
    """When the machine received it, if its clock can be right; without a time the end of that day."""
    try:
        sent_at = datetime.strptime(day + (time or "000000"), "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        return None
    return sent_at if received_at - _BELIEVED <= sent_at <= received_at + timedelta(minutes=10) else None


def _sent_note(sent_at: datetime | None) -> tuple[Note, ...]:
    if sent_at is None:
        return ()
    return (_note("FAX_RECEIVED", f"传真机标注的收到时间：{sent_at:%Y-%m-%d %H:%M}。"),)


def _note(code: str, words: str) -> Note:
    return Note(stage=NAME, code=code, words=words)
