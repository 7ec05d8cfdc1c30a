"""The talkers (对话): fax mails, telephone calls and WeChat dialogues, whose turns come spoilt and in any order.

Of a call and a dialogue several events make one petition, so for these two the books are asked whether they balance,
not whether every event has an entry of its own yet.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from xml.etree import ElementTree

import httpx

from tests.fakes.texts import PUBLIC, encoded, signed
from tests.fakes.wechat import TOKEN, sha, xml
from tests.houses import Rig
from tests.torture.mutator import Mutator
from tests.torture.relay import Email
from tests.torture.senders import FAX, NUMBER, SAMPLES
from tests.torture.tally import Tally

VOICE, WECHAT = "/webhooks/twilio/voice", "/webhooks/wechat"
ASKED = "620000X2026112200001K"  # a number nobody has: the account repeats it in its answer
_TURNS = "menu story demand recorded wish query code callback seat".split()
_STORY = "演示村后山上个月开始出现裂缝，下雨就有石头滚下来"
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(300)


class Fax(Email):
    """A fax gateway's mails."""

    channel = "fax"
    to = FAX

    def __init__(self, rig: Rig, mutator: Mutator) -> None:
        super().__init__(rig, mutator)
        page = b"\r\n".join(
            (
                b"From: server@fax.example\r\nSubject: Fax from 8615400000001\r\nMIME-Version: 1.0",
                b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: image/jpeg; name="p.jpg"',
                b"Content-Disposition: attachment\r\n\r\n" + _JPEG + b"\r\n--x--\r\n",
            )
        )
        self._page = page
        self._seeds = [page, page, *(path.read_bytes() for path in sorted((SAMPLES / "email").glob("*.eml")))]

    def fresh(self) -> bytes:
        """A page nobody has sent: the same page again is the same fax."""
        return self._page.replace(_JPEG, _JPEG + secrets.token_bytes(40).hex().encode())


class _Talk:
    """What calls and dialogues have in common."""

    channel = ""

    def __init__(self, rig: Rig, mutator: Mutator) -> None:
        self.tally = Tally(self.channel, talks=True)
        self._client = rig.client
        self._mutator = mutator

    def hard(self) -> list[Callable[[], object]]:
        """None beside the mutants."""
        return []

    def _seen(self, answer: httpx.Response) -> str:
        """The words of an answer, which is XML or nothing."""
        self.tally.sent += 1
        self.tally.reached += 1
        self.tally.answers[str(answer.status_code)] += 1
        if answer.status_code not in (200, 204, 400, 403, 404, 413):
            self.tally.bad(f"{answer.status_code} {answer.text[:200]} at {answer.request.url.path}")
        if answer.status_code != 200 or not answer.content or answer.text == "success":
            return ""
        try:
            said = "".join(ElementTree.fromstring(answer.content).itertext())
        except ElementTree.ParseError:
            self.tally.bad(f"no XML: {answer.content[:200]!r}")
            return ""
        for number in NUMBER.findall(said):
            if number != ASKED:
                self.tally.acknowledged(number)
        return said


class Voice(_Talk):
    """Calls."""

    channel = "voice"

    def mutant(self) -> None:
        """A call of a few turns, some of them twice, most of them wrong; in the end it is over."""
        sid, number = f"CA{secrets.token_hex(16)}", f"+86154{self._mutator.random.randrange(10**8):08d}"
        self._turn("", {}, sid, number)
        for turn in range(1, self._mutator.random.randrange(2, 6)):
            said = {
                "Digits": self._mutator.pick(("1", "2", "3", "4", "0", "", "hangup", self._mutator.text("123456"))),
                "SpeechResult": self._mutator.text(_STORY),
                "Confidence": self._mutator.pick(("0.9", "-1", "NaN", "1e400", "x")),
                "RecordingSid": self._mutator.pick(("", f"RE{secrets.token_hex(16)}", self._mutator.text("RE12"))),
                "RecordingUrl": self._mutator.text("https://api.example/recording"),
            }
            kept = {name: value for name, value in said.items() if self._mutator.chance(0.6)}
            step = self._mutator.pick(_TURNS)
            for _ in range(2 if self._mutator.chance(0.1) else 1):
                self._turn(f"/{step}?turn={self._mutator.pick((turn, turn, turn, 0, 999))}", kept, sid, number)
        if self._mutator.chance(0.8):
            ended = self._mutator.pick(("completed", "completed", "no-answer", "canceled", "nonsense"))
            self._turn("/status", {"CallStatus": ended}, sid, number)

    def race(self) -> list[Callable[[], object]]:
        """One call whose last webhook comes several times at once."""
        sid, number = f"CA{secrets.token_hex(16)}", "+8615400000077"
        self._turn("", {}, sid, number)
        self._turn("/menu?turn=1", {"Digits": "1"}, sid, number)
        self._turn("/recorded?turn=2", {"RecordingSid": f"RE{secrets.token_hex(16)}", "RecordingUrl": "x"}, sid, number)
        return [lambda: self._turn("/status", {"CallStatus": "completed"}, sid, number)] * 5

    def _turn(self, tail: str, said: Mapping[str, str], sid: str, number: str) -> str:
        known = {
            "CallSid": sid,
            "From": number,
            "To": "+8609310000000",
            "Direction": "inbound",
            "CallStatus": "in-progress",
        }
        body = encoded({**known, **{name: value.encode("utf-8", "replace").decode() for name, value in said.items()}})
        body = self._mutator.spoil(body) if self._mutator.chance(0.05) else body
        headers = signed(body, url=f"{PUBLIC}{VOICE}{tail}")
        if self._mutator.chance(0.03):
            headers["X-Twilio-Signature"] = "AAAA"
        return self._seen(self._client.post(f"{VOICE}{tail}", content=body, headers=headers))


class Wechat(_Talk):
    """Dialogues with the official account."""

    channel = "wechat"

    def mutant(self) -> None:
        """A dialogue of a few messages; what comes is sometimes no message at all."""
        openid = f"oDemo_{secrets.token_hex(8)}"
        words = (_STORY, "完成", "甘肃省兰州市城关区", "匿名", "提交", "取消", "进度", f"{ASKED} 7M2K-9QXA-4TBD")
        for _ in range(self._mutator.random.randrange(1, 5)):
            kind = self._mutator.pick(("text", "text", "text", "image", "voice", "location", "event", "link", "x"))
            fields = {
                "ToUserName": "gh_demo",
                "FromUserName": openid,
                "CreateTime": str(int(time.time())),
                "MsgType": kind,
                "MsgId": str(self._mutator.random.randrange(10**12)),
                "Content": self._mutator.pick((self._mutator.pick(words), self._mutator.text(_STORY))),
                "Event": self._mutator.pick(("subscribe", "unsubscribe", "SCAN", "CLICK", "x")),
                "MediaId": "m-1",
                "Location_X": self._mutator.pick(("39.73", "NaN", "")),
            }
            if self._mutator.chance(0.3):
                spoilt = self._mutator.spoil_json(fields)
                fields = spoilt if isinstance(spoilt, dict) else {}
            clean = {re.sub(r"\W", "", str(name)) or "x": str(value) for name, value in fields.items()}
            body = xml({name: value.encode("utf-8", "replace").decode() for name, value in clean.items()})
            body = self._mutator.spoil(body) if self._mutator.chance(0.2) else body
            first = self._send(body)
            if self._mutator.chance(0.1):
                told, again = NUMBER.findall(first), NUMBER.findall(self._send(body))
                if told and again and told != again:
                    self.tally.bad(f"sent twice, answered {told} and then {again}")

    def race(self) -> list[Callable[[], object]]:
        """One message, several times at once."""
        fields = {"ToUserName": "gh", "FromUserName": "oDemo_race", "MsgType": "text", "Content": _STORY}
        number = str(self._mutator.random.randrange(10**12))
        body = xml({**fields, "CreateTime": str(int(time.time())), "MsgId": number})
        return [lambda: self._send(body)] * 5

    def _send(self, body: bytes) -> str:
        stamp, nonce = str(int(time.time())), "n-1"
        token = TOKEN if not self._mutator.chance(0.03) else "another"
        query = {"signature": sha(token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
        headers = {"Content-Type": "text/xml"}
        return self._seen(self._client.post(WECHAT, params=query, content=body, headers=headers))
