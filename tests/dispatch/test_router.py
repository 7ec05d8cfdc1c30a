"""The routing system of the tests itself, as the process the crash harness runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx

from config.units import Units
from dispatch.courier import Again
from dispatch.couriers.exchange import Exchange
from tests.dispatch.test_courier import ORDER, PETITION, encode
from tests.fakes import router
from tests.fakes.router import SECRET, Router
from tests.servers.process import free_port


def test_as_a_process_it_keeps_every_delivery_through_a_kill(tmp_path: Path, units: Units) -> None:
    journal, port = tmp_path / "journal", free_port()
    command = [sys.executable, router.__file__, "--port", str(port), "--journal", str(journal), "--lose", "1"]
    unit = units.rows["620102-housing"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        courier = Exchange(f"http://127.0.0.1:{port}", SECRET, encode)
        end = time.monotonic() + 10
        while not journal.exists():
            assert time.monotonic() < end
            assert isinstance(courier.deliver(ORDER, PETITION, unit), Again)
            time.sleep(0.05)
        courier.deliver(ORDER, PETITION, unit)
        courier.deliver(replace(ORDER, id=8), PETITION, unit)
        told = httpx.get(f"http://127.0.0.1:{port}/deliveries", trust_env=False).json()
        assert told["cases"] == {PETITION.case_no: 2}
        courier.close()
    finally:
        process.kill()
        process.wait(5)
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert [(line["key"], line["case_no"]) for line in lines] == [
        ("case-7", PETITION.case_no),
        ("case-8", PETITION.case_no),
    ]
    again = Router(journal=journal)
    assert set(again.bodies) == {"case-7", "case-8"}, "a router started again knows what it had"


def test_a_half_written_line_of_a_killed_router_is_passed_over(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_text('{"key": "case-1", "case_no": "n"}\n{"key": "ca', encoding="utf-8")
    assert set(Router(journal=journal).bodies) == {"case-1"}


def test_known_moods_come_in_their_shares() -> None:
    mood = router.moods({"fail": 0.5, "lose": 0.25}, seed=1)
    drawn = [mood() for _ in range(400)]
    assert 150 < drawn.count("fail") < 250
    assert 60 < drawn.count("lose") < 140
    assert set(drawn) == {"fail", "lose", "ok"}
