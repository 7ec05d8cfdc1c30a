"""Codes (派生编码): what is worked out again from an event whenever it is needed, so that it is stored nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from petition import numbering
from store import tables
from store.transaction import Transaction
from store.vault import Vault


def query_code_of(vault: Vault, channel: str, raw_id: str, digest: str, files: Sequence[str]) -> str:
    """The query code of an event: derived, so that a sender whose answer was lost gets the same one again."""
    secret = "\x1f".join((channel, raw_id, digest, *files))
    return numbering.query_code_from(vault.mac("query-code-of", secret.encode()))


def acknowledgement_id(vault: Vault, channel: str, raw_id: str) -> str:
    """The left part of the Message-ID of an event's acknowledgement: nobody can guess it, so replies find the case."""
    return vault.mac("acknowledgement", f"{channel}\x1f{raw_id}".encode()).hex()[:32]


def opening_event(tx: Transaction, case_no: str) -> tuple[str, str, str, str] | None:
    """(channel, raw_id, digest, files as JSON) of the event that opened a case, or None."""
    event, case = tables.ledger.c, tables.petitions.c
    wanted = select(event.channel, event.raw_id, event.digest, event.files)
    wanted = wanted.join(tables.petitions, case.ledger_id == event.id).where(case.case_no == case_no)
    row = tx.connection.execute(wanted).one_or_none()
    return None if row is None else (row.channel, row.raw_id, row.digest, row.files)
