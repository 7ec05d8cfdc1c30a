"""Media (微信取件): pictures, voices and videos of messages are fetched from the platform and join their case.

The platform keeps a file three days. What is still to be fetched stands in the notebook before the message is
acknowledged, so a restart or a platform that is down loses none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from channels import wechat_words as words
from channels.door import Hall
from channels.notebook import Page
from channels.wechat_message import MEDIA, Message
from petition.arrival import SUPPLEMENT, Arrival, Statement, Upload
from petition.errors import Conflict, Invalid, NotFound, PetitionError, TooLarge
from petition.petition import Form

BOOK = "wechat-media"
KEPT = timedelta(days=3)  # official account platform, 获取临时素材: a temporary media file is valid for three days
EVERY = 60.0  # seconds between two looks
FRESH = timedelta(seconds=45)  # what was touched less long ago is still in somebody's hands

log = structlog.get_logger(__name__)


async def remember(message: Message, case_no: str, at: datetime, channel: str, hall: Hall) -> None:
    """Note that a message's file is to be fetched for its case; the same again changes nothing."""
    content = {
        "media_id": message.media_id,
        "kind": message.kind,
        "case": case_no,
        "at": at.isoformat(),
        "channel": channel,
        "tries": 0,
    }
    with suppress(Conflict):
        await hall.notebook.put(BOOK, message.raw_id, content, 0)


class MediaRounds:
    """Fetches what is noted on its rounds. Implements `channels.door.Listener`. rest: what else is to end at a stop."""

    def __init__(self, hall: Hall, every: float = EVERY, rest: Callable[[], Awaitable[None]] | None = None) -> None:
        self._hall = hall
        self._rest = rest
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> MediaRounds:
        """Begin the rounds on the running loop."""
        self._task = asyncio.create_task(self._go_round())
        return self

    async def stop(self) -> None:
        """End the rounds; what was not fetched is noted."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._rest is not None:
            await self._rest()

    async def look(self) -> int:
        """One round over what waits; how many were brought in."""
        hall = self._hall
        waiting = await hall.notebook.quiet(BOOK, hall.clock() - FRESH)
        return sum([await fetch(page, hall) for page in waiting])

    async def _go_round(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except (PetitionError, OSError) as problem:
                log.warning("wechat media wait for the next round", problem=type(problem).__name__)


async def fetch_now(raw_id: str, hall: Hall) -> None:
    """Fetch one file that was just noted; what goes wrong is tried again on the rounds."""
    try:
        page = await hall.notebook.look(BOOK, raw_id)
        if page is not None:
            await fetch(page, hall)
    except (PetitionError, OSError) as problem:
        log.info("a wechat file waits for the next round", problem=type(problem).__name__)


async def fetch(page: Page, hall: Hall) -> bool:
    """Bring one file to its case and forget the note; False when it has to wait."""
    note = page.content
    if not await hall.enquiries.case_of(note["channel"], f"{page.key}:media"):
        upload, said = None, Statement()
        try:
            upload = await hall.wechat.platform.media(note["media_id"], _name(page), hall.spool, hall.max_upload)
        except (NotFound, Invalid, TooLarge):
            said = _lost(note)
        except PetitionError:
            if hall.clock() - datetime.fromisoformat(note["at"]) < KEPT:
                with suppress(Conflict):
                    await hall.notebook.put(BOOK, page.key, {**note, "tries": note["tries"] + 1}, page.version)
                return False
            said = _lost(note)
        await _enter(page, upload, said, hall)
    with suppress(Conflict):
        await hall.notebook.tear(BOOK, page.key, page.version)
    return True


async def _enter(page: Page, upload: Upload | None, said: Statement, hall: Hall) -> None:
    note, now = page.content, hall.clock()
    told = {name: note[name] for name in ("media_id", "kind")}
    arrival = Arrival(
        channel=note["channel"],
        form=Form.WECHAT,
        raw_id=f"{page.key}:media",
        received_at=now,
        petition_date=now.date(),
        raw=json.dumps({"message": page.key, **told}).encode(),
        raw_type="application/json",
        statement=said,
        uploads=(upload,) if upload else (),
        sub_source=SUPPLEMENT + note["case"],
    )
    try:
        # Another process fetched it too: the event is the same, whatever its bytes; it is entered and that is all.
        with suppress(Conflict):
            await hall.intake(arrival)
    finally:
        if upload is not None and upload.path is not None:
            upload.path.unlink(missing_ok=True)


def _lost(note: Mapping[str, Any]) -> Statement:
    return Statement(content=words.EXPIRED.format(kind=MEDIA[note["kind"]].words, media_id=note["media_id"]))


def _name(page: Page) -> str:
    kind = MEDIA[page.content["kind"]]
    return f"微信{kind.words}{page.key[-6:]}.{kind.ending}"
