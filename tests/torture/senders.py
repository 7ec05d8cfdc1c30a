"""The senders (发件人): how a mutant goes to each door, and what that door may answer."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx

from channels.hotline_table import read_table
from petition.errors import PetitionError
from tests.channels import hotline_cases, rest_cases
from tests.fakes.texts import PUBLIC, TOKEN, encoded, message, signed
from tests.fakes.wechat import TOKEN as WECHAT_TOKEN
from tests.houses import API_KEY, Rig
from tests.multipart import multipart
from tests.torture.mutator import Mutator
from tests.torture.tally import Tally

SAMPLES = Path(__file__).parent.parent / "samples"
REST, ORDERS, TEXTS = "/api/v1/petitions", "/api/v1/hotline/orders", "/webhooks/twilio/sms"
OURS, FAX = "xinfang@office.example", "fax@office.example"
# Settings of the house in which all doors stand open.
HOUSE: dict[str, Any] = {
    "channels": ("web", "rest", "email", "sms", "hotline", "fax", "voice", "wechat"),
    "api_keys": (f"partner:{API_KEY}",),
    "mail_addresses": (OURS, f"{FAX}=传真"),
    "wechat_token": WECHAT_TOKEN,
    "twilio_auth_token": TOKEN,
    "public_url": PUBLIC,
    "max_body": 200_000,
    "max_upload": 2_000_000,
}
REPEATED = 0.1  # share of the inputs that are sent again
NUMBER = re.compile(r"[0-9]{6}-?[A-Z]-?[0-9]{8}-?[0-9]{5,12}-?[0-9A-Z](?![0-9A-Z])")
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(300)

Send = Callable[[], object]


class Rest:
    """Apps and other systems: JSON, or multipart with files."""

    channel = "rest"

    def __init__(self, rig: Rig, mutator: Mutator) -> None:
        self.tally = Tally(self.channel)
        self._client = rig.client
        self._mutator = mutator
        self._seeds = [rest_cases.GOOD, *(case[1] for case in rest_cases.ACCEPTED)]
        self._hard = [case[1] for case in rest_cases.REFUSED if isinstance(case[1], bytes)]

    def hard(self) -> list[Send]:
        """The hard cases as they are."""
        cases = [case[1] for case in (*rest_cases.REFUSED, *rest_cases.ACCEPTED)]
        return [
            lambda case=case: self._post(case if isinstance(case, bytes) else _json(case), {})  # type: ignore[misc]
            for case in cases
        ]

    def mutant(self) -> None:
        """One mutant; some are sent again."""
        with_key = self._mutator.chance(0.7)
        headers = {"Idempotency-Key": secrets.token_hex(12)} if with_key else {}
        if self._mutator.chance(0.05):
            headers["Idempotency-Key"] = self._mutator.pick(("", "short", "x" * 300, "a b c d e f g", "{}{}{}{}{}"))
        body = self._body()
        if self._mutator.chance(0.15):
            files = [
                ("attachments", _JPEG, "file.jpg"),
                ("attachments", self._mutator.spoil(_JPEG), self._mutator.text("照片.jpg")),
            ]
            petition = (self._mutator.pick(("petition", "petition", "petition", "x")), body, None)
            body, kind = multipart(petition, *files[: self._mutator.random.randrange(3)])
            headers["Content-Type"] = kind
            body = self._mutator.spoil(body) if self._mutator.chance(0.5) else body
        if self._mutator.chance(0.04):
            headers["Content-Type"] = self._mutator.pick(
                (
                    "text/plain",
                    "application/json; charset=nonsense",
                    "multipart/form-data",
                    "multipart/mixed; boundary=x",
                )
            )
        if self._mutator.chance(0.03):
            headers["Content-Encoding"] = self._mutator.pick(("gzip", "identity", "nonsense"))
        first = self._post(body, headers)
        if with_key and self._mutator.chance(REPEATED):
            self._same(first, self._post(body, headers))

    def race(self) -> list[Send]:
        """One good input, to be sent at the same moment."""
        headers = {"Idempotency-Key": secrets.token_hex(12)}
        body = _json(rest_cases.GOOD)
        return [lambda: self._post(body, headers)] * 6

    def _body(self) -> bytes:
        if self._mutator.chance(0.1):
            return self._mutator.spoil(self._mutator.pick(self._hard))
        return self._mutator.written(self._mutator.spoil_json(self._mutator.pick(self._seeds)))

    def _post(self, body: bytes, headers: dict[str, str]) -> str:
        answer = self._client.post(REST, content=body, headers={"Content-Type": "application/json", **headers})
        return told(self.tally, answer, (201,), body)

    def _same(self, first: str, again: str) -> None:
        if first != again:
            self.tally.bad(f"sent twice, answered {first} and then {again}")


class Hotline:
    """The 12345 platform: single orders and batches, and tables that are read first."""

    channel = "hotline"

    def __init__(self, rig: Rig, mutator: Mutator) -> None:
        self.tally = Tally(self.channel)
        self._client = rig.client
        self._mutator = mutator
        self._seeds = [case[1] for case in hotline_cases.ACCEPTED]
        self._hard = [case[1] for case in hotline_cases.REFUSED if isinstance(case[1], bytes)]
        self._table = (SAMPLES / "hotline/orders.csv").read_bytes()

    def hard(self) -> list[Send]:
        """The hard cases as they are."""
        cases = [case[1] for case in (*hotline_cases.REFUSED, *hotline_cases.ACCEPTED)]
        return [
            lambda case=case: self._post(case if isinstance(case, bytes) else _json(case))  # type: ignore[misc]
            for case in cases
        ]

    def mutant(self) -> None:
        """One order, one batch, or one table."""
        kind = self._mutator.random.random()
        if kind < 0.1:
            self._import()
            return
        if kind < 0.25:
            orders = [self._order() for _ in range(self._mutator.random.randrange(1, 6))]
            body = self._mutator.written({"orders": orders})
        elif kind < 0.3:
            body = self._mutator.spoil(self._mutator.pick(self._hard))
        else:
            body = self._mutator.written(self._order())
        first = self._post(body)
        if self._mutator.chance(REPEATED):
            again = self._post(body)
            if first != again:
                self.tally.bad(f"sent twice, answered {first} and then {again}")

    def race(self) -> list[Send]:
        """One good order, to be sent at the same moment."""
        body = _json({**hotline_cases.GOOD, "order_no": f"GD{secrets.token_hex(8)}"})
        return [lambda: self._post(body)] * 6

    def _order(self) -> Any:
        order = {**self._mutator.pick(self._seeds), "order_no": f"GD{secrets.token_hex(8)}"}
        return self._mutator.spoil_json(order)

    def _import(self) -> None:
        try:
            rows = list(read_table(self._mutator.spoil(self._table), "orders.csv"))
        except PetitionError:
            self.tally.answers["table refused"] += 1
            return
        orders = [row.order for row in rows if not row.problems]
        for start in range(0, len(orders), 50):
            self._post(_json({"orders": orders[start : start + 50]}))

    def _post(self, body: bytes) -> str:
        headers = {"Content-Type": "application/json", "X-API-Key": API_KEY}
        answer = self._client.post(ORDERS, content=body, headers=headers)
        if answer.status_code != 207:
            return told(self.tally, answer, (200, 201), body)
        lines = answer.json()["orders"]
        self.tally.sent += 1
        self.tally.reached += len(lines)
        self.tally.answers["207"] += 1
        for line in lines:
            if line["status"] in (200, 201):
                self.tally.acknowledged(line["case_no"])
            elif line["status"] not in (409, 422) or not line["problem"].get("code"):
                self.tally.bad(f"a line of a batch: {line}")
        return json.dumps([line.get("case_no", line["status"]) for line in lines])


class Sms:
    """The provider's webhooks, mostly signed rightly."""

    channel = "sms"

    def __init__(self, rig: Rig, mutator: Mutator) -> None:
        self.tally = Tally(self.channel)
        self._client = rig.client
        self._mutator = mutator
        query = "CX 620000D2026112200001K 7M2K9QXA4TBD"
        self._texts = ("演示村后山出现裂缝并有落石，请派人查看", query, "帮助", "👩\u200d👧路灯坏了")

    def hard(self) -> list[Send]:
        """Orders, emptiness, long words."""
        texts = (*self._texts, "", " ", "长" * 1600)
        return [lambda words=words: self._post(encoded(self._message(words))) for words in texts]  # type: ignore[misc]

    def mutant(self) -> None:
        """A message with spoilt words, fields or bytes."""
        fields = self._message(self._mutator.text(self._mutator.pick(self._texts)))
        if self._mutator.chance(0.3):
            spoilt = self._mutator.spoil_json(fields)
            fields = {str(name): str(value) for name, value in spoilt.items()} if isinstance(spoilt, dict) else {}
        if self._mutator.chance(0.2):
            fields |= {"NumMedia": "2", "MediaUrl0": self._mutator.text("https://media.example/1"), "MediaUrl1": "x"}
        body = encoded(_whole(fields))
        body = self._mutator.spoil(body) if self._mutator.chance(0.2) else body
        sign = not self._mutator.chance(0.1)
        first = self._post(body, sign)
        if self._mutator.chance(REPEATED):
            again = self._post(body, sign)
            if NUMBER.findall(first) and NUMBER.findall(first) != NUMBER.findall(again):
                self.tally.bad(f"sent twice, answered {first} and then {again}")

    def race(self) -> list[Send]:
        """One good message, to be sent at the same moment."""
        body = encoded(self._message(self._texts[0]))
        return [lambda: self._post(body)] * 6

    def _message(self, words: str) -> dict[str, str]:
        mobile = f"+86154{self._mutator.random.randrange(10**8):08d}"
        return message(words, f"SM{secrets.token_hex(16)}", mobile)

    def _post(self, body: bytes, sign: bool = True) -> str:
        headers = signed(body, url=PUBLIC + TEXTS)
        if not sign:
            headers["X-Twilio-Signature"] = "AAAA"
        answer = self._client.post(TEXTS, content=body, headers=headers)
        self.tally.sent += 1
        self.tally.reached += 1
        self.tally.answers[str(answer.status_code)] += 1
        if answer.status_code == 413:
            return ""
        try:
            said = "".join(ElementTree.fromstring(answer.content).itertext())
        except ElementTree.ParseError:
            self.tally.bad(f"no TwiML: {answer.status_code} {answer.content[:200]!r}")
            return ""
        if answer.status_code not in (200, 403):
            self.tally.bad(f"{answer.status_code} {said} to {body[:200]!r}")
        for number in NUMBER.findall(said):
            self.tally.acknowledged(number)
        return said


def told(tally: Tally, answer: httpx.Response, good: tuple[int, ...], body: bytes) -> str:
    """Book a JSON answer of a door; what it says, for comparing with the same again."""
    tally.sent += 1
    tally.answers[str(answer.status_code)] += 1
    if "X-Request-Id" not in answer.headers:  # no HTTP at all: the server itself refused, before any door
        return f"{answer.status_code}"
    tally.reached += 1
    try:
        value = answer.json()
    except ValueError:
        tally.bad(f"{answer.status_code}, no JSON: {answer.content[:200]!r}")
        return ""
    if answer.status_code in good:
        tally.acknowledged(value["case_no"])
        return str(value["case_no"])
    if answer.status_code not in (400, 409, 413, 415, 422) or not value.get("code"):
        tally.bad(f"{answer.status_code} {value} to {body[:300]!r}")
    return f"{answer.status_code} {value.get('code')}"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _whole(fields: dict[str, str]) -> dict[str, str]:
    """Without halves of characters, which no form can carry."""
    return {
        name.encode("utf-8", "replace").decode(): value.encode("utf-8", "replace").decode()
        for name, value in fields.items()
    }
