"""`gateway export` (导出): petitions, ledger or dispatches as JSON lines, masked unless a reason is given."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click
from sqlalchemy import select

from config.settings import Settings
from gateway.house import secret_of
from petition import clock
from petition.arrival import Outcome
from petition.identity import mask_email, mask_id, mask_name, mask_phone, scrub
from petition.people import Person
from petition.petition import Petition
from store import audit, petitions, tables
from store.database import Store, open_reading, open_store
from store.moments import from_micros
from store.transaction import Transaction


@click.command()
@click.argument("what", type=click.Choice(["petitions", "ledger", "dispatches"]))
@click.option("--format", "style", type=click.Choice(["jsonl"]), default="jsonl", help="一行一条 JSON / JSON lines")
@click.option("--plain", is_flag=True, help="显示身份信息,并留痕 / show identity data; writes an audit row")
@click.option("--reason", default="", help="查阅身份信息的理由,--plain 必填 / why, needed with --plain")
@click.pass_obj
def export(settings: Settings, what: str, style: str, plain: bool, reason: str) -> None:
    """导出事项、台账或转办记录。 (Export petitions, the ledger or dispatches.)"""
    if plain and not reason.strip():
        raise click.UsageError("--plain 须用 --reason 写明理由 (give a --reason)。")
    secret = secret_of(settings)
    if plain:
        if settings.database.startswith("sqlite") and _is_running(settings):
            raise click.UsageError("--plain 要留痕,而 SQLite 由运行中的网关独占写入,请先停止网关 (stop it first)。")
        store = open_store(settings.database, settings.data, secret, clock.now, min_free=0)
    else:
        store = open_reading(settings.database, settings.data, secret)
    try:
        if plain:
            actor = f"command:{getpass.getuser()}"
            store.write_now(lambda tx: audit.record(tx, actor, "export_plain", reason=reason, fields=("petitioners",)))
        _write(store, what, plain)
    finally:
        store.close()


def _write(store: Store, what: str, plain: bool) -> None:
    def work(tx: Transaction) -> None:
        rows = {"petitions": _petitions, "ledger": _ledger, "dispatches": _dispatches}[what](tx, plain)
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))

    store.read_now(work)


def _petitions(tx: Transaction, plain: bool) -> Iterator[dict[str, Any]]:
    for case in petitions.every(tx):
        if case.standing is not Outcome.PETITION:
            continue
        record = case.petition if plain else masked(case.petition)
        yield {**json.loads(tx.records.petition_to_json(record)), "status": case.status.value, "unit": case.unit}


def masked(petition: Petition) -> Petition:
    """The record without readable identity data; free text keeps its words but not its numbers."""
    return replace(
        petition,
        petitioners=tuple(_masked_person(person) for person in petition.petitioners),
        accused=tuple(replace(party, name=mask_name(party.name)) for party in petition.accused),
        title=scrub(petition.title),
        summary=scrub(petition.summary),
        content=scrub(petition.content),
        main_facts=scrub(petition.main_facts),
        requests=tuple(scrub(request) for request in petition.requests),
    )


def _masked_person(person: Person) -> Person:
    return replace(
        person,
        name=mask_name(person.name),
        id_no=mask_id(person.id_no),
        mobile=mask_phone(person.mobile),
        landline=mask_phone(person.landline),
        email=mask_email(person.email),
        address="***" if person.address else "",
    )


def _ledger(tx: Transaction, plain: bool) -> Iterator[dict[str, Any]]:
    rows = tx.connection.execution_options(yield_per=1000).execute(select(tables.ledger).order_by(tables.ledger.c.id))
    for row in rows:
        line = row._asdict()
        line |= {"prev": row.prev.hex(), "hash": row.hash.hex(), "files": json.loads(row.files)}
        line["received_at"] = from_micros(row.received_at).isoformat()
        del line["key"]
        yield line


def _dispatches(tx: Transaction, plain: bool) -> Iterator[dict[str, Any]]:
    wanted = select(tables.outbox).where(tables.outbox.c.kind == "dispatch").order_by(tables.outbox.c.id)
    for row in tx.connection.execution_options(yield_per=1000).execute(wanted):
        yield {
            "id": row.id,
            "key": f"case-{row.id}",
            "case_no": row.case_no,
            "state": row.state,
            "attempts": row.attempts,
            "problem": row.problem,
            "created_at": from_micros(row.created_at).isoformat(),
            "done_at": from_micros(row.done_at).isoformat() if row.done_at else None,
        }


def _is_running(settings: Settings) -> bool:
    address = settings.http_address
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((address.host, address.port)) == 0
