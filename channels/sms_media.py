"""The attachments (短信附件): fetched while the sender waits, and what was not there in time fetched later.

In time: files of the case. Later: a supplement of the case, one event for each file, known by message and file.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from channels.door import Hall
from channels.provider import discard
from channels.sms_message import LISTED_TYPE, NAME, Media, Message
from petition.arrival import SUPPLEMENT, Arrival, Statement, Upload
from petition.clock import SHANGHAI
from petition.errors import Conflict, NotFound, PetitionError
from petition.petition import Form

BOOK = "sms.media"  # in the notebook: what is still to be fetched, a page a message
AT_ONCE = 8.0  # seconds: Twilio waits 15 for an answer
LATER = 120.0  # seconds for one file when nobody waits
_TRIED_FOR = timedelta(days=7)  # a file that is not there after a week never comes
_ORPHANED = timedelta(days=1)  # a message that has not come in by then is not going to
_TRIES = 3
_SID = re.compile(r"ME[0-9a-fA-F]{32}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the attachments of one message. left: to be tried again; lost: they will never come."""

    uploads: tuple[Upload, ...] = ()
    left: tuple[Media, ...] = ()
    lost: tuple[Media, ...] = ()

    @property
    def words(self) -> list[str]:
        """What the record says of those that are not there, with their addresses."""
        return [*_lines(self.left, "尚未取回"), *_lines(self.lost, "没有取回")]

    def discard(self) -> None:
        """Remove what the intake did not take over."""
        for upload in self.uploads:
            discard(upload)


async def take(media: Sequence[Media], hall: Hall, seconds: float) -> Taken:
    """Fetch them side by side; never raises: a message is not lost for its picture, and not late for it.

    seconds: for each of them.
    """
    names = [f"短信附件{number}" for number in range(1, len(media) + 1)]
    found = await asyncio.gather(*(_one(one, name, hall, seconds) for one, name in zip(media, names, strict=True)))
    pairs = list(zip(media, found, strict=True))
    return Taken(
        uploads=tuple(got for _, got in pairs if isinstance(got, Upload)),
        left=tuple(one for one, got in pairs if got is True),
        lost=tuple(one for one, got in pairs if got is False),
    )


async def keep_left(message: Message, left: Sequence[Media], hall: Hall) -> None:
    """Note what is to be fetched later, before the message is entered: a crash in between forgets nothing."""
    for _ in range(_TRIES):
        page = await hall.notebook.look(BOOK, message.sid)
        if page is None and not left:
            return
        version = page.version if page else 0
        try:
            if left:
                since = hall.clock().isoformat()
                content = {"left": [list(one) for one in left], "since": since}
                await hall.notebook.put(BOOK, message.sid, content, version)
            else:
                await hall.notebook.tear(BOOK, message.sid, version)
            return
        except Conflict:
            continue  # the same message again, at once: its note says the same


async def fetch_left(hall: Hall) -> int:
    """Try again what was left, and join it to its case; how many files came. Raises Unavailable of the house."""
    now, came = hall.clock(), 0
    for page in await hall.notebook.quiet(BOOK, now):
        case_no = await hall.enquiries.case_of(NAME, f"{page.key}:in")
        age = now - datetime.fromisoformat(str(page.content["since"]))
        left = [Media(str(url), str(kind)) for url, kind in page.content["left"]]
        if case_no:
            left, joined = await _try_again(page.key, case_no, left, age, hall)
            came += joined
        elif age > _ORPHANED:
            left = []
        try:
            if left:
                # Touched also if nothing came: the others get their turn first next time.
                content = {**page.content, "left": [list(one) for one in left]}
                await hall.notebook.put(BOOK, page.key, content, page.version)
            else:
                await hall.notebook.tear(BOOK, page.key, page.version)
        except Conflict:
            log.info("attachments were fetched by another process at the same time")
    return came


async def _try_again(
    sid: str, case_no: str, media: Sequence[Media], age: timedelta, hall: Hall
) -> tuple[list[Media], int]:
    """(what is still left, how many files were joined)."""
    left, joined = [], 0
    for one in media:
        taken = await take([one], hall, LATER)
        try:
            missing = taken.left and age < _TRIED_FOR
            if missing:
                left.append(one)
                continue
            arrival = _supplement(sid, case_no, one, taken, hall.clock())
            try:
                await hall.intake(arrival)
            except Conflict:
                log.warning("an attachment came with other bytes than before", case_no=case_no)
            joined += len(taken.uploads)
        finally:
            taken.discard()
    return left, joined


def _supplement(sid: str, case_no: str, one: Media, taken: Taken, now: datetime) -> Arrival:
    """One attachment as an event of its own: with its file, or with the words that it will never come."""
    last = one.url.rpartition("/")[2]
    name = last if _SID.fullmatch(last) else hashlib.sha256(one.url.encode()).hexdigest()[:32]
    words = [f"（短信附件补取：{upload.name}）" for upload in taken.uploads]
    lost = replace(taken, left=(), lost=taken.left + taken.lost)
    return Arrival(
        channel=NAME,
        form=Form.SMS,
        raw_id=f"{sid}:media:{name}" if taken.uploads else f"{sid}:media:{name}:lost",
        received_at=now,
        petition_date=now.astimezone(SHANGHAI).date(),
        raw=json.dumps({"message": sid, "media": one.url, "content_type": one.kind}).encode(),
        raw_type=LISTED_TYPE,
        statement=Statement(content="\n".join([*words, *lost.words])),
        uploads=taken.uploads,
        sub_source=SUPPLEMENT + case_no,
    )


async def _one(one: Media, name: str, hall: Hall, seconds: float) -> Upload | bool:
    """The file, or whether it may come later."""
    try:
        async with asyncio.timeout(seconds):
            return await hall.provider.fetch(one.url, name)
    except PetitionError as problem:
        return problem.retryable or isinstance(problem, NotFound)
    except TimeoutError:
        return True
    except Exception as problem:  # of any provider; the address is kept and the officer sees it
        log.error("an attachment could not be fetched", problem=type(problem).__name__)
        return True


def _lines(media: Sequence[Media], what: str) -> list[str]:
    if not media:
        return []
    return [f"（随短信发来的附件，{what}：{len(media)}个）", *(f"{one.kind} {one.url}".strip() for one in media)]
