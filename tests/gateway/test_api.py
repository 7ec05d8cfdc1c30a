"""The API of a whole house: file once, track, and status events of the routing system."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from petition.arrival import Outcome
from petition.errors import NotFound
from store.tables import audit, ledger, petitions
from tests.houses import API_KEY, Rig, running_house, until
from tests.multipart import multipart
from tests.signing import SECRET, signed

PATH = "/api/v1/petitions"
EVENTS = "/api/v1/routing/events"
GOOD = {
    "title": "建议在样例小学门口增设红绿灯",
    "content": "样例小学门口是丁字路口,上放学时段车多人多,建议增设信号灯。",
    "purpose": "SUGGESTION",
    "problem_region": "620105",
    "petitioners": [{"name": "李演示", "mobile": "15400000002", "address": "兰州市安宁区样例路2号"}],
}
ACCUSATION = {
    "content": "检举虚构村负责人用假名册套取项目资金,请查处。",
    "purpose": "ACCUSATION",
    "problem_region": "621102",
    "accused": [{"name": "某负责人", "unit": "虚构村村民委员会"}],
    "is_anonymous": True,
}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    data = tmp_path_factory.mktemp("api")
    with running_house(data, way_out_too=True, api_keys=(f"sample:{API_KEY}",), routing_secret=SECRET) as running:
        yield running


def filed(rig: Rig, body: dict[str, Any], key: str = "") -> dict[str, Any]:
    answer = rig.client.post(PATH, json=body, headers={"Idempotency-Key": key} if key else {})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def standing(rig: Rig, receipt: dict[str, Any], **headers: str) -> httpx.Response:
    return rig.client.get(f"{PATH}/{receipt['case_no']}", headers=headers or {"X-Query-Code": receipt["query_code"]})


def dispatched(rig: Rig, receipt: dict[str, Any]) -> dict[str, Any]:
    """What the petitioner sees once the case has left the house."""
    case_no = receipt["case_no"]

    def gone() -> bool:
        unit = select(petitions.c.unit).where(petitions.c.case_no == case_no)
        return bool(rig.house.store.read_now(lambda tx: tx.connection.execute(unit).scalar()))

    assert until(gone)
    return dict(standing(rig, receipt).json())


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


class TestFiling:
    def test_the_same_key_and_body_again_is_the_same_receipt(self, rig: Rig) -> None:
        before = rig.balance()
        first, second = (filed(rig, GOOD, "the-same-request") for _ in range(2))
        assert first == second
        after = rig.balance()
        assert (after.received - before.received, after.petitions - before.petitions) == (2, 1)
        assert after.linked - before.linked == 1, "a duplicate is linked, never dropped"

    def test_the_same_key_with_another_body_is_a_conflict(self, rig: Rig) -> None:
        filed(rig, GOOD, "one-key-two-bodies")
        before = rig.balance()
        answer = rig.client.post(
            PATH, json={**GOOD, "title": "另一件"}, headers={"Idempotency-Key": "one-key-two-bodies"}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
        after = rig.balance()
        assert (after.refused - before.refused, after.petitions - before.petitions) == (1, 0)

    def test_the_same_key_with_another_file_is_a_conflict(self, rig: Rig) -> None:
        told = []
        for body in (b"first", b"second"):
            content, kind = multipart(("petition", json.dumps(GOOD).encode(), None), ("attachments", body, "note.txt"))
            headers = {"Idempotency-Key": "one-key-two-files", "Content-Type": kind}
            told.append(rig.client.post(PATH, content=content, headers=headers).status_code)
        assert told == [201, 409]

    def test_twenty_at_once_with_one_key_are_one_case(self, rig: Rig) -> None:
        before = rig.balance()
        with ThreadPoolExecutor(20) as crowd:
            receipts = list(crowd.map(lambda _: filed(rig, GOOD, "twenty-at-once"), range(20)))
        assert len({receipt["case_no"] for receipt in receipts}) == 1
        assert len({receipt["query_code"] for receipt in receipts}) == 1
        after = rig.balance()
        assert (after.received - before.received, after.petitions - before.petitions) == (20, 1)
        assert after.linked - before.linked == 19

    def test_without_a_key_the_same_body_is_another_case(self, rig: Rig) -> None:
        assert filed(rig, GOOD)["case_no"] != filed(rig, GOOD)["case_no"]

    def test_the_original_is_kept_byte_for_byte(self, rig: Rig) -> None:
        body = b'{ "content" :"\xe8\xb7\xaf\xe7\x81\xaf\xe5\x9d\x8f\xe4\xba\x86",\n"title":"x"}'
        answer = rig.client.post(PATH, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 201
        newest = select(ledger.c.digest).order_by(ledger.c.id.desc()).limit(1)
        digest = rig.house.store.read_now(lambda tx: tx.connection.execute(newest).scalar_one())
        assert digest == hashlib.sha256(body).hexdigest()


class TestTracking:
    def test_the_petitioner_sees_where_it_is(self, rig: Rig) -> None:
        told = dispatched(rig, filed(rig, GOOD))
        assert told["unit"] == {"code": "620105-traffic", "name": told["unit"]["name"]}
        assert told["status_words"].startswith("已转送")
        assert [step["at"] for step in told["timeline"]] == sorted(step["at"] for step in told["timeline"])
        assert told["deadlines"], "by when is what people ask first"
        assert "content" not in told, "the record itself is not told to who has only the code"
        assert "李演示" not in json.dumps(told, ensure_ascii=False)

    @pytest.mark.parametrize("shape", ["{}", " {} ", "lower", "hyphens"])
    def test_the_number_as_people_write_it(self, rig: Rig, shape: str) -> None:
        receipt = filed(rig, GOOD)
        number = receipt["case_no"]
        written = {"lower": number.lower(), "hyphens": "-".join((number[:6], number[6:]))}.get(
            shape, shape.format(number)
        )
        answer = rig.client.get(f"{PATH}/{written}", headers={"X-Query-Code": receipt["query_code"].lower()})
        assert (answer.status_code, answer.json()["case_no"]) == (200, number)

    @pytest.mark.parametrize(
        ("label", "number", "code"),
        [
            ("wrong code", None, "0000-0000-0000"),
            ("no code", None, ""),
            ("half a character", None, b"\xed\xa0\x80"),
            ("a long code", None, "A" * 5000),
            ("unknown number", "620000A2026112299999", "0000-0000-0000"),
            ("no number at all", "nonsense", "0000-0000-0000"),
            ("NUL", "%00", "0000-0000-0000"),
            ("invalid UTF-8", "%ff%fe", "0000-0000-0000"),
            ("half a character in the path", "%ed%a0%80", "0000-0000-0000"),
            ("a long number", "6" * 3000, "0000-0000-0000"),
            ("a folder", "..%2f..%2fetc", "0000-0000-0000"),
        ],
    )
    def test_who_may_not_know_learns_nothing(self, rig: Rig, label: str, number: str | None, code: str | bytes) -> None:
        number = number or filed(rig, GOOD)["case_no"]
        answer = rig.client.get(f"{PATH}/{number}", headers=[(b"X-Query-Code", _bytes(code))] if code else [])
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), label
        assert answer.json()["detail"] == NotFound.words

    def test_guessing_a_code_ends_soon(self, rig: Rig) -> None:
        receipt = filed(rig, GOOD)
        statuses = [standing(rig, receipt, **{"X-Query-Code": f"0000-0000-{n:04}"}).status_code for n in range(12)]
        assert statuses[:5] == [404] * 5
        assert statuses[-1] == 429
        assert standing(rig, receipt).headers["Retry-After"].isdigit()
        assert standing(rig, receipt, **{"X-API-Key": API_KEY}).status_code == 200, "a system with a key may still ask"

    def test_a_system_with_a_key_leaves_a_trace(self, rig: Rig) -> None:
        receipt = filed(rig, GOOD)
        assert standing(rig, receipt, **{"X-API-Key": API_KEY}).json()["case_no"] == receipt["case_no"]
        looks = select(func.count()).where(audit.c.actor == "api:sample", audit.c.case_no == receipt["case_no"])
        assert rig.house.store.read_now(lambda tx: tx.connection.execute(looks).scalar_one()) == 1

    @pytest.mark.parametrize("key", ["", "wrong", API_KEY + " x", b"\xff\xfe"])
    def test_a_wrong_key_is_refused_even_with_the_code(self, rig: Rig, key: str | bytes) -> None:
        receipt = filed(rig, GOOD)
        headers = [(b"X-API-Key", _bytes(key)), (b"X-Query-Code", _bytes(receipt["query_code"]))]
        answer = rig.client.get(f"{PATH}/{receipt['case_no']}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "forged")

    def test_an_accusation_tells_only_that_it_is_with_the_organ_in_charge(self, rig: Rig) -> None:
        receipt = filed(rig, ACCUSATION)
        told = dispatched(rig, receipt)
        assert (told["unit"], told["status"], told["documents"]) == (None, "", [])
        assert told["status_words"] == "已转有权机关"
        assert all(step["unit"] is None and not step["words"] for step in told["timeline"])
        assert standing(rig, receipt, **{"X-API-Key": API_KEY}).status_code == 404


def told(rig: Rig, event: object, event_id: str = "evt-1", **how: Any) -> httpx.Response:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return rig.client.post(EVENTS, content=body, headers=signed(body, event_id, **how))


class TestEvents:
    def test_an_event_moves_the_case_once(self, rig: Rig) -> None:
        receipt = filed(rig, GOOD)
        dispatched(rig, receipt)
        event = {"case_no": receipt["case_no"], "event": "study_suggestion", "event_id": "study-1"}
        assert told(rig, event).json() == {
            "case_no": receipt["case_no"],
            "result": "moved",
            "status": "SUGGESTION_STUDIED",
        }
        assert told(rig, event).json()["result"] == "repeated"
        assert standing(rig, receipt).json()["status"] == "SUGGESTION_STUDIED"

    def test_twenty_copies_at_once_are_one(self, rig: Rig) -> None:
        receipt = filed(rig, GOOD)
        dispatched(rig, receipt)
        event = {"case_no": receipt["case_no"], "event": "study_suggestion", "event_id": "study-20"}
        with ThreadPoolExecutor(20) as crowd:
            results = list(crowd.map(lambda _: told(rig, event).json()["result"], range(20)))
        assert sorted(results) == ["moved", *["repeated"] * 19]

    @pytest.mark.parametrize(
        ("label", "event", "how", "status", "code"),
        [
            ("wrong secret", {"case_no": "x", "event": "accept"}, {"secret": "whsec_" + "A" * 32}, 401, "forged"),
            ("too old", {"case_no": "x", "event": "accept"}, {"at": 1_700_000_000}, 401, "forged"),
            ("no JSON", b"{", {}, 400, "unreadable"),
            ("invalid UTF-8 (the seal is over text)", b'{"case_no":"\xff"}', {}, 401, "forged"),
            ("no event", {"case_no": "x"}, {}, 422, "invalid"),
            ("unknown event", {"case_no": "x", "event": "party"}, {}, 422, "invalid"),
            ("unknown field", {"case_no": "x", "event": "accept", "more": 1}, {}, 422, "invalid"),
            (
                "a moment without zone",
                {"case_no": "x", "event": "accept", "at": "2026-11-22T09:00:00"},
                {},
                422,
                "invalid",
            ),
            ("unknown case", {"case_no": "620000A2026112299999", "event": "accept"}, {}, 404, "not_found"),
            ("too large", b" " * 70_000, {}, 413, "too_large"),
        ],
    )
    def test_what_is_no_event(self, rig: Rig, label: str, event: object, how: Any, status: int, code: str) -> None:
        answer = told(rig, event, "evt-bad", **how)
        assert (answer.status_code, answer.json()["code"]) == (status, code), label

    def test_without_a_signature(self, rig: Rig) -> None:
        assert rig.client.post(EVENTS, json={"case_no": "x"}).status_code == 401

    def test_without_a_secret_there_is_no_such_door(self, tmp_path: Path) -> None:
        with running_house(tmp_path) as closed:
            assert told(closed, {"case_no": "x", "event": "accept"}).status_code == 404


def test_nothing_fell_between_the_chairs(rig: Rig) -> None:
    """Last in this file: after all of the above the books balance."""
    filed(rig, GOOD)
    assert until(lambda: rig.balance().waiting == 0)
    balance = rig.balance()
    assert balance.gap == rig.gap() == 0
    held = select(func.count()).where(ledger.c.outcome == Outcome.HELD.value)
    assert rig.house.store.read_now(lambda tx: tx.connection.execute(held).scalar_one()) == balance.held == 0
