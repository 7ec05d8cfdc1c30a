"""Couriers: one promise for all of them, and every way in which a routing system can misbehave."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from config.units import Unit, Units
from dispatch.courier import CAP, LONGEST, Again, Courier, Delivered, Held, pause
from dispatch.couriers.desk import Desk
from dispatch.couriers.exchange import Exchange, retry_after, sealer
from petition import clock
from petition.petition import Petition
from store.outbox import Order, OrderState
from store.records import Records
from tests.dispatch.cases import MOMENT, PLAIN
from tests.fakes.router import SECRET, Router, in_turn, serving
from tests.servers.process import free_port

PETITION = replace(PLAIN, lead_unit="620102-housing")
ORDER = Order(
    id=7,
    kind="dispatch",
    case_no=PETITION.case_no,
    state=OrderState.OPEN,
    due=MOMENT,
    attempts=1,
    payload={},
    problem="",
    created_at=MOMENT,
    done_at=None,
)


def encode(petition: Petition) -> bytes:
    return Records().petition_to_json(petition)


@pytest.fixture
def unit(units: Units) -> Unit:
    return units.rows["620102-housing"]


@pytest.fixture
def router() -> Router:
    return Router(hang=1.0)


@pytest.fixture
def exchange(router: Router) -> Iterator[Exchange]:
    with serving(router) as url:
        courier = Exchange(url + "/", SECRET, encode, timeout=0.3)
        yield courier
        courier.close()


@pytest.fixture(params=["desk", "exchange"])
def courier(request: pytest.FixtureRequest) -> Courier:
    if request.param == "desk":
        return Desk()
    found: Courier = request.getfixturevalue("exchange")
    return found


class TestEveryCourier:
    """The promises of the protocol, kept by each way out."""

    def test_a_good_petition_is_delivered(self, courier: Courier, unit: Unit) -> None:
        outcome = courier.deliver(ORDER, PETITION, unit)
        assert isinstance(outcome, Delivered)
        assert outcome.unit_code == unit.code
        assert outcome.detail

    def test_the_same_key_again_is_delivered_again(self, courier: Courier, unit: Unit) -> None:
        for _ in range(3):
            assert isinstance(courier.deliver(ORDER, PETITION, unit), Delivered)

    def test_nothing_personal_stands_in_the_detail(self, courier: Courier, unit: Unit) -> None:
        outcome = courier.deliver(ORDER, PETITION, unit)
        assert isinstance(outcome, Delivered)
        assert not any(person.name in outcome.detail for person in PETITION.petitioners)

    def test_it_may_be_closed(self, courier: Courier) -> None:
        courier.close()


# What the router does, what the courier says, whether the router has it afterwards.
MISBEHAVIOUR = [
    ("fail", Again, False),
    ("busy", Again, False),
    ("hang", Again, False),
    ("lose", Again, True),
    ("garble", Again, True),
    ("drip", Again, True),
    ("refuse", Held, False),
    ("conflict", Delivered, True),
]


@pytest.mark.parametrize(("mood", "outcome", "has_it"), MISBEHAVIOUR)
def test_each_answer_has_its_outcome(
    mood: str, outcome: type, has_it: bool, router: Router, exchange: Exchange, unit: Unit
) -> None:
    router.mood = in_turn([mood])
    began = datetime.now()
    assert isinstance(exchange.deliver(ORDER, PETITION, unit), outcome)
    assert datetime.now() - began < timedelta(seconds=0.9), "a slow router must not keep the worker"
    assert (ORDER.key in router.bodies) is has_it
    assert isinstance(exchange.deliver(ORDER, PETITION, unit), Delivered), "the next try succeeds"
    assert router.cases[PETITION.case_no] == 1, "and there is one delivery, not two"


def test_what_is_sent_is_the_petition_signed_and_under_its_key(router: Router, exchange: Exchange, unit: Unit) -> None:
    exchange.deliver(ORDER, PETITION, unit)
    assert router.forged == 0
    assert Records().petition_from_json(json.dumps(router.bodies["case-7"]).encode()) == PETITION


def test_a_wrong_secret_is_refused_and_held(router: Router, unit: Unit) -> None:
    with serving(router) as url:
        courier = Exchange(url, "whsec_" + "QUFB" * 10, encode)
        assert isinstance(courier.deliver(ORDER, PETITION, unit), Held)
        courier.close()
    assert router.forged == 1


def test_a_router_that_is_not_there_is_tried_again(unit: Unit) -> None:
    courier = Exchange(f"http://127.0.0.1:{free_port()}", SECRET, encode)
    assert isinstance(courier.deliver(ORDER, PETITION, unit), Again)
    courier.close()


def test_retry_after_reaches_the_outcome(router: Router, exchange: Exchange, unit: Unit) -> None:
    router.mood, router.retry_after = in_turn(["busy"]), 77
    outcome = exchange.deliver(ORDER, PETITION, unit)
    assert isinstance(outcome, Again)
    assert outcome.after == timedelta(seconds=77)


def test_a_proxy_of_the_environment_never_sees_a_petition(
    monkeypatch: pytest.MonkeyPatch, router: Router, unit: Unit
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with serving(router) as url:
        courier = Exchange(url, SECRET, encode)
        assert isinstance(courier.deliver(ORDER, PETITION, unit), Delivered)
        courier.close()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a"])
def test_an_unusable_secret_stops_the_start(secret: str) -> None:
    with pytest.raises(ValueError, match="ROUTING_SECRET"):
        sealer(secret)


def test_the_signature_is_the_one_of_the_standard() -> None:
    # Said again without the library: HMAC-SHA256 over id.timestamp.body under the decoded secret.
    moment = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    told = f"case-7.{int(moment.timestamp())}.{{}}".encode()
    code = hmac.digest(base64.b64decode(SECRET.removeprefix("whsec_")), told, "sha256")
    assert sealer(SECRET).sign("case-7", moment, "{}") == "v1," + base64.b64encode(code).decode()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("", None), ("soon", None), ("0", 0), ("120", 120), (" 5 ", 5), ("-1", None), ("9" * 40, 10**8)],
)
def test_retry_after_in_seconds(value: str, seconds: int | None) -> None:
    assert retry_after(value) == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_as_a_date() -> None:
    asked = retry_after(format_datetime(clock.now() + timedelta(seconds=60)))
    assert asked is not None
    assert timedelta(seconds=55) < asked <= timedelta(seconds=61)
    assert retry_after("Mon, 01 Jan 2024 00:00:00 GMT") == timedelta()


@pytest.mark.parametrize(
    ("attempts", "after", "chance", "expected"),
    [
        (1, None, 1.0, timedelta(seconds=1)),
        (1, None, 0.0, timedelta()),
        (4, None, 1.0, timedelta(seconds=8)),
        (4, None, 0.5, timedelta(seconds=4)),
        (9, None, 1.0, timedelta(seconds=256)),
        (10, None, 1.0, CAP),
        (10**6, None, 1.0, CAP),
        (0, None, 1.0, timedelta(seconds=1)),
        (1, timedelta(seconds=30), 1.0, timedelta(seconds=30)),
        (10, timedelta(seconds=30), 1.0, CAP),
        (1, timedelta(days=30), 1.0, LONGEST),
    ],
)
def test_the_pause_grows_with_jitter_up_to_its_cap(
    attempts: int, after: timedelta | None, chance: float, expected: timedelta
) -> None:
    assert pause(attempts, after, lambda: chance) == expected
