"""The script (话术): the documents that tell the provider what to say and what to listen for (TwiML).

<Response><Gather action="https://.../webhooks/twilio/voice/menu?turn=1" ...><Say language="zh-CN">您好……</Say></Gather>
"""

from __future__ import annotations

from twilio.twiml.voice_response import Gather, VoiceResponse

from channels import voice_words as words
from channels.telephone import Telephone

PATH = "/webhooks/twilio/voice"
LONGEST = 300  # seconds of a recording
_RING = 25  # seconds a seat rings


class Script:
    """Documents of one house. turn: the place of the next request in the conversation, so that a retry is known."""

    def __init__(self, telephone: Telephone, public_url: str) -> None:
        self._telephone = telephone
        self._base = public_url.rstrip("/") + PATH

    def menu(self, said: str, turn: int) -> str:
        """Say, and wait for one key, or for words where they are recognised."""
        document = VoiceResponse()
        ways = "dtmf speech" if self._telephone.speech else "dtmf"
        gather = self._gather(document, "menu", turn, ways, num_digits=1, timeout=6)
        self._say(gather, said)
        return str(document)

    def words(self, step: str, said: str, turn: int) -> str:
        """Ask for words that are recognised; keys would make the provider forget them, so none are taken."""
        document = VoiceResponse()
        gather = self._gather(document, step, turn, "speech", timeout=8)
        self._say(gather, said)
        return str(document)

    def keys(self, step: str, said: str, turn: int) -> str:
        """Ask for keys up to the # key."""
        document = VoiceResponse()
        gather = self._gather(document, step, turn, "dtmf", timeout=15, finish_on_key="#")
        self._say(gather, said)
        return str(document)

    def record(self, step: str, said: str, turn: int) -> str:
        """Ask for a recording; silence goes to the same step without one."""
        document = VoiceResponse()
        self._say(document, said)
        document.record(
            action=self._to(step, turn),
            method="POST",
            timeout=8,
            finish_on_key="#",
            max_length=LONGEST,
            play_beep=True,
            trim="do-not-trim",
            recording_status_callback=f"{self._base}/recording",
            recording_status_callback_method="POST",
            recording_status_callback_event="completed absent",
        )
        document.redirect(self._to(step, turn), method="POST")
        return str(document)

    def dial(self, said: str, turn: int) -> str:
        """Put the caller through to the seats."""
        document = VoiceResponse()
        self._say(document, said)
        dial = document.dial(
            action=self._to("seat", turn),
            method="POST",
            timeout=_RING,
            answer_on_bridge=True,
            record="record-from-answer-dual",
            recording_status_callback=f"{self._base}/recording",
            recording_status_callback_method="POST",
            recording_status_callback_event="completed absent",
        )
        line = self._telephone.seat_line
        if line.startswith("sip:"):
            dial.sip(line)
        else:
            dial.number(line)
        return str(document)

    def farewell(self, *said: str) -> str:
        """Say the last words and hang up."""
        document = VoiceResponse()
        for one in filter(None, said):
            self._say(document, one)
        document.hangup()
        return str(document)

    def greeting(self) -> str:
        """What the caller hears first."""
        return words.greeting(self._telephone.office, speech=self._telephone.speech)

    def _gather(
        self,
        document: VoiceResponse,
        step: str,
        turn: int,
        ways: str,
        *,
        timeout: int,
        num_digits: int | None = None,
        finish_on_key: str | None = None,
    ) -> Gather:
        speech = "speech" in ways
        return document.gather(
            input=ways,
            action=self._to(step, turn),
            method="POST",
            timeout=timeout,
            num_digits=num_digits,
            finish_on_key=finish_on_key,
            speech_timeout="auto" if speech else None,
            language=self._telephone.speech_language if speech else None,
            action_on_empty_result=True,
        )

    def _say(self, place: VoiceResponse | Gather, said: str) -> None:
        place.say(said, voice=self._telephone.voice or None, language=self._telephone.language)

    def _to(self, step: str, turn: int) -> str:
        return f"{self._base}/{step}?turn={turn}"
