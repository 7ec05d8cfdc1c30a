"""The intake (受理口): the one door in; returns only after ledger, petition, history and order are committed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

import structlog

from normalizer.candidates import keys_of
from normalizer.draft import Draft, unread
from normalizer.governor import Governor
from normalizer.pipeline import Pipeline, StageFailed
from petition.arrival import READING_FAILED, SUPPLEMENT, Arrival, Outcome, Receipt, Statement, Upload
from petition.attachment import Attachment
from petition.errors import Conflict
from petition.identity import normal_mobile
from petition.origin import SITE, THEME, origin_of
from petition.petition import Lane, Petition, Purpose
from petition.workflow import Status
from store import opt_outs
from store.codes import acknowledgement_id, query_code_of
from store.database import Store
from store.entry import Entered, Entry
from store.petitions import THREAD, code_hash, context_of, seal_record
from store.proof import original_context
from store.vault import Vault, digest_of

# Originals up to this size ride in the transaction, which saves two fsyncs; larger ones are files first.
INLINE = 64 << 10
ACKNOWLEDGE = "acknowledge"
TEXT = "text"

log = structlog.get_logger(__name__)


class IdempotencyConflict(Conflict):
    """The same id came before with other content."""

    code = "idempotency_conflict"
    words = "这个编号已经用于另一份内容,请换一个编号重新提交。"


class IntakeDesk:
    """Implements `petition.arrival.Intake` over the store.

    woken: called when an order waits to leave the house; texting: whether text messages leave it at all.
    """

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        governor: Governor,
        region: str,
        clock: Callable[[], datetime],
        woken: Callable[[], None] = lambda: None,
        *,
        texting: bool = False,
    ) -> None:
        self._store = store
        self._pipeline = pipeline
        self._governor = governor
        self._region = region
        self._clock = clock
        self._woken = woken
        self._texting = texting

    async def __call__(self, arrival: Arrival) -> Receipt:
        """Take an arrival in exactly once.

        The same channel, id and bytes again are entered as linked and give the same receipt, as does the same event
        told another way (`Arrival.event`). Raises IdempotencyConflict (entered as refused) when the id came with other
        content, Unavailable and LowDisk when nothing can be promised.
        """
        with self._governor.inside():
            attachments = await self._keep(arrival.uploads)
            digest, original = await self._original(arrival)
            entry, code = self._entry(arrival, attachments, digest, original)
            entered = await self._store.enter(entry)
        if not entered.same:
            log.warning("same id, other content", channel=arrival.channel, case_no=entered.case_no)
            raise IdempotencyConflict()
        if entry.orders:
            self._woken()
        if entered.first is not None and not entry.attach_to:
            # Told another way: the code is the one of the first telling.
            raw_id, first_digest, files = entered.first
            code = query_code_of(self._store.vault, arrival.channel, raw_id, first_digest, json.loads(files))
        return Receipt(
            case_no=entered.case_no,
            # Who joins a joint petition gets a code of one's own.
            query_code="" if entry.attach_to and arrival.statement.joining is None else code,
            received_at=entered.received_at,
            outcome=entered.outcome,
            reason=entry.reason,
            texted=await self._texted(arrival, entry),
        )

    async def refuse(self, arrival: Arrival, reason: str) -> Entered:
        """Enter an input that cannot be a petition (forged, malformed): it is kept, counted, and opens no case."""
        digest, original = await self._original(arrival)
        return await self._store.enter(
            Entry(
                channel=arrival.channel,
                form=arrival.form,
                region=self._region,
                raw_id=arrival.raw_id,
                received_at=arrival.received_at,
                digest=digest,
                size=len(arrival.raw),
                media_type=arrival.raw_type,
                original=original,
                outcome=Outcome.REFUSED,
                reason=reason,
            )
        )

    async def _keep(self, uploads: tuple[Upload, ...]) -> tuple[Attachment, ...]:
        if not uploads:
            return ()
        return await asyncio.to_thread(lambda: tuple(self._attachment(upload) for upload in uploads))

    def _attachment(self, upload: Upload) -> Attachment:
        if upload.path is not None:
            size = upload.path.stat().st_size
            digest = self._store.files.adopt(upload.path)
        else:
            size = len(upload.body or b"")
            digest = self._store.files.put(upload.body or b"")
        return Attachment(name=upload.name, media_type=upload.media_type, size=size, sha256=digest, role=upload.role)

    async def _original(self, arrival: Arrival) -> tuple[str, bytes | None]:
        if len(arrival.raw) > INLINE:
            return await asyncio.to_thread(self._store.files.put, arrival.raw), None
        digest = digest_of(arrival.raw)
        return digest, self._store.vault.seal(arrival.raw, original_context(digest))

    def _entry(
        self, arrival: Arrival, attachments: tuple[Attachment, ...], digest: str, original: bytes | None
    ) -> tuple[Entry, str]:
        vault = self._store.vault
        attach_to = arrival.sub_source.removeprefix(SUPPLEMENT) if arrival.sub_source.startswith(SUPPLEMENT) else ""
        outcome, reason, draft = self._read(arrival, bool(attach_to))
        read = draft is not None
        status = Status.REGISTERED if read else Status.RECEIVED
        if draft is not None:
            petition, lane = draft.to_petition("", self._clock(), attachments), draft.lane
        else:
            petition, lane = unread(arrival, attachments), _unread_lane(arrival.statement)
        uid = vault.new_id()
        files = tuple(attachment.sha256 for attachment in attachments)
        code = query_code_of(vault, arrival.channel, arrival.raw_id, digest, files)
        sealed_code = code_hash(vault, uid, code)
        said = b""
        if attach_to:
            said = vault.seal(self._store.records.statement_to_json(arrival.statement), context_of(uid))
        settled = bool(attach_to and arrival.settles_at and arrival.settles_at <= arrival.received_at)
        entry = Entry(
            channel=arrival.channel,
            form=arrival.form,
            region=self._region,
            raw_id=arrival.raw_id,
            event=arrival.event,
            received_at=arrival.received_at,
            digest=digest,
            size=len(arrival.raw),
            media_type=arrival.raw_type,
            original=original,
            files=files,
            outcome=outcome,
            reason=reason,
            attach_to=attach_to,
            uid=uid,
            record=seal_record(vault, self._store.records.petition_to_store(petition), uid),
            status=status,
            lane=lane.value,
            problem_region=petition.problem_region,
            category=petition.category,
            purpose=petition.purpose.value if petition.purpose else "",
            urgency=petition.urgency.value,
            headcount=petition.headcount,
            code_hash=sealed_code,
            look_ups=look_up_codes(vault, petition) + self._threads(arrival) + _ways(vault, arrival),
            orders=(
                *_orders(outcome, read, attach_to, said, uid, attachments, settled, sealed_code),
                *self._answers(arrival, attach_to, uid),
                *self._texts(arrival, attach_to, uid, lane),
            ),
            due=None if attach_to or arrival.reply or arrival.text_to else arrival.settles_at,
            read=read,
        )
        return entry, code

    def _threads(self, arrival: Arrival) -> tuple[tuple[str, bytes], ...]:
        vault, ids = self._store.vault, arrival.threads
        if arrival.reply is not None:
            ids = (*ids, acknowledgement_id(vault, arrival.channel, arrival.raw_id))
        return tuple((THREAD, vault.index(THREAD, one)) for one in dict.fromkeys(ids))

    def _answers(self, arrival: Arrival, attach_to: str, uid: bytes) -> tuple[tuple[str, dict[str, object]], ...]:
        """The order of one acknowledgement; its address is sealed, its query code is worked out when it is sent."""
        if arrival.reply is None or attach_to:
            return ()
        reply = json.dumps(asdict(arrival.reply), ensure_ascii=False).encode()
        sealed = self._store.vault.seal(reply, context_of(uid))
        name = acknowledgement_id(self._store.vault, arrival.channel, arrival.raw_id)
        return ((ACKNOWLEDGE, {"reply": sealed.hex(), "uid": uid.hex(), "id": name}),)

    def _texts(
        self, arrival: Arrival, attach_to: str, uid: bytes, lane: Lane
    ) -> tuple[tuple[str, dict[str, object]], ...]:
        """The order of one acknowledgement by text message, as sealed as the one by e-mail.

        None for the sealed lane: a telephone lies on the table of a family or an office (Regulation art. 30).
        """
        mobile = normal_mobile(arrival.text_to) if self._texting and not attach_to and lane is not Lane.SEALED else ""
        if not mobile:
            return ()
        sealed = self._store.vault.seal(mobile.encode(), context_of(uid))
        return ((TEXT, {"to": sealed.hex(), "uid": uid.hex()}),)

    async def _texted(self, arrival: Arrival, entry: Entry) -> bool:
        """Whether a text message may be promised: what is not read yet may turn out to be for the sealed lane."""
        if not any(kind == TEXT for kind, _ in entry.orders) or not (entry.read or entry.outcome is Outcome.HELD):
            return False
        return not await self._store.read(lambda tx: opt_outs.has(tx, arrival.text_to))

    def _read(self, arrival: Arrival, supplement: bool) -> tuple[Outcome, str, Draft | None]:
        """(outcome, why held, the draft if it was read)."""
        if arrival.hold:
            return Outcome.HELD, arrival.hold, None
        if supplement or arrival.settles_at or not self._governor.reads_now(len(arrival.statement.content)):
            return Outcome.PETITION, "", None
        draft = Draft.of(arrival)
        try:
            with self._governor.reading():
                self._pipeline.read(draft)
        except StageFailed as problem:
            # There may be a bug in us. A petition is not lost for that: it waits for a person.
            log.error("stage failed", stage=problem.stage, problem=type(problem.__cause__).__name__)
            return Outcome.HELD, f"{READING_FAILED}「{problem.stage}」没有完成", None
        return Outcome.PETITION, "", draft


def _ways(vault: Vault, arrival: Arrival) -> tuple[tuple[str, bytes], ...]:
    """(kind, code) of the theme and the place it came through, by which the desk narrows and counts."""
    if arrival.sub_source.startswith(SUPPLEMENT):
        return ()
    origin = origin_of(arrival.sub_source)
    return tuple((kind, vault.index(kind, code)) for kind, code in ((THEME, origin.theme), (SITE, origin.site)) if code)


def _unread_lane(said: Statement) -> Lane:
    """Who may see it before anybody read it: what may be an accusation is sealed until reading says otherwise."""
    secret = said.purpose is Purpose.ACCUSATION or said.confidential or said.is_anonymous or bool(said.accused)
    return Lane.SEALED if secret else Lane.NORMAL


def look_up_codes(vault: Vault, petition: Petition) -> tuple[tuple[str, bytes], ...]:
    """(kind, code) for everything by which the same person is known again (判重, DOMAIN 3.6)."""
    keys = keys_of(petition.petitioners, petition.accused, petition.problem_region)
    return tuple((key.kind, vault.index(*key)) for key in keys)


def _orders(
    outcome: Outcome,
    read: bool,
    attach_to: str,
    said: bytes,
    uid: bytes,
    attachments: tuple[Attachment, ...],
    settled: bool,
    sealed_code: bytes,
) -> tuple[tuple[str, dict[str, object]], ...]:
    if attach_to:
        files = [
            {"name": file.name, "media_type": file.media_type, "size": file.size, "sha256": file.sha256}
            for file in attachments
        ]
        told: dict[str, object] = {"supplement": said.hex(), "uid": uid.hex(), "code": sealed_code.hex()}
        ended: dict[str, object] = {"settled": True} if settled else {}
        return (("read", {**told, "files": files, **ended}),)
    if outcome is Outcome.HELD:
        return ()
    return (("dispatch", {}),) if read else (("read", {}),)
