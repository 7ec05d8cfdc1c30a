"""Opt-outs (短信退订): numbers that want no text message of ours, kept for good as keyed digests."""

from __future__ import annotations

from sqlalchemy import delete, select

from petition.identity import normal_mobile, scrub, tidy
from store.bulk import insert_rows
from store.moments import to_micros
from store.tables import opt_outs
from store.transaction import Transaction
from store.vault import Vault

_WORD = 20  # signs kept of what was sent; no word of ours is longer


def put(tx: Transaction, number: str, word: str) -> None:
    """This number gets nothing any more; the first word stays. An empty number changes nothing."""
    if tidy(number):
        row = {"code": _code(tx.vault, number), "at": to_micros(tx.now), "word": scrub(tidy(word))[:_WORD]}
        insert_rows(tx.connection, opt_outs, [row], conflict="ON CONFLICT DO NOTHING")


def remove(tx: Transaction, number: str) -> bool:
    """This number takes them again; False if it had not opted out."""
    return bool(tx.connection.execute(delete(opt_outs).where(opt_outs.c.code == _code(tx.vault, number))).rowcount)


def has(tx: Transaction, number: str) -> bool:
    """Whether this number opted out, however it is written."""
    wanted = select(opt_outs.c.code).where(opt_outs.c.code == _code(tx.vault, number))
    return tx.connection.scalar(wanted) is not None


def _code(vault: Vault, number: str) -> bytes:
    """Of a kind of its own, so that the table cannot be joined with the people of the cases."""
    return vault.index("opt-out", normal_mobile(number) or tidy(number))
