"""The commands: exit codes an operator's script relies on, and no identity data without a reason."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.settings import Settings
from gateway.house import open_house
from gateway.line import cli
from petition.arrival import Arrival, Statement
from petition.clock import now
from petition.errors import NotFound
from petition.people import Person
from petition.petition import Form
from store import accounts, tables
from store.migrate import newest_revision


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with three petitions of 张示例, one sent twice."""
    house = open_house(Settings(data=tmp_path, min_free=0, reading="inline"))

    async def fill() -> None:
        intake = house.intake()
        for raw_id in ("a", "b", "c", "a"):
            await intake(
                Arrival(
                    channel="web",
                    form=Form.WEB,
                    raw_id=raw_id,
                    received_at=now(),
                    petition_date=now().date(),
                    raw=raw_id.encode(),
                    raw_type="text/plain",
                    statement=Statement(
                        title="反映路灯不亮",
                        content="城关区示例街道路灯不亮,电话15400000001。",
                        petitioners=(Person(name="张示例", mobile="+8615400000001", id_no="620199198503120012"),),
                    ),
                )
            )

    asyncio.run(fill())
    house.close()
    return tmp_path


def gateway(data: Path, *arguments: str) -> Result:
    """Run a command on the folder."""
    environment = {"GATEWAY_DATA": str(data), "GATEWAY_MIN_FREE": "0", "GATEWAY_HTTP": "127.0.0.1:0"}
    return CliRunner(env={**os.environ, **environment}).invoke(cli, arguments)


def test_reconcile_tells_every_figure_and_exits_0_without_a_gap(data: Path) -> None:
    done = gateway(data, "reconcile", "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.output)
    line = {
        "received": 4,
        "petitions": 3,
        "linked": 1,
        "held": 0,
        "refused": 0,
        "dispatched": 0,
        "waiting": 3,
        "gap": 0,
    }
    assert figures == {"channels": {"web": line}, "total": line}
    assert "缺口" in gateway(data, "reconcile").output


@pytest.mark.parametrize(
    ("label", "statement"),
    [
        ("a case that vanished", "DELETE FROM petitions WHERE rowid = 1"),
        ("an order that vanished", "DELETE FROM outbox WHERE rowid = 1"),
        ("a counter set back", "UPDATE ledger_heads SET counter = 3 WHERE channel = 'web'"),
    ],
)
def test_reconcile_exits_1_when_something_is_missing(data: Path, label: str, statement: str) -> None:
    with sqlite3.connect(data / "gateway.db") as connection:
        connection.execute(statement)
    connection.close()
    done = gateway(data, "reconcile", "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["total"]["gap"] == 1


def test_verify_exits_0_on_a_whole_ledger_and_1_naming_the_entry(data: Path) -> None:
    whole = gateway(data, "ledger", "verify")
    assert (whole.exit_code, "4" in whole.output) == (0, True)
    with sqlite3.connect(data / "gateway.db") as connection:
        connection.execute("DROP TRIGGER ledger_no_delete")
        connection.execute("DELETE FROM ledger WHERE counter = 2")
    connection.close()
    broken = gateway(data, "ledger", "verify")
    assert broken.exit_code == 1
    assert "web #3" in broken.output


def test_verify_with_another_key_does_not_call_the_ledger_whole(data: Path) -> None:
    (data / "secret.key").write_text("another key of thirty-two characters and more")
    assert gateway(data, "ledger", "verify").exit_code == 1


def test_an_export_shows_no_identity_data(data: Path) -> None:
    done = gateway(data, "export", "petitions")
    rows = [json.loads(line) for line in done.output.splitlines()]
    assert len(rows) == 3
    assert {row["schema"] for row in rows} == {"petition/1"}
    assert {row["status"] for row in rows} == {"REGISTERED"}
    for secret in ("张示例", "15400000001", "620199198503120012"):
        assert secret not in done.output


def test_a_plain_export_needs_a_reason_and_leaves_a_trace(data: Path) -> None:
    assert gateway(data, "export", "petitions", "--plain").exit_code == 2
    done = gateway(data, "export", "petitions", "--plain", "--reason", "年度核对")
    assert "张示例" in done.output
    with sqlite3.connect(data / "gateway.db") as connection:
        rows = connection.execute("SELECT action, reason FROM audit").fetchall()
    connection.close()
    assert rows == [("export_plain", "年度核对")]


def test_ledger_and_dispatches_are_exported_line_by_line(data: Path) -> None:
    entries = [json.loads(line) for line in gateway(data, "export", "ledger").output.splitlines()]
    assert [entry["outcome"] for entry in entries] == ["petition", "petition", "petition", "linked"]
    orders = [json.loads(line) for line in gateway(data, "export", "dispatches").output.splitlines()]
    assert [order["state"] for order in orders] == ["open"] * 3


def test_an_officer_is_added_with_a_password_shown_once(data: Path) -> None:
    arguments = ("--display-name", "登记示例", "--role", "registrar", "--unit", "620000-xinfang")
    done = gateway(data, "officer", "add", "li.shili", *arguments, "--totp")
    assert done.exit_code == 0, done.output
    assert "otpauth://" in done.output
    with sqlite3.connect(data / "gateway.db") as connection:
        stored = connection.execute(f"SELECT name, password_hash FROM {tables.officers.name}").fetchall()
    connection.close()
    assert [name for name, _ in stored] == ["li.shili"]
    assert stored[0][1].startswith("$argon2id$")
    again = gateway(data, "officer", "add", "li.shili", *arguments)
    assert again.exit_code != 0
    wrong = gateway(data, "officer", "add", "wang", *arguments[:3], "nobody", *arguments[4:])
    assert wrong.exit_code == 2
    assert accounts.normal("LI.Shili ") == "li.shili"


def test_an_account_is_listed_renewed_and_closed(data: Path) -> None:
    arguments = ("--display-name", "登记示例", "--role", "registrar", "--unit", "620000-xinfang", "--totp")
    first = gateway(data, "officer", "add", "li.shili", *arguments).output
    renewed = gateway(data, "officer", "renew", "LI.shili").output
    password = re.compile(r"(?:[0-9a-z]{4}-){3}[0-9a-z]{4}")
    assert password.findall(first) != password.findall(renewed)
    assert "未设第二因子" in gateway(data, "officer", "list").output
    assert gateway(data, "officer", "close", "li.shili").exit_code == 0
    assert "已注销" in gateway(data, "officer", "list").output
    unknown = gateway(data, "officer", "renew", "nobody")
    assert isinstance(unknown.exception, NotFound)


def test_check_tells_what_is_wrong(data: Path) -> None:
    good = gateway(data, "check")
    assert good.exit_code == 0, good.output
    assert "GATEWAY_SECRET_KEY" in good.output
    environment = {"GATEWAY_DATA": str(data), "GATEWAY_CHANNELS": "web,pigeon", "GATEWAY_MIN_FREE": "0"}
    bad = CliRunner(env={**os.environ, **environment}).invoke(cli, ["check"])
    assert bad.exit_code == 1
    assert "pigeon" in bad.output


@pytest.mark.parametrize("first", ["migrate", "officer"])
def test_a_fresh_folder_gets_its_key_before_its_database(tmp_path: Path, first: str) -> None:
    officer = ("add", "li.shili", "--display-name", "登记示例", "--role", "registrar", "--unit", "620000-xinfang")
    done = gateway(tmp_path, first, *(officer if first == "officer" else ()))
    assert done.exit_code == 0, done.output
    assert (newest_revision() in done.output) is (first == "migrate")
    assert gateway(tmp_path, "check").exit_code == 0
