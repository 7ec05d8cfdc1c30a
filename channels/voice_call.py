"""A call (一次通话): what its webhooks said, what has been entered of it, and what it says as an arrival."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from channels import voice_words as words
from channels.signature import read_form
from channels.telephone import Telephone
from channels.web import UNSEEN
from petition.arrival import SUPPLEMENT, Arrival, Statement, Upload
from petition.clock import SHANGHAI
from petition.identity import normal_landline, normal_mobile, tidy
from petition.people import Person
from petition.petition import Form, Note

NAME = "voice"
INCOMING, STATUS, LISTED = "incoming", "status", "listed"
ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
# Numbers the provider gives for callers who show none (twilio.com/docs/voice, "anonymous").
NOBODY = frozenset({"", "anonymous", "+266696687", "+7378742833", "+2562533", "+8656696"})
# Parts: what a run of webhooks is in the ledger. Those of the second line open no case and are counted.
CASE, WORDS = "case", "words"
QUERIED, EVENTS = "status_query", "call_events"

LEFT_MESSAGE = "来电留言，请听录音后登记要点"
SILENT = "来电未留言"
UNSEEN_CALL = "来电未接通系统"
SEAT_WANTED = "来电转坐席，请核对登记内容"
CALL_WANTED = "来电请求回电"
_UNSURE = 0.6  # below it the provider itself says that it may have misheard


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One webhook of the call. turn: its place in the conversation; at: ISO 8601; body: the canonical form, ASCII."""

    step: str
    turn: int
    at: str
    body: str

    @property
    def fields(self) -> Mapping[str, str]:
        """The parameters."""
        return read_form(self.body.encode("latin-1")).fields

    def value(self, name: str) -> str:
        """One parameter, or empty."""
        return self.fields.get(name, "").strip()

    @property
    def said(self) -> str:
        """What was recognised, without signs that hide or turn text; empty if nothing is to be seen."""
        words_heard = UNSEEN.sub("", self.value("SpeechResult")).strip()
        return words_heard if tidy(words_heard) else ""

    @property
    def choice(self) -> str:
        """The key chosen at the menu, by key or by word; `story` for somebody who simply tells; or empty."""
        if self.step != "menu":
            return ""
        if (key := self.value("Digits")[:1]) in set("01234"):
            return key
        if key := words.choice(self.said):
            return key
        return "story" if len(self.said) >= words.SHORTEST_STORY else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Events before place `upto` and after the part before: one event of the ledger. kind: what it is there."""

    upto: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording. body: the webhook that named it; ready: the provider said that it is finished."""

    sid: str
    url: str
    seconds: str
    body: str
    at: str
    ready: bool = False
    joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as its page says. done: how many parts are entered; answered: a status was told; version: of the page."""

    sid: str
    events: tuple[Event, ...] = ()
    recordings: tuple[Recording, ...] = ()
    parts: tuple[Part, ...] = ()
    done: int = 0
    case_no: str = ""
    query_code: str = ""
    texted: bool = False
    answered: bool = False
    version: int = field(default=0, compare=False)

    @classmethod
    def of(cls, sid: str, content: Mapping[str, Any], version: int) -> Call:
        """The call that a page holds."""
        known = dict(content)
        known["events"] = tuple(Event(**one) for one in content.get("events", ()))
        known["recordings"] = tuple(Recording(**one) for one in content.get("recordings", ()))
        known["parts"] = tuple(Part(**one) for one in content.get("parts", ()))
        return cls(sid=sid, version=version, **known)

    @property
    def content(self) -> dict[str, Any]:
        """What the page is to hold."""
        whole = asdict(self)
        del whole["sid"], whole["version"]
        return whole

    def heard(self, event: Event) -> Call:
        """With one more webhook; the same one again changes nothing."""
        if self.place(event) is not None:
            return self
        call = replace(self, events=(*self.events, event))
        sid, url = event.value("RecordingSid"), event.value("RecordingUrl")
        if sid and url and event.step != "recording":
            call = call.recorded(sid, url, event, ready=False)
        return call

    def recorded(self, sid: str, url: str, event: Event, *, ready: bool) -> Call:
        """With one more recording; what says that it is finished wins over what only named it."""
        one = Recording(
            sid=sid, url=url, seconds=event.value("RecordingDuration"), body=event.body, at=event.at, ready=ready
        )
        known = next((each for each in self.recordings if each.sid == sid), None)
        if known is None:
            return replace(self, recordings=(*self.recordings, one))
        if known.joined or known.ready or not ready:
            return self
        return self.changed(one)

    def changed(self, recording: Recording) -> Call:
        """With another state of a known recording."""
        return replace(
            self, recordings=tuple(recording if each.sid == recording.sid else each for each in self.recordings)
        )

    def place(self, event: Event) -> int | None:
        """Where the same webhook stands already."""
        key = (event.step, event.turn, event.body)
        return next((at for at, one in enumerate(self.events) if (one.step, one.turn, one.body) == key), None)

    def until(self, event: Event) -> tuple[Event, ...]:
        """The conversation up to this webhook, in its own order, however it came in."""
        spoken = (one for one in self.events if one.step not in (STATUS, LISTED, "recording"))
        return tuple(sorted((one for one in spoken if one.turn <= event.turn), key=lambda one: one.turn))

    @property
    def ended(self) -> bool:
        """Whether somebody said that the call is over."""
        return any(event.value("CallStatus") in ENDED for event in self.events)

    @property
    def number(self) -> str:
        """The caller's number as the provider gave it, or empty."""
        numbers = (event.value("From") for event in self.events)
        return next((number for number in numbers if number not in NOBODY), "")

    @property
    def line(self) -> str:
        """The number that was called."""
        return next(filter(None, (event.value("To") for event in self.events)), "")

    def parted(self, *, final: bool) -> Call:
        """With what is new cut off as a part, if it is to be entered now. final: nothing more is expected."""
        start = self.parts[-1].upto if self.parts else 0
        new = self.events[start:]
        if self.case_no or any(part.kind == CASE for part in self.parts):
            kind = WORDS if Said.of(new).content else EVENTS if final and new else ""
        elif final and self.answered and Said.of(self.events).queried:
            kind = QUERIED if new else ""
        else:
            kind = CASE if new or self.recordings else ""
        return replace(self, parts=(*self.parts, Part(upto=len(self.events), kind=kind))) if kind else self

    def arrival(self, place: int, telephone: Telephone, now: datetime) -> Arrival:
        """One part as an arrival; its id and bytes are the same whoever makes it."""
        part, start = self.parts[place], self.parts[place - 1].upto if place else 0
        events = self.events[start : part.upto]
        raw = "\n".join(json.dumps(asdict(event), ensure_ascii=True) for event in events).encode()
        opening = part.kind == CASE
        # Whatever opens a case has the id of the call; what follows has one of its own.
        raw_id = self.sid if opening else f"{self.sid}:{hashlib.sha256(raw).hexdigest()[:24]}"
        said, person = Said.of(events), self._person()
        at = datetime.fromisoformat(events[0].at) if events else now
        statement = Statement(content=said.content, requests=said.requests)
        if opening:
            statement = replace(
                statement,
                petitioners=(person,),
                content=said.content or said.remark,
                privacy_notice_version=telephone.notice if any(one.step == INCOMING for one in events) else "",
            )
        return Arrival(
            channel=NAME,
            form=Form.PHONE,
            raw_id=raw_id,
            received_at=at,
            petition_date=_day(events) or at.date(),
            raw=raw or self.sid.encode(),
            raw_type="application/x-ndjson",
            statement=statement,
            hold=said.hold if opening else "",
            sub_source="" if opening or part.kind != WORDS else SUPPLEMENT + self.case_no,
            text_to=self._texts_to() if opening and said.hold not in (SILENT, UNSEEN_CALL) else "",
            notes=said.notes,
        )

    def supplement(self, recording: Recording, uploads: tuple[Upload, ...], remark: str) -> Arrival:
        """A recording as an arrival that joins the case."""
        at = datetime.fromisoformat(recording.at)
        length = f"，{recording.seconds}秒" if recording.seconds.isdigit() else ""
        return Arrival(
            channel=NAME,
            form=Form.PHONE,
            raw_id=f"{recording.sid}:recording",
            received_at=at,
            petition_date=at.date(),
            raw=recording.body.encode("latin-1"),
            raw_type="application/x-www-form-urlencoded",
            statement=Statement(content=f"（来电录音{length}）{remark}"),
            uploads=uploads,
            sub_source=SUPPLEMENT + self.case_no,
        )

    def _texts_to(self) -> str:
        """The mobile that called; never a number that was typed, because a slip would hand the code to a stranger."""
        return normal_mobile(self.number)

    def _person(self) -> Person:
        """Whom to reach: a number typed for it, else the one that called; a contact, no proof of who spoke."""
        typed = [event.value("Digits") for event in self.events if event.step == "callback"]
        for number in (*reversed(typed), self.number):
            if mobile := normal_mobile(number):
                return Person(mobile=mobile)
            if landline := normal_landline(number):
                return Person(landline=landline)
        return Person()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a run of events says. content: the words; remark: what stands in their place; hold: why a person looks."""

    content: str = ""
    requests: tuple[str, ...] = ()
    remark: str = ""
    hold: str = ""
    notes: tuple[Note, ...] = ()
    queried: bool = False

    @classmethod
    def of(cls, events: Iterable[Event]) -> Said:
        """Read the events in the order of the conversation."""
        ordered = sorted(events, key=lambda event: event.turn)
        told = [one for one in ordered if one.said and (one.step in ("story", "wish") or one.choice == "story")]
        wanted = [one for one in ordered if one.said and one.step == "demand"]
        choices = {one.choice for one in ordered} - {""}
        remark, hold = _instead(ordered, choices)
        content = "\n".join(one.said for one in told) or "\n".join(one.said for one in wanted)
        return cls(
            content=content,
            requests=tuple(one.said for one in wanted) if told else (),
            remark=remark,
            hold="" if content else hold,
            notes=_notes((*told, *wanted)),
            queried=choices <= {"0", "2"} and not content and not any(one.value("RecordingSid") for one in ordered),
        )


def _day(events: tuple[Event, ...]) -> date | None:
    """The day of a call that only the provider's list told of: the caller acted then, whenever we learn of it."""
    if not events or events[0].step != LISTED:
        return None
    try:
        return parsedate_to_datetime(events[0].value("StartTime")).astimezone(SHANGHAI).date()
    except ValueError:
        return None


def _instead(events: list[Event], choices: set[str]) -> tuple[str, str]:
    if any(event.value("RecordingSid") for event in events):
        return "（来电人在电话里留了言，请听所附录音。）", LEFT_MESSAGE
    if "4" in choices:
        return "（来电人请求回电。）", CALL_WANTED
    if "3" in choices:
        return "（来电人要求与工作人员通话。）", SEAT_WANTED
    if events and all(event.step in (STATUS, LISTED) for event in events):
        return "（有人来电，电话没有接到系统，没有听到来电人说话。）", UNSEEN_CALL
    return "（来电人没有留言，电话已经挂断。）", SILENT


def _notes(spoken: tuple[Event, ...]) -> tuple[Note, ...]:
    if not spoken:
        return ()
    notes = [Note(stage=NAME, code="speech", words="来电语音由机器识别成文字，可能有错字。", field="content")]
    if any(_confidence(event) < _UNSURE for event in spoken):
        notes.append(Note(stage=NAME, code="unsure", words="语音识别把握不大，请与来电人核对。", field="content"))
    return tuple(notes)


def _confidence(event: Event) -> float:
    try:
        return float(event.value("Confidence") or 1)
    except ValueError:
        return 1.0
