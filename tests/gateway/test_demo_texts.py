"""`gateway demo` with the provider played on this machine: a picture comes with its message, a lost one by the list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.demo.doors import Place
from gateway.demo.provider import ACCOUNT
from gateway.demo.texts import LOST, load_texts
from tests.gateway.test_demo import Gateway, started
from tests.servers.process import free_port

HERE = Place("http://127.0.0.1:1", account=ACCOUNT, provider_port=9, reconcile=30)

# label, changes of the place, how many further samples are played
PLACES: list[tuple[str, dict[str, Any], int]] = [
    ("the provider is played here", {}, 2),
    ("rounds are far apart", {"reconcile": 300}, 1),
    ("no rounds", {"reconcile": 0}, 1),
    ("the provider is elsewhere", {"provider_port": 0}, 0),
    ("no account", {"account": ""}, 0),
]


@pytest.mark.parametrize(("changes", "number"), [case[1:] for case in PLACES], ids=[case[0] for case in PLACES])
def test_what_is_played_depends_on_the_provider(changes: dict[str, Any], number: int) -> None:
    samples = load_texts(replace(HERE, **changes))
    assert len(samples) == number
    assert [sample.via for sample in samples] == ["", LOST][:number]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    more = {
        "GATEWAY_CHANNELS": "web,rest,sms",
        "GATEWAY_TWILIO_ACCOUNT_SID": ACCOUNT,
        "GATEWAY_TWILIO_API_URL": f"http://127.0.0.1:{free_port()}",
        "GATEWAY_TWILIO_RECONCILE_SECONDS": "1",
    }
    yield from started(tmp_path_factory.mktemp("texts"), more)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
def test_pictures_and_lost_messages_arrive_and_the_books_balance(gateway: Gateway) -> None:
    ran = gateway.command("demo")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = {line.split()[1]: line for line in ran.stdout.splitlines() if line[:1] in "✓✗·" and line.strip()}
    assert lines["21"].startswith("✓"), lines
    assert lines["22"].startswith("✓"), lines
    rows = [json.loads(line) for line in gateway.command("export", "petitions").stdout.splitlines()]
    texts = [row for row in rows if row["form"] == "SMS"]
    assert [[file["name"] for file in row["attachments"]] for row in texts] == [[], ["短信附件1.png"], []]
    assert ["CAUGHT_UP" in {note["code"] for note in row["notes"]} for row in texts] == [False, False, True]
    books = gateway.command("reconcile", "--json")
    assert books.returncode == 0
    sms = json.loads(books.stdout)["channels"]["sms"]
    assert (sms["petitions"], sms["linked"], sms["refused"], sms["gap"]) == (3, 4, 0, 0)
    assert gateway.command("ledger", "verify").returncode == 0
