"""The call book (通话簿): calls in the notebook, what of them is entered, and the recordings that join their cases."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from channels.door import Hall
from channels.notebook import Page
from channels.provider import discard
from channels.signature import FORM_TYPE
from channels.voice_call import CASE, EVENTS, NAME, WORDS, Call, Event, Recording
from petition.arrival import Arrival, Upload
from petition.attachment import AttachmentRole
from petition.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from petition.petition import Form

FINISHED = f"{NAME}-finished"  # the book of calls that are looked at no more
FETCH_SECONDS = 8.0  # Twilio waits 15 seconds for an answer
GIVEN_UP = timedelta(days=3)  # after which a recording is not fetched any more: its address stays in the original
LONGEST_CALL = timedelta(hours=5)  # Twilio ends a call after four
_EVENTS_MOST = 200  # a menu that somebody plays with must not fill the house
_TRIES = 40

Locks = WeakValueDictionary[str, asyncio.Lock]


class CallBook:
    """The calls of one house. locks: webhooks of one call that come at once wait for each other in this process;
    between processes the version of the page decides."""

    def __init__(self, hall: Hall, locks: Locks) -> None:
        self._hall = hall
        self._locks = locks

    def lock(self, sid: str) -> asyncio.Lock:
        """The lock of a call; not to be taken twice."""
        return self._locks.setdefault(sid, asyncio.Lock())

    async def look(self, sid: str) -> Call:
        """The call as it stands; one that was finished has its case and nothing else."""
        page = await self._hall.notebook.look(NAME, sid)
        if page is not None:
            return Call.of(sid, page.content, page.version)
        finished = await self._hall.notebook.look(FINISHED, sid)
        case_no = finished.content["case_no"] if finished else await self._hall.enquiries.case_of(NAME, sid)
        return Call(sid=sid, case_no=case_no, answered=finished is not None and not case_no)

    async def change(self, sid: str, edit: Callable[[Call], Call]) -> Call:
        """Keep a change; whoever was slower makes it on what the faster one wrote. Unavailable after many tries."""
        for _ in range(_TRIES):
            call = await self.look(sid)
            changed = edit(call)
            if changed == call:
                return call
            try:
                return replace(changed, version=await self._hall.notebook.put(NAME, sid, changed.content, call.version))
            except Conflict:
                await asyncio.sleep(random.uniform(0, 0.02))  # so that two that met do not meet again
        raise Unavailable()

    async def hear(self, sid: str, event: Event) -> Call:
        """Keep one webhook. A call has so many and no more; what comes then is counted."""
        call = await self.change(sid, lambda one: one.heard(event) if len(one.events) < _EVENTS_MOST else one)
        if call.place(event) is None:
            await self._hall.refuse(plain(event, f"{sid}:{event.step}:{event.turn}"), EVENTS)
        return call

    async def hear_recording(self, sid: str, recording: str, event: Event) -> Call:
        """Keep a recording that is ready."""
        url = event.value("RecordingUrl")
        return await self.change(sid, lambda call: call.recorded(recording, url, event, ready=True))

    async def settle(self, call: Call, *, final: bool = False) -> Call:
        """Enter what is new. First it is cut off in the notebook, so that everybody who does it enters the same."""
        call = await self.change(call.sid, lambda one: one.parted(final=final))
        for place in range(call.done, len(call.parts)):
            call = await self._enter(call, place)
        return call

    async def join(self, call: Call, *, all_of_them: bool = False) -> Call:
        """Fetch recordings and add them to the case. all_of_them: also those nobody has called ready."""
        if not call.case_no:
            return call
        for one in call.recordings:
            if one.joined or not (one.ready or all_of_them):
                continue
            fetched, remark = await self._fetch(one)
            if fetched is None and not remark:
                continue
            try:
                # Conflict: another process has joined it, and its bytes stand.
                with contextlib.suppress(Conflict):
                    await self._hall.intake(call.supplement(one, (fetched,) if fetched else (), remark))
            finally:
                if fetched is not None:
                    discard(fetched)
            call = await self.change(call.sid, _joined(one.sid))
        return call

    async def tend(self, page: Page, now: datetime) -> bool:
        """Finish a call that stands still: enter it, fetch what is left, and put it away. False: not all is done."""
        async with self.lock(page.key):
            call = await self.settle(Call.of(page.key, page.content, page.version), final=True)
            call = await self.join(call, all_of_them=True)
            if not call.ended and now - page.touched_at < LONGEST_CALL:
                return False  # entered, but somebody may still be talking
            if any(not one.joined for one in call.recordings) and call.case_no:
                return False
            with contextlib.suppress(Conflict):  # it was put away before, and something came after
                await self._hall.notebook.put(FINISHED, call.sid, {"case_no": call.case_no}, 0)
            try:
                await self._hall.notebook.tear(NAME, call.sid, call.version)
            except Conflict:
                return False  # another process has heard something just now
        await self._hall.switchboard.over(NAME, call.sid, now)
        return True

    async def _enter(self, call: Call, place: int) -> Call:
        kind = call.parts[place].kind
        arrival = call.arrival(place, self._hall.telephone, self._hall.clock())
        case_no, code, texted = call.case_no, call.query_code, call.texted
        if kind in (CASE, WORDS):
            try:
                receipt = await self._hall.intake(arrival)
                if kind == CASE:
                    case_no, code, texted = receipt.case_no, receipt.query_code, receipt.texted
            except Conflict:  # the id stands for other words already: those stand, and so does their case
                case_no = case_no or await self._hall.enquiries.case_of(NAME, arrival.raw_id)
        else:
            await self._hall.refuse(arrival, kind)

        def entered(one: Call) -> Call:
            if one.done > place:
                return one
            return replace(one, done=place + 1, case_no=case_no, query_code=code, texted=texted)

        return await self.change(call.sid, entered)

    async def _fetch(self, one: Recording) -> tuple[Upload | None, str]:
        """(the file, or why there will be none); neither: ask again later."""
        late = self._hall.clock() - datetime.fromisoformat(one.at) > GIVEN_UP
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                fetched = await self._hall.provider.fetch(one.url, "来电录音")
            return replace(fetched, role=AttachmentRole.RECORDING), ""
        except (Unavailable, TimeoutError):
            return None, "录音一直没有取回。" if late else ""
        except NotFound:
            return None, "服务商处没有这段录音。" if late else ""
        except (Invalid, TooLarge) as problem:
            return None, f"录音没有取回：{problem.words}"


def _joined(sid: str) -> Callable[[Call], Call]:
    def edit(call: Call) -> Call:
        found = next((one for one in call.recordings if one.sid == sid), None)
        return call if found is None else call.changed(replace(found, joined=True))

    return edit


def plain(event: Event, raw_id: str) -> Arrival:
    """One webhook as an arrival that says nothing."""
    return bare(event.body.encode("latin-1"), raw_id, datetime.fromisoformat(event.at))


def bare(raw: bytes, raw_id: str, at: datetime) -> Arrival:
    """Bytes of a webhook as an arrival that says nothing."""
    return Arrival(
        channel=NAME,
        form=Form.PHONE,
        raw_id=raw_id,
        received_at=at,
        petition_date=at.date(),
        raw=raw,
        raw_type=FORM_TYPE,
    )
