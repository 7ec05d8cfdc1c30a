"""The torture of all doors: hard cases, seeded mutants, repeats and races; nothing breaks, nothing is lost or doubled.

TORTURE_N=10000 sets the mutants of each door (60 without), TORTURE_SEED another beginning; `make torture N=10000`.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from aiohttp import web

from channels.rest import Rest as RestDoor
from petition.arrival import Arrival
from petition.errors import Unavailable
from petition.numbering import check_character
from tests.houses import Rig, running_house
from tests.torture.mutator import Mutator
from tests.torture.relay import Email
from tests.torture.senders import HOUSE, Hotline, Rest, Sms
from tests.torture.talks import Fax, Voice, Wechat
from tests.torture.tally import Tally, proofs, verdict
from tests.torture.web import Web

pytestmark = [
    pytest.mark.slow,
    # aiohttp-jinja2 1.6 still names its request values by words.
    pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning"),
    # What aiohttp thinks of spoilt headers is a warning; here alone warnings are errors.
    pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionHeader"),
    pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionParam"),
]

N = int(os.environ.get("TORTURE_N", "60"))
SEED = int(os.environ.get("TORTURE_SEED", "20261122"))


class Sender(Protocol):
    """How one door is tortured."""

    tally: Tally

    def hard(self) -> list[Callable[[], object]]:
        """The hard cases, each ready to be sent."""
        ...

    def mutant(self) -> None:
        """Send one mutant."""
        ...

    def race(self) -> list[Callable[[], object]]:
        """One good input, several times, to be sent at the same moment."""
        ...


DOORS: dict[str, Callable[[Rig, Mutator], Sender]] = {
    "web": Web,
    "rest": Rest,
    "hotline": Hotline,
    "sms": Sms,
    "email": Email,
    "fax": Fax,
    "voice": Voice,
    "wechat": Wechat,
}


def settings_of(door: str) -> dict[str, Any]:
    """The settings of the house a door is tortured in; a browser needs cookies without TLS."""
    return {name: value for name, value in HOUSE.items() if door != "web" or name != "public_url"}


def torture(rig: Rig, make: Callable[[Rig, Mutator], Sender], number: int, seed: int) -> tuple[Sender, list[str]]:
    """Everything against one door; what is broken."""
    sender = make(rig, Mutator(seed))
    for send in sender.hard():
        send()
    for _ in range(number):
        sender.mutant()
    found = verdict(rig, sender.tally)
    # The races come last: in one of them an input may rightly stand twice in the ledger.
    before = len(sender.tally.numbers)
    for _ in range(3):
        sends = sender.race()
        with ThreadPoolExecutor(len(sends)) as crowd:
            list(crowd.map(lambda send: send(), sends))
    sender.tally.loose = True
    found += verdict(rig, sender.tally)
    if not sender.tally.talks and len(sender.tally.numbers) != before + 3:
        found.append(f"three inputs in races opened {len(sender.tally.numbers) - before} cases")
    getattr(sender, "close", lambda: None)()
    return sender, found


@pytest.mark.parametrize("door", DOORS)
def test_no_door_breaks_loses_or_doubles(door: str, tmp_path: Path) -> None:
    begun = time.monotonic()
    with running_house(tmp_path, **settings_of(door)) as rig:
        sender, found = torture(rig, DOORS[door], N, SEED)
        took, balance = time.monotonic() - begun, rig.balance(door)
        found += proofs(rig)
    tally = sender.tally
    print(
        f"\n{door}: seed {SEED}, {N} mutants, {tally.sent} sent, {tally.reached} reached, "
        f"{balance.petitions} petitions, {balance.held} held, {took:.0f} s, "
        f"answers {dict(tally.answers.most_common(12))}"
    )
    assert not found, f"seed {SEED}: " + "\n".join(found)
    assert balance.petitions + balance.held, "nothing came through: this was no test"


async def swallowing(self: RestDoor, request: web.Request, hall: Any) -> web.Response:
    """A door that says it has it, and has it not."""
    await request.read()
    number = "620000A20261122999996"
    told = {"case_no": number[:-1] + check_character(number[:-1]), "query_code": "x"}
    return web.json_response(told, status=201)


async def dropping(self: RestDoor, request: web.Request, hall: Any) -> web.Response:
    """A door that turns away without a word to the ledger."""
    return web.json_response({"code": "unreadable"}, status=400)


async def stumbling(self: RestDoor, request: web.Request, hall: Any) -> web.Response:
    """A door with a bug."""
    raise KeyError("petition")


async def doubling(self: RestDoor, request: web.Request, hall: Any) -> web.Response:
    """A door that makes a new petition of every repeat."""

    async def again(arrival: Arrival) -> Any:
        await hall.intake(arrival)
        return await hall.intake(replace(arrival, raw_id=secrets.token_hex(16)))

    return await _POST(self, request, replace(hall, intake=again))


async def refusing(self: RestDoor, request: web.Request, hall: Any) -> web.Response:
    """A door that is never ready."""
    raise Unavailable()


_POST = RestDoor._post
# label, the planted defect, what the verdict says
DEFECTS: list[tuple[str, Any, str]] = [
    ("answers without committing", swallowing, "acknowledged that nobody has"),
    ("drops what it cannot read", dropping, "are accounted for"),
    ("raises", stumbling, "unexpected error"),
    ("doubles", doubling, "nobody was told of"),
    ("never ready", refusing, "503"),
]


@pytest.mark.parametrize(("defect", "words"), [row[1:] for row in DEFECTS], ids=[row[0] for row in DEFECTS])
def test_a_planted_defect_is_seen(defect: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness itself is proved: a door made bad on purpose is found out."""
    monkeypatch.setattr(RestDoor, "_post", defect)
    with running_house(tmp_path, **settings_of("rest")) as rig:
        _, found = torture(rig, Rest, 20, SEED)
    assert any(words in line for line in found), found


def test_a_counter_that_is_ahead_of_the_ledger_is_seen(tmp_path: Path) -> None:
    """The operator's own proofs are part of the verdict."""
    with running_house(tmp_path, **settings_of("rest")) as rig:
        torture(rig, Rest, 5, SEED)
        rig.house.store.write_now(
            lambda tx: tx.connection.exec_driver_sql("UPDATE ledger_heads SET counter = counter + 1")
        )
        found = proofs(rig)
    assert any(line.startswith("reconcile") for line in found)
    assert any(line.startswith("ledger verify") for line in found)


def test_the_same_seed_makes_the_same_mutants() -> None:
    one, other = Mutator(7), Mutator(7)
    value = {"content": "样例小学门口是丁字路口", "petitioners": [{"name": "张示例"}], "headcount": 3}
    first = [one.written(one.spoil_json(value)) for _ in range(200)]
    assert first == [other.written(other.spoil_json(value)) for _ in range(200)]
    assert len(set(first)) > 150
    assert value == {"content": "样例小学门口是丁字路口", "petitioners": [{"name": "张示例"}], "headcount": 3}
