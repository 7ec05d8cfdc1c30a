"""The caller (来电人替身): plays a telephone call against the house's TwiML, as the provider would.

    played = await play(twilio, house, [Press("1"), Leave(wav, 12), HANG_UP], caller="+8615400000006")
    played.said          # what the caller heard, text by text: the words of every Say
    played.requests      # [("/webhooks/twilio/voice", {"CallSid": ..., "CallStatus": "ringing", ...}), ...]
    played.status        # "completed"

Each verb that listens (Gather, Record, Dial) takes the next answer of the list; a caller without answers is silent, so
a Gather falls through to the verb after it. An answer that the verb cannot hear (keys where only speech is asked) is
silence too, and is used up. After the call the recordings are finished and the callbacks sent: recording, then status.
With `callbacks=False` they wait in `played.pending`, to be posted in any order, twice, or never:

    for path, form in reversed(played.pending):
        await twilio.post(house, path, form)     # after twilio.finish(sid) for every one of played.recordings
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urljoin
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from gateway.demo.provider import LINE, Home, StandIn, new_sid

VOICE, VOICE_STATUS = "/webhooks/twilio/voice", "/webhooks/twilio/voice/status"
_REQUESTS_MOST = 100  # a menu that leads in a circle ends here


@dataclass(frozen=True, slots=True)
class Press:
    """Keys, to a Gather that takes dtmf."""

    digits: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Words, to a Gather that takes speech. confidence: 0 to 1."""

    words: str
    confidence: float = 0.9


@dataclass(frozen=True, slots=True)
class Leave:
    """A recording, to a Record. key: that ended it; hangs_up: the caller hung up while speaking, as most do."""

    body: bytes
    seconds: int
    key: str = "#"
    hangs_up: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """How a Dial ends: completed after so many seconds, or busy, no-answer, failed, canceled."""

    seconds: int = 0
    status: str = "completed"


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller is gone before the verb has heard anything."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller says nothing this time."""


HANG_UP, SILENCE = HangUp(), Silence()
Turn = Press | Speak | Leave | Talk | HangUp | Silence


class Request(NamedTuple):
    """One webhook of the call. path: with its query."""

    path: str
    form: dict[str, str]


@dataclass(slots=True)
class Played:
    """What happened in a call. verbs: the names of what was executed; trouble: why it broke off, empty if it did not;
    pending: callbacks that were not sent."""

    sid: str
    said: list[str] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    recordings: list[str] = field(default_factory=list)
    pending: list[Request] = field(default_factory=list)
    status: str = "ringing"
    trouble: str = ""


async def play(
    provider: StandIn,
    house: Home,
    turns: Iterable[Turn] = (),
    *,
    caller: str = "+8615400000006",
    line: str = LINE,
    path: str = VOICE,
    status_path: str = VOICE_STATUS,
    callbacks: bool = True,
) -> Played:
    """One call from its first webhook to its end. path, status_path: as they are set for the number at the provider."""
    sid = provider.ring(caller, line, status="ringing")
    call = _Call(provider, house, iter(turns), Played(sid), {"From": caller, "To": line})
    await call.run(path)
    call.end(status_path)
    if callbacks:
        for one in call.played.recordings:
            provider.finish(one)
        while call.played.pending:
            request = call.played.pending.pop(0)
            call.played.requests.append(request)
            await provider.post(house, request.path, request.form)
    return call.played


class _Gone(Exception):
    """The caller or the house has ended the call."""


class _Elsewhere(Exception):
    """The call goes on in another document: the answer to this request."""

    def __init__(self, url: str, form: dict[str, str]) -> None:
        super().__init__(url)
        self.url, self.form = url, form


@dataclass(slots=True)
class _Call:
    provider: StandIn
    house: Home
    turns: Iterator[Turn]
    played: Played
    parties: dict[str, str]
    url: str = ""
    seconds: int = 1

    async def run(self, path: str) -> None:
        """Ask for documents and execute them until somebody hangs up or nothing is left to do."""
        url, form = self.house.signed + path, dict[str, str]()
        try:
            for _ in range(_REQUESTS_MOST):
                document = await self._ask(url, form)
                if self.played.status == "completed":
                    return  # what is said to somebody who hung up is not heard
                self.played.status = "in-progress"
                try:
                    await self._execute(document)
                except _Elsewhere as other:
                    url, form = other.url, other.form
                else:
                    return
            self.played.trouble = "走不到头 (the menu leads in a circle)"
        except _Gone:
            return

    def end(self, status_path: str) -> None:
        """The call is over: its resource says so, and the status callback waits behind those of the recordings."""
        self.played.status = "completed"
        told = self.provider.calls[self.played.sid].fields
        told |= {"status": "completed", "duration": str(self.seconds), "end_time": told["start_time"]}
        form = {**self._common(), "CallDuration": str(self.seconds), "CallbackSource": "call-progress-events"}
        form |= {"SequenceNumber": "0", "Timestamp": told["start_time"]}
        self.played.pending.append(Request(status_path, form))

    async def _ask(self, url: str, form: dict[str, str]) -> Element:
        request = Request(self._path(url), {**self._common(), **form})
        self.url = url
        self.played.requests.append(request)
        answer = await self.provider.post(self.house, request.path, request.form)
        try:
            document = ElementTree.fromstring(answer.body)
        except ElementTree.ParseError:
            document = Element("none")
        if answer.status >= 400 or document.tag != "Response":
            # What is played then: "an application error has occurred. Goodbye."
            self.played.trouble = f"{request.path}: {answer.status} {answer.body[:200]}"
            raise _Gone
        return document

    def _common(self) -> dict[str, str]:
        return {
            "CallSid": self.played.sid,
            "AccountSid": self.provider.account,
            "CallStatus": self.played.status,
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
            "Caller": self.parties["From"],
            "Called": self.parties["To"],
            **self.parties,
        }

    def _path(self, url: str) -> str:
        """Below the house; a document that leads elsewhere is an error of the house."""
        path = url.removeprefix(self.house.signed)
        if path == url or not path.startswith("/"):
            self.played.trouble = f"地址不在本系统内 (leads out of the house): {url}"
            raise _Gone
        return path

    async def _execute(self, document: Element) -> None:
        for verb in document:
            self.played.verbs.append(verb.tag)
            match verb.tag:
                case "Say":
                    self._say(verb)
                case "Play" | "Pause":
                    self.seconds += int(verb.get("length", "1"))
                case "Gather":
                    self._gather(verb)
                case "Record":
                    self._record(verb)
                case "Dial":
                    self._dial(verb)
                case "Redirect":
                    raise _Elsewhere(self._to((verb.text or "").strip()), {})
                case "Hangup" | "Reject":
                    raise _Gone
                case _:
                    self.played.trouble = f"没有料到的动词 (an unknown verb): {verb.tag}"
                    raise _Gone

    def _say(self, verb: Element) -> None:
        said = "".join(verb.itertext()).strip()
        self.played.said.append(said)
        self.seconds += len(said) // 4

    def _gather(self, verb: Element) -> None:
        for inner in verb:
            if inner.tag == "Say":
                self._say(inner)
        ways = verb.get("input", "dtmf").split()
        match self._turn():
            case Press(digits) if "dtmf" in ways and (heard := _keys(verb, digits)):
                raise _Elsewhere(self._action(verb), {"Digits": heard})
            case Speak(words, confidence) if "speech" in ways:
                form = {"SpeechResult": words, "Confidence": f"{confidence:.8f}", "Language": verb.get("language", "")}
                raise _Elsewhere(self._action(verb), form)
            case _ if verb.get("actionOnEmptyResult") == "true":
                raise _Elsewhere(self._action(verb), {"Digits": ""} if "dtmf" in ways else {})

    def _record(self, verb: Element) -> None:
        turn = self._turn()
        if not isinstance(turn, Leave):
            return  # nothing was heard: no recording, and the document goes on
        seconds = min(turn.seconds, int(verb.get("maxLength", "3600")))
        self.seconds += seconds
        sid = self.provider.record(self.played.sid, turn.body, seconds)
        self.played.recordings.append(sid)
        told = {"RecordingSid": sid, "RecordingDuration": str(seconds), "RecordingUrl": self._address(sid)}
        if callback := verb.get("recordingStatusCallback"):
            form = {"CallSid": self.played.sid, "AccountSid": self.provider.account, **told}
            form |= {"RecordingStatus": "completed", "RecordingChannels": "1", "RecordingSource": "RecordVerb"}
            form |= {"RecordingStartTime": str(self.provider.recordings[sid].fields["start_time"]), "ErrorCode": "0"}
            self.played.pending.append(Request(self._path(self._to(callback)), form))
        if turn.hangs_up:
            self.played.status = "completed"
        full = seconds < turn.seconds  # the longest time was over before any key
        digits = "hangup" if turn.hangs_up else "" if full else turn.key
        raise _Elsewhere(self._action(verb), {**told, "Digits": digits})

    def _dial(self, verb: Element) -> None:
        turn = self._turn()
        talk = turn if isinstance(turn, Talk) else Talk(status="no-answer")
        self.seconds += talk.seconds
        if verb.get("action"):
            form = {"DialCallStatus": talk.status, "DialCallSid": new_sid("CA")}
            form |= {"DialCallDuration": str(talk.seconds)} if talk.status == "completed" else {}
            raise _Elsewhere(self._action(verb), form)

    def _turn(self) -> Turn:
        turn = next(self.turns, SILENCE)
        if isinstance(turn, HangUp):
            raise _Gone
        return turn

    def _action(self, verb: Element) -> str:
        return self._to(verb.get("action", ""))

    def _to(self, target: str) -> str:
        return urljoin(self.url, target) if target else self.url

    def _address(self, sid: str) -> str:
        uri = str(self.provider.recordings[sid].fields["uri"])
        return self.provider.url + uri.removesuffix(".json")


def _keys(verb: Element, digits: str) -> str:
    """What a Gather hears: up to the key that ends it, and no more than it asks for."""
    stop = verb.get("finishOnKey", "#")
    heard = digits
    for key in stop:
        heard = heard.partition(key)[0]
    most = verb.get("numDigits")
    return heard[: int(most)] if most else heard
