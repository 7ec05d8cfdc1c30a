"""The backlog (漏接来电): calls and recordings that stand in the provider's lists and that no webhook brought."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from channels.door import CaughtUp, Hall
from channels.provider import Record, file_of
from channels.voice_book import CallBook
from channels.voice_call import ENDED, LISTED, NAME, Event
from petition.errors import Unavailable

CALL_SID = re.compile(r"CA[0-9A-Za-z]{10,62}")
RECORDING_SID = re.compile(r"RE[0-9A-Za-z]{10,62}")
_LAST = 999  # after everything that was said
# The list's names of what a webhook tells.
_TOLD = {
    "CallSid": "sid",
    "From": "from",
    "To": "to",
    "CallStatus": "status",
    "Direction": "direction",
    "CallDuration": "duration",
    "StartTime": "start_time",
}


class CallBacklog:
    """Takes in what is missing. The page of a call decides: what is on it, or was put away, is not entered again."""

    def __init__(self, hall: Hall, book: CallBook) -> None:
        self._hall = hall
        self._book = book

    async def catch_up(self, since: datetime) -> CaughtUp:
        """Calls first, then their recordings; Unavailable at the end if anything has to be asked for again."""
        failed = calls = recordings = 0
        async for record in self._hall.provider.calls(since):
            if not CALL_SID.fullmatch(record.get("sid", "")) or not _came_in(record):
                continue
            try:
                calls += await self._call(record)
            except Unavailable:
                failed += 1
        async for record in self._hall.provider.recordings(since):
            sids = record.get("sid", ""), record.get("call_sid", "")
            if record.get("status") != "completed" or not RECORDING_SID.fullmatch(sids[0]):
                continue
            try:
                recordings += bool(CALL_SID.fullmatch(sids[1])) and await self._recording(*sids, record)
            except Unavailable:
                failed += 1
        if failed:
            raise Unavailable()
        return CaughtUp({"calls": calls, "recordings": recordings})

    async def _call(self, record: Record) -> bool:
        """A call that has ended: one we never heard of is a case, one whose end got lost is entered now."""
        sid = record["sid"]
        async with self._book.lock(sid):
            call = await self._book.look(sid)
            known = bool(call.events or call.case_no or call.answered)
            if known and (call.ended or not call.events):
                return False
            told = {name: record.get(field, "") for name, field in _TOLD.items()}
            call = await self._book.hear(sid, self._event(LISTED, told))
            call = await self._book.settle(call, final=True)
            await self._book.join(call)
        await self._hall.switchboard.over(NAME, sid, self._hall.clock())
        return not known

    async def _recording(self, recording: str, sid: str, record: Record) -> bool:
        """A recording that is finished, of a call that is a case or is still going on."""
        async with self._book.lock(sid):
            call = await self._book.look(sid)
            if not call.events and not call.case_no:
                return False  # of a call that was none of ours, or asked for a status only
            if any(one.sid == recording and (one.ready or one.joined) for one in call.recordings):
                return False  # what is ready and could not be fetched yet is fetched by the next look
            if await self._hall.enquiries.case_of(NAME, f"{recording}:recording"):
                return False
            told = {
                "CallSid": sid,
                "RecordingSid": recording,
                "RecordingUrl": file_of(record),
                "RecordingDuration": record.get("duration", ""),
                "RecordingStatus": "completed",
            }
            call = await self._book.hear_recording(sid, recording, self._event("recording", told))
            await self._book.join(call)
        return True

    def _event(self, step: str, told: Mapping[str, str]) -> Event:
        body = urlencode(sorted(told.items()))
        return Event(step=step, turn=_LAST, at=self._hall.clock().isoformat(), body=body)


def _came_in(record: Record) -> bool:
    """Whether somebody called us and the call is over; not the second leg of a call that was put through."""
    return record.get("direction") == "inbound" and record.get("status") in ENDED and not record.get("parent_call_sid")
